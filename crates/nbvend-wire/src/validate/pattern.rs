//! Java's regular expressions, as the models write them, on the `regex` crate.
//!
//! The whole value must match. Java's `\w`, `\d` and `\s` are ASCII; the POSIX classes have other names; surrogate
//! pairs stand for characters beyond U+FFFF. Look-aheads are kept only at the beginning of a pattern, where they can
//! be checked on their own. A pattern that is beyond all this is not checked; a test lists those.

use crate::model::Shape;
use regex::Regex;

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    whole: Regex,
    /// Look-aheads from the start of the value, and whether they must match.
    ahead: Vec<(bool, Regex)>,
}

impl Pattern {
    pub(crate) fn compile(java: &str) -> Option<Self> {
        let mut rest = java;
        let mut ahead = Vec::new();
        // `((?!x)y)` says the same as `(?!x)y`, `^(?!x)y` too.
        if let Some(inner) =
            java.strip_prefix('(').filter(|inner| inner.starts_with("(?!") || inner.starts_with("(?="))
            && closing(java) == Some(java.len() - 1)
        {
            rest = &inner[..inner.len() - 1];
        }
        loop {
            let trimmed = rest.strip_prefix('^').unwrap_or(rest);
            let wanted = trimmed.starts_with("(?=");
            if !wanted && !trimmed.starts_with("(?!") {
                break;
            }
            let end = closing(trimmed)?;
            let inner = translate(&trimmed[3..end])?;
            ahead.push((wanted, Regex::new(&format!("^(?:{inner})")).ok()?));
            rest = &trimmed[end + 1..];
        }
        let whole = Regex::new(&format!("^(?:{})$", translate(rest)?)).ok()?;
        Some(Self { whole, ahead })
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        self.whole.is_match(text) && self.ahead.iter().all(|(wanted, regex)| regex.is_match(text) == *wanted)
    }
}

impl Shape {
    /// `None` without a pattern, or with one that cannot be compiled.
    pub(crate) fn compiled_pattern(&self) -> Option<&Pattern> {
        let java = self.pattern.as_deref()?;
        self.compiled.get_or_init(|| Pattern::compile(java)).as_ref()
    }
}

/// Where the group that `text` begins with ends.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut class, mut escaped) = (0, 0, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => class += 1,
            ']' if class > 0 => class -= 1,
            '(' if class == 0 => depth += 1,
            ')' if class == 0 => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

const DIGIT: &str = "0-9";
const WORD: &str = "0-9A-Za-z_";
const SPACE: &str = " \\t\\n\\x0B\\x0C\\r";

/// Java's syntax to the crate's.
fn translate(java: &str) -> Option<String> {
    let mut out = String::with_capacity(java.len());
    let mut class = 0;
    let mut rest = java;
    while let Some(letter) = rest.chars().next() {
        let tail = &rest[letter.len_utf8()..];
        rest = tail;
        match letter {
            '\\' => rest = escape(tail, class > 0, &mut out)?,
            '[' => {
                class += 1;
                out.push('[');
            }
            ']' if class > 0 => {
                class -= 1;
                out.push(']');
            }
            // Set operations of the crate's that Java does not have.
            '-' | '~' if class > 0 && (tail.starts_with(letter) || out.ends_with(&format!("\\{letter}"))) => {
                out.push('\\');
                out.push(letter);
            }
            _ => out.push(letter),
        }
    }
    Some(out)
}

/// What follows a backslash. Returns what follows that.
fn escape<'a>(tail: &'a str, class: bool, out: &mut String) -> Option<&'a str> {
    let letter = tail.chars().next()?;
    let rest = &tail[letter.len_utf8()..];
    let mut set = |negated: bool, members: &str| match (negated, class) {
        (true, _) => *out += &format!("[^{members}]"),
        (false, true) => *out += members,
        (false, false) => *out += &format!("[{members}]"),
    };
    match letter {
        'd' | 'D' => set(letter == 'D', DIGIT),
        'w' | 'W' => set(letter == 'W', WORD),
        's' | 'S' => set(letter == 'S', SPACE),
        'p' | 'P' if rest.starts_with('{') => {
            let (name, after) = rest[1..].split_once('}')?;
            let posix =
                ["Alnum", "Alpha", "Digit", "Graph", "Lower", "Print", "Punct", "Space", "Upper", "XDigit"];
            if posix.contains(&name) {
                let caret = if letter == 'P' { "^" } else { "" };
                let item = format!("[:{caret}{}:]", name.to_ascii_lowercase());
                *out += &if class { item } else { format!("[{item}]") };
            } else {
                let name = name.strip_prefix("Is").unwrap_or(name);
                *out += &format!("\\{letter}{{{name}}}");
            }
            return Some(after);
        }
        'u' => return unicode(rest, out),
        _ => {
            out.push('\\');
            out.push(letter);
        }
    }
    Some(rest)
}

/// `\uD800\uDC00` is one character.
fn unicode<'a>(digits: &'a str, out: &mut String) -> Option<&'a str> {
    let unit = |text: &str| u32::from_str_radix(text.get(..4)?, 16).ok();
    let high = unit(digits)?;
    let mut rest = &digits[4..];
    let mut letter = high;
    if (0xd800..0xdc00).contains(&high) {
        let low = unit(rest.strip_prefix("\\u")?).filter(|low| (0xdc00..0xe000).contains(low))?;
        letter = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        rest = &rest[6..];
    }
    *out += &format!("\\x{{{letter:X}}}");
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{service, services};

    #[test]
    fn matches_as_java_does() {
        let cases = [
            ("[a-z]+", "abc", true),
            ("[a-z]+", "abc1", false),
            ("a|bc", "bcx", false),
            ("[\\w+=,.@-]*", "Zo\u{e9}", false),
            ("[\\w+=,.@-]*", "Zoe-1@x", true),
            ("\\d{2}", "\u{0663}\u{0664}", false),
            ("[\\S\\s]*", "a\nb", true),
            (".*", "a\nb", false),
            ("(?!^[0-9]+$)([a-zA-Z0-9-_]+)", "2024", false),
            ("(?!^[0-9]+$)([a-zA-Z0-9-_]+)", "2024a", true),
            ("((?!^\\d+$)^[0-9a-zA-Z-_]+$)", "7", false),
            ("((?!^\\d+$)^[0-9a-zA-Z-_]+$)", "v7", true),
            ("^(?!aws:).*", "aws:x", false),
            ("^(?=.*[A-Z])[a-zA-Z]+$", "abC", true),
            ("^(?=.*[A-Z])[a-zA-Z]+$", "abc", false),
            ("[\\p{L}\\p{Z}]+", "\u{e9} \u{fc}", true),
            ("[\\p{Alnum}]+", "a1", true),
            ("\\P{Alnum}", "a", false),
            ("[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF]*", "x\u{1f600}", true),
            ("[+--]", "-", true),
        ];
        for (pattern, text, expected) in cases {
            let compiled = Pattern::compile(pattern);
            assert_eq!(compiled.map(|pattern| pattern.matches(text)), Some(expected), "{pattern} on {text}");
        }
    }

    /// A pattern that appears here is not checked. Adding one must be seen.
    #[test]
    fn the_patterns_that_are_not_checked() {
        let mut skipped = Vec::new();
        for id in services() {
            for shape in service(id).unwrap().shapes().filter(|shape| shape.pattern.is_some()) {
                if shape.compiled_pattern().is_none() {
                    skipped.push(format!(
                        "{id} {} {}",
                        shape.name,
                        shape.pattern.as_deref().unwrap_or_default()
                    ));
                }
            }
        }
        let expected = [
            "iam accountAliasType ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$",
            "lambda S3Bucket [0-9A-Za-z\\.\\-_]*(?<!\\.)",
        ];
        assert_eq!(skipped, expected);
    }
}
