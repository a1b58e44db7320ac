//! IAM by calls in the model's member names: what is made is there, what is wrong gets AWS's error.

mod errors;
mod people;
mod policies;

use nbvend_wire::model;
use serde_json::{Value, json};

use crate::identity::{AccessKey, Caller, KeyStatus, Principal};
use crate::testing::World;

/// A call that succeeds, and whose answer holds nothing but what the model has.
async fn ask(world: &World, operation: &str, input: Value) -> Value {
    match world.wire("iam", operation, input).await {
        Ok(output) => {
            let service = model::service("iam").unwrap();
            match service.operation(operation).unwrap().output {
                Some(shape) => conforms(service, service.shape(shape), &output, operation),
                None => assert!(output.is_null(), "{operation}: {output}"),
            }
            output
        }
        Err(error) => panic!("{operation}: {error}"),
    }
}

fn conforms(service: &model::Service, shape: &model::Shape, value: &Value, at: &str) {
    match (&shape.kind, value) {
        (_, Value::Null) => {}
        (model::Kind::Structure(_), Value::Object(members)) => {
            // What is null is left out on the wire.
            for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
                let member = shape.member(name).unwrap_or_else(|| panic!("{at} has no {name}"));
                conforms(service, service.shape(member.shape), value, &format!("{at}.{name}"));
            }
            for member in shape.members().iter().filter(|member| member.required) {
                assert!(
                    members.get(&member.name).is_some_and(|v| !v.is_null()),
                    "{at} lacks {}",
                    member.name
                );
            }
        }
        (model::Kind::List { member, .. }, Value::Array(items)) => {
            items.iter().for_each(|item| conforms(service, service.shape(member.shape), item, at));
        }
        (model::Kind::Map { value: inner, .. }, Value::Object(entries)) => {
            entries.values().for_each(|entry| conforms(service, service.shape(inner.shape), entry, at));
        }
        (model::Kind::Structure(_) | model::Kind::List { .. } | model::Kind::Map { .. }, other) => {
            panic!("{at}: {other}")
        }
        (_, other) => assert!(!other.is_object() && !other.is_array(), "{at}: {other}"),
    }
}

fn trust() -> String {
    json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}})
    .to_string()
}

fn allow(action: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}})
        .to_string()
}

const XRAY: &str = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess";
const OWN: &str = "arn:aws:iam::123456789012:policy/own";

/// One of each noun: role `r`, user `u` in group `g`, policy `own`, profile `p`.
async fn furnished() -> World {
    let world = World::new();
    for (operation, input) in [
        ("CreateRole", json!({"RoleName": "r", "AssumeRolePolicyDocument": trust()})),
        ("CreateUser", json!({"UserName": "u"})),
        ("CreateGroup", json!({"GroupName": "g"})),
        ("AddUserToGroup", json!({"GroupName": "g", "UserName": "u"})),
        ("CreatePolicy", json!({"PolicyName": "own", "PolicyDocument": allow("s3:*")})),
        ("CreateInstanceProfile", json!({"InstanceProfileName": "p"})),
    ] {
        ask(&world, operation, input).await;
    }
    world
}
