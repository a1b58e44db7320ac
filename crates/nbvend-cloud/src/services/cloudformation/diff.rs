//! What an update would change, by the template language's comparison and the types' schemas.

use nbvend_template::TemplateError;
use nbvend_template::diff::{self, Change, RequiresRecreation};

use super::draft::pseudo_parameters;
use super::error::Error;
use super::state::{Stack, Version};
use crate::context::Cx;
use crate::provider::Update;
use crate::services;

/// The changes from the stack's version to another, and whether its outputs change.
pub fn changes(cx: &Cx<'_>, stack: &Stack, new: &Version) -> Result<(Vec<Change>, bool), Error> {
    let old = match stack.current.as_ref().or(stack.target.as_ref()) {
        Some(id) => cx.get::<Version>(&Version::key_of(&stack.uuid, id))?,
        None => None,
    };
    let pseudo = pseudo_parameters(cx, &stack.name, &stack.arn, &[]);
    let new_template = nbvend_template::Template::from_value(new.processed.clone());
    let new_side = diff::Version { template: &new_template, parameters: &new.values, pseudo: &pseudo };
    let Some(old) = old else { return Ok((diff::changes(None, &new_side, &recreation)?, true)) };
    let old_template = nbvend_template::Template::from_value(old.processed.clone());
    let old_side = diff::Version { template: &old_template, parameters: &old.values, pseudo: &pseudo };
    let changes = diff::changes(Some(&old_side), &new_side, &recreation)?;
    let outputs: Result<bool, TemplateError> = diff::outputs_changed(&old_side, &new_side);
    Ok((changes, outputs? || old.face.tags != new.face.tags))
}

/// Whether an update to `new` would do nothing.
pub fn nothing_changes(cx: &Cx<'_>, stack: &Stack, new: &Version) -> Result<bool, Error> {
    let (changes, outputs) = changes(cx, stack, new)?;
    Ok(changes.is_empty() && !outputs)
}

fn recreation(type_name: &str, property: &str) -> RequiresRecreation {
    let provider = services::provider(type_name);
    let found = provider.and_then(|p| p.schema().properties.iter().find(|p| p.name == property));
    match found.map(|property| property.update) {
        Some(Update::Replacement) => RequiresRecreation::Always,
        _ => RequiresRecreation::Never,
    }
}
