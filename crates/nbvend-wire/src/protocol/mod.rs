//! Requests to values and values to answers, by the service's protocol.
//!
//! A value is an object with the model's member names. Numbers and booleans are typed as the model says, also when a
//! form, a path or a header carried them as text; timestamps are milliseconds since the epoch; blobs are base64
//! text. Members the model does not know are dropped, as AWS does, and so are members without a value.

mod fail;
mod json;
mod query;
mod rest;
mod scalar;
mod trail;
mod xml;

pub use fail::encode_error;
pub use trail::{Side, camel, trail_form, unmodelled};

pub(crate) use trail::lower_first;

use crate::error::WireError;
use crate::model::{self, Operation, ProtocolKind, Service};
use http::{HeaderName, HeaderValue, header};
use serde_json::Value;

/// A request, as far as the wire is concerned.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    pub method: &'a str,
    /// Raw: percent-encoded and without the query.
    pub path: &'a str,
    /// Raw: percent-encoded, without the question mark.
    pub query: &'a str,
    pub headers: &'a http::HeaderMap,
    pub body: &'a [u8],
}

/// An answer, ready to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    pub status: u16,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Vec<u8>,
}

/// The operation a request names, be it in the tables or not; AWS's own error of the protocol when there is none.
pub fn operation_name(service: &Service, req: &Incoming<'_>) -> Result<String, WireError> {
    match service.protocol {
        ProtocolKind::Json(_) => {
            let target =
                req.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
            match model::by_target(target) {
                Some((found, name)) if found.id == service.id && service.knows(name) => Ok(name.to_owned()),
                Some((found, _)) if found.id == service.id => Err(unknown_operation(400)),
                _ => Err(unknown_operation(404)),
            }
        }
        ProtocolKind::Query => query::operation_name(service, req),
        ProtocolKind::RestJson => rest::operation_name(service, req).ok_or_else(|| unknown_operation(404)),
    }
}

/// AWS gives this error no text.
fn unknown_operation(status: u16) -> WireError {
    WireError::new("UnknownOperationException", status, "")
}

/// The input of an operation: always an object. Errors are AWS's for a body that cannot be read or a value of the
/// wrong type; the model's constraints are [`crate::validate`]'s.
pub fn decode(service: &Service, op: &Operation, req: &Incoming<'_>) -> Result<Value, WireError> {
    match service.protocol {
        ProtocolKind::Json(_) => json::decode_body(service, op.input, req.body),
        ProtocolKind::Query => query::decode(service, op, req),
        ProtocolKind::RestJson => rest::decode(service, op, req),
    }
}

/// The answer of an operation that succeeded. Members of `output` which the model does not know are left out;
/// [`unmodelled`] finds them.
pub fn encode(service: &Service, op: &Operation, output: &Value, request_id: &str) -> Outgoing {
    let mut answer = Outgoing { status: op.response_code, headers: Vec::new(), body: Vec::new() };
    answer.header("x-amzn-requestid", request_id);
    match service.protocol {
        ProtocolKind::Json(_) => {
            answer.content_type(service.protocol.content_type());
            if let Some(shape) = op.output {
                // An operation that has nothing to say sends an empty object, as its model has one.
                let nothing = Value::Object(serde_json::Map::new());
                let output = if output.is_null() { &nothing } else { output };
                json::encode(service, service.shape(shape), None, output, &mut answer.body);
            }
        }
        ProtocolKind::Query => {
            answer.content_type(service.protocol.content_type());
            xml::encode(service, op, output, request_id, &mut answer.body);
        }
        ProtocolKind::RestJson => rest::encode(service, op, output, &mut answer),
    }
    answer
}

impl Outgoing {
    /// Adds a header; a value that no header can hold (a line break in it) is left out.
    fn header(&mut self, name: &str, value: &str) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            self.headers.push((name, value));
        }
    }

    fn content_type(&mut self, value: &'static str) {
        self.headers.push((header::CONTENT_TYPE, HeaderValue::from_static(value)));
    }
}

impl ProtocolKind {
    /// The content type of an answer with a body.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json("1.0") => "application/x-amz-json-1.0",
            Self::Json(_) => "application/x-amz-json-1.1",
            Self::Query => "text/xml",
            Self::RestJson => "application/json",
        }
    }
}
