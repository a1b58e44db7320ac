//! Scalars as CloudFormation takes them: a number or a truth value may come as text (every parameter does), and a text
//! as a number or a truth value. For `#[serde(deserialize_with = …)]` of a provider's properties.

use std::collections::BTreeMap;

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;

fn scalar<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        value => text_of(&value).map(Some).ok_or_else(|| D::Error::custom("expected a single value")),
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// `Option<i64>`: `30` or `"30"`.
pub fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let text = scalar(deserializer)?;
    text.map(|text| {
        text.parse().map_err(|_| D::Error::custom(format!("expected a whole number, found {text}")))
    })
    .transpose()
}

/// `Option<bool>`: `true` or `"true"`.
pub fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    match scalar(deserializer)?.as_deref() {
        None => Ok(None),
        Some("true" | "True") => Ok(Some(true)),
        Some("false" | "False") => Ok(Some(false)),
        Some(other) => Err(D::Error::custom(format!("expected true or false, found {other}"))),
    }
}

/// `Option<String>`: `"x"`, `7` or `true`.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    scalar(deserializer)
}

/// `BTreeMap<String, String>` with such values.
pub fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let entries = BTreeMap::<String, Value>::deserialize(deserializer)?;
    let text = |(key, value): (String, Value)| match text_of(&value) {
        Some(text) => Ok((key, text)),
        None => Err(D::Error::custom(format!("expected a single value at {key}"))),
    };
    entries.into_iter().map(text).collect()
}
