//! The `wildcard` operator: `*` stands for any text, `\*` and `\\` for themselves.

/// A wildcard pattern as the literal texts between its stars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wildcard {
    /// Never empty; one element means that there is no star.
    literals: Vec<Box<str>>,
}

/// EventBridge refuses a pattern that could be in this many places at once while reading a value.
/// AWS does not publish the number. `*:*:*:*:*:event-bus/*` (11) is on record as refused,
/// `/Users/*/dir/dir/dir/dir/dir/doc.txt` (7) as accepted.
const MAX_PLACES: usize = 10;

impl Wildcard {
    /// # Errors
    /// event-ruler's text. Positions count bytes of the value with its opening quote.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut literals = vec![String::new()];
        let mut chars = text.char_indices().peekable();
        let mut star_before = false;
        while let Some((at, c)) = chars.next() {
            let star = c == '*';
            if star && star_before {
                return Err(format!("Consecutive wildcard characters at pos {at}"));
            }
            star_before = star;
            let literal = match c {
                '*' => {
                    literals.push(String::new());
                    continue;
                }
                '\\' => match chars.next_if(|(_, next)| matches!(next, '*' | '\\')) {
                    Some((_, escaped)) => escaped,
                    None => return Err(format!("Invalid escape character at pos {}", at + 1)),
                },
                c => c,
            };
            if let Some(last) = literals.last_mut() {
                last.push(literal);
            }
        }
        Ok(Wildcard { literals: literals.into_iter().map(Into::into).collect() })
    }

    pub fn matches(&self, value: &str) -> bool {
        let [first, middle @ .., last] = self.literals.as_slice() else {
            return self.literals.first().is_some_and(|only| **only == *value);
        };
        let Some(rest) = value.strip_prefix(&**first) else { return false };
        let Some(mut rest) = rest.strip_suffix(&**last) else { return false };
        for literal in middle {
            match rest.find(&**literal) {
                Some(at) => rest = &rest[at + literal.len()..],
                None => return false,
            }
        }
        true
    }

    /// The text before the first star and the text after the last one; `None` without a star.
    pub fn edges(&self) -> Option<(&str, &str)> {
        match self.literals.as_slice() {
            [first, .., last] => Some((first, last)),
            _ => None,
        }
    }

    /// All texts between stars.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.literals.iter().map(|literal| &**literal)
    }

    /// The text itself, if there is no star.
    pub fn literal(&self) -> Option<&str> {
        match self.literals.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Whether AWS would call this pattern too complex.
    ///
    /// Counted is in how many places of the pattern one input can be at the same time: after every
    /// star, for a star once passed is never left, and within every literal of which the input's end
    /// is a beginning.
    pub fn too_complex(&self) -> bool {
        let after_stars = &self.literals[1..];
        let stars = after_stars.len();
        if stars == 0 {
            return false;
        }
        if stars >= MAX_PLACES {
            return true;
        }
        after_stars.iter().any(|input| {
            input.char_indices().any(|(at, c)| {
                let seen = &input[..at + c.len_utf8()];
                let within: usize = after_stars.iter().map(|literal| beginnings(literal, seen)).sum();
                stars + within >= MAX_PLACES
            })
        })
    }
}

/// How many beginnings of `literal` are ends of `seen`.
fn beginnings(literal: &str, seen: &str) -> usize {
    literal
        .char_indices()
        .filter(|(at, c)| seen.ends_with(&literal[..at + c.len_utf8()]))
        .take(MAX_PLACES)
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching() {
        for (pattern, value, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("a*", "a", true),
            ("*a", "ba", true),
            ("a*a", "a", false),
            ("a*a", "aba", true),
            ("a*b*c", "axbxbc", true),
            ("a*bc*c", "abcc", true),
            ("a*bc*c", "abc", false),
            (r"a\*b", "a*b", true),
            (r"a\*b", "axb", false),
            (r"a\\*b", r"a\xxb", true),
            ("日*語", "日本語", true),
        ] {
            assert_eq!(Wildcard::parse(pattern).unwrap().matches(value), expected, "{pattern} {value}");
        }
    }

    #[test]
    fn errors() {
        for (pattern, expected) in [
            ("a**b", "Consecutive wildcard characters at pos 2"),
            ("**", "Consecutive wildcard characters at pos 1"),
            (r"a\b", "Invalid escape character at pos 2"),
            (r"a\", "Invalid escape character at pos 2"),
        ] {
            assert_eq!(Wildcard::parse(pattern).unwrap_err(), expected, "{pattern}");
        }
    }

    #[test]
    fn complexity() {
        for (pattern, expected) in [
            ("*:*:*:*:*:event-bus/*", true),
            ("*a*b*c*d*e*f*g*h*i*j", true),
            ("*aaaaaaaaaaaa", true),
            ("/Users/*/dir/dir/dir/dir/dir/doc.txt", false),
            ("arn:aws:events:us-east-1:*:event-bus/*", false),
            ("aaaaaaaaaaaaaaaa*", false),
            ("*x*y", false),
            ("no stars at all", false),
        ] {
            assert_eq!(Wildcard::parse(pattern).unwrap().too_complex(), expected, "{pattern}");
        }
    }
}
