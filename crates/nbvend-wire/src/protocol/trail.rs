//! Values as CloudTrail prints them.

use crate::model::{Kind, Operation, Service, Shape};
use crate::timestamp::Timestamp;
use serde_json::{Map, Value};

/// Which side of an operation a value belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Input,
    Output,
}

impl Side {
    pub(crate) fn shape<'a>(self, service: &'a Service, op: &Operation) -> Option<&'a Shape> {
        let id = match self {
            Self::Input => op.input,
            Self::Output => op.output,
        };
        id.map(|id| service.shape(id))
    }
}

/// A value in CloudTrail's form: members' first letters lowered, map keys as they are, timestamps as text
/// (`Aug 17, 2016 7:20:58 PM`, from CloudTrail's documented record of ProvisionProduct).
pub fn trail_form(service: &Service, op: &Operation, side: Side, value: &Value) -> Value {
    match side.shape(service, op) {
        Some(shape) => form(service, shape, value),
        None => camel(value),
    }
}

fn form(service: &Service, shape: &Shape, value: &Value) -> Value {
    match (&shape.kind, value) {
        (Kind::Structure(_), Value::Object(values)) => {
            let member = |(name, value): (&String, &Value)| {
                let value = match shape.member(name) {
                    Some(member) => form(service, service.shape(member.shape), value),
                    None => camel(value),
                };
                (lower_first(name), value)
            };
            Value::Object(values.iter().map(member).collect())
        }
        (Kind::List { member, .. }, Value::Array(items)) => {
            let shape = service.shape(member.shape);
            items.iter().map(|item| form(service, shape, item)).collect()
        }
        (Kind::Map { value: inner, .. }, Value::Object(entries)) => {
            let shape = service.shape(inner.shape);
            Value::Object(
                entries.iter().map(|(key, value)| (key.clone(), form(service, shape, value))).collect(),
            )
        }
        (Kind::Timestamp(_), Value::Number(number)) => number
            .as_i64()
            .map_or_else(|| value.clone(), |millis| Value::from(Timestamp(millis).trail_date())),
        _ => value.clone(),
    }
}

/// As [`trail_form`] without a model: the first letter of every key lowered, map keys too.
pub fn camel(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| (lower_first(name), camel(value));
            Value::Object(members.iter().map(member).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(camel).collect(),
        other => other.clone(),
    }
}

/// The paths of members which the model does not know: what an encoding would leave out. For tests.
pub fn unmodelled(service: &Service, op: &Operation, side: Side, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    match side.shape(service, op) {
        Some(shape) => walk(service, shape, "", value, &mut found),
        None => found.extend(value.as_object().into_iter().flatten().map(|(name, _)| name.clone())),
    }
    found
}

fn walk(service: &Service, shape: &Shape, path: &str, value: &Value, found: &mut Vec<String>) {
    let dot = if path.is_empty() { "" } else { "." };
    match (&shape.kind, value) {
        (Kind::Structure(_), Value::Object(values)) => {
            for (name, value) in values {
                let path = format!("{path}{dot}{name}");
                match shape.member(name) {
                    Some(member) => walk(service, service.shape(member.shape), &path, value, found),
                    None => found.push(path),
                }
            }
        }
        (Kind::List { member, .. }, Value::Array(items)) => {
            for item in items {
                walk(service, service.shape(member.shape), &format!("{path}[]"), item, found);
            }
        }
        (Kind::Map { value: inner, .. }, Value::Object(entries)) => {
            for value in entries.values() {
                walk(service, service.shape(inner.shape), &format!("{path}{{}}"), value, found);
            }
        }
        _ => {}
    }
}

pub(crate) fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + letters.as_str())
}
