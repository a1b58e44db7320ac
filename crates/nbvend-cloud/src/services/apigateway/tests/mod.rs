//! The control plane through the door, by wire names.

mod apis;
mod documents;
mod parts;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::testing::World;

/// A call that is expected to succeed.
pub async fn ok(world: &World, operation: &str, input: Value) -> Value {
    let answer = world.wire("apigateway", operation, input.clone()).await;
    answer.unwrap_or_else(|error| panic!("{operation} {input}: {error}"))
}

/// Code, status and message of a call that is expected to fail.
pub async fn fails(world: &World, operation: &str, input: Value) -> (String, u16, String) {
    match world.wire("apigateway", operation, input.clone()).await {
        Ok(answer) => panic!("{operation} {input} succeeded: {answer}"),
        Err(error) => (error.code.to_string(), error.status, error.message),
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Imports a document; answers the API's id.
pub async fn import(world: &World, document: &Value) -> String {
    text(&ok(world, "ImportRestApi", json!({"body": STANDARD.encode(document.to_string())})).await["id"])
}

async fn empty_api(world: &World) -> (String, String) {
    let api = ok(world, "CreateRestApi", json!({"name": "pets"})).await;
    (text(&api["id"]), text(&api["rootResourceId"]))
}

/// An API with one mock method at `/pets`, and the id of that resource.
async fn mock_api(world: &World) -> (String, String) {
    let (api, root) = empty_api(world).await;
    let pets =
        ok(world, "CreateResource", json!({"restApiId": api, "parentId": root, "pathPart": "pets"})).await;
    let at = json!({"restApiId": api, "resourceId": pets["id"], "httpMethod": "GET"});
    let with = |more: Value| {
        let mut input = at.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    ok(world, "PutMethod", with(json!({"authorizationType": "NONE"}))).await;
    ok(world, "PutMethodResponse", with(json!({"statusCode": "200"}))).await;
    let template = json!({"application/json": "{\"statusCode\": 200}"});
    ok(world, "PutIntegration", with(json!({"type": "MOCK", "requestTemplates": template}))).await;
    ok(world, "PutIntegrationResponse", with(json!({"statusCode": "200"}))).await;
    (api, text(&pets["id"]))
}
