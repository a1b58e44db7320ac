//! One resource before and after.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    Action, Attribute, Change, ChangeSource, Detail, Evaluation, Replacement, RequiresRecreation, Side,
};
use crate::document::Resource;
use crate::intrinsics::{Env, Resolver, resolve};
use crate::path::Path;
use crate::references::{Branches, Reference, visit};

/// Resources as symbols: a Ref is the text `${Id}`, an attribute `${Id.Attribute}`.
struct Symbols;

impl Resolver for Symbols {
    fn reference(&self, logical_id: &str) -> Option<Value> {
        Some(Value::String(format!("${{{logical_id}}}")))
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Option<Value> {
        Some(Value::String(format!("${{{logical_id}.{attribute}}}")))
    }

    fn import(&self, export: &str) -> Result<Value, String> {
        Ok(Value::String(format!("${{import {export}}}")))
    }

    fn availability_zones(&self, region: &str) -> Vec<String> {
        (0..8).map(|zone| format!("${{zone {zone} of {region}}}")).collect()
    }

    fn dynamic(&self, service: &str, key: &str) -> Result<String, String> {
        Ok(format!("{{{{resolve:{service}:{key}}}}}"))
    }
}

/// The value with symbols for resources. What cannot be worked out with symbols (the third member of a
/// list attribute) is compared as it is written.
fn symbolic(side: &Side<'_>, value: Option<&Value>) -> Option<Value> {
    let value = value?;
    let env = Env {
        parameters: side.version.parameters,
        pseudo: side.version.pseudo,
        mappings: side.version.template.mappings(),
        conditions: &side.conditions,
        language_extensions: side.version.template.language_extensions(),
        resolver: &Symbols,
    };
    resolve(value, &env).unwrap_or_else(|_| Some(value.clone()))
}

/// What the outputs come to, those with a false condition left out: name, description, value, export.
pub fn outputs(side: &Side<'_>) -> Vec<(String, Option<String>, [Option<Value>; 2])> {
    let outputs = side.version.template.outputs().into_iter();
    outputs
        .filter(|output| output.condition.is_none_or(|c| side.conditions.get(c) != Some(&false)))
        .map(|output| {
            (
                output.name.to_owned(),
                output.description.map(str::to_owned),
                [symbolic(side, Some(output.value)), symbolic(side, output.export_name)],
            )
        })
        .collect()
}

/// The modification of a resource that exists in both versions; `None` if nothing changes. `modified`
/// has what is known of those it depends on.
pub fn resource(
    old: &Side<'_>,
    new: &Side<'_>,
    before: &Resource<'_>,
    after: &Resource<'_>,
    modified: &BTreeMap<&str, Replacement>,
    recreation: &dyn Fn(&str, &str) -> RequiresRecreation,
) -> Option<Change> {
    let mut details = Vec::new();
    let mut paths = Vec::new();
    for property in names(before.properties(), after.properties()) {
        let (was, is) = (before.properties().get(property), after.properties().get(property));
        let (attribute, name, requires_recreation) = if property == "Tags" {
            (Attribute::Tags, None, RequiresRecreation::Never)
        } else {
            (Attribute::Properties, Some(property.to_owned()), recreation(after.resource_type, property))
        };
        let mut add = |evaluation, source, causing_entity| {
            let name = name.clone();
            details.push(Detail { attribute, name, requires_recreation, evaluation, source, causing_entity });
        };
        let (old_value, new_value) = (symbolic(old, was), symbolic(new, is));
        let parameters = changed_parameters(old, new, is);
        let unresolved = new_value.as_ref() == is && old_value.as_ref() == was;
        if old_value != new_value || (unresolved && was == is && !parameters.is_empty()) {
            let base = Path::ROOT.key("Properties");
            differences(old_value.as_ref(), new_value.as_ref(), &base.key(property), &mut paths);
            // AWS lists a parameter's change twice: the parameter, and the value it leads to.
            let written = was != is || parameters.is_empty();
            let evaluation = if written { Evaluation::Static } else { Evaluation::Dynamic };
            add(evaluation, ChangeSource::DirectModification, None);
            for parameter in parameters {
                add(Evaluation::Static, ChangeSource::ParameterReference, Some(parameter));
            }
        }
        for (source, entity) in moving_references(new, is, modified) {
            add(Evaluation::Dynamic, source, Some(entity));
        }
    }
    for (attribute, member) in [
        (Attribute::Metadata, "Metadata"),
        (Attribute::CreationPolicy, "CreationPolicy"),
        (Attribute::UpdatePolicy, "UpdatePolicy"),
        (Attribute::DeletionPolicy, "DeletionPolicy"),
        (Attribute::UpdateReplacePolicy, "UpdateReplacePolicy"),
    ] {
        let (was, is) = (symbolic(old, before.body.get(member)), symbolic(new, after.body.get(member)));
        if was != is {
            differences(was.as_ref(), is.as_ref(), &Path::ROOT.key(member), &mut paths);
            details.push(Detail {
                attribute,
                name: None,
                requires_recreation: RequiresRecreation::Never,
                evaluation: Evaluation::Static,
                source: ChangeSource::DirectModification,
                causing_entity: None,
            });
        }
    }
    if details.is_empty() {
        return None;
    }
    let mut scope: Vec<Attribute> = details.iter().map(|detail| detail.attribute).collect();
    scope.sort_unstable();
    scope.dedup();
    Some(Change {
        action: Action::Modify,
        logical_id: after.logical_id.to_owned(),
        resource_type: after.resource_type.to_owned(),
        replacement: Some(replacement(&details)),
        scope,
        details,
        paths,
    })
}

/// Template order of the new version, then what it no longer has.
fn names<'v>(before: &'v Map<String, Value>, after: &'v Map<String, Value>) -> Vec<&'v str> {
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    after.keys().chain(gone).map(String::as_str).collect()
}

fn replacement(details: &[Detail]) -> Replacement {
    let is = |detail: &Detail, recreation, evaluation| {
        detail.requires_recreation == recreation && detail.evaluation == evaluation
    };
    let (always, sometimes) = (RequiresRecreation::Always, RequiresRecreation::Conditionally);
    if details.iter().any(|detail| is(detail, always, Evaluation::Static)) {
        Replacement::True
    } else if details.iter().any(|d| d.requires_recreation == always || d.requires_recreation == sometimes) {
        Replacement::Conditional
    } else {
        Replacement::False
    }
}

/// Parameters of which `value` makes use and which have another value than before.
fn changed_parameters(old: &Side<'_>, new: &Side<'_>, value: Option<&Value>) -> BTreeSet<String> {
    let mut changed = BTreeSet::new();
    let Some(value) = value else { return changed };
    visit(value, &Path::ROOT, Branches::Taken(&new.conditions), &mut |reference, _| {
        if let Reference::Name(name) = reference
            && let Some(now) = new.version.parameters.get(name)
            && old.version.parameters.get(name) != Some(now)
        {
            changed.insert(name.to_owned());
        }
    });
    changed
}

/// References to resources that are modified: a Ref moves if the resource may be replaced, an attribute
/// with any modification.
fn moving_references(
    new: &Side<'_>,
    value: Option<&Value>,
    modified: &BTreeMap<&str, Replacement>,
) -> BTreeSet<(ChangeSource, String)> {
    let mut moving = BTreeSet::new();
    let Some(value) = value else { return moving };
    visit(value, &Path::ROOT, Branches::Taken(&new.conditions), &mut |reference, _| match reference {
        Reference::Name(id) if modified.get(id).is_some_and(|r| *r != Replacement::False) => {
            moving.insert((ChangeSource::ResourceReference, id.to_owned()));
        }
        Reference::Attribute(id, attribute) if modified.contains_key(id) => {
            let entity = attribute.map_or_else(|| id.to_owned(), |attribute| format!("{id}.{attribute}"));
            moving.insert((ChangeSource::ResourceAttribute, entity));
        }
        Reference::SubAttribute(id, attribute) if modified.contains_key(id) => {
            moving.insert((ChangeSource::ResourceAttribute, format!("{id}.{attribute}")));
        }
        _ => {}
    });
    moving
}

/// The paths at which two values differ, as deep as they are comparable.
fn differences(was: Option<&Value>, is: Option<&Value>, path: &Path<'_>, paths: &mut Vec<String>) {
    match (was, is) {
        (Some(was), Some(is)) if was == is => {}
        (Some(Value::Object(was)), Some(Value::Object(is))) => {
            for name in names(was, is) {
                differences(was.get(name), is.get(name), &path.key(name), paths);
            }
        }
        (Some(Value::Array(was)), Some(Value::Array(is))) if was.len() == is.len() => {
            for (index, (was, is)) in was.iter().zip(is).enumerate() {
                differences(Some(was), Some(is), &path.index(index), paths);
            }
        }
        _ => paths.push(path.to_string()),
    }
}
