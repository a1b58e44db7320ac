//! A pull reader for JSON that knows where it is.
//!
//! AWS reports mistakes in patterns with the words and positions of Jackson's streaming parser, so
//! this reader keeps that parser's habits: tokens are read one by one (what follows a mistake is
//! never looked at), a string is not scanned until somebody asks for its text, and a field name is
//! handed out only after the first token of its value has been read. The last two decide the column
//! that an error message shows.

mod scalar;

/// What has gone wrong in the text itself, and at which byte.
#[derive(Debug)]
pub(crate) struct JsonError {
    pub message: String,
    pub at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    StartObject,
    EndObject,
    StartArray,
    EndArray,
    Name,
    Str,
    Num,
    True,
    False,
    Null,
    /// The end of the text, outside of every object and array.
    End,
}

#[derive(Debug)]
struct Scope {
    array: bool,
    start: usize,
    entries: usize,
}

impl Scope {
    fn kind(&self) -> &'static str {
        if self.array { "Array" } else { "Object" }
    }
}

const VALUES: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";
/// Jackson's own bound; deeper input is refused rather than recursed into.
const MAX_DEPTH: usize = 1000;
/// How many characters of the source Jackson repeats in a message.
const MAX_SOURCE_SHOWN: usize = 500;

pub(crate) struct Reader<'a> {
    text: &'a str,
    pos: usize,
    scopes: Vec<Scope>,
    pending: Option<Token>,
    current: Token,
    name: String,
    /// Where the current string or number begins; for a string, after its quote.
    start: usize,
    /// The current string has not been scanned yet.
    unread: bool,
}

impl<'a> Reader<'a> {
    pub fn new(text: &'a str) -> Self {
        Reader {
            text,
            pos: 0,
            scopes: Vec::new(),
            pending: None,
            current: Token::End,
            name: String::new(),
            start: 0,
            unread: false,
        }
    }

    /// The byte after the last one consumed: the place an error about the current token points to.
    pub fn position(&self) -> usize {
        self.pos
    }

    /// The field name last read.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text of the current token: a string decoded, anything else as written.
    pub fn value_text(&mut self) -> Result<String, JsonError> {
        Ok(match self.current {
            Token::Str => {
                self.unread = false;
                self.pos = self.start;
                self.string("string value")?
            }
            Token::Num => self.text[self.start..self.pos].to_owned(),
            Token::Name => self.name.clone(),
            Token::StartObject => "{".to_owned(),
            Token::EndObject => "}".to_owned(),
            Token::StartArray => "[".to_owned(),
            Token::EndArray => "]".to_owned(),
            Token::True => "true".to_owned(),
            Token::False => "false".to_owned(),
            Token::Null => "null".to_owned(),
            Token::End => String::new(),
        })
    }

    pub fn next(&mut self) -> Result<Token, JsonError> {
        if let Some(value) = self.pending.take() {
            self.current = value;
            return Ok(value);
        }
        if self.unread {
            self.unread = false;
            self.string("string value")?;
        }
        let token = self.read()?;
        self.current = token;
        Ok(token)
    }

    fn read(&mut self) -> Result<Token, JsonError> {
        let Some(mut c) = self.skip_space() else {
            return match self.scopes.last() {
                None => Ok(Token::End),
                Some(scope) => Err(self.error(format!(
                    "Unexpected end-of-input: expected close marker for {} (start marker at {})",
                    scope.kind(),
                    location(self.text, scope.start)
                ))),
            };
        };
        if c == ']' || c == '}' {
            return self.close(c);
        }
        let mut in_object = false;
        if let Some(scope) = self.scopes.last_mut() {
            in_object = !scope.array;
            scope.entries += 1;
            if scope.entries > 1 {
                let kind = scope.kind();
                if c != ',' {
                    return Err(
                        self.unexpected(c, &format!("was expecting comma to separate {kind} entries"))
                    );
                }
                c = self.skip_space().ok_or_else(|| {
                    self.error(format!("Unexpected end-of-input within/between {kind} entries"))
                })?;
            }
        }
        if in_object {
            if c != '"' {
                return Err(self.unexpected(c, "was expecting double-quote to start field name"));
            }
            self.name = self.string("name")?;
            match self.skip_space() {
                Some(':') => {}
                Some(other) => {
                    return Err(
                        self.unexpected(other, "was expecting a colon to separate field name and value")
                    );
                }
                None => return Err(self.between_entries()),
            }
            c = self.skip_space().ok_or_else(|| self.between_entries())?;
            self.pending = Some(self.value(c)?);
            return Ok(Token::Name);
        }
        self.value(c)
    }

    fn between_entries(&self) -> JsonError {
        self.error("Unexpected end-of-input within/between Object entries".to_owned())
    }

    /// Reads the value that begins with `c`, which has been consumed.
    fn value(&mut self, c: char) -> Result<Token, JsonError> {
        let begin = self.pos - c.len_utf8();
        match c {
            '"' => {
                self.start = self.pos;
                self.unread = true;
                Ok(Token::Str)
            }
            '{' | '[' => {
                if self.scopes.len() >= MAX_DEPTH {
                    return Err(self.error(format!(
                        "Document nesting depth ({}) exceeds the maximum allowed ({MAX_DEPTH}, from \
                         `StreamReadConstraints.getMaxNestingDepth()`)",
                        MAX_DEPTH + 1
                    )));
                }
                self.scopes.push(Scope { array: c == '[', start: begin, entries: 0 });
                Ok(if c == '[' { Token::StartArray } else { Token::StartObject })
            }
            't' => self.literal(begin, "true", Token::True),
            'f' => self.literal(begin, "false", Token::False),
            'n' => self.literal(begin, "null", Token::Null),
            '-' | '0'..='9' => self.number(begin),
            '}' => Err(self.unexpected(c, "expected a value")),
            _ if is_identifier(c) && !c.is_numeric() => Err(self.unrecognised(begin)),
            _ => Err(self.unexpected(c, &format!("expected a valid value {VALUES}"))),
        }
    }

    fn close(&mut self, c: char) -> Result<Token, JsonError> {
        let array = c == ']';
        match self.scopes.pop() {
            Some(scope) if scope.array == array => Ok(if array { Token::EndArray } else { Token::EndObject }),
            scope => {
                let (kind, place) = match &scope {
                    Some(s) => (s.kind(), location(self.text, s.start)),
                    None => ("root", location_at(self.text, 1, 0)),
                };
                let expected = if array { '}' } else { ']' };
                Err(self.error(format!(
                    "Unexpected close marker '{c}': expected '{expected}' (for {kind} starting at {place})"
                )))
            }
        }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.pos..].chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.pos += c.len_utf8();
        Some(c)
    }

    /// The next character that is not white space, consumed.
    fn skip_space(&mut self) -> Option<char> {
        loop {
            match self.bump()? {
                ' ' | '\t' | '\r' | '\n' => {}
                c => return Some(c),
            }
        }
    }

    fn error(&self, message: String) -> JsonError {
        JsonError { message, at: self.pos }
    }

    /// Points at the offending character itself, which has been consumed.
    fn unexpected(&self, c: char, expected: &str) -> JsonError {
        JsonError {
            message: format!("Unexpected character ({}): {expected}", describe(c)),
            at: self.pos - c.len_utf8(),
        }
    }
}

fn is_identifier(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn describe(c: char) -> String {
    let code = c as u32;
    if c.is_control() {
        format!("(CTRL-CHAR, code {code})")
    } else if code > 255 {
        format!("'{c}' (code {code} / 0x{code:x})")
    } else {
        format!("'{c}' (code {code})")
    }
}

/// Jackson's description of a byte position: `[Source: (String)"…"; line: 1, column: 5]`.
/// Columns count UTF-16 units from 1.
pub(crate) fn location(text: &str, at: usize) -> String {
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let row = before.rfind('\n').map_or(before, |newline| &before[newline + 1..]);
    location_at(text, line, row.encode_utf16().count() + 1)
}

fn location_at(text: &str, line: usize, column: usize) -> String {
    let units = text.encode_utf16().count();
    let shown: String = text.chars().take(MAX_SOURCE_SHOWN).collect();
    let cut = match units.saturating_sub(MAX_SOURCE_SHOWN) {
        0 => String::new(),
        more => format!("[truncated {more} chars]"),
    };
    format!("[Source: (String)\"{shown}\"{cut}; line: {line}, column: {column}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_error(text: &str) -> (String, usize) {
        let mut reader = Reader::new(text);
        loop {
            match reader.next() {
                Ok(Token::End) => return ("none".to_owned(), 0),
                Ok(_) => {}
                Err(e) => return (e.message, e.at),
            }
        }
    }

    #[test]
    fn errors_are_jacksons() {
        let cases = [
            (
                "wrong",
                "Unrecognized token 'wrong': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
                5,
            ),
            (
                "{'a':1}",
                "Unexpected character (''' (code 39)): was expecting double-quote to start field name",
                1,
            ),
            (
                "{\"a\" 1}",
                "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value",
                5,
            ),
            (
                "{\"a\":1 \"b\":2}",
                "Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries",
                7,
            ),
            (
                "[1 2]",
                "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries",
                3,
            ),
            ("{\"a\":}", "Unexpected character ('}' (code 125)): expected a value", 5),
            ("[1,", "Unexpected end-of-input within/between Array entries", 3),
            (
                "{\"a\":[1}",
                "Unexpected close marker '}': expected ']' (for Array starting at [Source: (String)\"{\"a\":[1}\"; line: 1, column: 6])",
                8,
            ),
            (
                "{\"a\":1",
                "Unexpected end-of-input: expected close marker for Object (start marker at [Source: (String)\"{\"a\":1\"; line: 1, column: 1])",
                6,
            ),
            ("\"abc", "Unexpected end-of-input: was expecting closing quote for a string value", 4),
            ("\"a\\qb\"", "Unrecognized character escape 'q' (code 113)", 4),
            ("[01]", "Invalid numeric value: Leading zeroes not allowed", 3),
            (
                "[1.]",
                "Unexpected character (']' (code 93)) in numeric value: Decimal point not followed by a digit",
                3,
            ),
            (
                "[trux]",
                "Unrecognized token 'trux': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
                5,
            ),
            (
                "{\"a\":\"b\nc\"}",
                "Illegal unquoted character ((CTRL-CHAR, code 10)): has to be escaped using backslash to be included in string value",
                8,
            ),
        ];
        for (text, message, at) in cases {
            assert_eq!(first_error(text), (message.to_owned(), at), "{text}");
        }
    }

    #[test]
    fn tokens_and_texts() {
        let mut reader = Reader::new(r#"{"a":["x\u00e9\ud83d\ude80\n",-1.5e3,true,null]} trailing"#);
        let mut seen = Vec::new();
        loop {
            let token = reader.next().unwrap();
            seen.push(token);
            match token {
                Token::Str => assert_eq!(reader.value_text().unwrap(), "xé🚀\n"),
                Token::Num => assert_eq!(reader.value_text().unwrap(), "-1.5e3"),
                Token::EndObject => break,
                _ => {}
            }
        }
        use Token::{EndArray, EndObject, Name, Null, Num, StartArray, StartObject, Str, True};
        assert_eq!(seen, [StartObject, Name, StartArray, Str, Num, True, Null, EndArray, EndObject]);
    }

    #[test]
    fn positions_count_utf16_and_lines() {
        assert_eq!(location("a\n🚀b", 6), "[Source: (String)\"a\n🚀b\"; line: 2, column: 3]");
        let long = "x".repeat(510);
        assert!(location(&long, 0).contains("\"[truncated 10 chars]; line: 1, column: 1]"));
    }

    #[test]
    fn depth_is_bounded() {
        let (message, _) = first_error(&"[".repeat(5000));
        assert!(message.starts_with("Document nesting depth (1001)"), "{message}");
    }
}
