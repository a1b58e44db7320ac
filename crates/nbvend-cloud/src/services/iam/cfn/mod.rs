//! IAM's resource types for CloudFormation. Each provider calls this service's own operations as the stack's caller.
//!
//! A resource that could be made only in part is `Failed` with its id: the stack takes back what there is. An update
//! adds what is wanted and not there, and takes away what the old properties had and the new ones do not; what others
//! put on the same entity stays.

mod access_key;
mod group;
mod holder;
mod instance_profile;
mod managed_policy;
mod policy;
mod role;
#[cfg(test)]
mod tests;
mod user;

use nbvend_wire::error::WireError;
use nbvend_wire::{model, validate};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::tags::Tag;
use crate::context::Cx;
use crate::error::EngineError;
use crate::operation::Operation;
use crate::provider::{Progress, Provider, Request};

pub static PROVIDERS: &[&dyn Provider] = &[
    &access_key::AccessKey,
    &group::Group,
    &instance_profile::InstanceProfile,
    &managed_policy::ManagedPolicy,
    &policy::Policy,
    &role::Role,
    &user::User,
];

/// An inline policy of a template.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct InlinePolicy {
    policy_name: String,
    policy_document: Value,
}

impl InlinePolicy {
    fn document(&self) -> String {
        document(&self.policy_document)
    }
}

/// The text of a policy document: templates give an object, or a text that holds one.
fn document(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The properties in their types. Numbers and booleans are read as texts, which is what CloudFormation makes of them
/// where a text is wanted, and all that IAM's types and policy documents need.
fn read<T: DeserializeOwned>(properties: &Value) -> Result<T, EngineError> {
    serde_json::from_value(texts(properties.clone())).map_err(|error| {
        EngineError::Called(WireError::new(
            "ValidationError",
            400,
            format!("Properties validation failed: {error}"),
        ))
    })
}

fn texts(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::String(number.to_string()),
        Value::Bool(flag) => Value::String(flag.to_string()),
        Value::Array(items) => items.into_iter().map(texts).collect(),
        Value::Object(members) => members.into_iter().map(|(name, member)| (name, texts(member))).collect(),
        other => other,
    }
}

/// A whole number that a template wrote either way.
fn number(text: Option<&String>) -> Result<Option<i64>, EngineError> {
    text.map(|text| {
        text.parse().map_err(|_| {
            EngineError::Called(WireError::new(
                "ValidationError",
                400,
                format!("{text} is not a whole number"),
            ))
        })
    })
    .transpose()
}

/// Calls an operation with the checks that a request from outside passes: a template's values come from outside.
fn call<O: Operation>(cx: &mut Cx<'_>, operation: O) -> Result<O::Output, EngineError> {
    let service = model::service(O::SERVICE).expect("the service has a model");
    let shape = service.operation(O::NAME).expect("the operation is in the model");
    if let Ok(input) = serde_json::to_value(&operation) {
        validate::validate(service, shape, &input)?;
    }
    Ok(cx.call(operation)?)
}

/// Whether an error says that the entity, or the thing on it, is not there.
fn is_gone(error: &EngineError) -> bool {
    matches!(error, EngineError::Called(wire) if wire.code == "NoSuchEntity")
}

/// The same with what is gone already being as good as taken away.
fn unless_gone(outcome: Result<(), EngineError>) -> Result<(), EngineError> {
    match outcome {
        Err(error) if is_gone(&error) => Ok(()),
        other => other,
    }
}

/// Goes on with a resource that exists by now: what fails from here on leaves something to delete.
fn finish(
    physical_id: String,
    attributes: Map<String, Value>,
    outcome: Result<(), EngineError>,
) -> Result<Progress, EngineError> {
    match outcome {
        Ok(()) => Ok(Progress::Done { physical_id, attributes }),
        Err(EngineError::Called(error)) => {
            Ok(Progress::Failed { physical_id: Some(physical_id), reason: error.message })
        }
        Err(error) => Err(error),
    }
}

/// The template's tags and, where the template does not give the same key, the stack's.
fn all_tags(own: &[Tag], request: &Request) -> Vec<Tag> {
    let mut tags = own.to_vec();
    for (key, value) in &request.tags {
        if !tags.iter().any(|tag| tag.key.eq_ignore_ascii_case(key)) {
            tags.push(Tag { key: key.clone(), value: value.clone() });
        }
    }
    tags
}

/// Keys of tags that were there before and are no longer wanted.
fn dropped_tags(old: &[Tag], new: &[Tag]) -> Vec<String> {
    old.iter()
        .filter(|tag| !new.iter().any(|other| other.key == tag.key))
        .map(|tag| tag.key.clone())
        .collect()
}

fn attributes<const N: usize>(pairs: [(&str, &str); N]) -> Map<String, Value> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}
