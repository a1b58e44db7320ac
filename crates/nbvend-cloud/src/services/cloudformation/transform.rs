//! Transforms a template declares. The serverless one is served; macros are refused by name.

use nbvend_template::{Template, sam};
use serde_json::{Map, Value};

use super::error::Error;
use crate::context::Cx;

/// Read by the template language itself: nothing to be made of the template beforehand.
const EXTENSIONS: &str = "AWS::LanguageExtensions";

/// The template the transform makes; `None` if none is declared that has to run.
pub fn transformed(
    cx: &Cx<'_>,
    declared: &Template,
    values: &Map<String, Value>,
) -> Result<Option<Template>, Error> {
    let transforms = declared.transforms();
    if let Some(name) = transforms.iter().find(|name| *name != EXTENSIONS && *name != sam::TRANSFORM) {
        // AWS's text for a macro that is not there.
        return Err(Error::Validation(format!("No transform named {name} found.")));
    }
    if !transforms.iter().any(|name| name == sam::TRANSFORM) {
        return Ok(None);
    }
    let now = u64::try_from(cx.now().0 / 1000).unwrap_or_default();
    let context = sam::Context { region: cx.region(), parameters: values, now_epoch_seconds: now };
    let mut processed = sam::transform(&declared.value, &context)
        .map_err(|errors| Error::Transform(sam::message(&errors)))?;
    if declared.language_extensions()
        && let Some(members) = processed.as_object_mut()
    {
        members.insert("Transform".to_owned(), EXTENSIONS.into());
    }
    Ok(Some(Template::from_value(processed)))
}
