//! Where the rule index files the branches that hang on one path.
//!
//! What a value is looked up by must find every branch that could accept it; finding more is fine,
//! for they are all checked in full afterwards.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::event::Scalar;
use crate::matcher::{Matcher, Test};

/// A branch: its rule's place and its number in the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Ref {
    pub rule: usize,
    pub branch: usize,
}

/// Three bytes in a row of a text.
type Gram = [u8; 3];

/// What a value must show to be accepted by one test.
#[derive(Debug)]
enum Tag {
    Text(Box<str>),
    /// ASCII text, in lower case.
    Folded(Box<str>),
    Literal(Literal),
    Begins(Box<str>),
    Ends(Box<str>),
    Contains(Gram),
    Within(IpNet),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Literal {
    Number(i64),
    Bool(bool),
    Null,
}

/// Branches by a key, and how many keys there are of each length, for a value can be asked only for
/// its own beginnings, endings and networks.
#[derive(Debug)]
struct ByLength<K, L> {
    branches: HashMap<K, Vec<Ref>>,
    lengths: BTreeMap<L, usize>,
}

/// The branches filed under one path.
#[derive(Debug, Default)]
pub(crate) struct Drawers {
    texts: HashMap<Box<str>, Vec<Ref>>,
    folded: HashMap<Box<str>, Vec<Ref>>,
    literals: HashMap<Literal, Vec<Ref>>,
    beginnings: ByLength<Box<str>, usize>,
    endings: ByLength<Box<str>, usize>,
    grams: HashMap<Gram, Vec<Ref>>,
    /// A length of a network is its family and its mask's.
    networks: ByLength<IpNet, (bool, u8)>,
    /// To be asked one by one.
    others: Vec<(Ref, Arc<Matcher>)>,
    /// Where each branch is, for it can be in any of several places.
    filed: HashMap<Ref, Vec<Tag>>,
}

impl Drawers {
    /// How many branches one would be filed beside, by this matcher: the fewer the better.
    pub fn crowd(&self, matcher: &Matcher) -> usize {
        match self.tags(matcher) {
            Some(tags) => tags.iter().map(|tag| self.company(tag)).sum(),
            None => 4 + self.others.len(),
        }
    }

    pub fn put(&mut self, branch: Ref, matcher: &Arc<Matcher>) {
        let Some(tags) = self.tags(matcher) else {
            self.others.push((branch, Arc::clone(matcher)));
            return;
        };
        for tag in &tags {
            match tag {
                Tag::Text(text) => self.texts.entry(text.clone()).or_default().push(branch),
                Tag::Folded(text) => self.folded.entry(text.clone()).or_default().push(branch),
                Tag::Literal(literal) => self.literals.entry(*literal).or_default().push(branch),
                Tag::Begins(text) => self.beginnings.put(text.clone(), text.len(), branch),
                Tag::Ends(text) => self.endings.put(text.clone(), text.len(), branch),
                Tag::Contains(gram) => self.grams.entry(*gram).or_default().push(branch),
                Tag::Within(net) => self.networks.put(*net, net_length(net), branch),
            }
        }
        self.filed.insert(branch, tags);
    }

    pub fn take(&mut self, branch: Ref) {
        let Some(tags) = self.filed.remove(&branch) else {
            self.others.retain(|(other, _)| *other != branch);
            return;
        };
        for tag in tags {
            match tag {
                Tag::Text(text) => remove(&mut self.texts, &text, branch),
                Tag::Folded(text) => remove(&mut self.folded, &text, branch),
                Tag::Literal(literal) => remove(&mut self.literals, &literal, branch),
                Tag::Begins(text) => self.beginnings.take(&text, &text.len(), branch),
                Tag::Ends(text) => self.endings.take(&text, &text.len(), branch),
                Tag::Contains(gram) => remove(&mut self.grams, &gram, branch),
                Tag::Within(net) => self.networks.take(&net, &net_length(&net), branch),
            }
        }
    }

    /// Adds every branch that could accept the value, some perhaps twice.
    pub fn find(&self, value: &Scalar<'_>, found: &mut Vec<Ref>) {
        let literal = match value {
            Scalar::Str(text, address) => {
                self.find_text(text, found);
                if let Some(address) = address {
                    self.find_address(*address, found);
                }
                None
            }
            Scalar::Num(_, comparable) => comparable.map(Literal::Number),
            Scalar::Bool(value) => Some(Literal::Bool(*value)),
            Scalar::Null => Some(Literal::Null),
        };
        if let Some(literal) = literal {
            found.extend(self.literals.get(&literal).into_iter().flatten());
        }
        let others = self.others.iter().filter(|(_, matcher)| matcher.accepts(value));
        found.extend(others.map(|(branch, _)| *branch));
    }

    fn find_text(&self, text: &str, found: &mut Vec<Ref>) {
        found.extend(self.texts.get(text).into_iter().flatten());
        if !self.folded.is_empty() {
            found.extend(self.folded.get(text.to_ascii_lowercase().as_str()).into_iter().flatten());
        }
        let beginnings = self.beginnings.lengths.range(..=text.len()).filter_map(|(n, _)| text.get(..*n));
        for head in beginnings {
            found.extend(self.beginnings.branches.get(head).into_iter().flatten());
        }
        let endings =
            self.endings.lengths.range(..=text.len()).filter_map(|(n, _)| text.get(text.len() - n..));
        for tail in endings {
            found.extend(self.endings.branches.get(tail).into_iter().flatten());
        }
        if !self.grams.is_empty() {
            let mut grams: Vec<Gram> = grams(text).collect();
            grams.sort_unstable();
            grams.dedup();
            for gram in grams {
                found.extend(self.grams.get(&gram).into_iter().flatten());
            }
        }
    }

    fn find_address(&self, address: IpAddr, found: &mut Vec<Ref>) {
        for (v6, bits) in self.networks.lengths.keys() {
            if *v6 == address.is_ipv6()
                && let Ok(net) = IpNet::new(address, *bits)
            {
                found.extend(self.networks.branches.get(&net.trunc()).into_iter().flatten());
            }
        }
    }

    /// The tags of all alternatives; `None` if one of them has none.
    fn tags(&self, matcher: &Matcher) -> Option<Vec<Tag>> {
        matcher.tests.iter().map(|test| self.tag(test)).collect()
    }

    fn tag(&self, test: &Test) -> Option<Tag> {
        match test {
            Test::Text(text) => Some(Tag::Text(text.clone())),
            Test::Number(value, _) => value.map(|n| Tag::Literal(Literal::Number(n))),
            Test::Range { low, high, .. } if low == high => Some(Tag::Literal(Literal::Number(*low))),
            Test::Bool(value) => Some(Tag::Literal(Literal::Bool(*value))),
            Test::Null => Some(Tag::Literal(Literal::Null)),
            Test::Prefix(text) if !text.is_empty() => Some(Tag::Begins(text.clone())),
            Test::Suffix(text) if !text.is_empty() => Some(Tag::Ends(text.clone())),
            Test::Folded(text) => text.ascii_key().map(|text| Tag::Folded(text.into())),
            Test::Address(ip) => Some(Tag::Within(IpNet::from(*ip))),
            Test::Network(net) => Some(Tag::Within(*net)),
            Test::Wildcard(wildcard) => {
                let Some((first, last)) = wildcard.edges() else {
                    return wildcard.literal().map(|text| Tag::Text(text.into()));
                };
                let edges = [Tag::Begins(first.into()), Tag::Ends(last.into())].into_iter();
                let edges = edges.zip([first, last]).filter(|(_, text)| !text.is_empty()).map(|(tag, _)| tag);
                let grams = wildcard.literals().flat_map(grams).map(Tag::Contains);
                edges.chain(grams).min_by_key(|tag| self.company(tag))
            }
            _ => None,
        }
    }

    /// How many branches have this tag. What is looked up more than once counts for more.
    fn company(&self, tag: &Tag) -> usize {
        let len = |refs: Option<&Vec<Ref>>| refs.map_or(0, Vec::len);
        match tag {
            Tag::Text(text) => len(self.texts.get(text)),
            Tag::Folded(text) => len(self.folded.get(text)),
            Tag::Literal(literal) => len(self.literals.get(literal)),
            Tag::Begins(text) => 1 + len(self.beginnings.branches.get(text)),
            Tag::Ends(text) => 1 + len(self.endings.branches.get(text)),
            Tag::Within(net) => 1 + len(self.networks.branches.get(net)),
            Tag::Contains(gram) => 2 + len(self.grams.get(gram)),
        }
    }
}

fn grams(text: &str) -> impl Iterator<Item = Gram> + '_ {
    text.as_bytes().windows(3).map(|window| [window[0], window[1], window[2]])
}

fn net_length(net: &IpNet) -> (bool, u8) {
    (net.addr().is_ipv6(), net.prefix_len())
}

fn remove<K: Eq + Hash>(map: &mut HashMap<K, Vec<Ref>>, key: &K, branch: Ref) {
    if let Some(refs) = map.get_mut(key) {
        refs.retain(|other| *other != branch);
        if refs.is_empty() {
            map.remove(key);
        }
    }
}

impl<K, L> Default for ByLength<K, L> {
    fn default() -> Self {
        ByLength { branches: HashMap::new(), lengths: BTreeMap::new() }
    }
}

impl<K: Eq + Hash, L: Ord> ByLength<K, L> {
    fn put(&mut self, key: K, length: L, branch: Ref) {
        let refs = self.branches.entry(key).or_default();
        if refs.is_empty() {
            *self.lengths.entry(length).or_default() += 1;
        }
        refs.push(branch);
    }

    fn take(&mut self, key: &K, length: &L, branch: Ref) {
        if !self.branches.contains_key(key) {
            return;
        }
        remove(&mut self.branches, key, branch);
        if !self.branches.contains_key(key)
            && let Some(count) = self.lengths.get_mut(length)
        {
            *count -= 1;
            if *count == 0 {
                self.lengths.remove(length);
            }
        }
    }
}
