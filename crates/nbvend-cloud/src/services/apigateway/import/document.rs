//! An OpenAPI document: read, its version known, its parts found whichever version it is.

use serde_json::{Map, Value};

use super::Info;
use super::security::Schemes;
use crate::services::apigateway::error::Error;
use crate::services::apigateway::state::{Flags, Texts};

/// Extensions of the whole document that are done, or change nothing that is done.
const KNOWN: [&str; 7] = [
    "api-key-source",
    "binary-media-types",
    // Text for people only.
    "documentation",
    "endpoint-configuration",
    "gateway-responses",
    "policy",
    // A validator does nothing until a method names it, and that is refused.
    "request-validators",
];

/// Reads JSON or YAML.
pub fn read(bytes: &[u8]) -> Result<Value, Error> {
    let wrong = || Error::bad("Invalid OpenAPI input.");
    let text = std::str::from_utf8(bytes).map_err(|_| wrong())?;
    let value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(_) => nbvend_template::Template::parse(text).map_err(|_| wrong())?.value,
    };
    if value.is_object() { Ok(value) } else { Err(wrong()) }
}

/// Text, also where a number or a boolean was meant as text (`200`).
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// A boolean, also as text.
pub fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

pub fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

pub fn texts(value: &Value) -> Texts {
    let members = value.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.clone(), text(value).unwrap_or_default())).collect()
}

/// Names with a flag each.
pub fn flags<'a>(names: impl Iterator<Item = &'a String>, prefix: &str) -> Flags {
    names.map(|name| (format!("{prefix}{name}"), false)).collect()
}

/// A document whose version is known.
pub struct Document<'a> {
    pub root: &'a Map<String, Value>,
    v3: bool,
}

impl<'a> Document<'a> {
    pub fn open(value: &'a Value) -> Result<Self, Error> {
        let wrong = || Error::bad("Invalid OpenAPI input.");
        let root = value.as_object().ok_or_else(wrong)?;
        let version = |member: &str| root.get(member).and_then(text);
        let v3 = match (version("swagger"), version("openapi")) {
            (Some(version), None) if version == "2.0" || version == "2" => false,
            (None, Some(version)) if version.starts_with("3.0") || version == "3" => true,
            _ => return Err(wrong()),
        };
        let document = Self { root, v3 };
        document.check_extensions()?;
        Ok(document)
    }

    /// Refuses extensions that AWS follows and this engine would not.
    fn check_extensions(&self) -> Result<(), Error> {
        for (name, value) in self.root {
            let Some(extension) = name.strip_prefix("x-amazon-apigateway-") else { continue };
            let harmless = value.is_null() || KNOWN.contains(&extension);
            if !harmless {
                return Err(Error::unsupported(name));
            }
        }
        Ok(())
    }

    /// An extension of the whole document, by its name after `x-amazon-apigateway-`.
    pub fn extension(&self, name: &str) -> Option<&'a Value> {
        self.root.get(&format!("x-amazon-apigateway-{name}")).filter(|value| !value.is_null())
    }

    pub fn title(&self) -> Option<String> {
        self.root.get("info")?.get("title").and_then(text).filter(|title| !title.is_empty())
    }

    pub fn info(&self) -> Info {
        let member = |name: &str| self.root.get("info").and_then(|info| info.get(name)).and_then(text);
        Info { description: member("description"), version: member("version") }
    }

    pub fn paths(&self) -> Result<impl Iterator<Item = (&'a String, &'a Map<String, Value>)>, Error> {
        let paths = match self.root.get("paths") {
            None | Some(Value::Null) => None,
            Some(Value::Object(paths)) => Some(paths),
            Some(_) => return Err(Error::bad("Invalid OpenAPI input.")),
        };
        let paths = paths.into_iter().flatten();
        // A path without a value is one without methods.
        let items = paths.filter(|(name, _)| !name.starts_with("x-"));
        Ok(items.filter_map(|(path, item)| Some((path, item.as_object()?))))
    }

    pub fn schemas(&self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        let schemas = if self.v3 { self.component("schemas") } else { self.root.get("definitions") };
        schemas.and_then(Value::as_object).into_iter().flatten()
    }

    pub fn security(&self) -> Result<Schemes<'a>, Error> {
        let schemes =
            if self.v3 { self.component("securitySchemes") } else { self.root.get("securityDefinitions") };
        Schemes::read(schemes.and_then(Value::as_object), self.root.get("security"))
    }

    fn component(&self, name: &str) -> Option<&'a Value> {
        self.root.get("components")?.get(name)
    }

    /// Follows a `$ref` into this document.
    pub fn resolve(&self, value: &'a Value) -> Result<&'a Value, Error> {
        let Some(reference) = value.get("$ref").and_then(Value::as_str) else { return Ok(value) };
        let unknown = || Error::bad(format!("Unable to resolve reference {reference}"));
        let mut steps = reference.strip_prefix("#/").ok_or_else(unknown)?.split('/');
        let first = steps.next().and_then(|step| self.root.get(step)).ok_or_else(unknown)?;
        steps
            .try_fold(first, |at, step| at.get(step.replace("~1", "/").replace("~0", "~")))
            .ok_or_else(unknown)
    }
}
