//! API Gateway's resource types for CloudFormation. Each provider calls this service's own operations as the stack's
//! caller; a failed step is undone as a whole.

mod account;
mod deployment;
mod method;
mod resource;
mod rest_api;
mod stage;
#[cfg(test)]
mod tests;

use nbvend_wire::error::WireError;
use nbvend_wire::{model, validate};
use serde_json::{Map, Value};

use super::patch::PatchOperation;
use super::state::{Flags, Texts};
use super::tags::{TagResource, UntagResource};
use crate::context::Cx;
use crate::error::EngineError;
use crate::operation::Operation;
use crate::provider::{Deletion, Provider, Request};

pub const PROVIDERS: &[&dyn Provider] = &[
    &account::Account,
    &deployment::Deployment,
    &method::Method,
    &resource::Resource,
    &rest_api::RestApi,
    &stage::Stage,
];

/// Calls an operation with the checks that a request from outside passes: a template's values come from outside.
fn call<O: Operation>(cx: &mut Cx<'_>, operation: O) -> Result<O::Output, EngineError> {
    let service = model::service(O::SERVICE).expect("the service has a model");
    let shape = service.operation(O::NAME).expect("the operation is in the model");
    if let Ok(input) = serde_json::to_value(&operation) {
        validate::validate(service, shape, &dropped_nulls(input))?;
    }
    Ok(cx.call(operation)?)
}

/// Members that are not given, as a request from outside has them: not at all.
fn dropped_nulls(mut input: Value) -> Value {
    if let Value::Object(members) = &mut input {
        members.retain(|_, value| !value.is_null());
    }
    input
}

/// A deletion is done when what was to be deleted is not there, nor the API it was in.
fn deleted<T>(outcome: Result<T, EngineError>) -> Result<Deletion, EngineError> {
    match outcome {
        Err(EngineError::Called(error)) if error.code == "NotFoundException" => Ok(Deletion::Done),
        Err(error) => Err(error),
        Ok(_) => Ok(Deletion::Done),
    }
}

fn invalid(text: impl Into<String>) -> EngineError {
    EngineError::Called(WireError::new("ValidationError", 400, text.into()))
}

/// A property that is a text; templates may write numbers and truth values without quotes.
fn text(properties: &Value, name: &str) -> Option<String> {
    match properties.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

/// A property that must be there; CloudFormation has checked that it is.
fn needed(properties: &Value, name: &str) -> String {
    text(properties, name).unwrap_or_default()
}

fn truth(properties: &Value, name: &str) -> bool {
    text(properties, name).is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

fn number(properties: &Value, name: &str) -> Result<Option<i64>, EngineError> {
    let read =
        |text: String| text.parse().map_err(|_| invalid(format!("{name} is not a whole number: {text}")));
    text(properties, name).map(read).transpose()
}

fn texts(properties: &Value, name: &str) -> Texts {
    let members = properties.get(name).and_then(Value::as_object).into_iter().flatten();
    members.filter_map(|(key, _)| Some((key.clone(), text(&properties[name], key)?))).collect()
}

fn flags(properties: &Value, name: &str) -> Flags {
    texts(properties, name)
        .into_iter()
        .map(|(key, value)| (key, value.eq_ignore_ascii_case("true")))
        .collect()
}

fn list<'a>(properties: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    properties.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// Refuses members of a nested property that would be ignored.
fn only(value: Option<&Value>, what: &str, names: &[&str]) -> Result<(), EngineError> {
    let members = value.and_then(Value::as_object).into_iter().flatten();
    match members.map(|(name, _)| name).find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(invalid(format!("Encountered unsupported property {name} of {what}"))),
        None => Ok(()),
    }
}

fn replace(path: &str, value: impl Into<String>) -> PatchOperation {
    PatchOperation {
        op: "replace".to_owned(),
        path: Some(path.to_owned()),
        value: Some(value.into()),
        from: None,
    }
}

fn operation(op: &str, path: String) -> PatchOperation {
    PatchOperation { op: op.to_owned(), path: Some(path), value: None, from: None }
}

/// A segment of a patch's path.
fn segment(text: &str) -> String {
    text.replace('~', "~0").replace('/', "~1")
}

fn own_tags(properties: &Value) -> Texts {
    list(properties, "Tags").map(|tag| (needed(tag, "Key"), needed(tag, "Value"))).collect()
}

/// The template's tags and, where the template does not give the same key, the stack's.
fn tags(request: &Request) -> Texts {
    let mut tags: Texts = request.tags.iter().cloned().collect();
    tags.extend(own_tags(&request.properties));
    tags
}

/// Brings the tags of an API or stage from what they were to what they are to be.
fn retag(cx: &mut Cx<'_>, arn: String, old: &Value, request: &Request) -> Result<(), EngineError> {
    let new = tags(request);
    let tag_keys: Vec<String> = own_tags(old).into_keys().filter(|key| !new.contains_key(key)).collect();
    if !tag_keys.is_empty() {
        call(cx, UntagResource { resource_arn: arn.clone(), tag_keys })?;
    }
    if !new.is_empty() {
        call(cx, TagResource { resource_arn: arn, tags: new })?;
    }
    Ok(())
}

fn attributes<const N: usize>(pairs: [(&str, &str); N]) -> Map<String, Value> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}
