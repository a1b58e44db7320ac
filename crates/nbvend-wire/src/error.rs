//! The one error type of the wire: a code of AWS's, its HTTP status and a message.

use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;

/// An error as a caller of an AWS API gets it, not yet in the form of a protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct WireError {
    /// AWS's code, by shape name (`NoSuchEntityException`) or as printed (`NoSuchEntity`); either is answered as the
    /// model says.
    pub code: Cow<'static, str>,
    pub status: u16,
    pub message: String,
    /// Further members of the error's shape, by the model's names.
    pub members: Map<String, Value>,
}

impl WireError {
    pub fn new(code: impl Into<Cow<'static, str>>, status: u16, message: impl Into<String>) -> Self {
        Self { code: code.into(), status, message: message.into(), members: Map::new() }
    }

    /// Adds a modelled member beside the message.
    #[must_use]
    pub fn with(mut self, member: &str, value: Value) -> Self {
        self.members.insert(member.to_owned(), value);
        self
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.code, self.status, self.message)
    }
}

impl std::error::Error for WireError {}
