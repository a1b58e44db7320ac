//! Change sets: what an update would do to each resource, and why.
//!
//! Two versions of a stack are compared with their resources left as symbols: a Ref to a resource is
//! the same before and after, unless the resource itself is going to be replaced. That much AWS calls a
//! *dynamic* change: it may or may not come true when the update runs.

mod compare;
mod words;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use self::words::{
    Action, Attribute, ChangeSource, Evaluation, Replacement, RequiresRecreation, logical_id_order,
};
use crate::document::{Resource, Template};
use crate::error::TemplateError;
use crate::graph::Graph;
use crate::intrinsics::evaluate_conditions;

/// One version of a stack.
#[derive(Clone, Copy)]
pub struct Version<'a> {
    /// Processed.
    pub template: &'a Template,
    /// Resolved, SSM-typed ones looked up.
    pub parameters: &'a Map<String, Value>,
    pub pseudo: &'a Map<String, Value>,
}

/// What happens to one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub action: Action,
    pub logical_id: String,
    pub resource_type: String,
    /// Of a modification only.
    pub replacement: Option<Replacement>,
    /// The attributes that change, each once.
    pub scope: Vec<Attribute>,
    pub details: Vec<Detail>,
    /// Where values differ: `/Properties/Tags/0/Value`. Dynamic changes have none.
    pub paths: Vec<String>,
}

/// One reason for a modification.
#[derive(Debug, Clone, PartialEq)]
pub struct Detail {
    pub attribute: Attribute,
    /// The property, if the attribute is `Properties`.
    pub name: Option<String>,
    pub requires_recreation: RequiresRecreation,
    pub evaluation: Evaluation,
    pub source: ChangeSource,
    /// The parameter `P`, the resource `R` or the attribute `R.Arn` that the change comes from.
    pub causing_entity: Option<String>,
}

/// The changes from `old` to `new`, in AWS's order. `old` is `None` when the stack is to be created.
/// `recreation` tells from a type and a property's name whether changing it replaces the resource.
///
/// # Errors
/// What evaluating the conditions and ordering the resources of either version says, and a resource
/// whose type changes.
pub fn changes(
    old: Option<&Version<'_>>,
    new: &Version<'_>,
    recreation: &dyn Fn(&str, &str) -> RequiresRecreation,
) -> Result<Vec<Change>, TemplateError> {
    let new_side = Side::of(new)?;
    let Some(old) = old else {
        let mut changes: Vec<Change> =
            new_side.resources().map(|resource| plain(Action::Add, &resource)).collect();
        sort(&mut changes);
        return Ok(changes);
    };
    let old_side = Side::of(old)?;
    refuse_new_types(&old_side, &new_side)?;
    let mut changes: Vec<Change> = Vec::new();
    let mut modified: BTreeMap<&str, Replacement> = BTreeMap::new();
    // Dependencies first, so that a resource knows what becomes of those it refers to.
    for id in new_side.graph.creation_order() {
        let Some(after) = new.template.resource(id) else { continue };
        let Some(before) = old_side.resource(id) else {
            changes.push(plain(Action::Add, &after));
            continue;
        };
        if let Some(change) = compare::resource(&old_side, &new_side, &before, &after, &modified, recreation)
        {
            modified.insert(id, change.replacement.unwrap_or(Replacement::False));
            changes.push(change);
        }
    }
    let gone = old_side.resources().filter(|resource| new_side.resource(resource.logical_id).is_none());
    changes.extend(gone.map(|resource| plain(Action::Remove, &resource)));
    sort(&mut changes);
    Ok(changes)
}

/// Whether the outputs of the two versions differ: such an update is performed although no resource
/// changes.
///
/// # Errors
/// As for [`changes`].
pub fn outputs_changed(old: &Version<'_>, new: &Version<'_>) -> Result<bool, TemplateError> {
    Ok(compare::outputs(&Side::of(old)?) != compare::outputs(&Side::of(new)?))
}

/// A version with what follows from it.
struct Side<'a> {
    version: Version<'a>,
    conditions: BTreeMap<String, bool>,
    graph: Graph,
}

impl<'a> Side<'a> {
    fn of(version: &Version<'a>) -> Result<Self, TemplateError> {
        let conditions = evaluate_conditions(version.template, version.parameters, version.pseudo)?;
        let graph = Graph::of(version.template, &conditions)?;
        Ok(Side { version: *version, conditions, graph })
    }

    /// The resources that exist in this version.
    fn resources(&self) -> impl Iterator<Item = Resource<'a>> {
        self.graph.ids().iter().filter_map(|id| self.version.template.resource(id))
    }

    fn resource(&self, id: &str) -> Option<Resource<'a>> {
        self.graph.contains(id).then(|| self.version.template.resource(id)).flatten()
    }
}

fn plain(action: Action, resource: &Resource<'_>) -> Change {
    Change {
        action,
        logical_id: resource.logical_id.to_owned(),
        resource_type: resource.resource_type.to_owned(),
        replacement: None,
        scope: Vec::new(),
        details: Vec::new(),
        paths: Vec::new(),
    }
}

fn sort(changes: &mut [Change]) {
    changes.sort_by(|a, b| logical_id_order(&a.logical_id, &b.logical_id));
}

fn refuse_new_types(old: &Side<'_>, new: &Side<'_>) -> Result<(), TemplateError> {
    let changed: Vec<&str> = new
        .resources()
        .filter(|after| {
            old.resource(after.logical_id).is_some_and(|b| b.resource_type != after.resource_type)
        })
        .map(|resource| resource.logical_id)
        .collect();
    if changed.is_empty() {
        return Ok(());
    }
    Err(TemplateError::new(format!(
        "Update of resource type is not permitted. The new template modifies resource type of the following resources: [{}]",
        changed.join(", ")
    )))
}

#[cfg(test)]
mod tests;
