//! Why a policy document was refused: AWS's text, and beside it the place, which AWS does not give.

use std::fmt;

/// A refused document. The service that stores it turns this into its own error code: `MalformedPolicyDocument`
/// in IAM and STS, `MalformedPolicy` in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    pub problem: Problem,
    /// AWS's text for it.
    pub message: String,
    /// Where in the document, when known.
    pub place: Option<Place>,
    /// Which statement, from 0, when the problem is in one.
    pub statement: Option<usize>,
    /// The element or detail at fault in plain words, for people; AWS says nothing of it.
    pub detail: String,
}

/// The kinds of refusal, for services whose texts differ from IAM's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    InvalidJson,
    Syntax,
    Version,
    LegacyParsing,
    DuplicateSid,
    SidFormat,
    NoActions,
    NoResources,
    Resource,
    Action,
    Prohibited,
    Missing,
    Principal,
}

/// A position in the document, both counted from 1; a column is a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

impl Place {
    /// The place of a byte offset of `text`.
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Place { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}

impl PolicyError {
    pub(crate) fn new(problem: Problem, message: impl Into<String>, detail: impl Into<String>) -> Self {
        PolicyError { problem, message: message.into(), place: None, statement: None, detail: detail.into() }
    }

    /// The text IAM gives for nearly every fault of structure.
    pub(crate) fn syntax(detail: impl Into<String>) -> Self {
        Self::new(Problem::Syntax, "Syntax errors in policy.", detail)
    }

    /// The text IAM gives when a value passes the grammar but not the older parser behind it (dates, letter case).
    pub(crate) fn legacy(detail: impl Into<String>) -> Self {
        Self::new(Problem::LegacyParsing, "The policy failed legacy parsing", detail)
    }

    pub(crate) fn at(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }

    pub(crate) fn in_statement(mut self, index: usize) -> Self {
        self.statement.get_or_insert(index);
        self
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(index) = self.statement {
            write!(f, " (statement {})", index + 1)?;
        }
        if let Some(place) = self.place {
            write!(f, " (line {}, column {})", place.line, place.column)?;
        }
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

impl std::error::Error for PolicyError {}
