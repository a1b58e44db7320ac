//! Lambda through the door, with functions that are closures.

mod asynchronous;
mod control;
mod invocation;
mod permissions;
mod resources;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use nbvend_wire::error::WireError;
use serde_json::{Value, json};

use super::code::package;
use crate::testing::World;

pub const ROLE: &str = "arn:aws:iam::123456789012:role/runner";

/// A world with the role `runner` that Lambda may assume.
pub async fn world() -> World {
    let world = World::new();
    role(&world, "runner", "lambda.amazonaws.com").await;
    world
}

pub async fn role(world: &World, name: &str, service: &str) {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]});
    let make = json!({"RoleName": name, "AssumeRolePolicyDocument": trust.to_string()});
    world.wire("iam", "CreateRole", make).await.unwrap();
    world.allow("Role", name, &["logs:*", "lambda:InvokeFunction", "events:PutEvents"]).await;
}

/// Base64 of a package whose content differs with `text`.
pub fn zip(text: &str) -> String {
    STANDARD.encode(package("index.py", text).unwrap())
}

pub fn definition(name: &str) -> Value {
    json!({
        "FunctionName": name, "Runtime": "python3.12", "Handler": "index.handler", "Role": ROLE,
        "Code": {"ZipFile": zip("1")},
    })
}

pub async fn create(world: &World, name: &str) -> Value {
    call(world, "CreateFunction", definition(name)).await
}

pub async fn call(world: &World, operation: &str, input: Value) -> Value {
    let shown = input.to_string();
    let answer = world.wire("lambda", operation, input).await;
    answer.unwrap_or_else(|error| panic!("{operation} {shown}: {error}"))
}

pub async fn fail(world: &World, operation: &str, input: Value) -> WireError {
    let shown = input.to_string();
    match world.wire("lambda", operation, input).await {
        Ok(answer) => panic!("{operation} {shown} went through: {answer}"),
        Err(error) => error,
    }
}

/// Invokes and reads the answer.
pub async fn invoke(world: &World, input: Value) -> (Value, Value) {
    let answer = call(world, "Invoke", input).await;
    let payload = answer["Payload"].as_str().map(|text| STANDARD.decode(text).unwrap()).unwrap_or_default();
    (serde_json::from_slice(&payload).unwrap_or(Value::Null), answer)
}

pub fn encode(payload: &Value) -> String {
    STANDARD.encode(payload.to_string())
}

/// What all functions of the world do from now on.
pub fn body(
    world: &World,
    body: impl Fn(
        &crate::ports::FunctionSpec,
        &crate::ports::FunctionEvent,
    ) -> Result<Bytes, (&'static str, Bytes)>
    + Send
    + Sync
    + 'static,
) {
    *world.functions.body.lock().unwrap() = Some(Box::new(body));
}

/// How often functions ran.
pub fn runs(world: &World) -> usize {
    world.functions.calls.lock().unwrap().len()
}
