//! Dictionaries in the order of a Python 2.7 `dict`, and the printed form of such a dictionary.
//!
//! AWS names a deployment of an API after the SHA-1 of its OpenAPI document, printed as Python 2.7 printed
//! dictionaries. The ids of stacks that exist depend on it, so the order of keys (the order of slots in a hash
//! table, which depends on every insertion and deletion) and the `u'...'` marks of strings that came from the
//! template are part of the contract.

use super::node::{Node, Text};

const FIRST_SIZE: usize = 8;
const PERTURB_SHIFT: u32 = 5;
/// Above this many entries Python 2.7 grows a table to twice, not four times, what it uses.
const LARGE: usize = 50_000;

#[derive(Clone, Debug)]
enum Slot {
    Empty,
    /// A deleted entry: still an obstacle to probes, and still counted as filled.
    Dummy,
    /// An index into the dictionary's entries.
    Full(usize),
}

/// The slots of one dictionary; entries themselves live beside it.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    table: Vec<Slot>,
    hashes: Vec<u64>,
    filled: usize,
    used: usize,
}

/// `hash(str)` of 64-bit Python 2.7 without hash randomisation. Equal for `str` and `unicode`.
pub(crate) fn hash(text: &str) -> u64 {
    let mut chars = text.chars().peekable();
    let Some(first) = chars.peek() else { return 0 };
    let mut x = u64::from(u32::from(*first)) << 7;
    let mut length = 0u64;
    for c in chars {
        x = x.wrapping_mul(1_000_003) ^ u64::from(u32::from(c));
        length += 1;
    }
    x ^= length;
    if x == u64::MAX { u64::MAX - 1 } else { x }
}

impl Slots {
    pub(crate) fn new() -> Self {
        Self { table: vec![Slot::Empty; FIRST_SIZE], hashes: Vec::new(), filled: 0, used: 0 }
    }

    /// The slot that holds `key`, or the one a new entry for it goes to, and the entry if there is one.
    fn probe(&self, hash: u64, same: impl Fn(usize) -> bool) -> (usize, Option<usize>) {
        let mask = self.table.len() - 1;
        let mut walk = hash as usize & mask;
        let mut perturb = hash;
        let mut free = None;
        loop {
            let at = walk & mask;
            match self.table[at] {
                Slot::Empty => return (free.unwrap_or(at), None),
                Slot::Dummy => free = free.or(Some(at)),
                Slot::Full(entry) if self.hashes[entry] == hash && same(entry) => return (at, Some(entry)),
                Slot::Full(_) => {}
            }
            walk = walk.wrapping_mul(5).wrapping_add(perturb as usize).wrapping_add(1);
            perturb >>= PERTURB_SHIFT;
        }
    }

    pub(crate) fn find(&self, hash: u64, same: impl Fn(usize) -> bool) -> Option<usize> {
        self.probe(hash, same).1
    }

    /// Records that entry number `entry` (which must be the next one) now holds a key with this hash.
    pub(crate) fn add(&mut self, hash: u64, entry: usize) {
        debug_assert_eq!(entry, self.hashes.len());
        self.hashes.push(hash);
        let before = self.used;
        let (at, _) = self.probe(hash, |_| false);
        if matches!(self.table[at], Slot::Empty) {
            self.filled += 1;
        }
        self.table[at] = Slot::Full(entry);
        self.used += 1;
        if self.used > before && self.filled * 3 >= self.table.len() * 2 {
            self.resize(self.used * if self.used > LARGE { 2 } else { 4 });
        }
    }

    pub(crate) fn remove(&mut self, hash: u64, same: impl Fn(usize) -> bool) -> Option<usize> {
        let (at, entry) = self.probe(hash, same);
        let entry = entry?;
        self.table[at] = Slot::Dummy;
        self.used -= 1;
        Some(entry)
    }

    /// Python grows a table before it merges another dictionary of `others` entries into it.
    pub(crate) fn grow_for(&mut self, others: usize) {
        if (self.filled + others) * 3 >= self.table.len() * 2 {
            self.resize((self.used + others) * 2);
        }
    }

    fn resize(&mut self, more_than: usize) {
        let mut size = FIRST_SIZE;
        while size <= more_than {
            size *= 2;
        }
        let entries: Vec<usize> = self.order().collect();
        self.table = vec![Slot::Empty; size];
        self.filled = entries.len();
        self.used = entries.len();
        for entry in entries {
            let (at, _) = self.probe(self.hashes[entry], |_| false);
            self.table[at] = Slot::Full(entry);
        }
    }

    /// The entries in slot order, which is the order Python 2.7 iterates in.
    pub(crate) fn order(&self) -> impl Iterator<Item = usize> + '_ {
        self.table.iter().filter_map(|slot| if let Slot::Full(entry) = slot { Some(*entry) } else { None })
    }
}

/// The text Python prints for a value: `str(value)` of a container.
pub(crate) fn print(node: &Node) -> String {
    let mut out = String::new();
    print_into(node, &mut out);
    out
}

fn print_into(node: &Node, out: &mut String) {
    match node {
        Node::Null => out.push_str("None"),
        Node::Bool(true) => out.push_str("True"),
        Node::Bool(false) => out.push_str("False"),
        Node::Number(number) => out.push_str(&print_number(number)),
        Node::Text(text) => print_text(text, out),
        Node::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                print_into(item, out);
            }
            out.push(']');
        }
        Node::Dict(dict) => {
            out.push('{');
            for (i, (key, value)) in dict.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                print_text(key, out);
                out.push_str(": ");
                print_into(value, out);
            }
            out.push('}');
        }
    }
}

/// A number as `repr` prints it; integers beyond a machine word were `long`s and end in `L`.
fn print_number(number: &serde_json::Number) -> String {
    if number.is_i64() {
        number.to_string()
    } else if number.is_u64() {
        format!("{number}L")
    } else {
        float(number.as_f64().unwrap_or(0.0))
    }
}

/// `repr(float)`: the shortest digits, an exponent below 1e-4 and from 1e16 on.
pub(crate) fn float(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e16).contains(&size) {
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
        format!("{digits}e{sign}{exponent:0>2}")
    } else if value.fract() == 0.0 {
        format!("{value:.1}")
    } else {
        format!("{value}")
    }
}

fn print_text(text: &Text, out: &mut String) {
    if text.marked {
        out.push('u');
    }
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            ' '..='~' => out.push(c),
            c if !text.marked && !c.is_control() => out.push(c),
            c => {
                let code = u32::from(c);
                out.push_str(&match code {
                    0..=0xff => format!("\\x{code:02x}"),
                    0x100..=0xffff => format!("\\u{code:04x}"),
                    _ => format!("\\U{code:08x}"),
                });
            }
        }
    }
    out.push(quote);
}

#[cfg(test)]
mod tests {
    use super::super::node::Dict;
    use super::*;

    fn keys(dict: &Dict) -> String {
        dict.keys().map(Text::as_str).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn order_is_slot_order_not_insertion_order() {
        let mut info = Dict::py27();
        for key in ["version", "title"] {
            info.insert(key, Node::Null);
        }
        assert_eq!(keys(&info), "version title");
        let mut integration = Dict::py27();
        for key in ["type", "httpMethod", "uri"] {
            integration.insert(key, Node::Null);
        }
        assert_eq!(keys(&integration), "httpMethod type uri");
    }

    #[test]
    fn tables_grow_deletions_leave_dummies_and_merges_grow_first() {
        // Orders observed from CPython 2.7.
        let mut letters = Dict::py27();
        for c in 'a'..='j' {
            letters.insert(format!("/x{c}"), Node::Null);
        }
        assert_eq!(keys(&letters), "/xh /xi /xj /xd /xe /xf /xg /xa /xb /xc");
    }

    #[test]
    fn text_forms() {
        let cases: [(Node, &str); 9] = [
            (Node::from("it's"), r#""it's""#),
            (Node::from("a\"'\n\\"), r#"'a"\'\n\\'"#),
            (Node::marked("é€😀"), r"u'\xe9\u20ac\U0001f600'"),
            (Node::from(3), "3"),
            (Node::from(true), "True"),
            (Node::Number(serde_json::Number::from(u64::MAX)), "18446744073709551615L"),
            (Node::Number(serde_json::Number::from_f64(3.0).unwrap()), "3.0"),
            (Node::Number(serde_json::Number::from_f64(1e-5).unwrap()), "1e-05"),
            (Node::List(vec![Node::Null, Node::from("x")]), "[None, 'x']"),
        ];
        for (node, expected) in cases {
            assert_eq!(print(&node), expected);
        }
    }
}
