//! The catalog's resource types for CloudFormation.

mod constraint;
mod portfolio;
mod principal;
mod product;
mod product_association;

use nbvend_wire::error::WireError;
use serde_json::Value;

use super::tags::Tag;
use crate::error::EngineError;
use crate::provider::{Deletion, Provider, Request};

pub const PROVIDERS: &[&dyn Provider] = &[
    &constraint::LaunchRoleConstraint,
    &portfolio::Portfolio,
    &principal::PortfolioPrincipalAssociation,
    &product::CloudFormationProduct,
    &product_association::PortfolioProductAssociation,
];

/// A property that is a text; templates may write numbers and truth values without quotes.
fn text(properties: &Value, name: &str) -> Option<String> {
    match properties.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

/// A property that must be there; CloudFormation has checked that it is.
fn needed(properties: &Value, name: &str) -> String {
    text(properties, name).unwrap_or_default()
}

fn truth(properties: &Value, name: &str) -> bool {
    text(properties, name).is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

/// The resource's own tags, and those of the stack that it does not override.
fn tags(request: &Request) -> Vec<Tag> {
    let mut tags = own_tags(&request.properties);
    for (key, value) in &request.tags {
        if tags.iter().all(|tag| tag.key != *key) {
            tags.push(Tag { key: key.clone(), value: value.clone() });
        }
    }
    tags
}

fn own_tags(properties: &Value) -> Vec<Tag> {
    let listed = properties.get("Tags").and_then(Value::as_array).into_iter().flatten();
    listed.map(|tag| Tag { key: needed(tag, "Key"), value: needed(tag, "Value") }).collect()
}

/// Tags an update must take away: those the resource had and is not to have any more.
fn dropped(old: &Value, new: &[Tag]) -> Vec<String> {
    let old = own_tags(old).into_iter().map(|tag| tag.key);
    old.filter(|key| new.iter().all(|tag| tag.key != *key)).collect()
}

/// A deletion is done when what was to be deleted is not there.
fn deleted<T>(outcome: Result<T, WireError>) -> Result<Deletion, EngineError> {
    match outcome {
        Err(error) if error.code != "ResourceNotFoundException" => Err(error.into()),
        _ => Ok(Deletion::Done),
    }
}
