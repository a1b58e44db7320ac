//! Many rules at once.
//!
//! Each branch of each rule is filed under one of its fields, the one that tells most. An event
//! looks up its own values and so meets few branches; those are then checked in full. The answer is
//! therefore the same as asking every pattern in turn.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use serde_json::Value;

use crate::drawers::{Drawers, Ref};
use crate::event::{Event, Paths};
use crate::matcher::{self, Field};
use crate::pattern::Pattern;

/// Rules by key, answering which of them want an event.
///
/// Paths of removed rules are remembered until the index is empty; where rules with ever new paths
/// come and go, build a new index now and then.
#[derive(Debug)]
pub struct RuleIndex<K> {
    places: HashMap<K, usize>,
    rules: Vec<Option<Rule<K>>>,
    free: Vec<usize>,
    paths: Paths,
    /// By path number.
    drawers: Vec<Drawers>,
    /// Branches of which every field may be absent: candidates for every event.
    unfiled: Vec<Ref>,
    inserted: u64,
}

#[derive(Debug)]
struct Rule<K> {
    key: K,
    order: u64,
    branches: Vec<Branch>,
}

#[derive(Debug)]
struct Branch {
    fields: Vec<Field>,
    /// The field under which the branch is filed.
    filed: Option<usize>,
}

impl<K> Default for RuleIndex<K> {
    fn default() -> Self {
        RuleIndex {
            places: HashMap::new(),
            rules: Vec::new(),
            free: Vec::new(),
            paths: Paths::default(),
            drawers: Vec::new(),
            unfiled: Vec::new(),
            inserted: 0,
        }
    }
}

impl<K: Clone + Eq + Hash> RuleIndex<K> {
    pub fn new() -> Self {
        Self::default()
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Adds a rule. A rule of the same key is replaced and loses its place in the order.
    pub fn insert(&mut self, key: K, pattern: impl Borrow<Pattern>) {
        let pattern = pattern.borrow();
        self.remove(&key);
        let place = self.free.pop().unwrap_or_else(|| {
            self.rules.push(None);
            self.rules.len() - 1
        });
        let paths: Vec<u32> = pattern.names.iter().map(|name| self.paths.intern(name)).collect();
        let highest = paths.iter().max().map_or(0, |path| *path as usize + 1);
        if self.drawers.len() < highest {
            self.drawers.resize_with(highest, Drawers::default);
        }
        let mut branches = Vec::new();
        for (number, fields) in pattern.branches.iter().enumerate() {
            let translate =
                |field: &Field| Field { path: paths[field.path as usize], matcher: field.matcher.clone() };
            let fields: Vec<Field> = fields.iter().map(translate).collect();
            let filed = self.file(Ref { rule: place, branch: number }, &fields);
            branches.push(Branch { fields, filed });
        }
        self.inserted += 1;
        self.rules[place] = Some(Rule { key: key.clone(), order: self.inserted, branches });
        self.places.insert(key, place);
    }

    /// Files a branch under the field where it has the least company; of equals the last, which is
    /// more often one of the detail's than of the envelope's.
    fn file(&mut self, branch: Ref, fields: &[Field]) -> Option<usize> {
        let best = (0..fields.len())
            .rev()
            .filter(|at| !fields[*at].matcher.absent)
            .min_by_key(|at| self.drawers[fields[*at].path as usize].crowd(&fields[*at].matcher));
        match best {
            Some(at) => self.drawers[fields[at].path as usize].put(branch, &fields[at].matcher),
            None => self.unfiled.push(branch),
        }
        best
    }

    /// Removes a rule; whether there was one.
    pub fn remove(&mut self, key: &K) -> bool {
        let Some(place) = self.places.remove(key) else { return false };
        if let Some(rule) = self.rules[place].take() {
            for (number, branch) in rule.branches.iter().enumerate() {
                let reference = Ref { rule: place, branch: number };
                match branch.filed {
                    Some(at) => {
                        let field = &branch.fields[at];
                        self.drawers[field.path as usize].take(reference);
                    }
                    None => self.unfiled.retain(|other| *other != reference),
                }
            }
        }
        self.free.push(place);
        if self.places.is_empty() {
            *self = RuleIndex { inserted: self.inserted, ..Self::default() };
        }
        true
    }

    /// The keys of the rules that want the event, in the order of their insertion.
    pub fn matches(&self, event: &Value) -> Vec<K> {
        let event = Event::new(&self.paths, event);
        let mut candidates = self.unfiled.clone();
        for leaf in event.leaves() {
            self.drawers[leaf.path as usize].find(&leaf.value, &mut candidates);
        }
        candidates.sort_unstable();
        candidates.dedup();
        let mut matched: Vec<(u64, &K)> = Vec::new();
        let mut last = None;
        for Ref { rule: place, branch } in candidates {
            if last == Some(place) {
                continue;
            }
            if let Some(rule) = &self.rules[place]
                && matcher::all_match(&event, &rule.branches[branch].fields)
            {
                matched.push((rule.order, &rule.key));
                last = Some(place);
            }
        }
        matched.sort_unstable_by_key(|(order, _)| *order);
        matched.into_iter().map(|(_, key)| key.clone()).collect()
    }
}
