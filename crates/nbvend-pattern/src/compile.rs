//! From a pattern's text to its branches.
//!
//! `$or` multiplies a pattern into branches, each a set of fields that must all match; the pattern
//! matches if one of them does. This is how event-ruler does it, and it shows: a path named twice
//! keeps the last value, in each branch on its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Number;

use crate::cidr;
use crate::expression::{self, Expression};
use crate::json::{Reader, Token};
use crate::matcher::{Matcher, Test};
use crate::number;
use crate::pattern::Fault;

/// Fields by the text of their path, in its order.
pub(crate) type Branch = BTreeMap<Arc<str>, Arc<Matcher>>;

/// AWS documents that `$or` may make 1000 combinations and no more.
const MAX_BRANCHES: usize = 1000;

/// Names that cannot be fields inside `$or`, so that an old pattern with a field called `$or` is
/// not mistaken for an alternative.
const RESERVED: [&str; 25] = [
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "html",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

/// Compiles a pattern.
///
/// A pattern in which `$or` cannot be read as alternatives is read once more with `$or` as a field
/// like any other; if that fails too, the first complaint stands.
pub(crate) fn compile(text: &str) -> Result<Vec<Branch>, Fault> {
    run(text, true).or_else(|fault| match text.contains("$or") {
        true => run(text, false).map_err(|_| fault),
        false => Err(fault),
    })
}

fn run(text: &str, alternatives: bool) -> Result<Vec<Branch>, Fault> {
    let mut compiler = Compiler {
        reader: Reader::new(text),
        alternatives,
        path: Vec::new(),
        branches: Vec::new(),
        too_complex: false,
    };
    if compiler.reader.next()? != Token::StartObject {
        return Err(Fault::here(&compiler.reader, "Filter is not an object").into_syntax());
    }
    // What follows the closing brace is not looked at, as by event-ruler.
    compiler.object(false)?;
    if compiler.too_complex {
        return Err(Fault::without_place(
            "Rule is too complex - try using fewer wildcard characters or fewer repeating character \
             sequences after a wildcard character"
                .to_owned(),
        ));
    }
    Ok(compiler.branches)
}

fn too_complex(test: &Test) -> bool {
    match test {
        Test::Wildcard(wildcard) => wildcard.too_complex(),
        Test::Not(tests) => tests.iter().any(too_complex),
        _ => false,
    }
}

struct Compiler<'a> {
    reader: Reader<'a>,
    /// `$or` means alternatives.
    alternatives: bool,
    path: Vec<String>,
    branches: Vec<Branch>,
    /// Some wildcard is. Complained of last, for AWS looks at this when the rest is in order.
    too_complex: bool,
}

impl Compiler<'_> {
    fn object(&mut self, inside_or: bool) -> Result<(), Fault> {
        let mut empty = true;
        while self.reader.next()? != Token::EndObject {
            empty = false;
            let name = self.reader.name().to_owned();
            if self.alternatives && name == "$or" {
                self.or()?;
                continue;
            }
            if inside_or && RESERVED.contains(&name.as_str()) {
                let reason = format!("{name} is Ruler reserved fieldName which cannot be used inside $or.");
                return Err(Fault::here(&self.reader, reason));
            }
            match self.reader.next()? {
                Token::StartObject => {
                    self.path.push(name);
                    self.object(inside_or)?;
                    self.path.pop();
                }
                Token::StartArray => self.field(&name)?,
                _ => {
                    let reason = format!("\"{name}\" must be an object or an array");
                    return Err(Fault::here(&self.reader, reason));
                }
            }
        }
        if empty {
            return Err(Fault::here(&self.reader, "Empty objects are not allowed"));
        }
        Ok(())
    }

    fn or(&mut self) -> Result<(), Fault> {
        if self.reader.next()? != Token::StartArray {
            return Err(Fault::here(&self.reader, "It must be an Array followed with $or."));
        }
        let before = std::mem::take(&mut self.branches);
        let mut grown = Vec::new();
        let mut count = 0;
        loop {
            match self.reader.next()? {
                Token::EndArray => break,
                Token::StartObject => {
                    count += 1;
                    self.branches = if before.is_empty() { vec![Branch::new()] } else { before.clone() };
                    self.object(true)?;
                    grown.append(&mut self.branches);
                    if grown.len() > MAX_BRANCHES {
                        // The limit is AWS's, the words are not on record.
                        let reason = "Rule is too complex - try using fewer $or combinations";
                        return Err(Fault::without_place(reason.to_owned()));
                    }
                }
                _ => {
                    let reason = "Only JSON object is allowed in array of $or relationship.";
                    return Err(Fault::here(&self.reader, reason));
                }
            }
        }
        if count < 2 {
            let reason = "There must have at least 2 Objects in $or relationship.";
            return Err(Fault::here(&self.reader, reason));
        }
        self.branches = grown;
        Ok(())
    }

    fn field(&mut self, name: &str) -> Result<(), Fault> {
        let (mut tests, mut absent) = (Vec::new(), false);
        loop {
            match self.reader.next()? {
                Token::EndArray => break,
                Token::StartObject => match expression::read(&mut self.reader)? {
                    Expression::Test(test) => tests.push(test),
                    Expression::Absent => absent = true,
                },
                Token::Str => {
                    let text = self.reader.value_text()?;
                    tests.push(match cidr::address(&text) {
                        Some(ip) => Test::Address(ip),
                        None => Test::Text(text.into()),
                    });
                }
                Token::Num => {
                    let text = self.reader.value_text()?;
                    let literal: Number = serde_json::from_str(&text).unwrap_or_else(|_| 0.into());
                    tests.push(Test::Number(number::parse(&text).ok(), literal));
                }
                Token::True => tests.push(Test::Bool(true)),
                Token::False => tests.push(Test::Bool(false)),
                Token::Null => tests.push(Test::Null),
                _ => {
                    let reason = "Match value must be String, number, true, false, or null";
                    return Err(Fault::here(&self.reader, reason));
                }
            }
        }
        if tests.is_empty() && !absent {
            return Err(Fault::here(&self.reader, "Empty arrays are not allowed"));
        }
        if self.branches.is_empty() {
            self.branches.push(Branch::new());
        }
        self.too_complex |= tests.iter().any(too_complex);
        let base = self.path.join(".");
        let path: Arc<str> = if base.is_empty() { name.into() } else { format!("{base}.{name}").into() };
        let matcher = Arc::new(Matcher { tests, absent });
        for branch in &mut self.branches {
            branch.insert(Arc::clone(&path), Arc::clone(&matcher));
        }
        Ok(())
    }
}
