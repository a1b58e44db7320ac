//! The values the transform works on: JSON values whose strings remember whether they came from the template and
//! whose dictionaries remember which order Python kept them in. Only the API documents need either (see
//! [`super::py27`]), but they are built from parts of the whole template.

use serde_json::{Map, Number, Value};

use super::py27::{self, Slots};

/// A string, and whether it prints as `u'...'`: true for strings of the template (and what is derived from them
/// by concatenation or replacement), false for the transform's own.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    text: String,
    pub(crate) marked: bool,
}

impl Text {
    pub(crate) fn marked(text: impl Into<String>) -> Self {
        Self { text: text.into(), marked: true }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Another text with this one's mark: what Python's `+`, `replace`, `lower` give.
    pub(crate) fn like(&self, text: impl Into<String>) -> Self {
        Self { text: text.into(), marked: self.marked }
    }
}

impl std::ops::Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), marked: false }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self { text, marked: false }
    }
}

impl From<&Text> for Text {
    fn from(text: &Text) -> Self {
        text.clone()
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(Text),
    List(Vec<Node>),
    Dict(Dict),
}

impl Node {
    pub(crate) fn marked(text: impl Into<String>) -> Self {
        Self::Text(Text::marked(text))
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text.as_str()) } else { None }
    }

    pub(crate) fn as_text(&self) -> Option<&Text> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(crate) fn as_dict(&self) -> Option<&Dict> {
        if let Self::Dict(dict) = self { Some(dict) } else { None }
    }

    pub(crate) fn as_dict_mut(&mut self) -> Option<&mut Dict> {
        if let Self::Dict(dict) = self { Some(dict) } else { None }
    }

    pub(crate) fn as_list(&self) -> Option<&Vec<Node>> {
        if let Self::List(list) = self { Some(list) } else { None }
    }

    pub(crate) fn as_list_mut(&mut self) -> Option<&mut Vec<Node>> {
        if let Self::List(list) = self { Some(list) } else { None }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.as_dict().and_then(|dict| dict.get(key))
    }

    /// Python's truth: false for None, False, 0, and what is empty.
    pub(crate) fn truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Number(number) => number.as_f64() != Some(0.0),
            Self::Text(text) => !text.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Dict(dict) => !dict.is_empty(),
        }
    }

    /// `str(value)`: a string as it is, anything else as Python prints it.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.text.clone(),
            other => py27::print(other),
        }
    }

    pub(crate) fn from_json(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(number.clone()),
            Value::String(text) => Self::from(text.as_str()),
            Value::Array(items) => Self::List(items.iter().map(Self::from_json).collect()),
            Value::Object(map) => Self::Dict(
                map.iter().map(|(key, value)| (Text::from(key.as_str()), Self::from_json(value))).collect(),
            ),
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(number) => Value::Number(number.clone()),
            Self::Text(text) => Value::String(text.text.clone()),
            Self::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Self::Dict(dict) => Value::Object(dict.to_json()),
        }
    }

    /// The same value as template text of an API: every string marked, every dictionary in Python 2.7's order.
    pub(crate) fn into_marked(self) -> Self {
        match self {
            Self::Text(text) => Self::marked(text.text),
            Self::List(items) => Self::List(items.into_iter().map(Self::into_marked).collect()),
            Self::Dict(dict) => {
                let mut marked = Dict::py27();
                for (key, value) in dict {
                    marked.insert(Text::marked(key.text), value.into_marked());
                }
                Self::Dict(marked)
            }
            other => other,
        }
    }

    /// `copy.deepcopy`: dictionaries are filled again, in the order they iterate.
    pub(crate) fn deep_copy(&self) -> Self {
        match self {
            Self::List(items) => Self::List(items.iter().map(Self::deep_copy).collect()),
            Self::Dict(dict) => Self::Dict(dict.deep_copy()),
            other => other.clone(),
        }
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}
impl From<String> for Node {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}
impl From<Text> for Node {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}
impl From<bool> for Node {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
impl From<i64> for Node {
    fn from(value: i64) -> Self {
        Self::Number(value.into())
    }
}
impl From<Vec<Node>> for Node {
    fn from(items: Vec<Node>) -> Self {
        Self::List(items)
    }
}
impl From<Dict> for Node {
    fn from(dict: Dict) -> Self {
        Self::Dict(dict)
    }
}

/// A dictionary, ordered by insertion or as Python 2.7 would order it.
#[derive(Clone, Debug)]
pub(crate) struct Dict {
    /// Removed entries of a Python 2.7 dictionary stay as `None`, so that slots may point at entries.
    entries: Vec<Option<(Text, Node)>>,
    slots: Option<Slots>,
}

impl Dict {
    /// In order of insertion.
    pub(crate) fn new() -> Self {
        Self { entries: Vec::new(), slots: None }
    }

    /// In the order of a Python 2.7 `dict`.
    pub(crate) fn py27() -> Self {
        Self { entries: Vec::new(), slots: Some(Slots::new()) }
    }

    fn find(&self, key: &str) -> Option<usize> {
        let same = |entry: usize| self.entries[entry].as_ref().is_some_and(|(k, _)| k.as_str() == key);
        match &self.slots {
            Some(slots) => slots.find(py27::hash(key), same),
            None => (0..self.entries.len()).find(|entry| same(*entry)),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.find(key).and_then(|entry| self.entries[entry].as_ref()).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        let entry = self.find(key)?;
        self.entries[entry].as_mut().map(|(_, value)| value)
    }

    /// The value under `key` unless it is absent or null.
    pub(crate) fn given(&self, key: &str) -> Option<&Node> {
        self.get(key).filter(|value| **value != Node::Null)
    }

    pub(crate) fn str(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Node::as_str)
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// Sets `key`; a key that is there keeps its place and its own mark.
    pub(crate) fn insert(&mut self, key: impl Into<Text>, value: impl Into<Node>) {
        let (key, value) = (key.into(), value.into());
        if let Some(entry) = self.find(&key) {
            if let Some((_, old)) = self.entries[entry].as_mut() {
                *old = value;
            }
            return;
        }
        let hash = py27::hash(&key);
        self.entries.push(Some((key, value)));
        if let Some(slots) = &mut self.slots {
            slots.add(hash, self.entries.len() - 1);
        }
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<Node> {
        let entries = &mut self.entries;
        let Some(slots) = &mut self.slots else {
            let entry =
                entries.iter().position(|entry| entry.as_ref().is_some_and(|(k, _)| k.as_str() == key))?;
            return entries.remove(entry).map(|(_, value)| value);
        };
        let entry = slots.remove(py27::hash(key), |entry| {
            entries[entry].as_ref().is_some_and(|(k, _)| k.as_str() == key)
        })?;
        entries[entry].take().map(|(_, value)| value)
    }

    /// The value under `key`, put there first if there is none.
    pub(crate) fn entry(&mut self, key: impl Into<Text>, or: impl FnOnce() -> Node) -> &mut Node {
        let key = key.into();
        let entry = match self.find(&key) {
            Some(entry) => entry,
            None => {
                self.insert(key, or());
                self.entries.len() - 1
            }
        };
        &mut self.entries[entry].as_mut().expect("an entry that was found or just made").1
    }

    /// Merges another dictionary into this one, as `dict.update` does (the table may grow first).
    pub(crate) fn update(&mut self, other: Dict) {
        if let Some(slots) = &mut self.slots {
            slots.grow_for(other.len());
        }
        for (key, value) in other {
            self.insert(key, value);
        }
    }

    pub(crate) fn deep_copy(&self) -> Self {
        let mut copy = if self.slots.is_some() { Self::py27() } else { Self::new() };
        for (key, value) in self.iter() {
            copy.insert(key.clone(), value.deep_copy());
        }
        copy
    }

    /// `dict.copy`, which is a merge into an empty dictionary.
    pub(crate) fn copy(&self) -> Self {
        let mut copy = if self.slots.is_some() { Self::py27() } else { Self::new() };
        if let Some(slots) = &mut copy.slots {
            slots.grow_for(self.len());
        }
        for (key, value) in self.iter() {
            copy.insert(key.clone(), value.clone());
        }
        copy
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.iter().flatten().count()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn order(&self) -> Vec<usize> {
        match &self.slots {
            Some(slots) => slots.order().collect(),
            None => (0..self.entries.len()).collect(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Text, &Node)> {
        self.order()
            .into_iter()
            .filter_map(|entry| self.entries[entry].as_ref())
            .map(|(key, value)| (key, value))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &Text> {
        self.iter().map(|(key, _)| key)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Node> {
        self.iter().map(|(_, value)| value)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        self.entries.iter_mut().flatten().map(|(_, value)| value)
    }

    /// The key and value, if this is all there is.
    pub(crate) fn single(&self) -> Option<(&Text, &Node)> {
        if self.len() == 1 { self.iter().next() } else { None }
    }

    pub(crate) fn to_json(&self) -> Map<String, Value> {
        self.iter().map(|(key, value)| (key.text.clone(), value.to_json())).collect()
    }
}

impl PartialEq for Dict {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}

impl FromIterator<(Text, Node)> for Dict {
    fn from_iter<I: IntoIterator<Item = (Text, Node)>>(entries: I) -> Self {
        // Without duplicates to look for: template maps have unique keys.
        Self { entries: entries.into_iter().map(Some).collect(), slots: None }
    }
}

impl IntoIterator for Dict {
    type Item = (Text, Node);
    type IntoIter = std::vec::IntoIter<(Text, Node)>;
    fn into_iter(mut self) -> Self::IntoIter {
        let order = self.order();
        order.into_iter().filter_map(|entry| self.entries[entry].take()).collect::<Vec<_>>().into_iter()
    }
}

/// `dict! { "Key" => value, .. }`: a dictionary in order of insertion.
macro_rules! dict {
    ($($key:expr => $value:expr),* $(,)?) => {{
        #[allow(unused_mut)]
        let mut dict = $crate::sam::node::Dict::new();
        $(dict.insert($key, $value);)*
        dict
    }};
}

/// `ordered! { "key" => value, .. }`: a dictionary in Python 2.7's order, filled in the order written.
macro_rules! ordered {
    ($($key:expr => $value:expr),* $(,)?) => {{
        #[allow(unused_mut)]
        let mut dict = $crate::sam::node::Dict::py27();
        $(dict.insert($key, $value);)*
        dict
    }};
}

/// `list![a, b]`: a list of nodes.
macro_rules! list {
    ($($item:expr),* $(,)?) => { $crate::sam::node::Node::List(vec![$($crate::sam::node::Node::from($item)),*]) };
}

pub(crate) use {dict, list, ordered};
