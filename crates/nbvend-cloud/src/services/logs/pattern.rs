//! Filter patterns: which log events a search wants.
//!
//! ```text
//!   ""                          every event
//!   ERROR "two words"           all of these texts
//!   ?ERROR ?WARN                at least one; ignored where other terms stand beside them, as AWS documents
//!   ERROR -retry                without the excluded
//!   { $.level = "error" && ($.ms >= 100 || $.path = /api/*) }
//!   { $.user IS NULL }   { $.user NOT EXISTS }   { $.ok IS TRUE }
//! ```
//!
//! Terms are texts found anywhere, in the same letter case. What AWS also has and is refused here by name: regular
//! expressions (`%…%`) and column patterns (`[a, b]`).

mod json;

use json::Condition;
use serde_json::Value;

/// A pattern, ready to be matched.
#[derive(Debug)]
pub enum Pattern {
    Terms { all: Vec<String>, any: Vec<String>, none: Vec<String> },
    Json(Condition),
}

impl Pattern {
    /// # Errors
    /// What is wrong, or not served, for a person.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(inner) = text.strip_prefix('{') {
            let inner = inner.strip_suffix('}').ok_or("a JSON pattern ends with }")?;
            return Ok(Self::Json(json::parse(inner)?));
        }
        if text.starts_with('[') {
            return Err("nbvend does not serve patterns of columns in [ ]".to_owned());
        }
        terms(text)
    }

    pub fn matches(&self, message: &str) -> bool {
        match self {
            Self::Terms { all, any, none } => {
                all.iter().all(|term| message.contains(term))
                    && (any.is_empty() || any.iter().any(|term| message.contains(term)))
                    && !none.iter().any(|term| message.contains(term))
            }
            Self::Json(condition) => {
                let looks_right = message.trim_start().starts_with(['{', '[']);
                looks_right
                    && serde_json::from_str::<Value>(message).is_ok_and(|event| condition.holds(&event))
            }
        }
    }
}

fn terms(text: &str) -> Result<Pattern, String> {
    let (mut all, mut any, mut none) = (Vec::new(), Vec::new(), Vec::new());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (list, after) = match first {
            '?' => (&mut any, &rest[1..]),
            '-' => (&mut none, &rest[1..]),
            _ => (&mut all, rest),
        };
        let (term, after) = term(after)?;
        list.push(term);
        rest = after.trim_start();
    }
    if !all.is_empty() || !none.is_empty() {
        any.clear();
    }
    Ok(Pattern::Terms { all, any, none })
}

/// One term and what follows it.
fn term(text: &str) -> Result<(String, &str), String> {
    if text.starts_with('"') {
        return quoted(text);
    }
    if text.starts_with('%') {
        return Err("nbvend does not serve regular expressions in % %".to_owned());
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (term, after) = text.split_at(end);
    match term.chars().find(|c| !c.is_alphanumeric() && *c != '_') {
        None if term.is_empty() => Err("a sign without a term".to_owned()),
        None => Ok((term.to_owned(), after)),
        Some(sign) => {
            Err(format!("terms with other than letters and digits stand in double quotes ({sign})"))
        }
    }
}

/// A text in double quotes, `\"` and `\\` in it taken as they mean, and what follows it.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut term = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((term, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, c @ ('"' | '\\'))) => term.push(c),
                Some((_, c)) => term.extend(['\\', c]),
                None => break,
            },
            c => term.push(c),
        }
    }
    Err("a double quote is not closed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match() {
        let event =
            r#"{"level":"ERROR","ms":120,"user":null,"ok":true,"ip":"10.1.2.3","a":[{"b c":"x"}],"n":"7"}"#;
        let cases: &[(&str, &str, bool)] = &[
            ("", "anything", true),
            ("ERROR", "an ERROR here", true),
            ("ERROR", "an error here", false),
            ("ERROR disk", "disk ERROR", true),
            ("ERROR disk", "net ERROR", false),
            ("\"two words\"", "has two words", true),
            ("\"two words\"", "has words two", false),
            (r#""say \"hi\"""#, r#"they say "hi""#, true),
            ("?ERROR ?WARN", "a WARN", true),
            ("?ERROR ?WARN", "an INFO", false),
            ("ERROR -retry", "ERROR and retry", false),
            ("ERROR -\"no retry\"", "ERROR retry", true),
            ("-DEBUG", "INFO", true),
            ("?ERROR INFO", "INFO", true),
            ("{ $.level = \"ERROR\" }", event, true),
            ("{ $.level = ERROR }", event, true),
            ("{ $.level = ERR* }", event, true),
            ("{ $.level = WARN }", event, false),
            ("{ $.level != WARN }", event, true),
            ("{ $.absent != WARN }", event, false),
            ("{ $.ms > 100 }", event, true),
            ("{ $.ms >= 120 && $.ms <= 120.0 }", event, true),
            ("{ $.ms = 120 }", event, true),
            ("{ $.ms < 1e2 }", event, false),
            ("{ $.n = 7 }", event, true),
            ("{ $.n > 6 }", event, false),
            ("{ $.ip = 10.1.* }", event, true),
            ("{ $.user IS NULL }", event, true),
            ("{ $.user NOT EXISTS }", event, false),
            ("{ $.absent NOT EXISTS }", event, true),
            ("{ $.ok IS TRUE }", event, true),
            ("{ $.ok IS FALSE }", event, false),
            ("{ $.a[0][\"b c\"] = x }", event, true),
            ("{ $.level = WARN || ($.ms = 120 && $.ok IS TRUE) }", event, true),
            ("{ ($.level = WARN || $.ms = 120) && $.ok IS FALSE }", event, false),
            ("{ $.level = \"ERROR\" }", "not json", false),
        ];
        for (pattern, message, expected) in cases {
            let parsed = Pattern::parse(pattern).unwrap_or_else(|why| panic!("{pattern}: {why}"));
            assert_eq!(parsed.matches(message), *expected, "{pattern} on {message}");
        }
    }

    #[test]
    fn what_is_not_a_pattern_is_refused() {
        for pattern in [
            "[a, b]",
            "%err.*%",
            "{ $.a = %x% }",
            "\"open",
            "{ $.a = 1",
            "{ a = 1 }",
            "{ $.a ~ 1 }",
            "{ $.a = }",
            "{ $.a IS MAYBE }",
            "{ ($.a = 1 }",
            "{ }",
            "a.b",
            "- x",
            "{ $.a > x }",
        ] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
