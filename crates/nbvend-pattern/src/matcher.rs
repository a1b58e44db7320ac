//! What one field of a pattern asks of a value, and how the fields of a pattern combine.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use serde_json::Number;

use crate::event::{Event, Leaf, Scalar};
use crate::fold::Folded;
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
    let mut arrays = false;
    for field in fields {
        let leaves = event.at(field.path);
        if !field.matcher.absent && !leaves.iter().any(|leaf| field.matcher.accepts(&leaf.value)) {
            return false;
        }
        arrays |= leaves.iter().any(Event::in_array);
    }
    if !arrays {
        // No element to agree on. A field with leaves is not absent, whatever the alternatives.
        return fields.iter().all(|field| {
            let leaves = event.at(field.path);
            !field.matcher.absent
                || leaves.is_empty()
                || leaves.iter().any(|leaf| field.matcher.accepts(&leaf.value))
        });
    }
    Search::new(event, fields).from(0, &[])
}

/// Looks for array elements on which all fields agree.
struct Search<'a, 'e> {
    event: &'a Event<'e>,
    fields: &'a [Field],
    /// For each field the arrays that it or a later one lies in; choices elsewhere are forgotten.
    relevant: Vec<HashSet<u32>>,
    /// Choices known to lead nowhere. Without this, independent arrays would multiply.
    failed: HashSet<(usize, Vec<(u32, u32)>)>,
}

impl<'a, 'e> Search<'a, 'e> {
    fn new(event: &'a Event<'e>, fields: &'a [Field]) -> Self {
        let mut relevant = vec![HashSet::new(); fields.len() + 1];
        for (at, field) in fields.iter().enumerate().rev() {
            let mut arrays = relevant[at + 1].clone();
            for leaf in event.at(field.path) {
                arrays.extend(event.elements(leaf).map(|(array, _)| array));
            }
            relevant[at] = arrays;
        }
        Search { event, fields, relevant, failed: HashSet::new() }
    }

    fn from(&mut self, at: usize, chosen: &[(u32, u32)]) -> bool {
        let Some(field) = self.fields.get(at) else { return true };
        let mut kept: Vec<(u32, u32)> =
            chosen.iter().copied().filter(|(array, _)| self.relevant[at].contains(array)).collect();
        kept.sort_unstable();
        let state = (at, kept);
        if self.failed.contains(&state) {
            return false;
        }
        let chosen = &state.1;
        let event = self.event;
        let leaves = event.at(field.path);
        let mut found = field.matcher.absent
            && !leaves.iter().any(|leaf| agrees(event, leaf, chosen))
            && self.from(at + 1, chosen);
        for leaf in leaves {
            if found {
                break;
            }
            if agrees(event, leaf, chosen) && field.matcher.accepts(&leaf.value) {
                let mut extended = chosen.clone();
                extended.extend(event.elements(leaf).filter(|pair| !chosen.contains(pair)));
                found = self.from(at + 1, &extended);
            }
        }
        if !found {
            self.failed.insert(state);
        }
        found
    }
}

/// Whether the leaf lies in the chosen element of every array that has a chosen one.
fn agrees(event: &Event<'_>, leaf: &Leaf<'_>, chosen: &[(u32, u32)]) -> bool {
    event
        .elements(leaf)
        .all(|(array, element)| chosen.iter().all(|&(other, picked)| other != array || picked == element))
}
