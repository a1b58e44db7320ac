//! Requests to values and values to answers, by the service's protocol.
//!
//! A value is an object with the model's member names. Numbers and booleans are typed as the model says, also when a
//! form, a path or a header carried them as text; timestamps are milliseconds since the epoch; blobs are base64
//! text. Members the model does not know are dropped, as AWS does.

use crate::error::WireError;
use crate::model::{Operation, ProtocolKind, Service};
use http::{HeaderName, HeaderValue};
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
    let _ = (service, req);
    Err(WireError::new("UnknownOperationException", 400, ""))
}

/// The input of an operation.
pub fn decode(service: &Service, op: &Operation, req: &Incoming<'_>) -> Result<Value, WireError> {
    let _ = (service, op, req);
    Err(WireError::new("SerializationException", 400, ""))
}

/// The answer of an operation that succeeded.
pub fn encode(service: &Service, op: &Operation, output: &Value, request_id: &str) -> Outgoing {
    let _ = (service, output, request_id);
    Outgoing { status: op.response_code, headers: Vec::new(), body: Vec::new() }
}

/// The answer of a call that failed.
pub fn encode_error(service: &Service, err: &WireError, request_id: &str) -> Outgoing {
    let _ = (service, request_id);
    Outgoing { status: err.status, headers: Vec::new(), body: Vec::new() }
}

/// Which side of an operation a value belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Input,
    Output,
}

/// A value as CloudTrail prints it: the members' first letters lowered, map keys left as they are.
pub fn trail_form(service: &Service, op: &Operation, side: Side, value: &Value) -> Value {
    let _ = (service, op, side);
    camel(value)
}

/// As [`trail_form`] without a model: every key's first letter lowered.
pub fn camel(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (lower_first(name), camel(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(camel).collect(),
        other => other.clone(),
    }
}

pub(crate) fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + letters.as_str())
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
