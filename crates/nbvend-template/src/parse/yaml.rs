//! YAML with positions, short-form functions and bounds.
//!
//! Built on the event stream rather than on a ready-made tree: a tree builder that recurses overflows
//! its stack on `- - - - …`, and neither the tags nor the place of a duplicate key may get lost.
//!
//! Aliases and merge keys are refused, as on AWS. An anchor that nothing names does no harm.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};
use serde_json::{Map, Value};

use super::scalar::typed;
use super::{MAX_DEPTH, malformed};
use crate::error::TemplateError;
use crate::path::{Position, Spans};

type Result<T> = std::result::Result<T, TemplateError>;

/// AWS's text for an alias, and for a merge, which names one.
const ALIAS: &str = "Template error: YAML aliases are not allowed in CloudFormation templates.";

pub fn parse(text: &str) -> Result<(Value, Spans)> {
    let mut builder = Builder { stack: Vec::new(), root: None };
    let mut documents = 0;
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) =
            event.map_err(|error| malformed("YAML", position(error.marker()), error.info()))?;
        let at = position(&span.start);
        match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    return Err(malformed("YAML", at, "a template is one document; a second starts here"));
                }
            }
            Event::Scalar(text, style, _, tag) => {
                builder.scalar(&text, style, tag.as_deref(), at)?;
            }
            Event::SequenceStart(_, tag) => {
                builder.open(Kind::Sequence(Vec::new()), tag.as_deref(), at)?;
            }
            Event::MappingStart(_, tag) => {
                builder.open(Kind::Mapping(Map::new(), None), tag.as_deref(), at)?;
            }
            Event::SequenceEnd | Event::MappingEnd => builder.close()?,
            Event::Alias(_) => return Err(TemplateError::at(ALIAS, Some(at))),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
    }
    Ok(builder.root.unwrap_or((Value::Null, Spans::leaf(Position { line: 1, column: 1 }))))
}

fn position(marker: &Marker) -> Position {
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position { line: small(marker.line()), column: small(marker.col()).saturating_add(1) }
}

enum Kind {
    Sequence(Vec<Value>),
    /// Members so far, and the name whose value comes next.
    Mapping(Map<String, Value>, Option<(String, Position)>),
}

/// A collection being read.
struct Open {
    kind: Kind,
    children: Vec<Spans>,
    at: Position,
    function: Option<String>,
}

struct Builder {
    stack: Vec<Open>,
    root: Option<(Value, Spans)>,
}

impl Builder {
    fn open(&mut self, kind: Kind, tag: Option<&Tag>, at: Position) -> Result<()> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(malformed("YAML", at, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        if self.expects_key() {
            return Err(malformed("YAML", at, "a key must be a scalar"));
        }
        let function = match tag {
            None => None,
            Some(tag) if tag.is_yaml_core_schema() && matches!(tag.suffix.as_str(), "map" | "seq") => None,
            Some(tag) => Some(function_name(tag).ok_or_else(|| unsupported_tag(tag, at))?),
        };
        self.stack.push(Open { kind, children: Vec::new(), at, function });
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        let Some(open) = self.stack.pop() else { return Ok(()) };
        let value = match open.kind {
            Kind::Sequence(items) => Value::Array(items),
            Kind::Mapping(map, _) => Value::Object(map),
        };
        let spans = Spans { value: open.at, key: open.at, children: open.children };
        let (value, spans) = call(open.function, value, spans);
        self.add(value, spans)
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, at: Position) -> Result<()> {
        let plain = style == ScalarStyle::Plain;
        let mut function = None;
        let value = match tag {
            // Keys are text whatever they look like: `012345678901:` in a mapping, `200:` in a swagger.
            _ if self.expects_key() => Value::String(text.to_owned()),
            None if plain => typed(text),
            None => Value::String(text.to_owned()),
            Some(tag) if tag.is_yaml_core_schema() => match tag.suffix.as_str() {
                "str" => Value::String(text.to_owned()),
                "int" | "float" | "bool" | "null" => typed(text),
                _ => return Err(unsupported_tag(tag, at)),
            },
            // The tag `!` alone, which says no more than "not a number".
            Some(tag) if tag.handle.is_empty() && tag.suffix == "!" => Value::String(text.to_owned()),
            Some(tag) => {
                function = Some(function_name(tag).ok_or_else(|| unsupported_tag(tag, at))?);
                if plain && text.is_empty() { Value::Null } else { Value::String(text.to_owned()) }
            }
        };
        let (value, spans) = call(function, value, Spans::leaf(at));
        self.add(value, spans)
    }

    fn expects_key(&self) -> bool {
        matches!(self.stack.last(), Some(Open { kind: Kind::Mapping(_, None), .. }))
    }

    fn add(&mut self, value: Value, mut spans: Spans) -> Result<()> {
        let Some(parent) = self.stack.last_mut() else {
            self.root = Some((value, spans));
            return Ok(());
        };
        match &mut parent.kind {
            Kind::Sequence(items) => {
                items.push(value);
                parent.children.push(spans);
            }
            Kind::Mapping(map, pending) => match pending.take() {
                None => {
                    let at = spans.key;
                    let Value::String(key) = value else {
                        return Err(malformed("YAML", at, "a key must be a scalar"));
                    };
                    if key == "<<" {
                        // AWS documents hash merges as unsupported.
                        return Err(TemplateError::at(ALIAS, Some(at)).detail("<< merges are not supported"));
                    }
                    if map.contains_key(&key) {
                        return Err(malformed(
                            "YAML",
                            at,
                            format!("the key {key} stands twice in this mapping"),
                        ));
                    }
                    *pending = Some((key, at));
                }
                Some((key, at)) => {
                    spans.key = at;
                    map.insert(key, value);
                    parent.children.push(spans);
                }
            },
        }
        Ok(())
    }
}

fn unsupported_tag(tag: &Tag, at: Position) -> TemplateError {
    malformed("YAML", at, format!("the tag {tag} is not supported"))
}

/// `!Sub` is `Fn::Sub`; only `!Ref` and `!Condition` have no prefix.
fn function_name(tag: &Tag) -> Option<String> {
    if tag.handle != "!" || tag.suffix.is_empty() {
        return None;
    }
    Some(match tag.suffix.as_str() {
        name @ ("Ref" | "Condition") => name.to_owned(),
        name if name.starts_with("Fn::") => name.to_owned(),
        name => format!("Fn::{name}"),
    })
}

/// The long form of a short-form function. `!GetAtt A.B.C` becomes the list `[A, B.C]`, which is what
/// GetTemplate's processed stage and the SAM transform show.
fn call(function: Option<String>, value: Value, spans: Spans) -> (Value, Spans) {
    let Some(name) = function else { return (value, spans) };
    let at = spans.value;
    let (argument, inner) = match value {
        Value::String(text) if name == "Fn::GetAtt" => match text.split_once('.') {
            Some((id, attribute)) => (
                Value::Array(vec![id.into(), attribute.into()]),
                Spans { value: at, key: at, children: vec![Spans::leaf(at), Spans::leaf(at)] },
            ),
            None => (Value::String(text), spans),
        },
        value => (value, spans),
    };
    let mut map = Map::new();
    map.insert(name, argument);
    (Value::Object(map), Spans { value: at, key: at, children: vec![inner] })
}

#[cfg(test)]
mod tests;
