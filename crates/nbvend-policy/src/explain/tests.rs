//! Denials in AWS's words and in plain ones.

use super::*;
use crate::{Context, Kind, Principal, evaluate};

const NOTEBOOK: &str = "arn:aws:sagemaker:eu-west-1:111122223333:notebook-instance/ann";

fn ann() -> Principal {
    Principal::User { arn: "arn:aws:iam::111122223333:user/ann".into(), account: "111122223333".into() }
}

fn policy(kind: Kind, statement: &Value) -> Policy {
    let text = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
    Policy::parse(&text, kind).expect("policy")
}

fn request<'a>(principal: &'a Principal, action: &'a str, context: &'a Context) -> Request<'a> {
    Request { principal, action, resource: NOTEBOOK, resource_account: None, context }
}

#[test]
fn aws_words() {
    let who = ann();
    let context = Context::new();
    let action = "sagemaker:StopNotebookInstance";
    let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let none = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
    let deny = json!({"Effect": "Deny", "Action": "*", "Resource": "*"});
    let with_principal = |statement: &Value| {
        let mut statement = statement.clone();
        statement["Principal"] = json!({"AWS": "arn:aws:iam::111122223333:user/ann"});
        statement
    };
    let start = format!(
        "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: {action} on resource: {NOTEBOOK}"
    );
    let because = |layer: &str| format!("{start} because no {layer} allows the {action} action");
    for (identity, boundary, session, resource, expected) in [
        (&none, &all, &all, None, because("identity-based policy")),
        (&all, &none, &all, None, because("permissions boundary")),
        (&all, &all, &none, None, because("session policy")),
        (&deny, &all, &all, None, format!("{start} with an explicit deny in an identity-based policy")),
        (&all, &deny, &all, None, format!("{start} with an explicit deny in a permissions boundary")),
        (&all, &all, &deny, None, format!("{start} with an explicit deny in a session policy")),
        (&all, &all, &all, Some(&deny), format!("{start} with an explicit deny in a resource-based policy")),
    ] {
        let (identity, boundary) = (policy(Kind::Identity, identity), policy(Kind::Boundary, boundary));
        let session = policy(Kind::Session, session);
        let resource = resource.map(|statement| policy(Kind::Resource, &with_principal(statement)));
        let request = request(&who, action, &context);
        let decision = evaluate(
            &request,
            &Policies {
                identity: &[("i", &identity)],
                boundary: Some(("b", &boundary)),
                session: &[("s", &session)],
                resource: resource.as_ref().map(|policy| ("r", policy)),
            },
        );
        assert_eq!(decision.denial_message(&request), expected);
    }
    let abroad = Request { resource_account: Some("444455556666"), ..request(&who, action, &context) };
    let everything = policy(Kind::Identity, &all);
    let decision = evaluate(&abroad, &Policies { identity: &[("i", &everything)], ..Policies::default() });
    assert_eq!(decision.denial_message(&abroad), because("resource-based policy"));
}

#[test]
fn assume_role_is_denied_without_a_reason_unless_explicitly() {
    let who = ann();
    let context = Context::new();
    let trust = |effect: &str, account: &str| {
        policy(
            Kind::Trust,
            &json!({"Effect": effect, "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}),
        )
    };
    let start = format!(
        "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: sts:AssumeRole on resource: {NOTEBOOK}"
    );
    let request = request(&who, "sts:AssumeRole", &context);
    for (trust, expected) in [
        (trust("Allow", "444455556666"), start.clone()),
        (trust("Deny", "111122223333"), format!("{start} with an explicit deny in the role trust policy")),
    ] {
        let decision = evaluate(&request, &Policies { resource: Some(("t", &trust)), ..Policies::default() });
        assert_eq!(decision.denial_message(&request), expected);
    }
}

#[test]
fn plain_words_name_what_nearly_allowed_it() {
    let who = ann();
    let context: Context = [("aws:username", "ann")].into_iter().collect();
    let near = policy(
        Kind::Identity,
        &json!([
            {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
            {"Sid": "Other", "Effect": "Allow", "Action": "sagemaker:*", "Resource": "arn:aws:sagemaker:*:*:endpoint/*"},
            {"Effect": "Allow", "Action": "sagemaker:Stop*", "Resource": "*",
             "Condition": {"StringEquals": {"aws:ResourceTag/Owner": "${aws:username}"}}},
            {"Effect": "Allow", "Action": "*", "NotResource": "*"},
            {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringLike": {"aws:username": "bo*"}}},
        ]),
    );
    let request = request(&who, "sagemaker:StopNotebookInstance", &context);
    let decision = evaluate(&request, &Policies { identity: &[("Team", &near)], ..Policies::default() });
    let indexes: Vec<usize> = decision.near_misses.iter().map(|miss| miss.index).collect();
    assert_eq!(indexes, [1, 2, 3, 4]);
    assert_eq!(
        explain(&decision, &request),
        format!(
            "arn:aws:iam::111122223333:user/ann asked for sagemaker:StopNotebookInstance on {NOTEBOOK}.\n\
             Denied: no identity-based policy allows it.\n\
             statement 2 (Other) of Team allows the action, but only on arn:aws:sagemaker:*:*:endpoint/*.\n\
             statement 3 of Team would allow it, but StringEquals wants aws:ResourceTag/Owner ${{aws:username}}, and the request does not have that key.\n\
             statement 4 of Team allows the action, but on all resources but *.\n\
             statement 5 of Team would allow it, but StringLike wants aws:username bo*, and the request has ann.\n\
             This statement in an identity-based policy would allow it: \
             {{\"Effect\":\"Allow\",\"Action\":\"sagemaker:StopNotebookInstance\",\"Resource\":\"{NOTEBOOK}\"}}\n"
        )
    );
}

#[test]
fn plain_words_for_a_deny_and_an_allow() {
    let who = ann();
    let context = Context::new();
    let request = request(&who, "sagemaker:StopNotebookInstance", &context);
    let deny =
        policy(Kind::Identity, &json!([{"Sid": "Never", "Effect": "Deny", "Action": "*", "Resource": "*"}]));
    let decision = evaluate(&request, &Policies { identity: &[("Guard", &deny)], ..Policies::default() });
    assert!(
        explain(&decision, &request)
            .contains("Denied by statement 1 (Never) of Guard (identity-based policy).")
    );
    assert_eq!(smallest_statement_for(&decision, &request), None);
    let allow = policy(Kind::Identity, &json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]));
    let decision = evaluate(&request, &Policies { identity: &[("Admin", &allow)], ..Policies::default() });
    assert!(
        explain(&decision, &request).contains("Allowed by statement 1 of Admin (identity-based policy).")
    );
}

#[test]
fn the_smallest_statement_allows_exactly_what_was_denied() {
    let context = Context::new();
    let who = ann();
    let events = Principal::Service { name: "events.amazonaws.com".into() };
    let role = Principal::AssumedRole {
        role_arn: "arn:aws:iam::444455556666:role/r".into(),
        session_arn: "arn:aws:sts::444455556666:assumed-role/r/s".into(),
        account: "444455556666".into(),
    };
    let everything = policy(Kind::Identity, &json!({"Effect": "Allow", "Action": "*", "Resource": "*"}));
    let identity = [("i", &everything)];
    for (principal, identity) in [(&who, &[][..]), (&events, &[]), (&role, &identity)] {
        let request = Request {
            principal,
            action: "lambda:InvokeFunction",
            resource: "arn:aws:lambda:eu-west-1:111122223333:function:f",
            resource_account: Some("111122223333"),
            context: &context,
        };
        let policies = Policies { identity, ..Policies::default() };
        let decision = evaluate(&request, &policies);
        assert_eq!(decision.effect, Effect::ImplicitDeny, "{principal:?}");
        let statement = smallest_statement_for(&decision, &request).expect("a statement");
        let decision = match decision.because.lacking() {
            Some(Layer::Resource) => {
                let added = policy(Kind::Resource, &statement);
                evaluate(&request, &Policies { resource: Some(("new", &added)), ..policies })
            }
            _ => {
                let added = policy(Kind::Identity, &statement);
                assert_eq!(statement, smallest_statement(&request));
                evaluate(&request, &Policies { identity: &[("new", &added)], ..policies })
            }
        };
        assert!(decision.is_allowed(), "{principal:?} {statement}");
    }
}
