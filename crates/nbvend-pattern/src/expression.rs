//! The match expressions of a pattern: `{"prefix": "a"}` and its kin.
//!
//! Checks are made in event-ruler's order, one token at a time, because the first complaint is the
//! one that AWS reports. Some of its texts are odd (a bad `cidr` is called a prefix); they are kept.

use crate::cidr;
use crate::fold::Folded;
use crate::json::{Reader, Token};
use crate::matcher::Test;
use crate::number;
use crate::pattern::Fault;
use crate::wildcard::Wildcard;

/// What an expression asks: something of the value, or that there be none.
pub(crate) enum Expression {
    Test(Test),
    Absent,
}

const ONE_KEY: &str = "Only one key allowed in match expression";
const TOO_MANY: &str = "Too many elements in numeric expression";
const ANYTHING_BUT_KIND: &str = "Value of anything-but must be an array or single string/number value.";
const IGNORE_CASE_KIND: &str =
    "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.";

/// Reads an expression whose opening brace has been consumed.
pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Expression, Fault> {
    if reader.next()? != Token::Name {
        return Err(Fault::here(reader, "Match expression name not found"));
    }
    let test = match reader.name() {
        // Not in AWS's documents, but understood.
        "exactly" => Test::Text(only_string(reader, "exact match pattern must be a string")?.into()),
        "prefix" => match affix(reader, "prefix", "Prefix")? {
            Affix::Plain(text) => Test::Prefix(text.into()),
            Affix::Folded(text) => Test::PrefixFolded(text),
        },
        "suffix" => match affix(reader, "suffix", "Suffix")? {
            Affix::Plain(text) => Test::Suffix(text.into()),
            Affix::Folded(text) => Test::SuffixFolded(text),
        },
        "equals-ignore-case" => Test::Folded(Folded::new(&only_string(
            reader,
            "equals-ignore-case match pattern must be a string",
        )?)),
        "cidr" => {
            let text = string(reader, "prefix match pattern must be a string")?;
            let net = cidr::network(&text).map_err(Fault::without_place)?;
            end(reader, ONE_KEY)?;
            Test::Network(net)
        }
        "wildcard" => {
            let text = string(reader, "wildcard match pattern must be a string")?;
            let wildcard = Wildcard::parse(&text).map_err(|reason| Fault::here(reader, reason))?;
            end(reader, ONE_KEY)?;
            Test::Wildcard(wildcard)
        }
        "numeric" => {
            if reader.next()? != Token::StartArray {
                return Err(Fault::here(reader, "Value of numeric must be an array."));
            }
            let range = numeric(reader)?;
            end(reader, TOO_MANY)?;
            range
        }
        "anything-but" => anything_but(reader)?,
        "exists" => {
            let wanted = match reader.next()? {
                Token::True => true,
                Token::False => false,
                _ => return Err(Fault::here(reader, "exists match pattern must be either true or false.")),
            };
            end(reader, ONE_KEY)?;
            if !wanted {
                return Ok(Expression::Absent);
            }
            Test::Exists
        }
        other => {
            let reason = format!("Unrecognized match type {other}");
            return Err(Fault::here(reader, reason));
        }
    };
    Ok(Expression::Test(test))
}

fn string(reader: &mut Reader<'_>, complaint: &str) -> Result<String, Fault> {
    if reader.next()? != Token::Str {
        return Err(Fault::here(reader, complaint));
    }
    Ok(reader.value_text()?)
}

fn end(reader: &mut Reader<'_>, complaint: &str) -> Result<(), Fault> {
    if reader.next()? != Token::EndObject {
        return Err(Fault::here(reader, complaint));
    }
    Ok(())
}

fn only_string(reader: &mut Reader<'_>, complaint: &str) -> Result<String, Fault> {
    let text = string(reader, complaint)?;
    end(reader, ONE_KEY)?;
    Ok(text)
}

enum Affix {
    Plain(String),
    Folded(Folded),
}

/// `"text"` or `{"equals-ignore-case": "text"}`.
fn affix(reader: &mut Reader<'_>, operator: &str, title: &str) -> Result<Affix, Fault> {
    match reader.next()? {
        Token::StartObject => {
            if reader.next()? != Token::Name {
                return Err(Fault::here(reader, format!("{title} expression name not found")));
            }
            if reader.name() != "equals-ignore-case" {
                let reason = format!("Unsupported {operator} pattern: {}", reader.name());
                return Err(Fault::here(reader, reason));
            }
            let text = only_string(reader, "equals-ignore-case match pattern must be a string")?;
            end(reader, ONE_KEY)?;
            Ok(Affix::Folded(Folded::new(&text)))
        }
        Token::Str => {
            let text = reader.value_text()?;
            end(reader, ONE_KEY)?;
            Ok(Affix::Plain(text))
        }
        _ => Err(Fault::here(reader, format!("{operator} match pattern must be a string"))),
    }
}

/// The operators that `anything-but` can negate beside plain values.
#[derive(Clone, Copy, PartialEq)]
enum Negated {
    Prefix,
    Suffix,
    Folded,
    Wildcard,
}

impl Negated {
    fn test(self, reader: &Reader<'_>, text: &str) -> Result<Test, Fault> {
        match self {
            Negated::Prefix | Negated::Suffix if text.is_empty() => {
                Err(Fault::here(reader, "Null prefix/suffix not allowed"))
            }
            Negated::Prefix => Ok(Test::Prefix(text.into())),
            Negated::Suffix => Ok(Test::Suffix(text.into())),
            Negated::Folded => Ok(Test::Folded(Folded::new(text))),
            Negated::Wildcard => {
                Wildcard::parse(text).map(Test::Wildcard).map_err(|reason| Fault::here(reader, reason))
            }
        }
    }

    fn complaint(self) -> &'static str {
        match self {
            Negated::Prefix | Negated::Suffix => "prefix/suffix match pattern must be a string",
            Negated::Folded => IGNORE_CASE_KIND,
            Negated::Wildcard => "wildcard match pattern must be a string",
        }
    }
}

fn anything_but(reader: &mut Reader<'_>) -> Result<Test, Fault> {
    let mut token = reader.next()?;
    let mut operator = None;
    if token == Token::StartObject {
        if reader.next()? != Token::Name {
            return Err(Fault::here(reader, "Anything-But expression name not found"));
        }
        operator = Some(match reader.name() {
            "prefix" => Negated::Prefix,
            "suffix" => Negated::Suffix,
            "equals-ignore-case" => Negated::Folded,
            "wildcard" => Negated::Wildcard,
            other => {
                let reason = format!("Unsupported anything-but pattern: {other}");
                return Err(Fault::here(reader, reason));
            }
        });
        token = reader.next()?;
    }
    if !matches!(token, Token::StartArray | Token::Str | Token::Num) {
        return Err(Fault::here(reader, ANYTHING_BUT_KIND));
    }
    let tests = match operator {
        Some(operator) => negated_operator(reader, token, operator)?,
        None => negated_values(reader, token)?,
    };
    end(reader, TOO_MANY)?;
    if operator.is_some() {
        end(reader, TOO_MANY)?;
    }
    Ok(Test::Not(tests))
}

fn negated_operator(reader: &mut Reader<'_>, token: Token, operator: Negated) -> Result<Vec<Test>, Fault> {
    let mut texts = Vec::new();
    match token {
        Token::StartArray => loop {
            match reader.next()? {
                Token::EndArray => break,
                Token::Str => {
                    let text = reader.value_text()?;
                    if operator != Negated::Wildcard {
                        operator.test(reader, &text)?;
                    }
                    texts.push(text);
                }
                _ => return Err(Fault::here(reader, operator.complaint())),
            }
        },
        Token::Str => texts.push(reader.value_text()?),
        _ => return Err(Fault::here(reader, operator.complaint())),
    }
    texts.iter().map(|text| operator.test(reader, text)).collect()
}

fn negated_values(reader: &mut Reader<'_>, token: Token) -> Result<Vec<Test>, Fault> {
    match token {
        Token::Str => return Ok(vec![Test::Text(reader.value_text()?.into())]),
        Token::Num => {
            let text = reader.value_text()?;
            return Ok(vec![comparable(&text).map_err(Fault::without_place)?]);
        }
        _ => {}
    }
    let (mut tests, mut numbers, mut strings) = (Vec::new(), false, false);
    loop {
        match reader.next()? {
            Token::EndArray => break,
            Token::Str => {
                tests.push(Test::Text(reader.value_text()?.into()));
                strings = true;
            }
            Token::Num => {
                let text = reader.value_text()?;
                tests.push(comparable(&text).map_err(|reason| Fault::here(reader, reason))?);
                numbers = true;
            }
            _ => {
                let reason = "Inside anything but list, start|null|boolean is not supported.";
                return Err(Fault::here(reader, reason));
            }
        }
    }
    if numbers == strings {
        let reason =
            "Inside anything but list, either all values are number or string, mixed type is not supported";
        return Err(Fault::here(reader, reason));
    }
    Ok(tests)
}

fn comparable(text: &str) -> Result<Test, String> {
    number::parse(text).map(|value| Test::Number(Some(value), 0.into()))
}

/// The inside of `{"numeric": […]}`.
fn numeric(reader: &mut Reader<'_>) -> Result<Test, Fault> {
    if reader.next()? != Token::Str {
        let reason = format!("Invalid member in numeric match: {}", reader.value_text()?);
        return Err(Fault::here(reader, reason));
    }
    let operator = reader.value_text()?;
    let token = reader.next()?;
    let name = match operator.as_str() {
        "=" => "equals",
        ">=" | ">" | "<=" | "<" => &operator,
        other => return Err(Fault::here(reader, format!("Unrecognized numeric range operator: {other}"))),
    };
    if token != Token::Num {
        return Err(Fault::here(reader, format!("Value of {name} must be numeric")));
    }
    let text = reader.value_text()?;
    let token = reader.next()?;
    if token != Token::EndArray && operator.starts_with('>') {
        return between(reader, token, &text, operator == ">");
    }
    if token != Token::EndArray {
        return Err(Fault::here(reader, TOO_MANY));
    }
    let value = number::parse(&text).map_err(|reason| Fault::here(reader, reason))?;
    let (low, high) = (number::LOWEST, number::HIGHEST);
    Ok(match operator.as_str() {
        "=" => Test::Range { low: value, above: false, high: value, below: false },
        ">=" | ">" => Test::Range { low: value, above: operator == ">", high, below: false },
        _ => Test::Range { low, above: false, high: value, below: operator == "<" },
    })
}

/// The second half of a range; its first token has been read.
fn between(reader: &mut Reader<'_>, token: Token, bottom: &str, above: bool) -> Result<Test, Fault> {
    if token != Token::Str {
        let reason = format!("Bad value in numeric range: {}", reader.value_text()?);
        return Err(Fault::here(reader, reason));
    }
    let operator = reader.value_text()?;
    if operator != "<" && operator != "<=" {
        return Err(Fault::here(reader, format!("Bad numeric range operator: {operator}")));
    }
    if reader.next()? != Token::Num {
        return Err(Fault::here(reader, format!("Value of {operator} must be numeric")));
    }
    let top = reader.value_text()?;
    if reader.next()? != Token::EndArray {
        return Err(Fault::here(reader, "Too many terms in numeric range expression"));
    }
    let low = number::parse(bottom).map_err(|reason| Fault::here(reader, reason))?;
    let high = number::parse(&top).map_err(|reason| Fault::here(reader, reason))?;
    if low >= high {
        return Err(Fault::here(reader, "Bottom must be less than top"));
    }
    Ok(Test::Range { low, above, high, below: operator == "<" })
}
