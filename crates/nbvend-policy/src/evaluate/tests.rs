//! Scenarios of the decision, each with the layer or statement that must decide it.

use super::*;
use serde_json::{Value, json};

mod exceptional;

const HOME: &str = "111122223333";
const AWAY: &str = "444455556666";
const OBJECT: &str = "arn:aws:s3:::data/x";

fn user(account: &str, name: &str) -> Principal {
    Principal::User { arn: format!("arn:aws:iam::{account}:user/{name}"), account: account.into() }
}

fn session() -> Principal {
    Principal::AssumedRole {
        role_arn: format!("arn:aws:iam::{HOME}:role/team/Launch"),
        session_arn: format!("arn:aws:sts::{HOME}:assumed-role/Launch/s1"),
        account: HOME.into(),
    }
}

fn federated() -> Principal {
    Principal::FederatedUser {
        arn: format!("arn:aws:sts::{HOME}:federated-user/guest"),
        user_arn: format!("arn:aws:iam::{HOME}:user/ann"),
        account: HOME.into(),
    }
}

/// A document of one statement per element; strings are completed with version and defaults.
fn policy(kind: Kind, statements: &Value) -> Policy {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    Policy::parse(&text, kind).unwrap_or_else(|fault| panic!("{fault} in {text}"))
}

fn allow(kind: Kind) -> Policy {
    policy(kind, &json!([{"Sid": "Yes", "Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]))
}

fn deny(kind: Kind) -> Policy {
    policy(
        kind,
        &json!([{"Sid": "No", "Effect": "Deny", "Action": "S3:*", "Resource": "arn:aws:s3:::data/*"}]),
    )
}

fn nothing(kind: Kind) -> Policy {
    policy(kind, &json!([{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]))
}

/// A resource policy that allows reading to these principals.
fn to(principal: &Value) -> Policy {
    policy(
        Kind::Resource,
        &json!([{"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}]),
    )
}

#[derive(Default)]
struct Case {
    identity: Vec<Policy>,
    boundary: Option<Policy>,
    session: Vec<Policy>,
    resource: Option<Policy>,
    owner: Option<&'static str>,
}

impl Case {
    fn decide(&self, who: &Principal) -> Decision {
        let named = |policies: &[Policy]| -> Vec<(&'static str, Policy)> {
            policies.iter().map(|policy| ("p", policy.clone())).collect()
        };
        let (identity, session) = (named(&self.identity), named(&self.session));
        let identity: Vec<_> = identity.iter().map(|(name, policy)| (*name, policy)).collect();
        let session: Vec<_> = session.iter().map(|(name, policy)| (*name, policy)).collect();
        let context = Context::new();
        let request = Request {
            principal: who,
            action: "s3:GetObject",
            resource: OBJECT,
            resource_account: self.owner,
            context: &context,
        };
        evaluate(
            &request,
            &Policies {
                identity: &identity,
                boundary: self.boundary.as_ref().map(|policy| ("b", policy)),
                session: &session,
                resource: self.resource.as_ref().map(|policy| ("r", policy)),
            },
        )
    }
}

/// The layer of the deciding statement or the lacking layer, with the effect.
fn outcome(decision: &Decision) -> (Effect, Option<Layer>) {
    let layer = match &decision.because {
        Reason::Statement(statement) => Some(statement.layer),
        reason => reason.lacking(),
    };
    (decision.effect, layer)
}

const ALLOWED: Effect = Effect::Allowed;
const EXPLICIT: Effect = Effect::ExplicitDeny;
const IMPLICIT: Effect = Effect::ImplicitDeny;

#[test]
fn within_one_account_without_resource_policy() {
    use Kind::{Boundary, Identity, Session};
    let ann = user(HOME, "ann");
    let role = session();
    let guest = federated();
    let root = Principal::Root { account: HOME.into() };
    let by_root = Principal::FederatedUser {
        arn: format!("arn:aws:sts::{HOME}:federated-user/broker"),
        user_arn: format!("arn:aws:iam::{HOME}:root"),
        account: HOME.into(),
    };
    let events = Principal::Service { name: "events.amazonaws.com".into() };
    let cases = [
        ("nothing", &ann, Case::default(), (IMPLICIT, Some(Layer::Identity))),
        (
            "allowed",
            &ann,
            Case { identity: vec![nothing(Identity), allow(Identity)], ..Case::default() },
            (ALLOWED, Some(Layer::Identity)),
        ),
        (
            "deny wins wherever it stands",
            &ann,
            Case { identity: vec![allow(Identity), deny(Identity)], ..Case::default() },
            (EXPLICIT, Some(Layer::Identity)),
        ),
        (
            "boundary lacks",
            &ann,
            Case { identity: vec![allow(Identity)], boundary: Some(nothing(Boundary)), ..Case::default() },
            (IMPLICIT, Some(Layer::Boundary)),
        ),
        (
            "boundary alone grants nothing",
            &ann,
            Case { boundary: Some(allow(Boundary)), ..Case::default() },
            (IMPLICIT, Some(Layer::Identity)),
        ),
        (
            "boundary denies",
            &ann,
            Case { identity: vec![allow(Identity)], boundary: Some(deny(Boundary)), ..Case::default() },
            (EXPLICIT, Some(Layer::Boundary)),
        ),
        (
            "session lacks",
            &role,
            Case { identity: vec![allow(Identity)], session: vec![nothing(Session)], ..Case::default() },
            (IMPLICIT, Some(Layer::Session)),
        ),
        (
            "one of several session policies is enough",
            &role,
            Case {
                identity: vec![allow(Identity)],
                session: vec![nothing(Session), allow(Session)],
                ..Case::default()
            },
            (ALLOWED, Some(Layer::Identity)),
        ),
        (
            "a role session without session policy has the role's rights",
            &role,
            Case { identity: vec![allow(Identity)], ..Case::default() },
            (ALLOWED, Some(Layer::Identity)),
        ),
        (
            "a federated user without session policy has none",
            &guest,
            Case { identity: vec![allow(Identity)], ..Case::default() },
            (IMPLICIT, Some(Layer::Session)),
        ),
        (
            "a federated user with one",
            &guest,
            Case { identity: vec![allow(Identity)], session: vec![allow(Session)], ..Case::default() },
            (ALLOWED, Some(Layer::Identity)),
        ),
        ("root", &root, Case::default(), (ALLOWED, None)),
        (
            "a session that root made for another has what its policies leave of everything",
            &by_root,
            Case { session: vec![allow(Session)], ..Case::default() },
            (ALLOWED, None),
        ),
        ("and nothing without them", &by_root, Case::default(), (IMPLICIT, Some(Layer::Session))),
        (
            "a service has no identity policies",
            &events,
            Case { identity: vec![allow(Identity)], ..Case::default() },
            (IMPLICIT, Some(Layer::Resource)),
        ),
        ("nobody", &Principal::Anonymous, Case::default(), (IMPLICIT, Some(Layer::Resource))),
    ];
    for (name, who, case, expected) in cases {
        assert_eq!(outcome(&case.decide(who)), expected, "{name}");
    }
}

#[test]
fn resource_policies_within_one_account() {
    let ann = user(HOME, "ann");
    let role = session();
    let guest = federated();
    let role_arn = format!("arn:aws:iam::{HOME}:role/team/Launch");
    let session_arn = format!("arn:aws:sts::{HOME}:assumed-role/Launch/s1");
    let ann_arn = format!("arn:aws:iam::{HOME}:user/ann");
    let guest_arn = format!("arn:aws:sts::{HOME}:federated-user/guest");
    let by_resource = (ALLOWED, Some(Layer::Resource));
    let no_identity = (IMPLICIT, Some(Layer::Identity));
    let no_boundary = (IMPLICIT, Some(Layer::Boundary));
    let no_session = (IMPLICIT, Some(Layer::Session));

    // Who, whom the policy names, and what comes out: with nothing else, with an empty boundary, with an empty
    // session policy.
    for (who, named, alone, bounded, scoped) in [
        (&ann, json!({"AWS": ann_arn}), by_resource, by_resource, by_resource),
        (&ann, json!("*"), by_resource, by_resource, by_resource),
        (&ann, json!({"AWS": HOME}), no_identity, no_identity, no_identity),
        (&ann, json!({"AWS": AWAY}), no_identity, no_identity, no_identity),
        (&role, json!({"AWS": role_arn}), by_resource, no_boundary, no_session),
        (&role, json!({"AWS": session_arn}), by_resource, by_resource, by_resource),
        (&role, json!({"AWS": [HOME, role_arn, session_arn]}), by_resource, by_resource, by_resource),
        (&role, json!({"AWS": "*"}), by_resource, by_resource, by_resource),
        (&role, json!({"AWS": [HOME]}), no_identity, no_identity, no_identity),
        (&guest, json!({"AWS": guest_arn}), by_resource, by_resource, by_resource),
        (&guest, json!({"AWS": ann_arn}), no_session, no_boundary, no_session),
    ] {
        let resource = Some(to(&named));
        let case =
            |boundary, session| Case { resource: resource.clone(), boundary, session, ..Case::default() };
        assert_eq!(outcome(&case(None, vec![]).decide(who)), alone, "{who:?} {named}");
        let decision = case(Some(nothing(Kind::Boundary)), vec![]).decide(who);
        assert_eq!(outcome(&decision), bounded, "bounded {who:?} {named}");
        let decision = case(None, vec![nothing(Kind::Session)]).decide(who);
        assert_eq!(outcome(&decision), scoped, "scoped {who:?} {named}");
    }

    let root = Principal::Root { account: HOME.into() };
    let denied = policy(
        Kind::Resource,
        &json!([{"Effect": "Deny", "Principal": {"AWS": HOME}, "Action": "*", "Resource": "*"}]),
    );
    let case = Case { resource: Some(denied), identity: vec![allow(Kind::Identity)], ..Case::default() };
    for who in [&ann, &role, &root] {
        assert_eq!(outcome(&case.decide(who)), (EXPLICIT, Some(Layer::Resource)), "{who:?}");
    }
}

#[test]
fn services_and_nobody_come_in_by_the_resource_policy_alone() {
    let events = Principal::Service { name: "events.amazonaws.com".into() };
    for (who, named, effect) in [
        (&events, json!({"Service": "events.amazonaws.com"}), ALLOWED),
        (&events, json!({"Service": ["lambda.amazonaws.com", "events.amazonaws.com"]}), ALLOWED),
        (&events, json!({"Service": "lambda.amazonaws.com"}), IMPLICIT),
        (&events, json!({"AWS": HOME}), IMPLICIT),
        (&Principal::Anonymous, json!({"AWS": HOME}), IMPLICIT),
        (&Principal::Anonymous, json!("*"), ALLOWED),
    ] {
        let case = Case { resource: Some(to(&named)), owner: Some(HOME), ..Case::default() };
        assert_eq!(case.decide(who).effect, effect, "{who:?} {named}");
    }
}

#[test]
fn across_accounts_both_sides_must_allow() {
    let ann = user(AWAY, "ann");
    let root = Principal::Root { account: AWAY.into() };
    let ann_arn = format!("arn:aws:iam::{AWAY}:user/ann");
    let yes = || vec![allow(Kind::Identity)];
    let none = || None;
    let open = |named: Value| Some(to(&named));
    for (name, who, identity, boundary, resource, expected) in [
        ("identity only", &ann, yes(), none(), none(), (IMPLICIT, Some(Layer::Resource))),
        (
            "resource only",
            &ann,
            vec![],
            none(),
            open(json!({"AWS": ann_arn})),
            (IMPLICIT, Some(Layer::Identity)),
        ),
        ("both", &ann, yes(), none(), open(json!({"AWS": ann_arn})), (ALLOWED, Some(Layer::Identity))),
        ("to the account", &ann, yes(), none(), open(json!({"AWS": AWAY})), (ALLOWED, Some(Layer::Identity))),
        (
            "to the other account",
            &ann,
            yes(),
            none(),
            open(json!({"AWS": HOME})),
            (IMPLICIT, Some(Layer::Resource)),
        ),
        (
            "bounded",
            &ann,
            yes(),
            Some(nothing(Kind::Boundary)),
            open(json!("*")),
            (IMPLICIT, Some(Layer::Boundary)),
        ),
        ("root is not known abroad", &root, vec![], none(), none(), (IMPLICIT, Some(Layer::Resource))),
        ("root, let in", &root, vec![], none(), open(json!({"AWS": AWAY})), (ALLOWED, None)),
    ] {
        let case = Case { identity, boundary, resource, owner: Some(HOME), ..Case::default() };
        assert_eq!(outcome(&case.decide(who)), expected, "{name}");
    }
}

#[test]
fn not_principal() {
    let ann = user(HOME, "ann");
    let bo = user(HOME, "bo");
    let all_but_ann = policy(
        Kind::Resource,
        &json!([{"Effect": "Deny", "NotPrincipal": {"AWS": format!("arn:aws:iam::{HOME}:user/ann")},
                 "Action": "s3:*", "Resource": "*"}]),
    );
    let case = |boundary| Case {
        identity: vec![allow(Kind::Identity)],
        resource: Some(all_but_ann.clone()),
        boundary,
        ..Case::default()
    };
    assert_eq!(outcome(&case(None).decide(&ann)), (ALLOWED, Some(Layer::Identity)));
    assert_eq!(outcome(&case(None).decide(&bo)), (EXPLICIT, Some(Layer::Resource)));
    // The documented trap: a boundary makes such a Deny hit everyone.
    assert_eq!(outcome(&case(Some(allow(Kind::Boundary))).decide(&ann)), (EXPLICIT, Some(Layer::Resource)));
    // A role or an account that is listed takes its sessions along; another role's stay.
    for (listed, effect) in [
        (format!("arn:aws:iam::{HOME}:role/team/Launch"), ALLOWED),
        (HOME.to_owned(), ALLOWED),
        (format!("arn:aws:iam::{HOME}:role/team/Other"), EXPLICIT),
    ] {
        let all_but =
            json!([{"Effect": "Deny", "NotPrincipal": {"AWS": listed}, "Action": "s3:*", "Resource": "*"}]);
        let case = Case {
            identity: vec![allow(Kind::Identity)],
            resource: Some(policy(Kind::Resource, &all_but)),
            ..Case::default()
        };
        assert_eq!(case.decide(&session()).effect, effect, "{listed}");
    }
}

#[test]
fn trust_policies_must_allow() {
    let ann = user(HOME, "ann");
    let stranger = user(AWAY, "eve");
    let root = Principal::Root { account: HOME.into() };
    let catalog = Principal::Service { name: "servicecatalog.amazonaws.com".into() };
    let may_assume = policy(
        Kind::Identity,
        &json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::111122223333:role/*"}]),
    );
    let context: Context = [("sts:ExternalId", "42")].into_iter().collect();
    for (who, named, identity, expected) in [
        (&ann, json!({"AWS": format!("arn:aws:iam::{HOME}:user/ann")}), false, (ALLOWED, Some(Layer::Trust))),
        (&ann, json!({"AWS": HOME}), false, (IMPLICIT, Some(Layer::Identity))),
        (&ann, json!({"AWS": HOME}), true, (ALLOWED, Some(Layer::Identity))),
        (&ann, json!({"Service": "servicecatalog.amazonaws.com"}), true, (IMPLICIT, Some(Layer::Trust))),
        (&root, json!({"Service": "servicecatalog.amazonaws.com"}), false, (IMPLICIT, Some(Layer::Trust))),
        (&catalog, json!({"Service": "servicecatalog.amazonaws.com"}), false, (ALLOWED, Some(Layer::Trust))),
        (&catalog, json!({"AWS": HOME}), false, (IMPLICIT, Some(Layer::Trust))),
        (&stranger, json!({"AWS": AWAY}), false, (IMPLICIT, Some(Layer::Identity))),
        (&stranger, json!({"AWS": AWAY}), true, (ALLOWED, Some(Layer::Identity))),
        (&stranger, json!({"AWS": HOME}), true, (IMPLICIT, Some(Layer::Trust))),
    ] {
        let trust = policy(
            Kind::Trust,
            &json!([{"Effect": "Allow", "Principal": named, "Action": "sts:AssumeRole",
                     "Condition": {"StringEquals": {"sts:ExternalId": "42"}}}]),
        );
        let request = Request {
            principal: who,
            action: "sts:AssumeRole",
            resource: "arn:aws:iam::111122223333:role/service-role/Launch",
            resource_account: Some(HOME),
            context: &context,
        };
        let own = [("p", &may_assume)];
        let policies = Policies {
            identity: if identity { &own } else { &[] },
            resource: Some(("trust", &trust)),
            ..Policies::default()
        };
        assert_eq!(outcome(&evaluate(&request, &policies)), expected, "{who:?} {named} {identity}");
        let nothing_known = Context::new();
        let unknown = Request { context: &nothing_known, ..request };
        assert_eq!(evaluate(&unknown, &policies).effect, IMPLICIT, "without external id: {who:?} {named}");
    }
}

#[test]
fn elements_of_a_statement() {
    let ann = user(HOME, "ann");
    let mut context = Context::new();
    context.set_principal(&ann).set_one("aws:SourceIp", "10.0.0.1");
    let statement = |elements: Value| {
        let mut all = json!({"Effect": "Allow"});
        let members = all.as_object_mut().expect("object");
        members.extend(elements.as_object().expect("object").clone());
        all
    };
    let own = "arn:aws:sagemaker:eu-west-1:111122223333:notebook-instance/ann-notebook";
    let other = "arn:aws:sagemaker:eu-west-1:111122223333:notebook-instance/bo-notebook";
    for (elements, action, resource, allowed) in [
        (json!({"Action": "sagemaker:Stop*", "Resource": "*"}), "sagemaker:StopNotebookInstance", own, true),
        (
            json!({"Action": "SageMaker:stopnotebookinstance", "Resource": "*"}),
            "sagemaker:StopNotebookInstance",
            own,
            true,
        ),
        (
            json!({"Action": "*:StopNotebook?nstance", "Resource": "*"}),
            "sagemaker:StopNotebookInstance",
            own,
            true,
        ),
        (json!({"Action": "sagemaker:Stop", "Resource": "*"}), "sagemaker:StopNotebookInstance", own, false),
        (
            json!({"NotAction": "sagemaker:Delete*", "Resource": "*"}),
            "sagemaker:StopNotebookInstance",
            own,
            true,
        ),
        (
            json!({"NotAction": ["iam:*", "sagemaker:S*"], "Resource": "*"}),
            "sagemaker:StopNotebookInstance",
            own,
            false,
        ),
        (
            json!({"Action": "*", "Resource": "arn:aws:sagemaker:*:*:notebook-instance/${aws:username}-*"}),
            "sagemaker:StopNotebookInstance",
            own,
            true,
        ),
        (
            json!({"Action": "*", "Resource": "arn:aws:sagemaker:*:*:notebook-instance/${aws:username}-*"}),
            "sagemaker:StopNotebookInstance",
            other,
            false,
        ),
        (
            json!({"Action": "*", "NotResource": "arn:aws:sagemaker:*:*:notebook-instance/${aws:username}-*"}),
            "sagemaker:StopNotebookInstance",
            other,
            true,
        ),
        (
            json!({"Action": "*", "NotResource": "arn:aws:sagemaker:*:*:notebook-instance/${aws:none}-*"}),
            "sagemaker:StopNotebookInstance",
            other,
            false,
        ),
        (json!({"Action": "*", "Resource": own}), "sagemaker:ListNotebookInstances", "*", false),
        // Conditions are joined by and, their values by or.
        (
            json!({"Action": "*", "Resource": "*", "Condition": {
            "StringEquals": {"aws:username": ["bo", "ann"], "aws:PrincipalType": "User"},
            "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}),
            "a:b",
            "*",
            true,
        ),
        (
            json!({"Action": "*", "Resource": "*", "Condition": {
            "StringEquals": {"aws:username": ["bo", "ann"], "aws:PrincipalType": "Account"},
            "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}),
            "a:b",
            "*",
            false,
        ),
        (json!({"Action": "*", "Resource": "*", "Condition": {}}), "a:b", "*", true),
        (
            json!({"Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:PrincipalIsAWSService": false}}}),
            "a:b",
            "*",
            true,
        ),
    ] {
        let policy = policy(Kind::Identity, &json!([statement(elements.clone())]));
        let own_policies = [("p", &policy)];
        let request =
            Request { principal: &ann, action, resource, resource_account: None, context: &context };
        let decision = evaluate(&request, &Policies { identity: &own_policies, ..Policies::default() });
        assert_eq!(decision.is_allowed(), allowed, "{elements} {action} {resource}");
    }
}

#[test]
fn the_decision_names_statements_places_and_absent_keys() {
    let ann = user(HOME, "ann");
    let text = "{\"Version\":\"2012-10-17\",\"Statement\":[\n  {\"Effect\":\"Allow\",\"Action\":\"ec2:*\",\"Resource\":\"*\"},\n  \
                {\"Sid\":\"Read\",\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"},\n  \
                {\"Effect\":\"Deny\",\"Action\":\"s3:*\",\"Resource\":\"*\",\n   \
                \"Condition\":{\"StringEquals\":{\"aws:RequestTag/Team\":\"${aws:PrincipalTag/Team}\",\"aws:username\":\"x\"}}}]}";
    let policy = Policy::parse(text, Kind::Identity).expect("policy");
    let policies = [("AllOfIt", &policy)];
    let context: Context = [("aws:username", "ann")].into_iter().collect();
    let request = Request {
        principal: &ann,
        action: "s3:GetObject",
        resource: OBJECT,
        resource_account: None,
        context: &context,
    };
    let decision = evaluate(&request, &Policies { identity: &policies, ..Policies::default() });
    let place = |line, column| crate::Place { line, column };
    let expected = MatchedStatement {
        layer: Layer::Identity,
        policy: "AllOfIt".into(),
        index: 1,
        sid: Some("Read".into()),
        effect: StatementEffect::Allow,
        start: place(2, 53),
        end: place(3, 65),
    };
    assert_eq!(decision.because, Reason::Statement(expected.clone()));
    assert_eq!(decision.matched, [expected]);
    assert_eq!(decision.missing_context_keys, ["aws:RequestTag/Team"]);
    assert_eq!(policy.context_keys(), ["aws:RequestTag/Team", "aws:PrincipalTag/Team", "aws:username"]);
}
