//! Parameter Store through the door.

mod parameters;
mod paths;
mod policies;
mod templates;

use serde_json::{Value, json};

use crate::outbox;
use crate::testing::World;

async fn call(world: &World, operation: &str, input: Value) -> Result<Value, String> {
    let answer = world.wire("ssm", operation, input).await;
    answer.map_err(|error| format!("{} {} {}", error.status, error.code, error.message))
}

async fn put(world: &World, name: &str, value: &str) {
    call(world, "PutParameter", json!({"Name": name, "Value": value, "Type": "String"})).await.unwrap();
}

async fn get(world: &World, name: &str) -> Result<Value, String> {
    Ok(call(world, "GetParameter", json!({"Name": name, "WithDecryption": true})).await?["Parameter"].clone())
}
