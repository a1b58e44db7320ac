//! Resource policies: what they say and what they let through.

use nbvend_wire::error::WireError;
use serde_json::{Value, json};

use super::super::invoke::Invoke;
use super::super::invoke_event::InvokeEvent;
use super::*;
use crate::door;
use crate::identity::Caller;
use crate::testing::REGION;

const RULE: &str = "arn:aws:events:us-east-1:123456789012:rule/launch";
const METHOD: &str = "arn:aws:execute-api:us-east-1:123456789012:abc123/Prod/POST/refreshurl";

/// EventBridge sends an event.
async fn send(world: &World, function: &str, rule: &str) -> Result<(), WireError> {
    let event = InvokeEvent {
        function_name: function.to_owned(),
        payload: "{}".to_owned(),
        source_arn: Some(rule.to_owned()),
    };
    door::call(&world.engine, Caller::service("events.amazonaws.com", REGION), event).await
}

/// API Gateway calls.
async fn request(world: &World, method: &str) -> Result<i64, WireError> {
    let invoke =
        Invoke { function_name: "f".to_owned(), source_arn: Some(method.to_owned()), ..Default::default() };
    let gateway = Caller::service("apigateway.amazonaws.com", REGION);
    door::wait_for(world.engine.clone(), gateway, invoke).await.map(|answer| answer.status_code)
}

fn permission(id: &str, principal: &str, source: &str) -> Value {
    json!({"FunctionName": "f", "StatementId": id, "Action": "lambda:InvokeFunction", "Principal": principal, "SourceArn": source})
}

#[tokio::test]
async fn services_pass_by_the_policy_alone() {
    let world = world().await;
    create(&world, "f").await;
    let denied = send(&world, "f", RULE).await.unwrap_err();
    assert_eq!((denied.code.as_ref(), denied.status), ("AccessDeniedException", 403));
    assert_eq!(
        denied.message,
        "User: events.amazonaws.com is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:123456789012:function:f because no resource-based policy allows the lambda:InvokeFunction action"
    );
    assert_eq!(request(&world, METHOD).await.unwrap_err().code, "AccessDeniedException");

    call(&world, "AddPermission", permission("rule", "events.amazonaws.com", RULE)).await;
    let any = "arn:aws:execute-api:us-east-1:123456789012:abc123/*/POST/refreshurl";
    call(&world, "AddPermission", permission("api", "apigateway.amazonaws.com", any)).await;
    send(&world, "arn:aws:lambda:us-east-1:123456789012:function:f", RULE).await.unwrap();
    assert_eq!(request(&world, METHOD).await.unwrap(), 200);
    // Another rule, another method, another service, a version that has a policy of its own.
    assert_eq!(send(&world, "f", &format!("{RULE}2")).await.unwrap_err().status, 403);
    assert_eq!(
        request(&world, "arn:aws:execute-api:us-east-1:123456789012:abc123/Prod/GET/x")
            .await
            .unwrap_err()
            .status,
        403
    );
    call(&world, "PublishVersion", json!({"FunctionName": "f"})).await;
    assert_eq!(send(&world, "f:1", RULE).await.unwrap_err().status, 403);
    let mut on_version = permission("rule", "events.amazonaws.com", RULE);
    on_version["Qualifier"] = json!("1");
    call(&world, "AddPermission", on_version).await;
    send(&world, "f:1", RULE).await.unwrap();

    call(&world, "RemovePermission", json!({"FunctionName": "f", "StatementId": "rule"})).await;
    assert_eq!(send(&world, "f", RULE).await.unwrap_err().status, 403);
    world.settle().await;
    assert_eq!(runs(&world), 3, "what was denied never ran");
}

#[tokio::test]
async fn an_account_condition_is_kept() {
    let world = world().await;
    create(&world, "f").await;
    for (account, allowed) in [("999999999999", false), ("123456789012", true)] {
        let add = json!({"FunctionName": "f", "StatementId": format!("s{account}"), "Action": "lambda:InvokeFunction",
            "Principal": "events.amazonaws.com", "SourceAccount": account});
        call(&world, "AddPermission", add).await;
        assert_eq!(send(&world, "f", RULE).await.is_ok(), allowed, "{account}");
    }
}

#[tokio::test]
async fn a_policy_reads_as_on_aws() {
    let world = world().await;
    create(&world, "f").await;
    let added = call(&world, "AddPermission", permission("rule", "events.localhost:4566", RULE)).await;
    let statement: Value = serde_json::from_str(added["Statement"].as_str().unwrap()).unwrap();
    let expected = json!({
        "Sid": "rule", "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f",
        "Condition": {"ArnLike": {"AWS:SourceArn": RULE}},
    });
    assert_eq!(statement, expected);
    let got = call(&world, "GetPolicy", json!({"FunctionName": "f"})).await;
    let policy: Value = serde_json::from_str(got["Policy"].as_str().unwrap()).unwrap();
    assert_eq!(policy, json!({"Version": "2012-10-17", "Id": "default", "Statement": [expected]}));
    let accounts = json!({"FunctionName": "f", "StatementId": "acc", "Action": "lambda:InvokeFunction", "Principal": "123456789012"});
    let added = call(&world, "AddPermission", accounts).await;
    assert!(added["Statement"].as_str().unwrap().contains("arn:aws:iam::123456789012:root"));
}

#[tokio::test]
async fn wrong_permissions_are_refused() {
    let world = world().await;
    create(&world, "f").await;
    call(&world, "AddPermission", permission("s", "events.amazonaws.com", RULE)).await;
    let with = |change: Value| {
        let mut input = permission("new", "events.amazonaws.com", RULE);
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        input
    };
    let arn = "arn:aws:lambda:us-east-1:123456789012:function";
    let cases = [
        (
            "AddPermission",
            with(json!({"StatementId": "s"})),
            "ResourceConflictException",
            "The statement id (s) provided already exists.".to_owned(),
        ),
        (
            "AddPermission",
            with(json!({"Principal": "nonsense"})),
            "InvalidParameterValueException",
            "The provided principal was invalid.".to_owned(),
        ),
        (
            "AddPermission",
            with(json!({"Qualifier": "$LATEST"})),
            "InvalidParameterValueException",
            "We currently do not support adding policies for $LATEST.".to_owned(),
        ),
        (
            "AddPermission",
            with(json!({"Qualifier": "42"})),
            "ResourceNotFoundException",
            format!("Function not found: {arn}:f:42"),
        ),
        (
            "AddPermission",
            with(json!({"Qualifier": "none"})),
            "ResourceNotFoundException",
            format!("Cannot find alias arn: {arn}:f:none"),
        ),
        (
            "AddPermission",
            with(json!({"FunctionName": "none"})),
            "ResourceNotFoundException",
            format!("Function not found: {arn}:none"),
        ),
        (
            "AddPermission",
            with(json!({"RevisionId": "old"})),
            "PreconditionFailedException",
            "Call the GetPolicy API".to_owned(),
        ),
        (
            "RemovePermission",
            json!({"FunctionName": "f", "StatementId": "none"}),
            "ResourceNotFoundException",
            "Statement none is not found in resource policy.".to_owned(),
        ),
        (
            "RemovePermission",
            json!({"FunctionName": "none", "StatementId": "s"}),
            "ResourceNotFoundException",
            format!("No policy found for: {arn}:none"),
        ),
    ];
    for (operation, input, code, text) in cases {
        let error = fail(&world, operation, input.clone()).await;
        assert_eq!(error.code, code, "{input}");
        assert!(error.message.contains(&text), "{input}: {error}");
    }
    call(&world, "RemovePermission", json!({"FunctionName": "f", "StatementId": "s"})).await;
    let none = fail(&world, "GetPolicy", json!({"FunctionName": "f"})).await;
    assert_eq!(none.message, "No policy is associated with the given resource.");
}
