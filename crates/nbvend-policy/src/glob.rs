//! Patterns of `*` (any characters) and `?` (one character), compiled to chunks between the stars.
//!
//! Matching takes each chunk at its leftmost place and never goes back to an earlier star, so `a*a*a*…b` costs one
//! walk over the text. Only a chunk with `?` inside can be tried at several places, at most its length each.

/// One element of a pattern before compilation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Literal(String),
    /// `*`
    Any,
    /// `?`
    One,
}

#[derive(Debug, Clone)]
pub(crate) enum Piece {
    Literal(Box<str>),
    /// So many characters, whatever they are.
    Skip(usize),
}

#[derive(Debug, Clone)]
pub(crate) enum Glob {
    Everything,
    Exact(Box<str>),
    Prefix(Box<str>),
    /// First chunk anchored at the start, last at the end, stars between.
    Chunks(Vec<Vec<Piece>>),
}

impl Glob {
    pub(crate) fn new(tokens: impl IntoIterator<Item = Token>) -> Self {
        let mut chunks: Vec<Vec<Piece>> = vec![Vec::new()];
        for token in tokens {
            let chunk = chunks.last_mut().expect("there is always a chunk");
            match (token, chunk.last_mut()) {
                (Token::Any, _) => chunks.push(Vec::new()),
                (Token::One, Some(Piece::Skip(count))) => *count += 1,
                (Token::One, _) => chunk.push(Piece::Skip(1)),
                (Token::Literal(text), _) if text.is_empty() => {}
                (Token::Literal(text), Some(Piece::Literal(before))) => {
                    *before = format!("{before}{text}").into_boxed_str();
                }
                (Token::Literal(text), _) => chunk.push(Piece::Literal(text.into_boxed_str())),
            }
        }
        match chunks.as_slice() {
            [only] if only.is_empty() => Glob::Exact("".into()),
            [only] => match only.as_slice() {
                [Piece::Literal(text)] => Glob::Exact(text.clone()),
                _ => Glob::Chunks(chunks),
            },
            [first, rest @ ..] if rest.iter().all(Vec::is_empty) => match first.as_slice() {
                [] => Glob::Everything,
                [Piece::Literal(text)] => Glob::Prefix(text.clone()),
                _ => Glob::Chunks(chunks),
            },
            _ => Glob::Chunks(chunks),
        }
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Glob::Everything => true,
            Glob::Exact(wanted) => **wanted == *text,
            Glob::Prefix(prefix) => text.starts_with(&**prefix),
            Glob::Chunks(chunks) => match_chunks(chunks, text),
        }
    }
}

fn match_chunks(chunks: &[Vec<Piece>], text: &str) -> bool {
    let [first, middle @ .., last] = chunks else {
        return chunks.first().is_some_and(|only| at_start(only, text) == Some(""));
    };
    let Some(mut rest) = at_start(first, text) else { return false };
    for chunk in middle {
        match leftmost(chunk, rest) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    at_end(last, rest)
}

/// The text after `n` characters; `None` if it is shorter.
fn skip(text: &str, n: usize) -> Option<&str> {
    let mut chars = text.chars();
    (0..n).all(|_| chars.next().is_some()).then(|| chars.as_str())
}

/// Matches a chunk where the text begins and gives the text after it.
fn at_start<'t>(chunk: &[Piece], mut text: &'t str) -> Option<&'t str> {
    for piece in chunk {
        text = match piece {
            Piece::Literal(literal) => text.strip_prefix(&**literal)?,
            Piece::Skip(count) => skip(text, *count)?,
        };
    }
    Some(text)
}

/// Finds a chunk at its leftmost place and gives the text after it.
fn leftmost<'t>(chunk: &[Piece], text: &'t str) -> Option<&'t str> {
    match chunk {
        [] => Some(text),
        [Piece::Skip(count), rest @ ..] => leftmost(rest, skip(text, *count)?),
        [Piece::Literal(literal), rest @ ..] => {
            let mut from = text;
            loop {
                let hit = &from[from.find(&**literal)?..];
                if let Some(after) = at_start(rest, &hit[literal.len()..]) {
                    return Some(after);
                }
                from = skip(hit, 1)?;
            }
        }
    }
}

/// Matches a chunk where the text ends.
fn at_end(chunk: &[Piece], mut text: &str) -> bool {
    for piece in chunk.iter().rev() {
        let before = match piece {
            Piece::Literal(literal) => text.strip_suffix(&**literal),
            Piece::Skip(count) => {
                let mut chars = text.chars();
                (0..*count).all(|_| chars.next_back().is_some()).then(|| chars.as_str())
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
        Glob::new(pattern.chars().map(|c| match c {
            '*' => Token::Any,
            '?' => Token::One,
            c => Token::Literal(c.to_string()),
        }))
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
