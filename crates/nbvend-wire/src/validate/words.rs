//! AWS's sentences about constraints.

use crate::error::WireError;
use crate::model::{Kind, Service, Shape};
pub(super) use crate::protocol::lower_first;
use serde_json::Value;

pub(super) const NOT_NULL: &str = "Member must not be null";

/// The constraints a value breaks, in AWS's order: pattern, length or range, enumeration.
pub(super) fn broken(service: &Service, shape: &Shape, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if let (Some(text), Some(pattern)) = (value.as_str(), &shape.pattern)
        && shape.compiled_pattern().is_some_and(|compiled| !compiled.matches(text))
    {
        found.push(pattern_sentence(pattern));
    }
    if let Some(size) = size(shape, value) {
        found.extend(shape.max.filter(|max| size > *max).map(|max| bound(shape, "less", max)));
        found.extend(shape.min.filter(|min| size < *min).map(|min| bound(shape, "greater", min)));
    }
    if let (Kind::String { values }, Some(text)) = (&shape.kind, value.as_str())
        && !values.is_empty()
        && !values.iter().any(|value| value == text)
        && !(service.id == "lambda" && shape.name == "Runtime")
    {
        // Recorded from AWS: IAM ends the sentence before the set.
        found.push(if service.id == "iam" { ENUM.to_owned() } else { enum_sentence(values) });
    }
    found
}

/// Every constraint of a shape, as AWS lists them for the members of a list or map.
pub(super) fn constraints(shape: &Shape) -> Vec<String> {
    let mut all = Vec::new();
    all.extend(shape.max.map(|max| bound(shape, "less", max)));
    all.extend(shape.min.map(|min| bound(shape, "greater", min)));
    all.extend(shape.pattern.as_deref().map(pattern_sentence));
    if let Kind::String { values } = &shape.kind
        && !values.is_empty()
    {
        all.push(enum_sentence(values));
    }
    all
}

fn pattern_sentence(pattern: &str) -> String {
    format!("Member must satisfy regular expression pattern: {pattern}")
}

const ENUM: &str = "Member must satisfy enum value set";

fn enum_sentence(values: &[String]) -> String {
    let mut values: Vec<&str> = values.iter().rev().map(String::as_str).collect();
    values.sort_by_key(|value| java_hash(value) & 31);
    format!("{ENUM}: [{}]", values.join(", "))
}

/// AWS prints enumerations from a hash table of 32 buckets, by the lowest five bits of Java's `String.hashCode`, the
/// last of the model's values first within a bucket. The sets recorded from AWS are in this order.
fn java_hash(text: &str) -> u32 {
    text.encode_utf16().fold(0, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)))
}

fn bound(shape: &Shape, side: &str, limit: f64) -> String {
    let what = if is_number(shape) { "value" } else { "length" };
    let decimal = matches!(shape.kind, Kind::Float | Kind::Double);
    let limit = if decimal { format!("{limit:?}") } else { format!("{limit:.0}") };
    format!("Member must have {what} {side} than or equal to {limit}")
}

fn is_number(shape: &Shape) -> bool {
    matches!(shape.kind, Kind::Integer | Kind::Long | Kind::Float | Kind::Double)
}

/// What the limits are about: a number's value, a text's characters, a list's items, a map's entries, a blob's bytes.
fn size(shape: &Shape, value: &Value) -> Option<f64> {
    let length = match (&shape.kind, value) {
        (Kind::Blob, Value::String(text)) => text.trim_end_matches('=').len() * 3 / 4,
        (_, Value::String(text)) => text.chars().count(),
        (_, Value::Array(items)) => items.len(),
        (Kind::Map { .. }, Value::Object(entries)) => entries.len(),
        (_, Value::Number(number)) if is_number(shape) => return number.as_f64(),
        _ => return None,
    };
    Some(length as f64)
}

/// ` 'text'`, or nothing for what must not be printed. Recorded from AWS: IAM never prints values.
pub(super) fn shown(service: &Service, shape: &Shape, value: &Value) -> String {
    if service.id == "iam" || hides(service, shape) {
        return String::new();
    }
    format!(" '{}'", print(service, shape, value))
}

fn hides(service: &Service, shape: &Shape) -> bool {
    let inner = |id| hides(service, service.shape(id));
    shape.sensitive
        || match &shape.kind {
            Kind::Blob => true,
            Kind::List { member, .. } => is_leaf(service, member.shape) && inner(member.shape),
            Kind::Map { value, .. } => is_leaf(service, value.shape) && inner(value.shape),
            _ => false,
        }
}

fn is_leaf(service: &Service, id: crate::model::ShapeId) -> bool {
    super::is_plain(service.shape(id))
}

/// As Java prints: `[a, b]`, `{k=v}`, `Name(member=value, other=null)`.
fn print(service: &Service, shape: &Shape, value: &Value) -> String {
    match (&shape.kind, value) {
        _ if shape.sensitive => "***Sensitive Data Redacted***".to_owned(),
        (Kind::List { member, .. }, Value::Array(items)) => {
            let shape = service.shape(member.shape);
            let items: Vec<String> = items.iter().map(|item| print(service, shape, item)).collect();
            format!("[{}]", items.join(", "))
        }
        (Kind::Map { value: inner, .. }, Value::Object(entries)) => {
            let shape = service.shape(inner.shape);
            let entries: Vec<String> = entries
                .iter()
                .map(|(name, item)| format!("{name}={}", print(service, shape, item)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        (Kind::Structure(structure), Value::Object(values)) => {
            let member = |member: &crate::model::Member| {
                let value = values.get(&member.name).unwrap_or(&Value::Null);
                format!(
                    "{}={}",
                    lower_first(&member.name),
                    print(service, service.shape(member.shape), value)
                )
            };
            let members: Vec<String> = structure.members.iter().map(member).collect();
            format!("{}({})", shape.name, members.join(", "))
        }
        (Kind::Float | Kind::Double, Value::Number(number)) => {
            number.as_f64().map_or_else(|| number.to_string(), |float| format!("{float:?}"))
        }
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    }
}

/// The runtimes that functions may be made with, in the order AWS prints them (recorded from AWS).
const RUNTIMES: [&str; 25] = [
    "nodejs20.x",
    "python3.14",
    "provided.al2023",
    "python3.12",
    "python3.13",
    "nodejs24.x",
    "nodejs22.x",
    "java25",
    "python3.10",
    "python3.11",
    "java21",
    "ruby3.3",
    "ruby3.4",
    "ruby3.2",
    "python3.8",
    "python3.9",
    "java17",
    "nodejs16.x",
    "dotnet10",
    "dotnet8",
    "java11",
    "dotnet6",
    "nodejs18.x",
    "provided.al2",
    "java8.al2",
];

/// Lambda tells about a wrong runtime by another code and in a sentence of its own.
pub(super) fn lambda_runtime(input: &Value) -> Option<WireError> {
    let runtime = input.get("Runtime")?.as_str().filter(|runtime| !RUNTIMES.contains(runtime))?;
    let message = format!(
        "Value {runtime} at 'runtime' failed to satisfy constraint: {ENUM}: [{}] or be a valid ARN",
        RUNTIMES.join(", ")
    );
    Some(WireError::new("InvalidParameterValueException", 400, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enumerations_print_as_aws_prints_them() {
        // In the model's order; as recorded from AWS.
        let cases = [
            ("POST GET HEAD OPTIONS PUT PATCH DELETE", "HEAD, POST, PATCH, DELETE, PUT, GET, OPTIONS"),
            ("add remove replace move copy test", "add, remove, move, test, replace, copy"),
            ("HTTP AWS MOCK HTTP_PROXY AWS_PROXY", "HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS"),
            ("json plain w3c raw parquet", "w3c, raw, json, plain, parquet"),
        ];
        for (model, printed) in cases {
            let values: Vec<String> = model.split(' ').map(str::to_owned).collect();
            assert_eq!(enum_sentence(&values), format!("{ENUM}: [{printed}]"));
        }
    }
}
