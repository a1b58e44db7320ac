//! Event patterns: which events a rule wants.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::compile;
use crate::event::{Event, Paths};
use crate::json::{self, JsonError, Reader};
use crate::matcher::{self, Field};

/// A compiled event pattern.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// Path texts by number.
    pub(crate) names: Vec<Arc<str>>,
    /// One of these must match, all its fields together. Ordered by the texts of the paths.
    pub(crate) branches: Vec<Vec<Field>>,
    paths: Paths,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// What AWS answers with `InvalidEventPatternException` (400).
    pub fn parse(text: &str) -> Result<Pattern, PatternError> {
        let compiled = compile::compile(text).map_err(|fault| PatternError::new(fault, text))?;
        let mut pattern = Pattern { names: Vec::new(), branches: Vec::new(), paths: Paths::default() };
        for branch in compiled {
            let fields = branch.into_iter().map(|(name, matcher)| {
                let path = pattern.paths.intern(&name);
                if path as usize == pattern.names.len() {
                    pattern.names.push(name);
                }
                Field { path, matcher }
            });
            let fields = fields.collect();
            pattern.branches.push(fields);
        }
        Ok(pattern)
    }

    /// Whether an event, in the form in which targets get it, is wanted.
    pub fn matches(&self, event: &Value) -> bool {
        let event = Event::new(&self.paths, event);
        self.branches.iter().any(|fields| matcher::all_match(&event, fields))
    }
}

/// A complaint about a pattern, before it is put into words for the caller.
#[derive(Debug)]
pub(crate) struct Fault {
    reason: String,
    at: Option<usize>,
    syntax: bool,
}

impl Fault {
    /// A complaint about the token just read.
    pub fn here(reader: &Reader<'_>, reason: impl Into<String>) -> Self {
        Fault { reason: reason.into(), at: Some(reader.position()), syntax: false }
    }

    /// A complaint that AWS reports without a place.
    pub fn without_place(reason: String) -> Self {
        Fault { reason, at: None, syntax: false }
    }

    pub fn into_syntax(self) -> Self {
        Fault { syntax: true, ..self }
    }
}

impl From<JsonError> for Fault {
    fn from(e: JsonError) -> Self {
        Fault { reason: e.message, at: Some(e.at), syntax: true }
    }
}

/// Why a pattern was refused. Displays as [`PatternError::message`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    reason: String,
    place: Option<String>,
    syntax: bool,
}

impl PatternError {
    fn new(fault: Fault, text: &str) -> Self {
        PatternError {
            reason: fault.reason,
            place: fault.at.map(|at| json::location(text, at)),
            syntax: fault.syntax,
        }
    }

    /// The reason alone, one line.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// `Event pattern is not valid. Reason: …`, followed by the place for text that is no JSON
    /// object at all, and by nothing for a JSON object that is no pattern.
    pub fn message(&self) -> String {
        let place = self.place.as_ref().filter(|_| self.syntax);
        self.text(place)
    }

    /// As [`PatternError::message`], but with the place (`at [Source: (String)"…"; line: 1,
    /// column: 5]`, on a line of its own) wherever event-ruler knows one.
    pub fn message_with_place(&self) -> String {
        self.text(self.place.as_ref())
    }

    fn text(&self, place: Option<&String>) -> String {
        let reason = &self.reason;
        match place {
            Some(place) => format!("Event pattern is not valid. Reason: {reason}\n at {place}"),
            None => format!("Event pattern is not valid. Reason: {reason}"),
        }
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl std::error::Error for PatternError {}
