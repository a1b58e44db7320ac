//! The query protocol's answers.

use super::scalar;
use crate::model::{Kind, Member, Operation, Service, Shape, TimestampFormat};
use serde_json::Value;

/// `<{Op}Response xmlns=".."><{Op}Result>..</{Op}Result><ResponseMetadata><RequestId>..`.
pub(super) fn encode(service: &Service, op: &Operation, output: &Value, request_id: &str, out: &mut Vec<u8>) {
    let mut xml = Writer { out };
    let root = format!("{}Response", op.name);
    xml.open_with(&root, "xmlns", &service.xml_namespace);
    if let Some(shape) = op.output {
        let result = op.result_wrapper.clone().unwrap_or_else(|| format!("{}Result", op.name));
        xml.value(service, service.shape(shape), None, &result, output);
    }
    xml.open("ResponseMetadata");
    xml.leaf("RequestId", request_id);
    xml.close("ResponseMetadata");
    xml.close(&root);
}

/// An answer's body while it is written.
pub(super) struct Writer<'a> {
    pub(super) out: &'a mut Vec<u8>,
}

impl Writer<'_> {
    pub(super) fn open(&mut self, name: &str) {
        self.raw(&["<", name, ">"]);
    }

    pub(super) fn open_with(&mut self, name: &str, attribute: &str, value: &str) {
        self.raw(&["<", name, " ", attribute, "=\""]);
        self.text(value);
        self.raw(&["\">"]);
    }

    pub(super) fn close(&mut self, name: &str) {
        self.raw(&["</", name, ">"]);
    }

    pub(super) fn leaf(&mut self, name: &str, text: &str) {
        self.open(name);
        self.text(text);
        self.close(name);
    }

    fn value(
        &mut self,
        service: &Service,
        shape: &Shape,
        member: Option<&Member>,
        name: &str,
        value: &Value,
    ) {
        match (&shape.kind, value) {
            (_, Value::Null) => {}
            (Kind::Structure(structure), Value::Object(values)) => {
                self.open(name);
                for member in &structure.members {
                    if let Some(value) = values.get(&member.name) {
                        self.value(
                            service,
                            service.shape(member.shape),
                            Some(member),
                            member.wire_name(),
                            value,
                        );
                    }
                }
                self.close(name);
            }
            (Kind::List { member: inner, flattened }, Value::Array(items)) => {
                let shape = service.shape(inner.shape);
                let inner_name = inner.location_name.as_deref();
                if *flattened {
                    for item in items {
                        self.value(service, shape, Some(inner), inner_name.unwrap_or(name), item);
                    }
                } else {
                    self.open(name);
                    for item in items {
                        self.value(service, shape, Some(inner), inner_name.unwrap_or("member"), item);
                    }
                    self.close(name);
                }
            }
            (Kind::Map { key, value: inner, flattened }, Value::Object(entries)) => {
                let shape = service.shape(inner.shape);
                let entry = if *flattened { name } else { "entry" };
                if !flattened {
                    self.open(name);
                }
                for (text, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
                    self.open(entry);
                    self.leaf(key.location_name.as_deref().unwrap_or("key"), text);
                    self.value(
                        service,
                        shape,
                        Some(inner),
                        inner.location_name.as_deref().unwrap_or("value"),
                        value,
                    );
                    self.close(entry);
                }
                if !flattened {
                    self.close(name);
                }
            }
            _ => {
                if let Some(text) = scalar::print(shape, member, value, TimestampFormat::Iso8601) {
                    self.leaf(name, &text);
                }
            }
        }
    }

    fn raw(&mut self, parts: &[&str]) {
        for part in parts {
            self.out.extend_from_slice(part.as_bytes());
        }
    }

    /// Characters XML cannot hold at all become U+FFFD; a carriage return is written as a reference, since a parser
    /// would read a plain one as a line feed.
    fn text(&mut self, text: &str) {
        for letter in text.chars() {
            match letter {
                '&' => self.raw(&["&amp;"]),
                '<' => self.raw(&["&lt;"]),
                '>' => self.raw(&["&gt;"]),
                '"' => self.raw(&["&quot;"]),
                '\r' => self.raw(&["&#xD;"]),
                '\n' | '\t' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => {
                    self.raw(&[letter.encode_utf8(&mut [0; 4])]);
                }
                _ => self.raw(&["\u{fffd}"]),
            }
        }
    }
}
