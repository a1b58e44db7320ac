//! Text to value. A template that starts with `{` is JSON to AWS, anything else is YAML: the recorded
//! answer to `{"this is invalid JSON"}` is a JSON error although the text is valid YAML.

mod json;
mod scalar;
mod yaml;

use serde_json::Value;

use crate::error::TemplateError;
use crate::path::{Position, Spans};

/// How deep a template may nest. Real ones stay below 30; everything after this recurses freely
/// because of this bound. Ours, AWS's is not known.
pub const MAX_DEPTH: usize = 100;

/// The language a template was written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Json,
    Yaml,
}

pub fn parse(text: &str) -> Result<(Value, Spans, Format), TemplateError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        json::parse(text).map(|(value, spans)| (value, spans, Format::Json))
    } else {
        yaml::parse(text).map(|(value, spans)| (value, spans, Format::Yaml))
    }
}

fn malformed(format: &str, at: Position, reason: impl Into<String>) -> TemplateError {
    let Position { line, column } = at;
    let message = format!("Template format error: {format} not well-formed. (line {line}, column {column})");
    TemplateError::at(message, Some(at)).detail(reason)
}
