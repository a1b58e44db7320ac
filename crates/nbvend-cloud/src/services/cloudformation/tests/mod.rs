//! Stacks through the door, with resource types of the tests' own.

mod change_set;
mod create;
mod delete;
mod outside;
mod restart;
pub mod thing;
mod update;

use nbvend_wire::error::WireError;
use serde_json::{Value, json};

use self::thing::{Storm, Thing};
use crate::testing::{REGION, World};

pub async fn cfn(world: &World, operation: &str, input: Value) -> Result<Value, WireError> {
    world.wire("cloudformation", operation, input).await
}

pub async fn create(world: &World, name: &str, template: &str) -> Value {
    cfn(world, "CreateStack", json!({"StackName": name, "TemplateBody": template})).await.unwrap()
}

pub async fn update(world: &World, name: &str, template: &str) -> Result<Value, WireError> {
    cfn(world, "UpdateStack", json!({"StackName": name, "TemplateBody": template})).await
}

/// Lets all work run, the clock moved on for what is polled.
pub async fn settle(world: &World) {
    for _ in 0..30 {
        world.settle().await;
        world.clock.advance(1);
    }
}

pub async fn stack(world: &World, name: &str) -> Value {
    cfn(world, "DescribeStacks", json!({"StackName": name})).await.unwrap()["Stacks"][0].clone()
}

pub async fn status(world: &World, name: &str) -> String {
    stack(world, name).await["StackStatus"].as_str().unwrap().to_owned()
}

/// The events, oldest first: `LogicalId STATUS reason`.
pub async fn events(world: &World, name: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut token = Value::Null;
    loop {
        let mut input = json!({"StackName": name});
        if !token.is_null() {
            input["NextToken"] = token;
        }
        let page = cfn(world, "DescribeStackEvents", input).await.unwrap();
        all.extend(page["StackEvents"].as_array().unwrap().clone());
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    let times: Vec<_> = all.iter().map(|e| e["Timestamp"].as_i64().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a > b), "newest first, no two at a time");
    all.reverse();
    let line = |event: &Value| {
        let reason = event["ResourceStatusReason"].as_str().unwrap_or_default();
        let (id, status) =
            (event["LogicalResourceId"].as_str().unwrap(), event["ResourceStatus"].as_str().unwrap());
        format!("{id} {status} {reason}").trim_end().to_owned()
    };
    all.iter().map(line).collect()
}

/// Things by id.
pub fn things(world: &World) -> Vec<Thing> {
    world.engine.store().read(|tx| tx.list::<Thing>(REGION, "", None, 1000)).unwrap().unwrap()
}

pub async fn storm(world: &World, name: &str, on: bool) {
    let storm = Storm { name: name.to_owned() };
    let name = name.to_owned();
    let done = world.engine.store().write(move |tx| match on {
        true => tx.put(REGION, &storm).unwrap(),
        false => drop(tx.delete::<Storm>(REGION, &name).unwrap()),
    });
    done.await.unwrap();
}
