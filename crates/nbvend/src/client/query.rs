//! The query protocol from the client's side: a form out, XML in.

use serde_json::{Map, Value};

/// `Action=…&Version=…` and the input, lists as `Name.member.N`.
pub fn form(operation: &str, version: &str, input: &Value) -> String {
    let mut pairs =
        vec![("Action".to_owned(), operation.to_owned()), ("Version".to_owned(), version.to_owned())];
    flatten("", input, &mut pairs);
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    pairs.iter().map(|(k, v)| format!("{}={}", encode(k), encode(v))).collect::<Vec<_>>().join("&")
}

fn flatten(prefix: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                flatten(&path, member, pairs);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                flatten(&format!("{prefix}.member.{}", at + 1), item, pairs);
            }
        }
        Value::String(text) => pairs.push((prefix.to_owned(), text.clone())),
        Value::Null => {}
        other => pairs.push((prefix.to_owned(), other.to_string())),
    }
}

/// The answer as a tree: elements as members, `member` elements as arrays, texts as strings. Meant for the engine's own
/// answers: what is not well-formed ends the tree where it stands.
pub fn document(xml: &str) -> Value {
    let mut reader = Reader { rest: xml };
    Value::Object(reader.children(""))
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// Child elements up to the end tag of `parent`.
    fn children(&mut self, parent: &str) -> Map<String, Value> {
        let mut members = Map::new();
        while let Some((name, empty)) = self.open(parent) {
            let value = if empty { Value::String(String::new()) } else { self.content(&name) };
            if name == "member" {
                let list = members.entry("member").or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(items) = list {
                    items.push(value);
                }
            } else {
                members.insert(name, value);
            }
        }
        members
    }

    fn content(&mut self, name: &str) -> Value {
        let text_end = self.rest.find('<').unwrap_or(self.rest.len());
        let text = unescape(&self.rest[..text_end]);
        if self.rest[text_end..].starts_with("</") {
            self.rest = after(&self.rest[text_end..], '>');
            return Value::String(text);
        }
        let mut members = self.children(name);
        match members.remove("member") {
            Some(list) => list,
            None => Value::Object(members),
        }
    }

    /// The next start tag and whether it is empty; `None` at the end tag of `parent` or the end.
    fn open(&mut self, parent: &str) -> Option<(String, bool)> {
        loop {
            self.rest = &self.rest[self.rest.find('<')?..];
            if self.rest.starts_with("<?") || self.rest.starts_with("<!") {
                self.rest = after(self.rest, '>');
                continue;
            }
            let end = self.rest.find('>')?;
            let tag = &self.rest[1..end];
            self.rest = &self.rest[end + 1..];
            if let Some(closing) = tag.strip_prefix('/') {
                debug_assert_eq!(closing, parent);
                return None;
            }
            let name = tag.trim_end_matches('/').split_whitespace().next()?.to_owned();
            return Some((name, tag.ends_with('/')));
        }
    }
}

fn after(text: &str, end: char) -> &str {
    text.find(end).map_or("", |at| &text[at + 1..])
}

fn unescape(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    text.replace("&#xD;", "\r").replace("&#10;", "\n").replace("&#39;", "'").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn forms_and_documents() {
        let text = form("X", "1", &json!({"A": "b c", "L": [{"K": "v"}], "B": true}));
        assert_eq!(text, "Action=X&Version=1&A=b%20c&L%2Emember%2E1%2EK=v&B=true");
        let xml = "<?xml version=\"1.0\"?><R xmlns=\"u\"><S><member><K>a&amp;&lt;</K><E/></member><member><K>2</K></member></S><T>t</T></R>";
        assert_eq!(document(xml), json!({"R": {"S": [{"K": "a&<", "E": ""}, {"K": "2"}], "T": "t"}}));
    }
}
