//! CloudFormation's resource types, step by step as a stack takes them.

use serde_json::{Value, json};

use super::*;
use crate::error::EngineError;
use crate::provider::{Deletion, Handle, Progress, Request};
use crate::services::provider;

fn request(id: &str, properties: Value) -> Request {
    Request {
        logical_id: id.to_owned(),
        stack_name: "stack".to_owned(),
        stack_id: "arn:stack".to_owned(),
        properties,
        tags: Vec::new(),
    }
}

fn handle(id: &str, physical_id: &str, properties: Value) -> Handle {
    Handle {
        logical_id: id.to_owned(),
        stack_name: "stack".to_owned(),
        stack_id: "arn:stack".to_owned(),
        physical_id: physical_id.to_owned(),
        properties,
    }
}

async fn make(world: &World, kind: &'static str, properties: Value) -> Result<(String, Value), EngineError> {
    let caller = world.root().through("cloudformation.amazonaws.com");
    let asked = request("Thing", properties);
    let made = world.engine.transact(caller, move |cx| provider(kind).unwrap().create(cx, &asked)).await?;
    match made {
        Progress::Done { physical_id, attributes } => Ok((physical_id, Value::Object(attributes))),
        other => panic!("{other:?}"),
    }
}

async fn change(world: &World, kind: &'static str, id: &str, old: Value, new: Value) {
    let caller = world.root().through("cloudformation.amazonaws.com");
    let (handle, asked) = (handle("Thing", id, old), request("Thing", new));
    let changed =
        world.engine.transact(caller, move |cx| provider(kind).unwrap().update(cx, &handle, &asked));
    assert!(matches!(changed.await.unwrap(), Progress::Done { .. }));
}

async fn delete(world: &World, kind: &'static str, id: &str, properties: Value) {
    for _ in 0..2 {
        let caller = world.root().through("cloudformation.amazonaws.com");
        let handle = handle("Thing", id, properties.clone());
        let gone = world.engine.transact(caller, move |cx| provider(kind).unwrap().delete(cx, &handle));
        assert_eq!(gone.await.unwrap(), Deletion::Done, "the second time too");
    }
}

#[tokio::test]
async fn a_function_of_a_template() {
    let world = world().await;
    let kind = "AWS::Lambda::Function";
    let first = json!({
        "Code": {"ZipFile": "def handler(e, c): return 1"}, "Handler": "index.handler", "Runtime": "python3.12",
        "Role": ROLE, "Timeout": "30", "MemorySize": 256, "Environment": {"Variables": {"N": 7, "T": true}},
        "Tags": [{"Key": "aws:cloudformation:stack-name", "Value": "stack"}, {"Key": "a", "Value": "1"}],
    });
    let (name, attributes) = make(&world, kind, first.clone()).await.unwrap();
    assert!(name.starts_with("stack-Thing-"), "{name}");
    assert_eq!(attributes["Arn"], format!("arn:aws:lambda:us-east-1:123456789012:function:{name}"));
    let got = call(&world, "GetFunction", json!({"FunctionName": name})).await;
    let config = &got["Configuration"];
    assert_eq!((&config["Timeout"], &config["MemorySize"]), (&json!(30), &json!(256)));
    assert_eq!(config["Environment"]["Variables"], json!({"N": "7", "T": "true"}));
    assert_eq!(got["Tags"], json!({"a": "1", "aws:cloudformation:stack-name": "stack"}));

    let second = json!({
        "Code": {"ZipFile": "def handler(e, c): return 2"}, "Handler": "index.handler", "Runtime": "python3.12",
        "Role": ROLE, "Tags": [{"Key": "b", "Value": "2"}], "ReservedConcurrentExecutions": "2",
    });
    change(&world, kind, &name, first, second.clone()).await;
    let got = call(&world, "GetFunction", json!({"FunctionName": name})).await;
    assert_ne!(got["Configuration"]["CodeSha256"], config["CodeSha256"]);
    assert_eq!(got["Configuration"]["Timeout"], 3, "what is no longer said falls back");
    assert!(got["Configuration"]["Environment"].is_null());
    assert_eq!(
        (&got["Tags"], &got["Concurrency"]["ReservedConcurrentExecutions"]),
        (&json!({"b": "2"}), &json!(2))
    );
    delete(&world, kind, &name, second).await;
    assert_eq!(fail(&world, "GetFunction", json!({"FunctionName": name})).await.status, 404);
}

#[tokio::test]
async fn a_function_that_cannot_be_made_says_why() {
    let world = world().await;
    let cases = [
        (
            json!({"Code": {"ZipFile": "x"}, "Runtime": "provided.al2023", "Handler": "bootstrap", "Role": ROLE}),
            "ZipFile can only be used",
        ),
        (
            json!({"Code": {"S3Bucket": "no-such-bucket", "S3Key": "k"}, "Runtime": "python3.12", "Handler": "index.h", "Role": ROLE}),
            "NoSuchBucket",
        ),
        (
            json!({"Code": {"ZipFile": "x"}, "Runtime": "python3.12", "Handler": "index.h", "Role": ROLE, "Timeout": "soon"}),
            "expected a whole number",
        ),
    ];
    for (properties, expected) in cases {
        let error = make(&world, "AWS::Lambda::Function", properties).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn permissions_versions_aliases_and_settings() {
    let world = world().await;
    create(&world, "f").await;
    let permission = json!({"FunctionName": "f", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com",
        "SourceArn": "arn:aws:events:us-east-1:123456789012:rule/r"});
    let (id, _) = make(&world, "AWS::Lambda::Permission", permission.clone()).await.unwrap();
    assert!(
        call(&world, "GetPolicy", json!({"FunctionName": "f"})).await["Policy"]
            .as_str()
            .unwrap()
            .contains(&id)
    );
    delete(&world, "AWS::Lambda::Permission", &id, permission).await;
    assert_eq!(fail(&world, "GetPolicy", json!({"FunctionName": "f"})).await.status, 404);

    let version = json!({"FunctionName": "f"});
    let (version_arn, attributes) = make(&world, "AWS::Lambda::Version", version.clone()).await.unwrap();
    assert_eq!(
        (version_arn.as_str(), &attributes["Version"]),
        ("arn:aws:lambda:us-east-1:123456789012:function:f:1", &json!("1"))
    );
    let alias = json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1"});
    let (alias_arn, _) = make(&world, "AWS::Lambda::Alias", alias.clone()).await.unwrap();
    assert_eq!(alias_arn, "arn:aws:lambda:us-east-1:123456789012:function:f:live");
    let moved =
        json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "$LATEST", "Description": "d"});
    change(&world, "AWS::Lambda::Alias", &alias_arn, alias, moved.clone()).await;
    assert_eq!(
        call(&world, "GetAlias", json!({"FunctionName": "f", "Name": "live"})).await["FunctionVersion"],
        "$LATEST"
    );

    let settings = json!({"FunctionName": "f", "Qualifier": "live", "MaximumRetryAttempts": "1"});
    let (id, _) = make(&world, "AWS::Lambda::EventInvokeConfig", settings.clone()).await.unwrap();
    let shown =
        call(&world, "GetFunctionEventInvokeConfig", json!({"FunctionName": "f", "Qualifier": "live"})).await;
    assert_eq!(shown["MaximumRetryAttempts"], 1);
    delete(&world, "AWS::Lambda::EventInvokeConfig", &id, settings).await;
    delete(&world, "AWS::Lambda::Alias", &alias_arn, moved).await;
    delete(&world, "AWS::Lambda::Version", &version_arn, version).await;
    let list = call(&world, "ListVersionsByFunction", json!({"FunctionName": "f"})).await;
    assert_eq!(list["Versions"].as_array().unwrap().len(), 1);
    assert!(provider("AWS::Lambda::Url").is_none());
}
