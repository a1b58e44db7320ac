//! Stacks: made, changed, ended, described.

mod create;
mod delete;
mod describe;
mod list;
mod protection;
mod rollback;
mod update;
mod view;

pub use create::{CreateStack, CreateStackOutput};
pub use delete::DeleteStack;
pub use describe::{DescribeStacks, DescribeStacksOutput};
pub use list::{ListStacks, ListStacksOutput};
pub use protection::{UpdateTerminationProtection, UpdateTerminationProtectionOutput};
pub use rollback::{CancelUpdateStack, ContinueUpdateRollback, RollbackStack};
pub use update::{UpdateStack, UpdateStackOutput};
pub use view::{NO_RESOURCE_DRIFT, OutputView, ResourceDrift, RollbackConfiguration, StackView};

use serde::{Deserialize, Serialize};

use super::draft::Draft;
use super::error::Error;
use crate::context::Cx;

pub(super) use create::{New, begin_create, enlist, new_stack, request_keys};
pub(super) use update::{begin_update, topics};
pub(super) use view::{parameter_view, tag_views};

/// A tag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Tag {
    pub key: String,
    pub value: String,
}

/// A parameter of a stack, or the wish to keep its old value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct Parameter {
    pub parameter_key: String,
    pub parameter_value: Option<String>,
    pub use_previous_value: Option<bool>,
    pub resolved_value: Option<String>,
}

/// What [`crate::operation::Operation::prepare`] leaves for `run`. Callers leave it out.
#[derive(Debug, Default)]
pub struct Prepared(pub(super) Option<Box<Draft>>);

/// The tags of a request; those of AWS's own only from callers inside the engine.
pub(super) fn tags(cx: &Cx<'_>, tags: &[Tag]) -> Result<Vec<(String, String)>, Error> {
    let inside = cx.caller.invoked_by.is_some();
    let mut pairs: Vec<(String, String)> = Vec::with_capacity(tags.len());
    for tag in tags {
        if !inside && tag.key.to_ascii_lowercase().starts_with("aws:") {
            return Err(Error::validation("aws: prefixed tag key names are not allowed for external use."));
        }
        if pairs.iter().any(|(key, _)| *key == tag.key) {
            return Err(Error::Validation(format!(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.: {}",
                tag.key
            )));
        }
        pairs.push((tag.key.clone(), tag.value.clone()));
    }
    Ok(pairs)
}
