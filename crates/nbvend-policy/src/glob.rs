//! Patterns of `*` (any characters) and `?` (one character), matched chunk by chunk between the stars.
//!
//! Matching takes each chunk at its leftmost place and never goes back to an earlier star, so `a*a*a*…b` costs one
//! walk over the text. Only a chunk with `?` inside can be tried at several places, at most its length each.

/// One element of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Literal(String),
    /// `*`
    Any,
    /// `?`
    One,
}

/// A token lent for matching, so that what a variable stands for need not be copied.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bit<'a> {
    Literal(&'a str),
    Any,
    One,
}

/// What can be matched: owned tokens and lent ones.
pub(crate) trait AsBit {
    fn bit(&self) -> Bit<'_>;
}

impl AsBit for Token {
    fn bit(&self) -> Bit<'_> {
        match self {
            Token::Literal(text) => Bit::Literal(text),
            Token::Any => Bit::Any,
            Token::One => Bit::One,
        }
    }
}

impl AsBit for Bit<'_> {
    fn bit(&self) -> Bit<'_> {
        *self
    }
}

/// A pattern known in full, with short ways for the forms that policies mostly have.
#[derive(Debug, Clone)]
pub(crate) enum Glob {
    Everything,
    Exact(Box<str>),
    Prefix(Box<str>),
    General(Box<[Token]>),
}

impl Glob {
    pub(crate) fn new(tokens: &[Token]) -> Self {
        match tokens {
            [] => Glob::Exact("".into()),
            [Token::Any] => Glob::Everything,
            [Token::Literal(text)] => Glob::Exact(text.as_str().into()),
            [Token::Literal(text), Token::Any] => Glob::Prefix(text.as_str().into()),
            tokens => Glob::General(tokens.into()),
        }
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Glob::Everything => true,
            Glob::Exact(wanted) => **wanted == *text,
            Glob::Prefix(prefix) => text.starts_with(&**prefix),
            Glob::General(tokens) => matches(tokens, text),
        }
    }
}

/// Matches a whole text.
pub(crate) fn matches<T: AsBit>(pattern: &[T], text: &str) -> bool {
    let mut chunks = pattern.split(|token| matches!(token.bit(), Bit::Any)).peekable();
    let first = chunks.next().unwrap_or_default();
    let Some(mut rest) = at_start(first, text) else { return false };
    if chunks.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(chunk) = chunks.next() {
        if chunks.peek().is_none() {
            return at_end(chunk, rest);
        }
        match leftmost(chunk, rest) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    true
}

/// The text without its first character; `None` if it has none.
fn skip(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    chars.next().map(|_| chars.as_str())
}

/// Matches a chunk where the text begins and gives the text after it.
fn at_start<'t, T: AsBit>(chunk: &[T], mut text: &'t str) -> Option<&'t str> {
    for token in chunk {
        text = match token.bit() {
            Bit::Literal(literal) => text.strip_prefix(literal)?,
            Bit::Any | Bit::One => skip(text)?,
        };
    }
    Some(text)
}

/// Finds a chunk at its leftmost place and gives the text after it.
fn leftmost<'t, T: AsBit>(mut chunk: &[T], mut text: &'t str) -> Option<&'t str> {
    // Single characters in front only say that so many must come before the rest.
    let literal = loop {
        let Some((first, rest)) = chunk.split_first() else { return Some(text) };
        chunk = rest;
        match first.bit() {
            Bit::Literal(literal) => break literal,
            Bit::Any | Bit::One => text = skip(text)?,
        }
    };
    loop {
        let hit = &text[text.find(literal)?..];
        if let Some(after) = at_start(chunk, &hit[literal.len()..]) {
            return Some(after);
        }
        text = skip(hit)?;
    }
}

/// Matches a chunk where the text ends.
fn at_end<T: AsBit>(chunk: &[T], mut text: &str) -> bool {
    for token in chunk.iter().rev() {
        let before = match token.bit() {
            Bit::Literal(literal) => text.strip_suffix(literal),
            Bit::Any | Bit::One => {
                let mut chars = text.chars();
                chars.next_back().map(|_| chars.as_str())
            }
        };
        match before {
            Some(before) => text = before,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(pattern: &str) -> Glob {
        let tokens: Vec<Token> = pattern
            .chars()
            .map(|c| match c {
                '*' => Token::Any,
                '?' => Token::One,
                c => Token::Literal(c.to_string()),
            })
            .collect();
        Glob::new(&tokens)
    }

    /// The definition, exponential and obviously right.
    fn by_definition(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|n| by_definition(rest, &text[n..])),
            Some(('?', rest)) => !text.is_empty() && by_definition(rest, &text[1..]),
            Some((c, rest)) => text.first() == Some(c) && by_definition(rest, &text[1..]),
        }
    }

    fn words(alphabet: &[char], length: u32) -> Vec<Vec<char>> {
        (0..=length)
            .flat_map(|n| {
                (0..alphabet.len().pow(n)).map(move |mut code| {
                    (0..n)
                        .map(|_| {
                            let c = alphabet[code % alphabet.len()];
                            code /= alphabet.len();
                            c
                        })
                        .collect()
                })
            })
            .collect()
    }

    #[test]
    fn agrees_with_the_definition_on_all_short_patterns() {
        let texts = words(&['a', 'é'], 5);
        for pattern in words(&['a', 'é', '*', '?'], 5) {
            let compiled = glob(&pattern.iter().collect::<String>());
            for text in &texts {
                let word: String = text.iter().collect();
                assert_eq!(compiled.matches(&word), by_definition(&pattern, text), "{pattern:?} {word:?}");
            }
        }
    }

    #[test]
    fn many_stars_do_not_multiply() {
        // Backtracking to every star would need more steps than there are atoms; this returns at once.
        let text = "a".repeat(50_000);
        assert!(!glob(&"a*".repeat(500)).matches(&format!("{}b", "b".repeat(50_000))));
        assert!(!glob(&format!("{}b", "a*".repeat(500))).matches(&text));
        assert!(glob(&format!("{}a", "a*?".repeat(500))).matches(&text));
    }
}
