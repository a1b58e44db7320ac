//! Where others decide otherwise: keys of KMS, and condition keys that an action is not listed for.

use super::*;

#[test]
fn kms_keys_are_ruled_by_their_own_policy() {
    let ann = user(HOME, "ann");
    let identity = policy(Kind::Identity, &json!([{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]));
    let delegating = policy(
        Kind::Resource,
        &json!([{"Effect": "Allow", "Principal": {"AWS": HOME}, "Action": "kms:*", "Resource": "*"}]),
    );
    let context = Context::new();
    let own = [("p", &identity)];
    for (resource, key_policy, effect) in [
        ("arn:aws:kms:eu-west-1:111122223333:key/1", None, IMPLICIT),
        ("arn:aws:kms:eu-west-1:111122223333:key/1", Some(("key", &delegating)), ALLOWED),
        ("*", None, ALLOWED),
    ] {
        let request = Request {
            principal: &ann,
            action: "kms:Decrypt",
            resource,
            resource_account: None,
            context: &context,
        };
        let policies = Policies { identity: &own, resource: key_policy, ..Policies::default() };
        assert_eq!(evaluate(&request, &policies).effect, effect, "{resource}");
    }
    // An explicit deny is told before a missing key policy, whichever policy says it.
    let denying = |kind| policy(kind, &json!([{"Effect": "Deny", "Action": "kms:Dec*", "Resource": "*"}]));
    let (denied, bound, session) = (denying(Kind::Identity), denying(Kind::Boundary), denying(Kind::Session));
    let (both, sessions) = ([("p", &identity), ("no", &denied)], [("s", &session)]);
    for (policies, layer) in [
        (Policies { identity: &both, ..Policies::default() }, Layer::Identity),
        (Policies { identity: &own, boundary: Some(("b", &bound)), ..Policies::default() }, Layer::Boundary),
        (Policies { identity: &own, session: &sessions, ..Policies::default() }, Layer::Session),
    ] {
        let request = Request {
            principal: &ann,
            action: "kms:Decrypt",
            resource: "arn:aws:kms:eu-west-1:111122223333:key/1",
            resource_account: None,
            context: &context,
        };
        assert_eq!(outcome(&evaluate(&request, &policies)), (EXPLICIT, Some(layer)));
        // It alone denies: other calls of the key still lack its policy, and say so.
        let other = Request { action: "kms:Encrypt", ..request };
        assert_eq!(evaluate(&other, &policies).effect, IMPLICIT, "{layer:?}");
    }
}

/// S3's reference lists `aws:ResourceTag` for no object. Who makes the request decides whether it has the key.
#[test]
fn a_key_that_the_action_is_not_listed_for_is_compared() {
    let ann = user(HOME, "ann");
    let allow_all = allow(Kind::Identity);
    let tagged = |effect: &str, operator: &str| {
        policy(
            Kind::Identity,
            &json!([{"Effect": effect, "Action": "s3:GetObject", "Resource": OBJECT,
                     "Condition": {operator: {"aws:ResourceTag/Owner": "ann"}}}]),
        )
    };
    let (hers, not_hers) = (tagged("Allow", "StringEquals"), tagged("Deny", "StringNotEquals"));
    let (only_hers, but_hers) = ([("p", &hers)], [("p", &allow_all), ("no", &not_hers)]);
    for (tag, allowed, denied) in
        [(Some("ann"), ALLOWED, ALLOWED), (Some("bo"), IMPLICIT, EXPLICIT), (None, IMPLICIT, EXPLICIT)]
    {
        let mut context = Context::new();
        if let Some(tag) = tag {
            context.set_one("aws:ResourceTag/Owner", tag);
        }
        let request = Request {
            principal: &ann,
            action: "s3:GetObject",
            resource: OBJECT,
            resource_account: None,
            context: &context,
        };
        let decide = |identity| evaluate(&request, &Policies { identity, ..Policies::default() }).effect;
        assert_eq!(decide(&only_hers), allowed, "{tag:?}");
        assert_eq!(decide(&but_hers), denied, "{tag:?}");
    }
}
