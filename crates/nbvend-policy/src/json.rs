//! A small strict JSON reader that keeps places.
//!
//! serde_json is not used for policies because two things matter here that it drops: where each statement begins
//! and ends (the simulator reports it, and a malformed policy is refused with the place), and duplicate members,
//! which would let a document read differently to a person than to the engine.

/// How deep a document may nest. Policies need five levels; the limit keeps the reader's stack small.
const MAX_DEPTH: usize = 32;

/// A value with the bytes it spans, `start..end`.
#[derive(Debug)]
pub(crate) struct Node {
    pub value: Json,
    pub start: usize,
    pub end: usize,
}

#[derive(Debug)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// As written: IAM compares numbers as text until an operator gives them a type.
    Number(String),
    String(String),
    Array(Vec<Node>),
    /// Members in document order.
    Object(Vec<(String, Node)>),
}

/// Why and at which byte reading stopped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct JsonError {
    pub offset: usize,
    /// The member that was given twice; `None` when the text is not JSON at all.
    pub duplicate: Option<String>,
}

/// Reads one JSON value that fills the whole text.
pub(crate) fn read(text: &str) -> Result<Node, JsonError> {
    let mut reader = Reader { text, at: 0 };
    let node = reader.value(0)?;
    reader.space();
    if reader.at == text.len() { Ok(node) } else { Err(reader.error()) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn error(&self) -> JsonError {
        JsonError { offset: self.at, duplicate: None }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let hit = self.peek() == Some(byte);
        if hit {
            self.at += 1;
        }
        hit
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.eat(byte) { Ok(()) } else { Err(self.error()) }
    }

    fn value(&mut self, depth: usize) -> Result<Node, JsonError> {
        if depth > MAX_DEPTH {
            return Err(self.error());
        }
        self.space();
        let start = self.at;
        let value = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Json::String(self.string()?),
            Some(b't') => self.word("true", Json::Bool(true))?,
            Some(b'f') => self.word("false", Json::Bool(false))?,
            Some(b'n') => self.word("null", Json::Null)?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => return Err(self.error()),
        };
        Ok(Node { value, start, end: self.at })
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, JsonError> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.error())
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.at += 1;
        let mut members: Vec<(String, Node)> = Vec::new();
        self.space();
        if self.eat(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.space();
            let key_at = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.error());
            }
            let key = self.string()?;
            if members.iter().any(|(known, _)| *known == key) {
                return Err(JsonError { offset: key_at, duplicate: Some(key) });
            }
            self.space();
            self.expect(b':')?;
            members.push((key, self.value(depth + 1)?));
            self.space();
            if self.eat(b'}') {
                return Ok(Json::Object(members));
            }
            self.expect(b',')?;
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.eat(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.eat(b']') {
                return Ok(Json::Array(items));
            }
            self.expect(b',')?;
        }
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.error());
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Json, JsonError> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _sign = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Ok(Json::Number(self.text[start..self.at].to_owned()))
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let run = self.text[self.at..].find(['"', '\\']).ok_or_else(|| self.error())?;
            let plain = &self.text[self.at..self.at + run];
            if let Some(control) = plain.bytes().position(|byte| byte < 0x20) {
                self.at += control;
                return Err(self.error());
            }
            out.push_str(plain);
            self.at += run + 1;
            if self.text.as_bytes()[self.at - 1] == b'"' {
                return Ok(out);
            }
            out.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let byte = self.peek().ok_or_else(|| self.error())?;
        let plain = match byte {
            b'"' | b'\\' | b'/' => byte as char,
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err(self.error()),
        };
        self.at += 1;
        Ok(plain)
    }

    /// A character by its four hexadecimal digits after `u`; two of these stand for one beyond the basic plane.
    fn unicode(&mut self) -> Result<char, JsonError> {
        let high = self.hex()?;
        let code = if (0xD800..0xDC00).contains(&high) {
            self.expect(b'\\')?;
            let low = self.hex()?;
            if !(0xDC00..0xE000).contains(&low) {
                return Err(self.error());
            }
            0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
        } else {
            high
        };
        char::from_u32(code).ok_or_else(|| self.error())
    }

    fn hex(&mut self) -> Result<u32, JsonError> {
        self.expect(b'u')?;
        let digits = self.text.get(self.at..self.at + 4).ok_or_else(|| self.error())?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(self.error());
        }
        let code = u32::from_str_radix(digits, 16).map_err(|_| self.error())?;
        self.at += 4;
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_json_is_refused_at_its_place() {
        for (text, offset) in [
            ("", 0),
            ("{", 1),
            ("{\"a\":1,}", 7),
            ("{\"a\" 1}", 5),
            ("[1 2]", 3),
            ("{} x", 3),
            ("\"a\u{1}\"", 2),
            ("\"abc", 1),
            ("'a'", 0),
            ("01", 1),
            ("1.", 2),
            ("\"\\x\"", 2),
            ("\"\\ud800x\"", 7),
            ("nul", 0),
        ] {
            let error = read(text).expect_err(text);
            assert_eq!((error.offset, error.duplicate), (offset, None), "{text:?}");
        }
    }

    #[test]
    fn a_member_given_twice_is_refused_by_name() {
        let error = read(r#"{"Effect":"Deny","Effect":"Allow"}"#).expect_err("twice");
        assert_eq!((error.offset, error.duplicate.as_deref()), (17, Some("Effect")));
    }

    #[test]
    fn escapes_numbers_and_spans_are_kept() {
        let node =
            read(" [\"\\u00e9\\ud83d\\ude00\\n\\/\", -1.5e+3, true, null, {\"k\": []}] ").expect("json");
        assert_eq!((node.start, node.end), (1, 59));
        let Json::Array(items) = node.value else { panic!("array") };
        assert!(matches!(&items[0].value, Json::String(text) if text == "é😀\n/"));
        assert!(matches!(&items[1].value, Json::Number(text) if text == "-1.5e+3"));
        assert!(matches!(items[2].value, Json::Bool(true)));
        assert!(matches!(items[3].value, Json::Null));
        assert!(matches!(&items[4].value, Json::Object(members) if members[0].0 == "k"));
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(read(&"[".repeat(100_000)).is_err());
    }
}
