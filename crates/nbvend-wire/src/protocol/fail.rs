//! Answers of calls that failed, as each protocol writes them.

use super::{Outgoing, json, scalar, xml};
use crate::error::WireError;
use crate::model::{Kind, Location, Member, ProtocolKind, Service, Shape, TimestampFormat};
use serde_json::{Map, Value};

/// The answer of a call that failed. The code is written as the model prints it, be it given so or by the shape's name.
pub fn encode_error(service: &Service, err: &WireError, request_id: &str) -> Outgoing {
    let shape = service.error_shape(&err.code);
    let code = shape.and_then(|shape| shape.error.as_ref()).map_or(&*err.code, |error| &error.code);
    let mut answer = Outgoing { status: err.status, headers: Vec::new(), body: Vec::new() };
    answer.header("x-amzn-requestid", request_id);
    answer.content_type(service.protocol.content_type());
    match service.protocol {
        ProtocolKind::Query => xml_body(service, shape, code, err, request_id, &mut answer.body),
        ProtocolKind::Json(_) => {
            let body = json_body(shape, err);
            let mut typed = Map::new();
            typed.insert("__type".to_owned(), Value::from(code));
            typed.extend(body);
            write_json(service, shape, &typed, &mut answer.body);
        }
        ProtocolKind::RestJson => {
            answer.header("x-amzn-errortype", code);
            for member in
                shape.into_iter().flat_map(Shape::members).filter(|m| m.location == Location::Header)
            {
                let text = err.members.get(&member.name).and_then(|value| {
                    scalar::print(service.shape(member.shape), Some(member), value, TimestampFormat::Rfc822)
                });
                if let Some(text) = text {
                    answer.header(member.wire_name(), &text);
                }
            }
            write_json(service, shape, &json_body(shape, err), &mut answer.body);
        }
    }
    answer
}

/// The error's members by their names on the wire. The message is left out when it is empty: AWS sends none then.
fn json_body(shape: Option<&Shape>, err: &WireError) -> Map<String, Value> {
    let mut body = Map::new();
    // Lambda's own errors say whose fault it is (recorded from AWS); other services have no such member.
    if shape.is_some_and(|shape| shape.member("Type").is_some()) && !err.members.contains_key("Type") {
        body.insert("Type".to_owned(), Value::from(if err.status < 500 { "User" } else { "Service" }));
    }
    for (name, value) in err.members.iter().filter(|(_, value)| !value.is_null()) {
        let member = shape.and_then(|shape| shape.member(name));
        if member.is_none_or(|member| member.location == Location::Body) {
            body.insert(member.map_or(name.as_str(), Member::wire_name).to_owned(), value.clone());
        }
    }
    if !err.message.is_empty() {
        let named = |name: &&str| shape.is_some_and(|shape| shape.member(name).is_some());
        let name = ["message", "Message"].iter().copied().find(named).unwrap_or("message");
        body.insert(name.to_owned(), Value::from(err.message.as_str()));
    }
    body
}

fn write_json(service: &Service, shape: Option<&Shape>, body: &Map<String, Value>, out: &mut Vec<u8>) {
    let typed = |(name, value): (&String, &Value)| {
        let member = shape.and_then(|shape| shape.members().iter().find(|m| m.wire_name() == name));
        let mut text = Vec::new();
        match member {
            Some(member) => {
                json::encode(service, service.shape(member.shape), Some(member), value, &mut text);
            }
            None => text = value.to_string().into_bytes(),
        }
        (name.clone(), text)
    };
    out.push(b'{');
    for (at, (name, text)) in body.iter().map(typed).enumerate() {
        let comma = if at > 0 { "," } else { "" };
        out.extend_from_slice(format!("{comma}{}:", Value::String(name)).as_bytes());
        out.extend_from_slice(&text);
    }
    out.push(b'}');
}

fn xml_body(
    service: &Service,
    shape: Option<&Shape>,
    code: &str,
    err: &WireError,
    request_id: &str,
    out: &mut Vec<u8>,
) {
    let mut xml = xml::Writer { out };
    xml.open_with("ErrorResponse", "xmlns", &service.xml_namespace);
    xml.open("Error");
    xml.leaf("Type", if err.status < 500 { "Sender" } else { "Receiver" });
    xml.leaf("Code", code);
    xml.leaf("Message", &err.message);
    for (name, value) in &err.members {
        let Some(member) = shape.and_then(|shape| shape.member(name)) else { continue };
        let shape = service.shape(member.shape);
        let plain = !matches!(shape.kind, Kind::Structure(_) | Kind::List { .. } | Kind::Map { .. });
        if let Some(text) =
            scalar::print(shape, Some(member), value, TimestampFormat::Iso8601).filter(|_| plain)
        {
            xml.leaf(member.wire_name(), &text);
        }
    }
    xml.close("Error");
    xml.leaf("RequestId", request_id);
    xml.close("ErrorResponse");
}
