//! Input transformers: a template filled with parts of the event.
//!
//! AWS's rules, as its user guide has them: a variable outside of quotes becomes JSON (a string with
//! its quotes, an object as it is); inside of quotes it becomes text, an object there losing its own
//! quotes; a variable whose path leads nowhere is the empty string. AWS does not escape what it
//! puts in; here quotes, backslashes and control characters are escaped, because an event must not
//! be able to break out of its place in the template.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use crate::json::{Reader, Token, location};
use crate::path::JsonPath;

pub use crate::path::input_path;

const RULE_ARN: &str = "aws.events.rule-arn";
const RULE_NAME: &str = "aws.events.rule-name";
const INGESTION_TIME: &str = "aws.events.event.ingestion-time";
const EVENT: &str = "aws.events.event";
const EVENT_JSON: &str = "aws.events.event.json";
const RESERVED: [&str; 5] = [RULE_ARN, RULE_NAME, INGESTION_TIME, EVENT, EVENT_JSON];

/// What the reserved variables stand for beside the event itself.
#[derive(Debug, Clone, Copy)]
pub struct RuleContext<'a> {
    pub rule_arn: &'a str,
    pub rule_name: &'a str,
    /// ISO 8601, as `2024-06-11T08:33:10Z`.
    pub ingestion_time: &'a str,
}

/// A checked input transformer.
#[derive(Debug, Clone)]
pub struct InputTransformer {
    paths: BTreeMap<String, JsonPath>,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone)]
enum Piece {
    Literal(String),
    Variable { name: String, quoted: bool },
}

/// Why a transformer was refused; a `ValidationException` (400).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransformError {
    /// The template names a variable that is neither in the map nor reserved.
    UnknownVariable(String),
    /// A path in the map is not a JSON path that EventBridge supports.
    BadPath(String),
    /// A name in the map begins with `AWS.` or is not of letters, digits, `_` and `-`.
    BadName(String),
    /// The template is not JSON once its variables are filled; with the place.
    NotJson(String),
}

impl TransformError {
    /// The text for the caller, who named the target.
    pub fn message(&self, target: &str) -> String {
        match self {
            TransformError::UnknownVariable(name) => {
                format!("InputTemplate for target {target} contains invalid placeholder {name}.")
            }
            TransformError::BadPath(path) => {
                format!("InputPathsMap for target {target} contains invalid JSONPath {path}.")
            }
            TransformError::BadName(name) => {
                format!("InputPathsMap for target {target} contains invalid key {name}.")
            }
            TransformError::NotJson(place) => {
                format!("Invalid InputTemplate for target {target} : {place}.")
            }
        }
    }
}

impl fmt::Display for TransformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message("unknown"))
    }
}

impl std::error::Error for TransformError {}

impl InputTransformer {
    /// Checks a transformer: `paths` is the `InputPathsMap`, `template` the `InputTemplate`.
    ///
    /// # Errors
    /// The first thing that AWS would refuse.
    pub fn parse<'a>(
        paths: impl IntoIterator<Item = (&'a str, &'a str)>,
        template: &str,
    ) -> Result<InputTransformer, TransformError> {
        let mut parsed = BTreeMap::new();
        for (name, path) in paths {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if name.is_empty() || !name.chars().all(plain) {
                return Err(TransformError::BadName(name.to_owned()));
            }
            let path = JsonPath::parse(path).ok_or_else(|| TransformError::BadPath(path.to_owned()))?;
            parsed.insert(name.to_owned(), path);
        }
        let pieces = split(template);
        for piece in &pieces {
            if let Piece::Variable { name, .. } = piece
                && !parsed.contains_key(name)
                && !RESERVED.contains(&name.as_str())
            {
                return Err(TransformError::UnknownVariable(name.clone()));
            }
        }
        check_json(&pieces)?;
        Ok(InputTransformer { paths: parsed, pieces })
    }

    /// The text to send to the target for this event.
    pub fn apply(&self, event: &Value, rule: &RuleContext<'_>) -> String {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Variable { name, quoted } => {
                    let value = self.value(name, event, rule).unwrap_or_else(|| Value::String(String::new()));
                    out.push_str(&if *quoted { as_text(&value) } else { value.to_string() });
                }
            }
        }
        out
    }

    fn value(&self, name: &str, event: &Value, rule: &RuleContext<'_>) -> Option<Value> {
        match name {
            RULE_ARN => Some(rule.rule_arn.into()),
            RULE_NAME => Some(rule.rule_name.into()),
            INGESTION_TIME => Some(rule.ingestion_time.into()),
            EVENT => Some(envelope(event)),
            EVENT_JSON => Some(event.clone()),
            _ => self.paths.get(name)?.find(event),
        }
    }
}

/// `<aws.events.event>`: the event without its detail. AWS writes the members in this order and
/// calls the detail type `detailType` (recorded from AWS).
fn envelope(event: &Value) -> Value {
    let mut map = Map::new();
    for (member, shown) in [
        ("id", "id"),
        ("account", "account"),
        ("detail-type", "detailType"),
        ("time", "time"),
        ("source", "source"),
        ("region", "region"),
        ("resources", "resources"),
        ("version", "version"),
    ] {
        if let Some(value) = event.get(member) {
            map.insert(shown.to_owned(), value.clone());
        }
    }
    Value::Object(map)
}

/// A value for a place inside of quotes.
fn as_text(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string().replace('"', ""),
    };
    let quoted = Value::String(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Cuts a template at its variables. `<` and `>` cannot be escaped; a `<` that is never closed
/// stands for itself.
fn split(template: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let (mut quoted, mut escaped) = (false, false);
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        if c == '<'
            && let Some(end) = rest.find('>')
        {
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            pieces.push(Piece::Variable { name: rest[1..end].to_owned(), quoted });
            rest = &rest[end + 1..];
            escaped = false;
            continue;
        }
        match c {
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        literal.push(c);
        rest = &rest[c.len_utf8()..];
    }
    pieces.push(Piece::Literal(literal));
    pieces
}

/// The template must be JSON, or several JSON texts after each other: text of several lines is
/// written as one string a line. Variables are taken for `null`, which is how AWS shows them.
fn check_json(pieces: &[Piece]) -> Result<(), TransformError> {
    let filled: String = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Literal(text) => text,
            Piece::Variable { .. } => "null",
        })
        .collect();
    let refuse = |at| TransformError::NotJson(location(&filled, at));
    let mut reader = Reader::new(&filled);
    let mut any = false;
    loop {
        match reader.next().map_err(|e| refuse(e.at))? {
            Token::End if any => return Ok(()),
            Token::End => return Err(refuse(filled.len())),
            _ => any = true,
        }
    }
}
