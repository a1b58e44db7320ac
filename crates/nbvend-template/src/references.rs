//! What a value refers to: one walk for validation, for the graph and for change sets.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::functions::{Piece, call, get_att, sub_arguments, sub_pieces};
use crate::path::Path;

/// One reference.
#[derive(Debug, Clone, PartialEq)]
pub enum Reference<'v> {
    /// `Ref`, or `${Name}` in Fn::Sub: a resource, a parameter or a pseudo parameter.
    Name(&'v str),
    /// Fn::GetAtt; the attribute is `None` if it is an expression.
    Attribute(&'v str, Option<String>),
    /// `${Name.Attribute}` in Fn::Sub.
    SubAttribute(&'v str, &'v str),
    /// The condition of Fn::If.
    If(&'v str),
    /// `{"Condition": name}`, found only where conditions are written.
    Condition(&'v str),
    /// Fn::FindInMap's arguments.
    Map(&'v [Value]),
    /// Fn::ImportValue's argument.
    Import(&'v Value),
}

/// Which branches of Fn::If are walked.
#[derive(Clone, Copy)]
pub enum Branches<'c> {
    /// Both.
    All,
    /// The one that counts, once conditions are evaluated.
    Taken(&'c BTreeMap<String, bool>),
    /// Neither: what holds whatever the conditions say.
    None,
}

/// Calls `found` for each reference in `value`, in the order of the text.
pub fn visit<'v>(
    value: &'v Value,
    path: &Path<'_>,
    branches: Branches<'_>,
    found: &mut dyn FnMut(Reference<'v>, &Path<'_>),
) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                visit(item, &path.index(index), branches, found);
            }
        }
        Value::Object(map) => {
            if let Some((name, argument)) = call(value) {
                return visit_call(name, argument, path, branches, found);
            }
            for (key, member) in map {
                visit(member, &path.key(key), branches, found);
            }
        }
        _ => {}
    }
}

fn visit_call<'v>(
    name: &'v str,
    argument: &'v Value,
    path: &Path<'_>,
    branches: Branches<'_>,
    found: &mut dyn FnMut(Reference<'v>, &Path<'_>),
) {
    let inside = path.key(name);
    match (name, argument) {
        ("Ref", Value::String(id)) => found(Reference::Name(id), path),
        ("Fn::GetAtt", _) => {
            if let Some((id, attribute)) = get_att(argument) {
                found(Reference::Attribute(id, attribute), path);
            }
            if let Some(expression) = argument.get(1) {
                visit(expression, &inside.index(1), branches, found);
            }
        }
        ("Fn::Sub", _) => visit_sub(argument, &inside, branches, found),
        ("Fn::If", Value::Array(items)) => visit_if(items, &inside, branches, found, visit),
        ("Fn::FindInMap", Value::Array(items)) => {
            found(Reference::Map(items), path);
            visit(argument, &inside, branches, found);
        }
        ("Fn::ImportValue", _) => {
            found(Reference::Import(argument), path);
            visit(argument, &inside, branches, found);
        }
        ("Fn::And" | "Fn::Or" | "Fn::Not", Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                visit_condition(item, &inside.index(index), branches, found);
            }
        }
        _ => visit(argument, &inside, branches, found),
    }
}

/// A member of `Conditions`, or an operand of a condition function: `{"Condition": name}` counts here.
/// In a property the same object is data (a policy statement has a `Condition`).
pub fn visit_condition<'v>(
    value: &'v Value,
    path: &Path<'_>,
    branches: Branches<'_>,
    found: &mut dyn FnMut(Reference<'v>, &Path<'_>),
) {
    if let Some(map) = value.as_object().filter(|map| map.len() == 1) {
        if let Some(Value::String(name)) = map.get("Condition") {
            return found(Reference::Condition(name), path);
        }
        if let Some(Value::Array(items)) = map.get("Fn::If") {
            return visit_if(items, &path.key("Fn::If"), branches, found, visit_condition);
        }
    }
    visit(value, path, branches, found);
}

fn visit_sub<'v>(
    argument: &'v Value,
    path: &Path<'_>,
    branches: Branches<'_>,
    found: &mut dyn FnMut(Reference<'v>, &Path<'_>),
) {
    let Some((text, variables)) = sub_arguments(argument) else { return };
    for piece in sub_pieces(text).unwrap_or_default() {
        let Piece::Variable(name) = piece else { continue };
        if variables.is_some_and(|variables| variables.contains_key(name)) {
            continue;
        }
        match name.split_once('.') {
            Some((id, attribute)) => found(Reference::SubAttribute(id, attribute), path),
            None => found(Reference::Name(name), path),
        }
    }
    if let Some(variables) = variables {
        let map = path.index(1);
        for (key, value) in variables {
            visit(value, &map.key(key), branches, found);
        }
    }
}

type Visit<'v> = fn(&'v Value, &Path<'_>, Branches<'_>, &mut dyn FnMut(Reference<'v>, &Path<'_>));

/// `branch` visits what the two branches hold.
fn visit_if<'v>(
    items: &'v [Value],
    path: &Path<'_>,
    branches: Branches<'_>,
    found: &mut dyn FnMut(Reference<'v>, &Path<'_>),
    branch: Visit<'v>,
) {
    let [Value::String(condition), yes, no] = items else { return };
    found(Reference::If(condition), path);
    let (take_yes, take_no) = match branches {
        Branches::All => (true, true),
        Branches::None => (false, false),
        Branches::Taken(values) => match values.get(condition) {
            Some(true) => (true, false),
            Some(false) => (false, true),
            None => (true, true),
        },
    };
    if take_yes {
        branch(yes, &path.index(1), branches, found);
    }
    if take_no {
        branch(no, &path.index(2), branches, found);
    }
}
