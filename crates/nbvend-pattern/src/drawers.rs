//! Where the rule index files the branches that hang on one path.
//!
//! What a value is looked up by must find every branch that could accept it; finding more is fine,
//! for they are all checked in full afterwards.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::event::Scalar;
use crate::matcher::{Matcher, Test};

/// A branch: its rule's place and its number in the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ref {
    pub rule: usize,
    pub branch: usize,
}

/// The branches filed under one path.
#[derive(Debug, Default)]
pub(crate) struct Drawers {
    texts: HashMap<Box<str>, Vec<Ref>>,
    /// By ASCII text in lower case.
    folded: HashMap<Box<str>, Vec<Ref>>,
    literals: HashMap<Literal, Vec<Ref>>,
    beginnings: Affixes,
    endings: Affixes,
    /// To be asked one by one.
    others: Vec<(Ref, Arc<Matcher>)>,
}

/// Branches by a beginning or ending, and how many such texts there are of each length in bytes.
#[derive(Debug, Default)]
struct Affixes {
    by_text: HashMap<Box<str>, Vec<Ref>>,
    lengths: BTreeMap<usize, usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Literal {
    Number(i64),
    Bool(bool),
    Null,
}

/// What a value must show to be accepted by one test.
enum Tag<'t> {
    Text(&'t str),
    Folded(String),
    Literal(Literal),
    Begins(&'t str),
    Ends(&'t str),
}

fn tag(test: &Test) -> Option<Tag<'_>> {
    match test {
        Test::Text(text) => Some(Tag::Text(text)),
        Test::Number(value, _) => value.map(|n| Tag::Literal(Literal::Number(n))),
        Test::Range { low, high, .. } if low == high => Some(Tag::Literal(Literal::Number(*low))),
        Test::Bool(value) => Some(Tag::Literal(Literal::Bool(*value))),
        Test::Null => Some(Tag::Literal(Literal::Null)),
        Test::Prefix(text) if !text.is_empty() => Some(Tag::Begins(text)),
        Test::Suffix(text) if !text.is_empty() => Some(Tag::Ends(text)),
        Test::Folded(text) => text.ascii_key().map(Tag::Folded),
        Test::Wildcard(wildcard) => match (wildcard.literal(), wildcard.edges()) {
            (Some(text), _) => Some(Tag::Text(text)),
            (None, Some((first, _))) if !first.is_empty() => Some(Tag::Begins(first)),
            (None, Some((_, last))) if !last.is_empty() => Some(Tag::Ends(last)),
            _ => None,
        },
        _ => None,
    }
}

/// The tags of all alternatives; `None` if one of them has none.
fn tags(matcher: &Matcher) -> Option<Vec<Tag<'_>>> {
    matcher.tests.iter().map(tag).collect()
}

impl Drawers {
    /// How many branches one would be filed beside, by this matcher: the fewer the better.
    pub fn crowd(&self, matcher: &Matcher) -> usize {
        let Some(tags) = tags(matcher) else { return 4 + self.others.len() };
        let len = |refs: Option<&Vec<Ref>>| refs.map_or(0, Vec::len);
        let each = tags.iter().map(|tag| match tag {
            Tag::Text(text) => len(self.texts.get(*text)),
            Tag::Folded(text) => len(self.folded.get(text.as_str())),
            Tag::Literal(literal) => len(self.literals.get(literal)),
            Tag::Begins(text) => 1 + len(self.beginnings.by_text.get(*text)),
            Tag::Ends(text) => 1 + len(self.endings.by_text.get(*text)),
        });
        each.sum()
    }

    pub fn put(&mut self, branch: Ref, matcher: &Arc<Matcher>) {
        let Some(tags) = tags(matcher) else {
            self.others.push((branch, Arc::clone(matcher)));
            return;
        };
        for tag in tags {
            match tag {
                Tag::Text(text) => self.texts.entry(text.into()).or_default().push(branch),
                Tag::Folded(text) => self.folded.entry(text.into()).or_default().push(branch),
                Tag::Literal(literal) => self.literals.entry(literal).or_default().push(branch),
                Tag::Begins(text) => self.beginnings.put(text, branch),
                Tag::Ends(text) => self.endings.put(text, branch),
            }
        }
    }

    pub fn take(&mut self, branch: Ref, matcher: &Matcher) {
        let Some(tags) = tags(matcher) else {
            self.others.retain(|(other, _)| *other != branch);
            return;
        };
        for tag in tags {
            match tag {
                Tag::Text(text) => remove(&mut self.texts, text, branch),
                Tag::Folded(text) => remove(&mut self.folded, &text, branch),
                Tag::Literal(literal) => {
                    if let Some(refs) = self.literals.get_mut(&literal) {
                        refs.retain(|other| *other != branch);
                    }
                }
                Tag::Begins(text) => self.beginnings.take(text, branch),
                Tag::Ends(text) => self.endings.take(text, branch),
            }
        }
    }

    /// Adds every branch that could accept the value, some perhaps twice.
    pub fn find(&self, value: &Scalar<'_>, found: &mut Vec<Ref>) {
        let literal = match value {
            Scalar::Str(text, _) => {
                self.find_text(text, found);
                None
            }
            Scalar::Num(_, comparable) => comparable.map(Literal::Number),
            Scalar::Bool(value) => Some(Literal::Bool(*value)),
            Scalar::Null => Some(Literal::Null),
        };
        if let Some(refs) = literal.and_then(|literal| self.literals.get(&literal)) {
            found.extend(refs);
        }
        let others = self.others.iter().filter(|(_, matcher)| matcher.accepts(value));
        found.extend(others.map(|(branch, _)| *branch));
    }

    fn find_text(&self, text: &str, found: &mut Vec<Ref>) {
        found.extend(self.texts.get(text).into_iter().flatten());
        if !self.folded.is_empty() {
            found.extend(self.folded.get(text.to_ascii_lowercase().as_str()).into_iter().flatten());
        }
        for &length in self.beginnings.lengths.keys().take_while(|length| **length <= text.len()) {
            if let Some(head) = text.get(..length) {
                found.extend(self.beginnings.by_text.get(head).into_iter().flatten());
            }
        }
        for &length in self.endings.lengths.keys().take_while(|length| **length <= text.len()) {
            if let Some(tail) = text.get(text.len() - length..) {
                found.extend(self.endings.by_text.get(tail).into_iter().flatten());
            }
        }
    }
}

fn remove(map: &mut HashMap<Box<str>, Vec<Ref>>, text: &str, branch: Ref) {
    if let Some(refs) = map.get_mut(text) {
        refs.retain(|other| *other != branch);
        if refs.is_empty() {
            map.remove(text);
        }
    }
}

impl Affixes {
    fn put(&mut self, text: &str, branch: Ref) {
        let refs = self.by_text.entry(text.into()).or_default();
        if refs.is_empty() {
            *self.lengths.entry(text.len()).or_default() += 1;
        }
        refs.push(branch);
    }

    fn take(&mut self, text: &str, branch: Ref) {
        if !self.by_text.contains_key(text) {
            return;
        }
        remove(&mut self.by_text, text, branch);
        if !self.by_text.contains_key(text)
            && let Some(count) = self.lengths.get_mut(&text.len())
        {
            *count -= 1;
            if *count == 0 {
                self.lengths.remove(&text.len());
            }
        }
    }
}
