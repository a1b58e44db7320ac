//! What was answered so far, and the values a script takes from it: `${CreateRole.Arn}` is the first header, member or
//! element `Arn` of the latest answer of `CreateRole`.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use serde_json::{Map, Value};

#[derive(Default)]
pub struct Answers(HashMap<String, Answer>);

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answers {
    pub fn note(&mut self, operation: &str, answer: Answer) {
        self.0.insert(operation.to_owned(), answer);
    }

    pub fn find(&self, operation: &str, name: &str) -> Option<Value> {
        self.0.get(operation)?.find(name)
    }

    /// The text with its references replaced.
    pub fn fill(&self, text: &str) -> String {
        match self.fill_value(text) {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }

    fn fill_value(&self, text: &str) -> Value {
        let (mut filled, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("${") {
            filled += before;
            let Some((reference, after)) = after.split_once('}') else { panic!("{text}: no end") };
            rest = after;
            match reference.split_once('.') {
                // Not one of ours: a template's or a policy's own.
                None => filled += &format!("${{{reference}}}"),
                Some((operation, name)) => {
                    let found = self.find(operation, name);
                    let found = found.unwrap_or_else(|| panic!("nothing answered {reference}"));
                    if before.is_empty() && after.is_empty() && filled.is_empty() {
                        return found;
                    }
                    filled += found.as_str().map_or_else(|| found.to_string(), str::to_owned).as_str();
                }
            }
        }
        Value::String(filled + rest)
    }

    /// The input with its references replaced. `{"$json": …}` is the JSON text of a document, `{"$lines": […]}` a text of
    /// lines, `{"$base64": "…"}` a blob of that text.
    pub fn input(&self, value: Value) -> Value {
        match value {
            Value::String(text) => self.fill_value(&text),
            Value::Array(items) => items.into_iter().map(|item| self.input(item)).collect(),
            Value::Object(entries) => {
                let mut filled: Map<String, Value> =
                    entries.into_iter().map(|(name, value)| (name, self.input(value))).collect();
                if let Some(document) = filled.get("$json") {
                    return Value::String(document.to_string());
                }
                if let Some(Value::String(text)) = filled.get("$base64") {
                    return Value::String(STANDARD.encode(text));
                }
                if let Some(Value::Array(lines)) = filled.get_mut("$lines") {
                    let line = |line: &Value| line.as_str().expect("a line").to_owned() + "\n";
                    return Value::String(lines.iter().map(line).collect());
                }
                Value::Object(filled)
            }
            other => other,
        }
    }
}

impl Answer {
    fn find(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.headers.get(name) {
            return Some(Value::from(value.to_str().ok()?));
        }
        match serde_json::from_str(&self.body) {
            Ok(document) => member(&document, name),
            Err(_) => {
                let (_, rest) = self.body.split_once(&format!("<{name}>"))?;
                let (text, _) = rest.split_once(&format!("</{name}>"))?;
                let text = text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">");
                Some(Value::String(text.replace("&amp;", "&")))
            }
        }
    }
}

fn member(document: &Value, name: &str) -> Option<Value> {
    match document {
        Value::Object(members) => {
            members.get(name).cloned().or_else(|| members.values().find_map(|value| member(value, name)))
        }
        Value::Array(items) => items.iter().find_map(|item| member(item, name)),
        _ => None,
    }
}
