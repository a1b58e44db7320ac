//! Logical ids that carry a hash of what they stand for, so that CloudFormation replaces the resource when that
//! changes.

use sha1::{Digest, Sha1};

use super::node::Node;
use super::py27;

const SHORT: usize = 10;

pub(crate) fn sha1_hex(data: &str) -> String {
    hex::encode(Sha1::digest(data.as_bytes()))
}

/// `prefix` and the first ten hex digits of the SHA-1 of `data`.
pub(crate) fn hashed(prefix: &str, data: &str) -> String {
    format!("{prefix}{}", &sha1_hex(data)[..SHORT])
}

/// The text hashed for anything but a string: JSON with sorted keys, no spaces, escaped to ASCII.
pub(crate) fn canonical_json(node: &Node) -> String {
    let mut out = String::new();
    write_json(node, &mut out, &Style { colon: ":", comma: ",", sorted: true });
    out
}

/// `json.dumps(value)` with Python's default separators, in the dictionary's own order.
pub(crate) fn spaced_json(node: &Node) -> String {
    let mut out = String::new();
    write_json(node, &mut out, &Style { colon: ": ", comma: ", ", sorted: false });
    out
}

struct Style {
    colon: &'static str,
    comma: &'static str,
    sorted: bool,
}

fn write_json(node: &Node, out: &mut String, style: &Style) {
    match node {
        Node::Null => out.push_str("null"),
        Node::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Node::Number(number) if number.is_f64() => {
            out.push_str(&py27::float(number.as_f64().unwrap_or_default()));
        }
        Node::Number(number) => out.push_str(&number.to_string()),
        Node::Text(text) => write_string(text, out),
        Node::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(style.comma);
                }
                write_json(item, out, style);
            }
            out.push(']');
        }
        Node::Dict(dict) => {
            let mut entries: Vec<_> = dict.iter().collect();
            if style.sorted {
                entries.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
            }
            out.push('{');
            for (i, (key, value)) in entries.into_iter().enumerate() {
                if i > 0 {
                    out.push_str(style.comma);
                }
                write_string(key, out);
                out.push_str(style.colon);
                write_json(value, out, style);
            }
            out.push('}');
        }
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='\u{7f}' => out.push(c),
            c => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sam::node::{dict, list};

    #[test]
    fn json_forms() {
        let node = Node::from(dict! { "b" => list![1, true], "a" => "é😀\u{1}" });
        assert_eq!(canonical_json(&node), r#"{"a":"\u00e9\ud83d\ude00\u0001","b":[1,true]}"#);
        assert_eq!(spaced_json(&node), r#"{"b": [1, true], "a": "\u00e9\ud83d\ude00\u0001"}"#);
    }

    #[test]
    fn an_id_ends_in_ten_digits_of_the_hash() {
        assert_eq!(hashed("P", ""), "Pda39a3ee5e");
    }
}
