//! The properties each `AWS::Serverless` type has and what may be in them. A property that is not listed is
//! refused by name.

use super::error::{Result, SamError};
use super::intrinsics::is_intrinsic;
use super::node::{Dict, Node};

/// What a property takes. Two families because AWS words the two refusals differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Handed on unread, or checked where it is used.
    Any,
    /// "should be a string"
    String,
    /// "should be a map"
    Map,
    Bool,
    Int,
    Text,
    List,
    /// A list of strings and maps.
    Layers,
    /// A map of one entry, `Variables`, which is a map.
    Environment,
    /// A map of maps.
    Events,
    TextOrMap,
    /// A string, a map, or a list of these.
    Policies,
    /// As `Bool`, but an intrinsic will not do.
    LiteralBool,
    /// Deletion policies.
    DeleteOrRetain,
}

/// A property, what it takes, and whether it must be there.
pub(crate) struct Property {
    pub(crate) name: &'static str,
    kind: Kind,
    required: bool,
}

pub(crate) const fn optional(name: &'static str, kind: Kind) -> Property {
    Property { name, kind, required: false }
}

pub(crate) const fn required(name: &'static str, kind: Kind) -> Property {
    Property { name, kind, required: true }
}

/// Checks `properties` of the resource or event `id`, of the type `of`, against its table.
///
/// # Errors
/// The first property that is not in the table, is of the wrong type or is missing.
pub(crate) fn check(id: &str, of: &str, table: &[Property], properties: &Dict) -> Result<()> {
    for (name, _) in properties.iter() {
        if !name.starts_with("__") && !table.iter().any(|property| property.name == name.as_str()) {
            return Err(SamError::resource(
                id,
                format!("property {name} not defined for resource of type {of}", name = name.as_str()),
            ));
        }
    }
    for property in table {
        let name = property.name;
        let Some(value) = properties.given(name) else {
            if property.required {
                return Err(SamError::resource(id, format!("Missing required property '{name}'.")));
            }
            continue;
        };
        check_value(id, name, property.kind, value)?;
    }
    Ok(())
}

fn check_value(id: &str, name: &str, kind: Kind, value: &Node) -> Result<()> {
    let literal = matches!(kind, Kind::LiteralBool);
    if fits(kind, value) || (!literal && is_intrinsic(value)) {
        return Ok(());
    }
    Err(SamError::resource(
        id,
        match kind {
            Kind::String => format!("Property '{name}' should be a string."),
            Kind::Map => format!("Property '{name}' should be a map."),
            Kind::DeleteOrRetain => {
                format!("Property '{name}' should be a one of the strings: 'Delete' or 'Retain'.")
            }
            _ => format!("Type of property '{name}' is invalid."),
        },
    ))
}

fn fits(kind: Kind, value: &Node) -> bool {
    match kind {
        Kind::Any => true,
        Kind::String | Kind::Text => value.as_str().is_some(),
        Kind::Map => value.as_dict().is_some(),
        Kind::Environment => {
            value.as_dict().is_some_and(|all| all.iter().all(|(_, value)| value.as_dict().is_some()))
        }
        Kind::Events => {
            value.as_dict().is_some_and(|all| all.iter().all(|(_, value)| value.as_dict().is_some()))
        }
        Kind::Bool | Kind::LiteralBool => matches!(value, Node::Bool(_)),
        Kind::Int => {
            matches!(value, Node::Number(number) if !number.is_f64()) || matches!(value, Node::Bool(_))
        }
        Kind::List => value.as_list().is_some(),
        Kind::Layers => value.as_list().is_some_and(|items| items.iter().all(text_or_map)),
        Kind::TextOrMap => text_or_map(value),
        Kind::Policies => {
            text_or_map(value) || value.as_list().is_some_and(|items| items.iter().all(text_or_map))
        }
        Kind::DeleteOrRetain => matches!(value.as_str(), Some("Delete" | "Retain")),
    }
}

fn text_or_map(value: &Node) -> bool {
    value.as_str().is_some() || value.as_dict().is_some()
}

/// `value` as a map, or AWS's refusal naming `path`.
pub(crate) fn a_map<'n>(id: &str, path: &str, value: &'n Node) -> Result<&'n Dict> {
    value.as_dict().ok_or_else(|| SamError::resource(id, format!("Property '{path}' should be a map.")))
}
