//! STS by typed and wire calls: who gets a role and who does not.

use serde_json::{Value, json};

use super::assume_role::AssumeRole;
use crate::door;
use crate::identity::{AccessKey, Caller};
use crate::testing::{REGION, World};

fn trust(principal: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"},
    ]})
    .to_string()
}

async fn role(world: &World, name: &str, trust: &str) -> String {
    let input = json!({"RoleName": name, "Path": "/team/", "AssumeRolePolicyDocument": trust});
    let made = world.wire("iam", "CreateRole", input).await.unwrap();
    made["Role"]["Arn"].as_str().unwrap().to_owned()
}

fn ask(arn: &str) -> AssumeRole {
    AssumeRole {
        role_arn: arn.to_owned(),
        role_session_name: "session-1".to_owned(),
        ..AssumeRole::default()
    }
}

#[tokio::test]
async fn a_service_gets_a_role_that_trusts_it() {
    let world = World::new();
    let cases = [
        (json!({"Service": "lambda.amazonaws.com"}), "lambda.amazonaws.com", true),
        (json!({"Service": "lambda.amazonaws.com"}), "sagemaker.amazonaws.com", false),
        (json!({"Service": ["a.amazonaws.com", "events.localhost:4566"]}), "events.amazonaws.com", true),
        (json!({"AWS": "123456789012"}), "lambda.amazonaws.com", false),
    ];
    for (at, (trusted, service, allowed)) in cases.into_iter().enumerate() {
        let name = format!("r{at}");
        let arn = role(&world, &name, &trust(&trusted)).await;
        let got = door::call(&world.engine, Caller::service(service, REGION), ask(&arn)).await;
        let Ok(output) = got else {
            assert!(!allowed, "{trusted} {service}");
            let error = got.unwrap_err();
            assert_eq!((error.code.as_ref(), error.status), ("AccessDenied", 403));
            let text =
                format!("User: {service} is not authorized to perform: sts:AssumeRole on resource: {arn}");
            assert_eq!(error.message, text);
            continue;
        };
        assert!(allowed, "{trusted} {service}");
        let user = output.assumed_role_user;
        assert_eq!(user.arn, format!("arn:aws:sts::123456789012:assumed-role/{name}/session-1"));
        assert!(user.assumed_role_id.starts_with("AROA") && user.assumed_role_id.ends_with(":session-1"));
        let id = output.credentials.access_key_id.clone();
        assert!(id.starts_with("ASIA") && id.len() == 20, "{id}");
        let key = world.engine.store().read(|tx| AccessKey::get(tx, &id)).unwrap().unwrap().unwrap();
        assert_eq!(Some(key.principal), user.principal);
        let session = key.session.unwrap();
        assert_eq!(session.token, output.credentials.session_token);
        assert_eq!(session.expires.seconds_since(session.issued), 3600);
    }
}

#[tokio::test]
async fn a_role_that_does_not_exist_is_refused_like_one_that_does_not_trust() {
    let world = World::new();
    let arn = "arn:aws:iam::123456789012:role/nobody";
    let caller = Caller::service("lambda.amazonaws.com", REGION);
    let error = door::call(&world.engine, caller, ask(arn)).await.unwrap_err();
    assert_eq!((error.code.as_ref(), error.status), ("AccessDenied", 403));
    // The path belongs to the name.
    role(&world, "there", &trust(&json!({"Service": "lambda.amazonaws.com"}))).await;
    let caller = Caller::service("lambda.amazonaws.com", REGION);
    assert!(door::call(&world.engine, caller, ask("arn:aws:iam::123456789012:role/there")).await.is_err());
}

#[tokio::test]
async fn root_gets_no_role_and_a_bad_arn_is_named() {
    let world = World::new();
    let arn = role(&world, "r", &trust(&json!({"AWS": "123456789012"}))).await;
    let error = world.call(ask(&arn)).await.unwrap_err();
    assert_eq!(
        (error.code.as_ref(), error.message.as_str()),
        ("AccessDenied", "Roles may not be assumed by root accounts.")
    );
    for arn in ["nothing-valid-in-here", "arn::b:::something/test-role", "arn:a:a::aaaaaaaaaa:"] {
        let error = world.call(ask(arn)).await.unwrap_err();
        assert_eq!((error.code.as_ref(), error.message), ("ValidationError", format!("{arn} is invalid")));
    }
}
