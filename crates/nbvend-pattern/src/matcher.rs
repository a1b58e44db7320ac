//! What one field of a pattern asks of a value, and how the fields of a pattern combine.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use serde_json::Number;

use crate::event::{Event, Scalar};
use crate::fold::Folded;
use crate::join;
use crate::wildcard::Wildcard;

/// One alternative for a field's value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    Text(Box<str>),
    /// A literal number: by value if it is comparable, else as written.
    Number(Option<i64>, Number),
    Bool(bool),
    Null,
    Address(IpAddr),
    Network(IpNet),
    Exists,
    Prefix(Box<str>),
    Suffix(Box<str>),
    Folded(Folded),
    PrefixFolded(Folded),
    SuffixFolded(Folded),
    Wildcard(Wildcard),
    /// Lower and upper bound in millionths, each with whether it is itself excluded.
    Range {
        low: i64,
        above: bool,
        high: i64,
        below: bool,
    },
    Not(Vec<Test>),
}

/// All alternatives for one field.
#[derive(Debug, PartialEq)]
pub(crate) struct Matcher {
    pub tests: Vec<Test>,
    /// `{"exists": false}` is among the alternatives.
    pub absent: bool,
}

impl Matcher {
    pub fn accepts(&self, value: &Scalar<'_>) -> bool {
        self.tests.iter().any(|test| test.accepts(value))
    }
}

impl Test {
    fn accepts(&self, value: &Scalar<'_>) -> bool {
        match (self, value) {
            (Test::Exists, _) | (Test::Null, Scalar::Null) => true,
            (Test::Text(text), Scalar::Str(value, _)) => **text == **value,
            (Test::Number(Some(wanted), _), Scalar::Num(_, Some(value))) => wanted == value,
            (Test::Number(None, wanted), Scalar::Num(value, None)) => wanted == *value,
            (Test::Bool(wanted), Scalar::Bool(value)) => wanted == value,
            (Test::Prefix(prefix), Scalar::Str(value, _)) => value.starts_with(&**prefix),
            (Test::Suffix(suffix), Scalar::Str(value, _)) => value.ends_with(&**suffix),
            (Test::Folded(text), Scalar::Str(value, _)) => text.equals(value),
            (Test::PrefixFolded(text), Scalar::Str(value, _)) => text.starts(value),
            (Test::SuffixFolded(text), Scalar::Str(value, _)) => text.finishes(value),
            (Test::Wildcard(wildcard), Scalar::Str(value, _)) => wildcard.matches(value),
            (Test::Range { low, above, high, below }, Scalar::Num(_, Some(value))) => {
                (if *above { value > low } else { value >= low })
                    && (if *below { value < high } else { value <= high })
            }
            (Test::Address(ip), Scalar::Str(_, Some(value))) => ip == value,
            (Test::Network(net), Scalar::Str(_, Some(value))) => net.contains(value),
            (Test::Not(tests), value) => !tests.iter().any(|test| test.accepts(value)),
            _ => false,
        }
    }
}

/// A field that must match: the number of its path, and the alternatives.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub path: u32,
    pub matcher: Arc<Matcher>,
}

/// Whether all fields match, those inside arrays of objects from the same elements.
///
/// `fields` are in the order of their paths' texts. The order matters for `exists: false` only: a
/// field is absent if no such field lies in the elements chosen by the fields before it.
pub(crate) fn all_match(event: &Event<'_>, fields: &[Field]) -> bool {
    let (mut all, mut arrays) = (true, false);
    for Field { path, matcher } in fields {
        let leaves = event.at(*path);
        let accepted = leaves.iter().any(|leaf| matcher.accepts(&leaf.value));
        if !accepted && !matcher.absent {
            return false;
        }
        // A field that has leaves is absent only from some elements of an array.
        all &= accepted || leaves.is_empty();
        arrays |= leaves.iter().any(Event::in_array);
    }
    if arrays { join::agree(event, fields) } else { all }
}
