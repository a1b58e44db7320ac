//! An event as patterns see it: a flat list of leaves, each with the path that leads to it and the
//! array elements it lies in.

use std::collections::HashMap;
use std::net::IpAddr;

use serde_json::{Number, Value};

use crate::{cidr, number};

/// The paths that some pattern names, as a tree of steps. Everything else in an event is skipped.
///
/// A path is one dotted text: `{"a": {"b": …}}` and `{"a.b": …}` are the same to EventBridge, in
/// patterns as in events.
#[derive(Debug, Default, Clone)]
pub(crate) struct Paths {
    nodes: Vec<Node>,
    count: u32,
}

#[derive(Debug, Default, Clone)]
struct Node {
    children: HashMap<Box<str>, usize>,
    path: Option<u32>,
}

impl Paths {
    /// The number of a path, new or known. Numbers count from 0.
    pub fn intern(&mut self, path: &str) -> u32 {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        let mut at = 0;
        for step in path.split('.') {
            at = match self.nodes[at].children.get(step) {
                Some(&child) => child,
                None => {
                    let child = self.nodes.len();
                    self.nodes.push(Node::default());
                    self.nodes[at].children.insert(step.into(), child);
                    child
                }
            };
        }
        let next = self.count;
        let id = *self.nodes[at].path.get_or_insert(next);
        if id == next {
            self.count += 1;
        }
        id
    }

    fn step(&self, from: usize, key: &str) -> Option<usize> {
        let node = self.nodes.get(from)?;
        match node.children.get(key) {
            Some(&child) => Some(child),
            None if key.contains('.') => {
                key.split('.').try_fold(from, |at, step| self.nodes[at].children.get(step).copied())
            }
            None => None,
        }
    }
}

/// A leaf's value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scalar<'e> {
    /// With the address it spells, if it spells one.
    Str(&'e str, Option<IpAddr>),
    /// With its value in millionths, if it is comparable.
    Num(&'e Number, Option<i64>),
    Bool(bool),
    Null,
}

/// One array element a leaf lies in, and the element around that.
#[derive(Debug)]
struct Membership {
    array: u32,
    element: u32,
    outer: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct Leaf<'e> {
    pub path: u32,
    pub value: Scalar<'e>,
    /// The innermost array element around this leaf. Scalars directly in an array are in none:
    /// they are alternatives of one field, and combine freely with other fields.
    element: Option<usize>,
}

/// The leaves at the wanted paths, ordered by path.
#[derive(Debug)]
pub(crate) struct Event<'e> {
    leaves: Vec<Leaf<'e>>,
    memberships: Vec<Membership>,
    arrays: u32,
}

impl<'e> Event<'e> {
    pub fn new(paths: &Paths, event: &'e Value) -> Self {
        let mut flat = Event { leaves: Vec::new(), memberships: Vec::new(), arrays: 0 };
        if event.is_object() && !paths.nodes.is_empty() {
            flat.walk(paths, 0, event, None);
        }
        flat.leaves.sort_by_key(|leaf| leaf.path);
        flat
    }

    fn walk(&mut self, paths: &Paths, node: usize, value: &'e Value, element: Option<usize>) {
        match value {
            Value::Object(map) => {
                for (key, child) in map {
                    if let Some(next) = paths.step(node, key) {
                        self.walk(paths, next, child, element);
                    }
                }
            }
            Value::Array(items) => {
                let array = self.arrays;
                self.arrays += 1;
                for (index, item) in (0_u32..).zip(items) {
                    if item.is_object() || item.is_array() {
                        self.memberships.push(Membership { array, element: index, outer: element });
                        self.walk(paths, node, item, Some(self.memberships.len() - 1));
                    } else {
                        self.leaf(paths, node, item, element);
                    }
                }
            }
            _ => self.leaf(paths, node, value, element),
        }
    }

    fn leaf(&mut self, paths: &Paths, node: usize, value: &'e Value, element: Option<usize>) {
        let Some(path) = paths.nodes[node].path else { return };
        let value = match value {
            Value::String(text) => Scalar::Str(text, cidr::address(text)),
            Value::Number(n) => Scalar::Num(n, number::comparable(n)),
            Value::Bool(b) => Scalar::Bool(*b),
            _ => Scalar::Null,
        };
        self.leaves.push(Leaf { path, value, element });
    }

    pub fn leaves(&self) -> &[Leaf<'e>] {
        &self.leaves
    }

    pub fn at(&self, path: u32) -> &[Leaf<'e>] {
        let from = self.leaves.partition_point(|leaf| leaf.path < path);
        let to = from + self.leaves[from..].partition_point(|leaf| leaf.path == path);
        &self.leaves[from..to]
    }

    /// The (array, element) pairs around a leaf, innermost first.
    pub fn elements(&self, leaf: &Leaf<'_>) -> impl Iterator<Item = (u32, u32)> + '_ {
        std::iter::successors(leaf.element, |at| self.memberships[*at].outer)
            .map(|at| (self.memberships[at].array, self.memberships[at].element))
    }

    pub fn in_array(leaf: &Leaf<'_>) -> bool {
        leaf.element.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn leaves_and_their_elements() {
        let mut paths = Paths::default();
        let (deep, list) = (paths.intern("a.b.c"), paths.intern("l"));
        assert_eq!(paths.intern("a.b.c"), deep);
        let event =
            json!({"a": [{"b.c": 1}, {"b": [[{"c": 2}]]}], "a.b.c": 3, "l": [4, [5], "x"], "skipped": 6});
        let flat = Event::new(&paths, &event);
        let seen = |path| -> Vec<(String, Vec<(u32, u32)>)> {
            flat.at(path)
                .iter()
                .map(|leaf| {
                    let text = match leaf.value {
                        Scalar::Num(n, _) => n.to_string(),
                        Scalar::Str(s, _) => s.to_owned(),
                        _ => "?".to_owned(),
                    };
                    (text, flat.elements(leaf).collect())
                })
                .collect()
        };
        assert_eq!(
            seen(deep),
            [
                ("1".to_owned(), vec![(0, 0)]),
                ("2".to_owned(), vec![(2, 0), (1, 0), (0, 1)]),
                ("3".to_owned(), vec![])
            ]
        );
        assert_eq!(
            seen(list),
            [("4".to_owned(), vec![]), ("5".to_owned(), vec![(3, 1)]), ("x".to_owned(), vec![])]
        );
        assert!(flat.at(99).is_empty());
    }
}
