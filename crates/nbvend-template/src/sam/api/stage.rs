//! The deployment, named after a hash of the document so that a change of the document deploys anew, and the
//! stage that points at it.

use super::{Api, reference_to};
use crate::sam::Transform;
use crate::sam::ids;
use crate::sam::intrinsics::{ref_target, reference};
use crate::sam::marks::FUNCTION;
use crate::sam::node::{Dict, Node};
use crate::sam::py27;
use crate::sam::resource::Resource;
use crate::sam::tags;

/// Between the parts of the hashed text.
const SEPARATOR: &str = "||";

const STAGE_PROPERTIES: &[&str] = &[
    "AccessLogSetting",
    "CacheClusterEnabled",
    "CacheClusterSize",
    "CanarySetting",
    "MethodSettings",
    "StageName",
    "TracingEnabled",
    "Variables",
];

pub(super) fn make(api: &Api<'_>, body: Option<&Node>, state: &Transform<'_>) -> (Resource, Resource) {
    let mut deployment = api.make("Deployment", "AWS::ApiGateway::Deployment");
    deployment.set("RestApiId", reference_to(api));
    if api.some("OpenApiVersion").is_none() {
        deployment.set("StageName", "Stage");
    }
    if let Some(body) = body.filter(|body| body.truthy()) {
        let text = if api.some("AlwaysDeploy").is_some() {
            state.cx.now_epoch_seconds.to_string()
        } else {
            hashed_text(api, body, state)
        };
        let digest = ids::sha1_hex(&text);
        deployment.id = ids::hashed(&deployment.id, &text).into();
        deployment.set("Description", format!("RestApi deployment id: {digest}"));
    }

    let name = api.given("StageName").and_then(Node::as_str).unwrap_or_default();
    let mut stage = if name.is_empty() {
        api.make("Stage", "AWS::ApiGateway::Stage")
    } else if name.chars().all(char::is_alphanumeric) {
        api.make(&format!("{name}Stage"), "AWS::ApiGateway::Stage")
    } else {
        api.make(&ids::hashed("Stage", name), "AWS::ApiGateway::Stage")
    };
    stage.set("RestApiId", reference_to(api));
    stage.set("DeploymentId", reference(deployment.id.clone()));
    stage.pass(&api.properties, STAGE_PROPERTIES);
    if let Some(given) = api.given("Tags").and_then(Node::as_dict) {
        stage.set("Tags", tags::list(given));
    }
    (deployment, stage)
}

fn hashed_text(api: &Api<'_>, body: &Node, state: &Transform<'_>) -> String {
    let mut parts = vec![py27::print(body)];
    if let Some(version) = api.some("OpenApiVersion") {
        parts.push(version.to_text());
    }
    if let Some(domain) = api.some("Domain") {
        parts.push(ids::spaced_json(domain));
    }
    let names = function_names(api.id, state);
    if !names.is_empty() {
        parts.push(names);
    }
    parts.join(SEPARATOR)
}

/// The names of all functions with an event on this API, once for each such event, in the order of the template.
fn function_names(api: &str, state: &Transform<'_>) -> String {
    let mut names = String::new();
    for resource in state.resources.values() {
        if resource.get("Type").and_then(Node::as_str) != Some(FUNCTION) {
            continue;
        }
        let Some(properties) = resource.get("Properties").and_then(Node::as_dict) else { continue };
        let Some(name) = properties.given("FunctionName").map(|name| state.resolve(name)) else { continue };
        let on_api = |event: &&Node| {
            event.get("Type").and_then(Node::as_str) == Some("Api")
                && event
                    .get("Properties")
                    .and_then(|properties| properties.get("RestApiId"))
                    .is_some_and(|id| id.as_str().or_else(|| ref_target(id)) == Some(api))
        };
        let events = properties
            .get("Events")
            .and_then(Node::as_dict)
            .map_or(0, |events: &Dict| events.values().filter(on_api).count());
        for _ in 0..events {
            names.push_str(&name.to_text());
        }
    }
    names
}
