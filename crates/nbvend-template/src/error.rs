//! The one error of this crate: AWS's message and, where a person could look, the place.

use std::fmt;

use crate::path::Position;

/// A template that CloudFormation refuses, or a value it cannot resolve.
///
/// On the wire all of these are `ValidationError` with status 400 (query error).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// AWS's text, the very words a caller of AWS would see.
    pub message: String,
    /// Line in the template's text, from 1. AWS tells it only for text that does not parse; we keep it
    /// for every error that has a place.
    pub line: Option<usize>,
    /// Column in characters, from 1.
    pub column: Option<usize>,
    /// What AWS does not say: the parser's reason, the key that stands twice.
    pub detail: Option<String>,
}

impl TemplateError {
    /// An error without a place in the text.
    pub fn new(message: impl Into<String>) -> Self {
        TemplateError { message: message.into(), line: None, column: None, detail: None }
    }

    pub(crate) fn at(message: impl Into<String>, place: Option<Position>) -> Self {
        let mut error = TemplateError::new(message);
        if let Some(place) = place {
            error.line = Some(place.line as usize);
            error.column = Some(place.column as usize);
        }
        error
    }

    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TemplateError {}
