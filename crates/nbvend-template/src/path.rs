//! Where a value stands: the path from the template's root, and the place in its text.
//!
//! Positions are a tree shaped like the value itself rather than a table by path: a hostile template
//! with long keys above many leaves would make such a table many times larger than its text.

use std::fmt;

use serde_json::Value;

/// Line and column in the text, both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

/// The positions of one value and of everything below it, children in the value's own order.
#[derive(Debug, Clone)]
pub struct Spans {
    /// Where the value starts.
    pub value: Position,
    /// Where its key starts, for a member of an object; else the same as `value`.
    pub key: Position,
    pub children: Vec<Spans>,
}

impl Spans {
    pub fn leaf(at: Position) -> Self {
        Spans { value: at, key: at, children: Vec::new() }
    }

    /// Position of the value at `steps`, or of its deepest existing ancestor. `by_key` asks for the
    /// position of the last member's name instead of its value. A key that is a number finds the
    /// member of a list, too.
    pub fn locate(&self, root: &Value, steps: &[Step<'_>], by_key: bool) -> Position {
        let (mut spans, mut value) = (self, root);
        for step in steps {
            let (index, below) = match (*step, value) {
                (Step::Key(key), Value::Object(map)) => {
                    (map.keys().position(|name| name == key), map.get(key))
                }
                (Step::Key(key), Value::Array(items)) => {
                    let index = key.parse::<usize>().ok();
                    (index, index.and_then(|index| items.get(index)))
                }
                (Step::Index(index), Value::Array(items)) => (Some(index), items.get(index)),
                _ => break,
            };
            let child = index.and_then(|index| spans.children.get(index));
            let (Some(child), Some(below)) = (child, below) else { break };
            (spans, value) = (child, below);
        }
        if by_key { spans.key } else { spans.value }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'p> {
    Key(&'p str),
    Index(usize),
}

/// A path built while walking down: each step borrows the one above, nothing is allocated.
#[derive(Debug, Clone, Copy)]
pub struct Path<'p> {
    above: Option<(&'p Path<'p>, Step<'p>)>,
}

impl<'p> Path<'p> {
    pub const ROOT: Path<'static> = Path { above: None };

    pub fn key<'q>(&'q self, key: &'q str) -> Path<'q> {
        Path { above: Some((self, Step::Key(key))) }
    }

    pub fn index(&self, index: usize) -> Path<'_> {
        Path { above: Some((self, Step::Index(index))) }
    }

    pub fn steps(&self) -> Vec<Step<'_>> {
        let mut steps = Vec::new();
        let mut here = self;
        while let Some((above, step)) = &here.above {
            steps.push(*step);
            here = above;
        }
        steps.reverse();
        steps
    }
}

/// The form AWS prints: `/Resources/Bucket/Properties/Tags/0`.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self.steps() {
            match step {
                Step::Key(key) => write!(f, "/{key}")?,
                Step::Index(index) => write!(f, "/{index}")?,
            }
        }
        Ok(())
    }
}
