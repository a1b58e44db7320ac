//! Dynamic references: `{{resolve:ssm:/path:3}}` inside any text of a resolved value.
//!
//! They are replaced last, so that Fn::Sub and Fn::Join may compose them. A value that comes from a
//! reference is not searched again.

use serde_json::Value;

use super::{Resolver, Result};
use crate::error::TemplateError;

const START: &str = "{{resolve:";

pub fn replace(value: &mut Value, resolver: &dyn Resolver) -> Result<()> {
    match value {
        Value::String(text) if text.contains(START) => {
            *text = replaced(text, resolver)?;
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| replace(item, resolver)),
        Value::Object(map) => map.values_mut().try_for_each(|member| replace(member, resolver)),
        _ => Ok(()),
    }
}

fn replaced(text: &str, resolver: &dyn Resolver) -> Result<String> {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(START) {
        let Some(length) = rest[at..].find("}}") else { break };
        let inside = &rest[at + START.len()..at + length];
        let Some((service, key)) = inside.split_once(':') else { break };
        result.push_str(&rest[..at]);
        result.push_str(&resolver.dynamic(service, key).map_err(TemplateError::new)?);
        rest = &rest[at + length + 2..];
    }
    result.push_str(rest);
    Ok(result)
}
