//! Requests as a client writes them: an operation's input in its service's protocol, by the model.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nbvend_wire::model::{Kind, Location, Operation, ProtocolKind, Service, Shape};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A request that is not signed yet.
#[derive(Debug, Default)]
pub struct Sent {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Sent {
    pub fn target(&self) -> String {
        let mark = if self.query.is_empty() { "" } else { "?" };
        format!("{}{mark}{}", self.path, self.query)
    }

    fn header(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_lowercase(), value.to_owned()));
    }

    fn parameter(&mut self, name: &str, value: &str) {
        let and = if self.query.is_empty() { "" } else { "&" };
        self.query += &format!("{and}{}={}", quote(name), quote(value));
    }
}

/// The request of an operation. Scalars of the input stand as they travel: a timestamp is text or a number as the
/// protocol has it, a blob is base64.
pub fn encode(service: &Service, operation: &Operation, input: &Value) -> Sent {
    let mut sent = Sent { method: operation.method.clone(), path: "/".to_owned(), ..Sent::default() };
    let shape = operation.input.map(|id| service.shape(id));
    match service.protocol {
        ProtocolKind::Json(_) => {
            sent.header("content-type", service.protocol.content_type());
            sent.header("x-amz-target", &format!("{}.{}", service.target_prefix, operation.name));
            let body = shape.map_or_else(|| input.clone(), |shape| json(service, shape, input));
            sent.body = body.to_string().into_bytes();
        }
        ProtocolKind::Query => {
            sent.header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
            let mut pairs = vec![
                ("Action".to_owned(), operation.name.clone()),
                ("Version".to_owned(), service.api_version.clone()),
            ];
            if let Some(shape) = shape {
                form(service, shape, "", input, &mut pairs);
            }
            let pairs = pairs.iter().map(|(name, value)| format!("{}={}", quote(name), quote(value)));
            sent.body = pairs.collect::<Vec<_>>().join("&").into_bytes();
        }
        ProtocolKind::RestJson => rest(service, operation, shape, input, &mut sent),
    }
    sent
}

fn quote(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A value with the names of the wire; a name that the model does not have is a mistake of the script.
fn json(service: &Service, shape: &Shape, value: &Value) -> Value {
    match (&shape.kind, value) {
        (Kind::Structure(_), Value::Object(values)) => {
            let entry = |(name, value): (&String, &Value)| {
                let member =
                    shape.member(name).unwrap_or_else(|| panic!("{} has no member {name}", shape.name));
                (member.wire_name().to_owned(), json(service, service.shape(member.shape), value))
            };
            Value::Object(values.iter().map(entry).collect())
        }
        (Kind::List { member, .. }, Value::Array(items)) => {
            items.iter().map(|item| json(service, service.shape(member.shape), item)).collect()
        }
        (Kind::Map { value: member, .. }, Value::Object(entries)) => {
            let entry = |(key, value): (&String, &Value)| {
                (key.clone(), json(service, service.shape(member.shape), value))
            };
            Value::Object(entries.iter().map(entry).collect())
        }
        _ => value.clone(),
    }
}

fn form(service: &Service, shape: &Shape, name: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
    let dot = if name.is_empty() { "" } else { "." };
    match (&shape.kind, value) {
        (Kind::Structure(_), Value::Object(values)) => {
            for (key, value) in values {
                let member =
                    shape.member(key).unwrap_or_else(|| panic!("{} has no member {key}", shape.name));
                let name = format!("{name}{dot}{}", member.wire_name());
                form(service, service.shape(member.shape), &name, value, pairs);
            }
        }
        (Kind::List { .. }, Value::Array(items)) if items.is_empty() => {
            pairs.push((name.to_owned(), String::new()));
        }
        (Kind::List { member, flattened }, Value::Array(items)) => {
            let between = member.location_name.as_deref().unwrap_or("member");
            for (at, item) in (1..).zip(items) {
                let name = if *flattened { format!("{name}.{at}") } else { format!("{name}.{between}.{at}") };
                form(service, service.shape(member.shape), &name, item, pairs);
            }
        }
        (Kind::Map { key, value: member, .. }, Value::Object(entries)) => {
            for (at, (text, value)) in (1..).zip(entries) {
                let name = format!("{name}.entry.{at}");
                let key = key.location_name.as_deref().unwrap_or("key");
                pairs.push((format!("{name}.{key}"), text.clone()));
                let name = format!("{name}.{}", member.location_name.as_deref().unwrap_or("value"));
                form(service, service.shape(member.shape), &name, value, pairs);
            }
        }
        _ => pairs.push((name.to_owned(), text(value))),
    }
}

fn rest(service: &Service, operation: &Operation, shape: Option<&Shape>, input: &Value, sent: &mut Sent) {
    let (template, fixed) = operation.uri.split_once('?').unwrap_or((&operation.uri, ""));
    sent.path = template.to_owned();
    sent.query = fixed.to_owned();
    let empty = Map::new();
    let mut body = Map::new();
    for (name, value) in input.as_object().unwrap_or(&empty) {
        let member = shape.and_then(|shape| shape.member(name));
        let member = member.unwrap_or_else(|| panic!("{} has no member {name}", operation.name));
        let wire = member.wire_name();
        match member.location {
            Location::Uri => {
                let greedy = quote(&text(value)).replace("%2F", "/");
                sent.path = sent.path.replace(&format!("{{{wire}+}}"), &greedy);
                sent.path = sent.path.replace(&format!("{{{wire}}}"), &quote(&text(value)));
            }
            Location::Query => match value {
                Value::Array(items) => items.iter().for_each(|item| sent.parameter(wire, &text(item))),
                Value::Object(entries) => {
                    entries.iter().for_each(|(name, value)| sent.parameter(name, &text(value)));
                }
                _ => sent.parameter(wire, &text(value)),
            },
            Location::Header => sent.header(wire, &text(value)),
            Location::Headers => {
                let entries = value.as_object().unwrap_or(&empty);
                entries.iter().for_each(|(name, value)| sent.header(&format!("{wire}{name}"), &text(value)));
            }
            Location::Body | Location::StatusCode => {
                body.insert(name.clone(), value.clone());
            }
        }
    }
    assert!(!sent.path.contains('{'), "{}: a part of {} is missing", operation.name, sent.path);
    let Some(shape) = shape else { return };
    if let Some(payload) = shape.payload() {
        let Some(value) = body.get(&payload.name) else { return };
        let shape = service.shape(payload.shape);
        sent.body = match &shape.kind {
            Kind::Blob => STANDARD.decode(text(value)).unwrap_or_default(),
            Kind::String { .. } => text(value).into_bytes(),
            _ => json(service, shape, value).to_string().into_bytes(),
        };
    } else if !body.is_empty() {
        sent.header("content-type", "application/json");
        sent.body = json(service, shape, &Value::Object(body)).to_string().into_bytes();
    }
}
