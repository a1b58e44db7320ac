//! The query protocol's requests: `Action=..&Version=..&Tags.member.1.Key=..` in a form or in the URL.

use super::{Incoming, scalar};
use crate::error::WireError;
use crate::model::{Kind, Operation, Service, Shape};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::HashMap;

/// A name with more parts than this is refused: no input of the tables nests so deeply.
const MAX_DEPTH: usize = 32;

/// What stands for the version in AWS's error when a request has none.
const NO_VERSION: &str = "NO_VERSION_SPECIFIED";

pub(super) fn operation_name(service: &Service, req: &Incoming<'_>) -> Result<String, WireError> {
    let (mut action, mut version) = (None, None);
    for (name, value) in parameters(req) {
        match &*name {
            "Action" => action = Some(value),
            "Version" => version = Some(value),
            _ => {}
        }
    }
    let Some(action) = action.filter(|action| !action.is_empty()) else {
        return Err(WireError::new("MissingAction", 400, "The request must contain the parameter Action"));
    };
    let version = version.as_deref().unwrap_or(NO_VERSION);
    if version != service.api_version || !service.knows(&action) {
        let message = format!("Could not find operation {action} for version {version}");
        return Err(WireError::new("InvalidAction", 400, message));
    }
    Ok(action.into_owned())
}

pub(super) fn decode(service: &Service, op: &Operation, req: &Incoming<'_>) -> Result<Value, WireError> {
    let Some(input) = op.input else { return Ok(Value::Object(Map::new())) };
    let mut root = Node::default();
    for (name, value) in parameters(req) {
        root.insert(&name, value)?;
    }
    root.value(service, service.shape(input)).map(Option::unwrap_or_default)
}

/// The URL's parameters, then the form's, so that the form wins.
fn parameters<'a>(req: &Incoming<'a>) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
    form_urlencoded::parse(req.query.as_bytes()).chain(form_urlencoded::parse(req.body))
}

/// One part of a dotted name.
#[derive(Default)]
struct Node<'a> {
    text: Option<Cow<'a, str>>,
    children: HashMap<String, Node<'a>>,
}

impl<'a> Node<'a> {
    fn insert(&mut self, name: &str, value: Cow<'a, str>) -> Result<(), WireError> {
        let mut node = self;
        for (depth, part) in name.split('.').enumerate() {
            if depth == MAX_DEPTH {
                return Err(malformed("Start of structure or map found where not expected."));
            }
            node = node.children.entry(part.to_owned()).or_default();
        }
        node.text = Some(value);
        Ok(())
    }

    /// The value of this shape; `None` for a structure or map given as empty text, which means nothing was given.
    fn value(&self, service: &Service, shape: &Shape) -> Result<Option<Value>, WireError> {
        let empty = self.text.as_deref().is_none_or(str::is_empty);
        match &shape.kind {
            Kind::Structure(structure) => {
                let mut members = Map::new();
                for member in &structure.members {
                    let Some(child) = self.children.get(member.wire_name()) else { continue };
                    if let Some(value) = child.value(service, service.shape(member.shape))? {
                        members.insert(member.name.clone(), value);
                    }
                }
                match (empty, self.text.is_some() && self.children.is_empty()) {
                    (true, false) => Ok(Some(Value::Object(members))),
                    (true, true) => Ok(None),
                    _ => Err(malformed("Unexpected complex element termination")),
                }
            }
            Kind::List { member, .. } if empty => {
                let shape = service.shape(member.shape);
                let items = self.items(member.location_name.as_deref().unwrap_or("member"))?;
                let items = items.into_iter().filter_map(|item| item.value(service, shape).transpose());
                items.collect::<Result<Vec<_>, _>>().map(|items| Some(Value::Array(items)))
            }
            Kind::Map { key, value, .. } if empty => {
                let (key, shape) =
                    (key.location_name.as_deref().unwrap_or("key"), service.shape(value.shape));
                let value = value.location_name.as_deref().unwrap_or("value");
                let mut entries = Map::new();
                for entry in self.items("entry")? {
                    let Some(name) = entry.children.get(key).and_then(|key| key.text.as_deref()) else {
                        continue;
                    };
                    if let Some(value) = entry.children.get(value)
                        && let Some(value) = value.value(service, shape)?
                    {
                        entries.insert(name.to_owned(), value);
                    }
                }
                Ok(Some(Value::Object(entries)))
            }
            Kind::List { .. } | Kind::Map { .. } => Err(malformed("Unexpected list element termination")),
            _ => match &self.text {
                Some(text) => scalar::parse(shape, text)
                    .map(Some)
                    .map_err(|wanted| malformed(format!("STRING_VALUE can not be converted to {wanted}"))),
                None => Err(malformed("Start of structure or map found where not expected.")),
            },
        }
    }

    /// The numbered children, below `name` or (flattened) directly, in the order of their numbers.
    fn items(&self, name: &str) -> Result<Vec<&Node<'a>>, WireError> {
        let holder = self.children.get(name).unwrap_or(self);
        let mut items = Vec::with_capacity(holder.children.len());
        for (number, item) in &holder.children {
            let number: u32 = number.parse().map_err(|_| malformed("Unexpected list element termination"))?;
            items.push((number, item));
        }
        items.sort_unstable_by_key(|(number, _)| *number);
        Ok(items.into_iter().map(|(_, item)| item).collect())
    }
}

fn malformed(message: impl Into<String>) -> WireError {
    WireError::new("MalformedInput", 400, message)
}
