//! Properties against a type's schema: what a template may say of a resource.

use nbvend_template::Template;
use nbvend_template::document::Resource;
use serde_json::{Map, Value};

use super::error::Error;
use crate::provider::{Schema, Update};
use crate::services;

/// Refuses, before anything is made, properties the type does not have, required ones that are not there, and
/// attributes whose meaning would be ignored.
pub fn check_declared(template: &Template, resource: &Resource<'_>) -> Result<(), Error> {
    let Some(provider) = services::provider(resource.resource_type) else { return Ok(()) };
    let (id, kind) = (resource.logical_id, resource.resource_type);
    let fault = |text: String, path: &[&str]| {
        let place = template.place_of(path);
        let place =
            place.map(|(line, column)| format!(" (line {line}, column {column})")).unwrap_or_default();
        Err(Error::Validation(format!("{text} (resource {id}, {kind}){place}")))
    };
    if let Err(text) = check(provider.schema(), resource.properties()) {
        let unknown = unknown(provider.schema(), resource.properties());
        let path = ["Resources", id, "Properties", unknown.map_or("", String::as_str)];
        return fault(text, &path[..if unknown.is_some() { 4 } else { 2 }]);
    }
    for policy in [resource.deletion_policy(), resource.update_replace_policy()].into_iter().flatten() {
        if policy == "Snapshot" {
            return Err(Error::Validation(format!(
                "Template error: resource type {kind} does not support deletion policy Snapshot"
            )));
        }
    }
    for attribute in ["CreationPolicy", "UpdatePolicy"] {
        if resource.body.contains_key(attribute) {
            return fault(format!("{attribute} is not supported"), &["Resources", id, attribute]);
        }
    }
    Ok(())
}

/// The same for properties already resolved, where a condition may have taken one away.
///
/// # Errors
/// AWS's text.
pub fn check(schema: &Schema, properties: &Map<String, Value>) -> Result<(), String> {
    if let Some(name) = unknown(schema, properties) {
        return Err(format!("Encountered unsupported property {name}"));
    }
    let missing =
        schema.properties.iter().find(|p| p.required && properties.get(p.name).is_none_or(Value::is_null));
    missing.map_or(Ok(()), |p| Err(format!("Property {} cannot be empty.", p.name)))
}

fn unknown<'p>(schema: &Schema, properties: &'p Map<String, Value>) -> Option<&'p String> {
    properties.keys().find(|name| schema.properties.iter().all(|p| p.name != name.as_str()))
}

/// Top-level properties whose values differ.
pub fn changed<'v>(old: &'v Value, new: &'v Value) -> Vec<&'v str> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    let old = old.as_object().unwrap_or(&NONE);
    let new = new.as_object().unwrap_or(&NONE);
    let gone = old.keys().filter(|name| !new.contains_key(*name));
    let other = new.keys().filter(|name| old.get(*name).is_none_or(|value| !same(value, &new[*name])));
    other.chain(gone).map(String::as_str).collect()
}

/// Whether a change of any of `names` makes a new physical resource.
pub fn replaces(schema: &Schema, names: &[&str]) -> bool {
    names
        .iter()
        .any(|name| schema.properties.iter().any(|p| p.name == *name && p.update == Update::Replacement))
}

/// Equal, `5` and `"5"` being the same: a parameter's value is a string whatever a property wants.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(_) | Value::Array(_), _) | (_, Value::Object(_) | Value::Array(_)) => false,
        (a, b) => text(a) == text(b),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provider::{optional, required};

    static SCHEMA: Schema = Schema {
        type_name: "T",
        properties: &[required("Name", Update::Replacement), optional("Size", Update::InPlace)],
        attributes: &[],
        tags: None,
    };

    #[test]
    fn unknown_and_missing_ones_are_refused_by_name() {
        let on = |value: Value| check(&SCHEMA, value.as_object().unwrap());
        assert_eq!(on(json!({"Name": 1, "Size": 2})), Ok(()));
        assert_eq!(
            on(json!({"Name": 1, "Sice": 2})),
            Err("Encountered unsupported property Sice".to_owned())
        );
        assert_eq!(on(json!({"Size": 2})), Err("Property Name cannot be empty.".to_owned()));
        assert_eq!(on(json!({"Name": null})), Err("Property Name cannot be empty.".to_owned()));
    }

    #[test]
    fn what_changes_and_whether_it_replaces() {
        let (a, b) = (json!({"Name": "n", "Size": 5}), json!({"Name": "n", "Size": "5"}));
        assert_eq!(changed(&a, &b), Vec::<&str>::new());
        let c = json!({"Name": "m"});
        assert_eq!(changed(&a, &c), ["Name", "Size"]);
        assert!(replaces(&SCHEMA, &["Name"]) && !replaces(&SCHEMA, &["Size"]));
    }
}
