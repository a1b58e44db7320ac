//! REST JSON: method and path name the operation, members are spread over path, query, headers and body.

use super::{Incoming, Outgoing, json, scalar};
use crate::error::WireError;
use crate::model::{Kind, Location, Member, Operation, Route, Service, Shape, TimestampFormat};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The operation whose template matches, of several the most definite one.
pub(super) fn operation_name(service: &Service, req: &Incoming<'_>) -> Option<String> {
    let listed = service.operations().map(|op| (&op.name, &op.method, &op.route));
    let others = service.others().map(|other| (&other.name, &other.method, &other.route));
    listed
        .chain(others)
        .filter(|(_, method, route)| *method == req.method && route.matches(req.path, req.query))
        .max_by_key(|(_, _, route)| route.weight())
        .map(|(name, _, _)| name.clone())
}

pub(super) fn decode(service: &Service, op: &Operation, req: &Incoming<'_>) -> Result<Value, WireError> {
    let Some(input) = op.input else { return Ok(Value::Object(Map::new())) };
    let shape = service.shape(input);
    let mut members = decode_body(service, shape, req)?;
    let labels = labels(&op.route, req.path)?;
    let query: Vec<(Cow<'_, str>, Cow<'_, str>)> = form_urlencoded::parse(req.query.as_bytes()).collect();
    for member in shape.members() {
        let (name, member_shape) = (member.wire_name(), service.shape(member.shape));
        let value = match member.location {
            Location::Body | Location::StatusCode => None,
            Location::Uri => match labels.iter().find(|(label, _)| label == name) {
                Some((_, text)) => Some(text_value(member_shape, text)?),
                None => None,
            },
            Location::Query => match member_shape.kind {
                Kind::Map { .. } => other_parameters(shape, &op.route, &query),
                _ => query_value(service, member_shape, name, &query)?,
            },
            Location::Header => match header(req, name) {
                Some(text) => Some(text_value(member_shape, text)?),
                None => None,
            },
            Location::Headers => Some(headers_value(req, name)),
        };
        if let Some(value) = value {
            members.insert(member.name.clone(), value);
        }
    }
    Ok(Value::Object(members))
}

fn decode_body(
    service: &Service,
    shape: &Shape,
    req: &Incoming<'_>,
) -> Result<Map<String, Value>, WireError> {
    let mut members = Map::new();
    let Some(payload) = shape.payload() else {
        if shape.members().iter().any(|member| member.location == Location::Body)
            && let Value::Object(mut body) = json::parse_body(service, req.body)?
        {
            // Path, query and header members are not looked for in the body, whatever it holds.
            body.retain(|name, _| {
                shape.members().iter().any(|m| m.location == Location::Body && m.wire_name() == name)
            });
            if let Value::Object(body) = json::decode(service, shape, Value::Object(body))? {
                members = body;
            }
        }
        return Ok(members);
    };
    let payload_shape = service.shape(payload.shape);
    match &payload_shape.kind {
        _ if req.body.is_empty() => {}
        Kind::Blob => {
            members.insert(payload.name.clone(), Value::from(STANDARD.encode(req.body)));
        }
        Kind::String { .. } => {
            members.insert(payload.name.clone(), Value::from(String::from_utf8_lossy(req.body)));
        }
        _ => {
            let body = json::parse_body(service, req.body)?;
            members.insert(payload.name.clone(), json::decode(service, payload_shape, body)?);
        }
    }
    Ok(members)
}

fn labels(route: &Route, path: &str) -> Result<Vec<(String, String)>, WireError> {
    route
        .labels(path)
        .ok_or_else(|| WireError::new("SerializationException", 400, "The path is not valid UTF-8"))
}

fn header<'a>(req: &Incoming<'a>, name: &str) -> Option<&'a str> {
    req.headers.get(name)?.to_str().ok()
}

fn headers_value(req: &Incoming<'_>, prefix: &str) -> Value {
    let prefix = prefix.to_ascii_lowercase();
    let entry = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        Some((name.as_str().strip_prefix(&prefix)?.to_owned(), Value::from(value.to_str().ok()?)))
    };
    Value::Object(req.headers.iter().filter_map(entry).collect())
}

/// A list takes every parameter of the name.
fn query_value(
    service: &Service,
    shape: &Shape,
    name: &str,
    query: &[(Cow<'_, str>, Cow<'_, str>)],
) -> Result<Option<Value>, WireError> {
    let mut given = query.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
    let Kind::List { member, .. } = &shape.kind else {
        return given.next().map(|text| text_value(shape, text)).transpose();
    };
    let shape = service.shape(member.shape);
    let items: Vec<Value> = given.map(|text| text_value(shape, text)).collect::<Result<_, _>>()?;
    Ok((!items.is_empty()).then_some(Value::Array(items)))
}

/// A map takes the parameters that neither a member nor the route is named after.
fn other_parameters(shape: &Shape, route: &Route, query: &[(Cow<'_, str>, Cow<'_, str>)]) -> Option<Value> {
    let named = |key: &str| {
        route.fixes(key)
            || shape
                .members()
                .iter()
                .any(|member| member.location == Location::Query && member.wire_name() == key)
    };
    let others = query.iter().filter(|(key, _)| !named(key));
    let entries: Map<String, Value> =
        others.map(|(key, value)| (key.to_string(), Value::from(&**value))).collect();
    (!entries.is_empty()).then_some(Value::Object(entries))
}

fn text_value(shape: &Shape, text: &str) -> Result<Value, WireError> {
    scalar::parse(shape, text).map_err(|wanted| {
        WireError::new(
            "SerializationException",
            400,
            format!("STRING_VALUE can not be converted to {wanted}"),
        )
    })
}

/// Status, headers and body of an answer, each member at its place.
pub(super) fn encode(service: &Service, op: &Operation, output: &Value, answer: &mut Outgoing) {
    let empty = Map::new();
    let values = output.as_object().unwrap_or(&empty);
    let Some(shape) = op.output.map(|shape| service.shape(shape)) else { return };
    for member in shape.members() {
        if let Some(value) = values.get(&member.name) {
            place(service, member, value, answer);
        }
    }
    // What has no body of its own (Lambda's InvokeAsync and DeleteFunction) sends none, and 204 allows none.
    let members = shape.members();
    let bodiless = !members.is_empty() && members.iter().all(|member| member.location != Location::Body);
    if bodiless || answer.status == 204 {
        return;
    }
    let typed = answer.headers.iter().any(|(name, _)| name == http::header::CONTENT_TYPE);
    let mut content_type = service.protocol.content_type();
    match shape.payload() {
        None => {
            let body = shape.members().iter().filter(|member| member.location == Location::Body);
            json::encode_members(service, body, values, &mut answer.body);
        }
        Some(payload) => {
            let payload_shape = service.shape(payload.shape);
            let value = values.get(&payload.name).unwrap_or(&Value::Null);
            match (&payload_shape.kind, value) {
                (_, Value::Null) => {}
                (Kind::Blob, Value::String(text)) => {
                    answer.body = STANDARD.decode(text).unwrap_or_default();
                    // Lambda's Invoke calls every payload JSON.
                    if service.id != "lambda" {
                        content_type = "application/octet-stream";
                    }
                }
                (Kind::String { .. }, Value::String(text)) => answer.body = text.clone().into_bytes(),
                _ => json::encode(service, payload_shape, Some(payload), value, &mut answer.body),
            }
        }
    }
    if !typed {
        answer.content_type(content_type);
    }
}

fn place(service: &Service, member: &Member, value: &Value, answer: &mut Outgoing) {
    let shape = service.shape(member.shape);
    match member.location {
        Location::StatusCode => {
            if let Some(status) = value.as_u64().and_then(|status| u16::try_from(status).ok()) {
                answer.status = status;
            }
        }
        Location::Header => {
            if let Some(text) = scalar::print(shape, Some(member), value, TimestampFormat::Rfc822) {
                answer.header(member.wire_name(), &text);
            }
        }
        Location::Headers => {
            for (name, value) in value.as_object().into_iter().flatten() {
                if let Some(text) = value.as_str() {
                    answer.header(&format!("{}{name}", member.wire_name()), text);
                }
            }
        }
        Location::Body | Location::Uri | Location::Query => {}
    }
}
