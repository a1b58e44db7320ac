//! Text of a policy with wildcards and policy variables, compiled as far as it can be before the request is known.

use crate::context::Scope;
use crate::glob::{self, AsBit as _, Bit, Glob, Token};

/// What has a meaning in a text: depends on the element, the operator and the document's version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Syntax {
    /// `*` and `?` are wildcards.
    pub wildcards: bool,
    /// `${key}` is replaced; false in documents of version 2008-10-17, where it stays as written.
    pub variables: bool,
    /// Letter case does not matter.
    pub fold_case: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Part {
    Fixed(Token),
    Variable { key: String, lower: String, default: Option<String> },
}

/// A compiled text.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    form: Form,
    fold_case: bool,
}

#[derive(Debug, Clone)]
enum Form {
    Static(Glob),
    Dynamic(Vec<Part>),
}

impl Pattern {
    pub(crate) fn new(source: &str, syntax: Syntax) -> Self {
        Self::from_parts(split(source, syntax), syntax.fold_case)
    }

    pub(crate) fn from_parts(parts: Vec<Part>, fold_case: bool) -> Self {
        let fixed: Option<Vec<Token>> = parts
            .iter()
            .map(|part| match part {
                Part::Fixed(token) => Some(token.clone()),
                Part::Variable { .. } => None,
            })
            .collect();
        let form = match fixed {
            Some(tokens) => Form::Static(Glob::new(&tokens)),
            None => Form::Dynamic(parts),
        };
        Pattern { form, fold_case }
    }

    /// Whether the text matches. A variable that has no value and no default matches nothing and sets
    /// `scope.unresolved`. What a variable stands for is taken literally: a user named `*` is not a wildcard.
    pub(crate) fn matches(&self, text: &str, scope: &mut Scope<'_>) -> bool {
        let folded;
        let text = if self.fold_case {
            folded = text.to_lowercase();
            &folded
        } else {
            text
        };
        match &self.form {
            Form::Static(glob) => glob.matches(text),
            Form::Dynamic(parts) if !ends_fit(parts, text) => false,
            Form::Dynamic(parts) => {
                // What variables stand for, folded; only case-insensitive patterns need a copy.
                let mut copies = Vec::new();
                if self.fold_case {
                    copies.extend(parts.iter().map(|part| value(part, scope).map(str::to_lowercase)));
                }
                let mut bits = Vec::with_capacity(parts.len());
                for (index, part) in parts.iter().enumerate() {
                    let resolved = match (part, copies.get(index)) {
                        (Part::Fixed(token), _) => Some(token.bit()),
                        (part, None) => value(part, scope).map(Bit::Literal),
                        (_, Some(copy)) => copy.as_deref().map(Bit::Literal),
                    };
                    match resolved {
                        Some(bit) => bits.push(bit),
                        None => {
                            scope.unresolved = true;
                            return false;
                        }
                    }
                }
                glob::matches(&bits, text)
            }
        }
    }

    /// The condition keys its variables name, as written.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        let parts: &[Part] = match &self.form {
            Form::Static(_) => &[],
            Form::Dynamic(parts) => parts,
        };
        parts.iter().filter_map(|part| match part {
            Part::Variable { key, .. } => Some(key.as_str()),
            Part::Fixed(_) => None,
        })
    }
}

/// What a variable stands for. A key with several values is no variable, says the guide.
fn value<'v, 'c: 'v>(part: &'v Part, scope: &mut Scope<'c>) -> Option<&'v str> {
    let Part::Variable { key, lower, default } = part else { return None };
    match scope.context.lookup(lower) {
        Some([only]) => Some(only),
        Some(_) => default.as_deref(),
        None => {
            scope.note_missing(key);
            default.as_deref()
        }
    }
}

/// Whether the text begins and ends as the pattern does before its first and after its last wildcard or variable;
/// spares resolving for most texts.
fn ends_fit(parts: &[Part], text: &str) -> bool {
    let literal = |part: Option<&Part>, fits: fn(&str, &str) -> bool| match part {
        Some(Part::Fixed(Token::Literal(literal))) => fits(text, literal),
        _ => true,
    };
    literal(parts.first(), |text, literal| text.starts_with(literal))
        && literal(parts.last(), |text, literal| text.ends_with(literal))
}

/// Splits a text into literals, wildcards and variables.
pub(crate) fn split(source: &str, syntax: Syntax) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        if syntax.variables
            && let Some((part, after)) = variable(rest)
        {
            match part {
                Part::Fixed(Token::Literal(escaped)) => literal.push_str(&escaped),
                part => {
                    flush(&mut literal, &mut parts, syntax);
                    parts.push(part);
                }
            }
            rest = after;
            continue;
        }
        match c {
            '*' | '?' if syntax.wildcards => {
                flush(&mut literal, &mut parts, syntax);
                parts.push(Part::Fixed(if c == '*' { Token::Any } else { Token::One }));
            }
            c => literal.push(c),
        }
        rest = &rest[c.len_utf8()..];
    }
    flush(&mut literal, &mut parts, syntax);
    parts
}

fn flush(literal: &mut String, parts: &mut Vec<Part>, syntax: Syntax) {
    if !literal.is_empty() {
        let text = if syntax.fold_case { literal.to_lowercase() } else { std::mem::take(literal) };
        literal.clear();
        parts.push(Part::Fixed(Token::Literal(text)));
    }
}

/// Reads `${…}` where the text begins: an escaped `*`, `?` or `$`, or a key with an optional quoted default. What
/// does not have that form is plain text.
fn variable(text: &str) -> Option<(Part, &str)> {
    let body = text.strip_prefix("${")?;
    let mut quoted = false;
    let end = body.find(|c| {
        quoted ^= c == '\'';
        c == '}' && !quoted
    })?;
    let (inner, after) = (&body[..end], &body[end + 1..]);
    if matches!(inner, "*" | "?" | "$") {
        return Some((Part::Fixed(Token::Literal(inner.to_owned())), after));
    }
    let (key, default) = match inner.split_once(',') {
        Some((key, default)) => {
            let default = default.trim().strip_prefix('\'')?.strip_suffix('\'')?;
            (key.trim(), Some(default.to_owned()))
        }
        None => (inner.trim(), None),
    };
    if key.is_empty() {
        return None;
    }
    Some((Part::Variable { key: key.to_owned(), lower: key.to_lowercase(), default }, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Context;

    const FULL: Syntax = Syntax { wildcards: true, variables: true, fold_case: false };

    #[test]
    fn variables_wildcards_and_escapes() {
        let context: Context =
            [("aws:username", "al*ce"), ("aws:PrincipalTag/team", "red")].into_iter().collect();
        for (source, text, expected) in [
            ("home/${aws:username}/*", "home/al*ce/x/y", true),
            ("home/${AWS:UserName}/*", "home/al*ce/x", true),
            // The star that came out of the variable is a character.
            ("home/${aws:username}/*", "home/alxxce/x", false),
            ("${aws:PrincipalTag/team}-${aws:username}", "red-al*ce", true),
            ("${aws:none, 'any one'}", "any one", true),
            ("${aws:none,'x}y'}", "x}y", true),
            ("${aws:none}", "", false),
            ("a${*}b", "a*b", true),
            ("a${*}b", "axb", false),
            ("a${?}b${$}", "a?b$", true),
            ("a${?}b", "axb", false),
            ("cost: $5 ${", "cost: $5 ${", true),
            ("${}", "${}", true),
            ("${aws:none, unquoted}", "${aws:none, unquoted}", true),
        ] {
            let mut scope = Scope::new(&context);
            assert_eq!(Pattern::new(source, FULL).matches(text, &mut scope), expected, "{source} {text}");
        }
    }

    #[test]
    fn an_unresolved_variable_is_reported_and_one_with_a_default_is_not() {
        let context = Context::new();
        let mut scope = Scope::new(&context);
        assert!(!Pattern::new("${aws:username}", FULL).matches("", &mut scope));
        assert!(scope.unresolved);
        assert_eq!(scope.missing, ["aws:username"]);
        let mut scope = Scope::new(&context);
        assert!(Pattern::new("${aws:username, 'x'}", FULL).matches("x", &mut scope));
        assert!(!scope.unresolved);
    }

    #[test]
    fn a_key_with_several_values_is_no_variable() {
        let mut context = Context::new();
        context.set("aws:TagKeys", ["a", "b"]);
        let mut scope = Scope::new(&context);
        assert!(!Pattern::new("${aws:TagKeys}", FULL).matches("a", &mut scope));
        assert!(scope.unresolved);
    }

    #[test]
    fn the_old_version_leaves_variables_as_written() {
        let old = Syntax { variables: false, ..FULL };
        let context: Context = [("aws:username", "alice")].into_iter().collect();
        let mut scope = Scope::new(&context);
        assert!(Pattern::new("u/${aws:username}", old).matches("u/${aws:username}", &mut scope));
        assert!(!Pattern::new("u/${aws:username}", old).matches("u/alice", &mut scope));
        // There the braces of the escapes are literal and their star a wildcard.
        assert!(Pattern::new("a${*}", old).matches("a${xyz}", &mut scope));
    }

    #[test]
    fn case_is_folded_in_text_pattern_and_variable() {
        let fold = Syntax { fold_case: true, wildcards: false, ..FULL };
        let context: Context = [("aws:username", "ALICE")].into_iter().collect();
        let mut scope = Scope::new(&context);
        assert!(Pattern::new("Straße-${aws:username}", fold).matches("STRAßE-Alice", &mut scope));
        assert!(!Pattern::new("al*", fold).matches("ALICE", &mut scope));
    }
}
