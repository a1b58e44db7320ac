//! JSON with positions. serde_json keeps neither positions nor duplicate keys, hence our own reader.
//!
//! AWS reports the place *after* the character it did not expect: `{"this is invalid JSON"}` (24
//! characters) is recorded as an error in column 25.

use serde_json::{Map, Number, Value};

use super::{MAX_DEPTH, malformed};
use crate::error::TemplateError;
use crate::path::{Position, Spans};

type Result<T> = std::result::Result<T, TemplateError>;

pub fn parse(text: &str) -> Result<(Value, Spans)> {
    let mut reader = Reader { rest: text.chars(), here: Position { line: 1, column: 1 } };
    let parsed = reader.value(0)?;
    reader.space();
    match reader.peek() {
        None => Ok(parsed),
        Some(_) => Err(reader.unexpected("nothing may follow the template")),
    }
}

struct Reader<'t> {
    rest: std::str::Chars<'t>,
    here: Position,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        if c == '\n' {
            self.here.line = self.here.line.saturating_add(1);
            self.here.column = 1;
        } else {
            self.here.column = self.here.column.saturating_add(1);
        }
        Some(c)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\r' | '\n')) {
            self.next();
        }
    }

    /// The error after stepping over what was not expected here.
    fn unexpected(&mut self, reason: &str) -> TemplateError {
        self.next();
        malformed("JSON", self.here, reason)
    }

    fn value(&mut self, depth: usize) -> Result<(Value, Spans)> {
        self.space();
        let start = self.here;
        if depth >= MAX_DEPTH {
            return Err(malformed("JSON", start, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        match self.peek() {
            Some('{') => self.object(start, depth),
            Some('[') => self.array(start, depth),
            Some('"') => Ok((Value::String(self.string()?), Spans::leaf(start))),
            Some('-' | '0'..='9') => Ok((self.number()?, Spans::leaf(start))),
            Some('t' | 'f' | 'n') => Ok((self.word()?, Spans::leaf(start))),
            _ => Err(self.unexpected("a value was expected")),
        }
    }

    fn object(&mut self, start: Position, depth: usize) -> Result<(Value, Spans)> {
        self.next();
        let mut map = Map::new();
        let mut children = Vec::new();
        self.space();
        if self.peek() == Some('}') {
            self.next();
            return Ok((Value::Object(map), Spans::leaf(start)));
        }
        loop {
            self.space();
            let key_at = self.here;
            if self.peek() != Some('"') {
                return Err(self.unexpected("a member's name in double quotes was expected"));
            }
            let key = self.string()?;
            self.space();
            if self.peek() != Some(':') {
                return Err(self.unexpected("a colon was expected after the member's name"));
            }
            self.next();
            let (value, mut spans) = self.value(depth + 1)?;
            if map.contains_key(&key) {
                return Err(malformed("JSON", key_at, format!("the key {key} stands twice in this object")));
            }
            map.insert(key, value);
            spans.key = key_at;
            children.push(spans);
            self.space();
            match self.peek() {
                Some(',') => self.next(),
                Some('}') => break,
                _ => return Err(self.unexpected("a comma or a closing brace was expected")),
            };
        }
        self.next();
        Ok((Value::Object(map), Spans { value: start, key: start, children }))
    }

    fn array(&mut self, start: Position, depth: usize) -> Result<(Value, Spans)> {
        self.next();
        let mut items = Vec::new();
        let mut children = Vec::new();
        self.space();
        if self.peek() == Some(']') {
            self.next();
            return Ok((Value::Array(items), Spans::leaf(start)));
        }
        loop {
            let (value, spans) = self.value(depth + 1)?;
            items.push(value);
            children.push(spans);
            self.space();
            match self.peek() {
                Some(',') => self.next(),
                Some(']') => break,
                _ => return Err(self.unexpected("a comma or a closing bracket was expected")),
            };
        }
        self.next();
        Ok((Value::Array(items), Spans { value: start, key: start, children }))
    }

    fn string(&mut self) -> Result<String> {
        self.next();
        let mut text = String::new();
        loop {
            match self.peek() {
                None => return Err(self.unexpected("the string does not end")),
                Some('"') => {
                    self.next();
                    return Ok(text);
                }
                Some('\\') => {
                    self.next();
                    text.push(self.escape()?);
                }
                Some(c) if c < ' ' => return Err(self.unexpected("a control character stands in a string")),
                Some(c) => {
                    self.next();
                    text.push(c);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        let plain = match self.peek() {
            Some(c @ ('"' | '\\' | '/')) => c,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                self.next();
                return self.unicode();
            }
            _ => return Err(self.unexpected("this is not an escape JSON has")),
        };
        self.next();
        Ok(plain)
    }

    /// A character by the four hexadecimal digits after `u`, two of these for one beyond the first plane. A half pair
    /// becomes U+FFFD.
    fn unicode(&mut self) -> Result<char> {
        let first = self.hex4()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let mut ahead = self.rest.clone();
        if ahead.next() != Some('\\') || ahead.next() != Some('u') {
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        self.next();
        self.next();
        let second = self.hex4()?;
        let code = 0x10000 + ((first - 0xd800) << 10) + (second.wrapping_sub(0xdc00) & 0x3ff);
        let paired = (0xdc00..0xe000).contains(&second);
        Ok(paired.then(|| char::from_u32(code)).flatten().unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex4(&mut self) -> Result<u32> {
        let mut code = 0;
        for _ in 0..4 {
            match self.peek().and_then(|c| c.to_digit(16)) {
                Some(digit) => {
                    code = code * 16 + digit;
                    self.next();
                }
                None => return Err(self.unexpected("four hexadecimal digits were expected")),
            }
        }
        Ok(code)
    }

    fn number(&mut self) -> Result<Value> {
        let mut text = String::new();
        while let Some(c @ ('-' | '+' | '.' | 'e' | 'E' | '0'..='9')) = self.peek() {
            text.push(c);
            self.next();
        }
        if !is_json_number(&text) {
            return Err(malformed("JSON", self.here, format!("{text} is not a number")));
        }
        if let Ok(value) = text.parse::<i64>() {
            return Ok(Value::Number(value.into()));
        }
        if let Ok(value) = text.parse::<u64>() {
            return Ok(Value::Number(value.into()));
        }
        let exact = text.contains(['.', 'e', 'E']);
        let number = exact.then(|| text.parse::<f64>().ok().and_then(Number::from_f64)).flatten();
        // What 64 bits cannot hold stays as it was written.
        Ok(number.map_or(Value::String(text), Value::Number))
    }

    fn word(&mut self) -> Result<Value> {
        let mut word = String::new();
        while let Some(c) = self.peek().filter(char::is_ascii_alphanumeric) {
            word.push(c);
            self.next();
        }
        match word.as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            "null" => Ok(Value::Null),
            _ => Err(malformed("JSON", self.here, "true, false or null was expected")),
        }
    }
}

fn is_json_number(text: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let body = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match body.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (body, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::parse;

    #[test]
    fn reads_what_serde_json_reads() {
        for text in [
            r#"{"a": [1, -2.5, true, null, "x\u00e9\ud83d\ude00\n"], "b": {}}"#,
            r#"{"Z":1,"A":{"B":[[],[{}]]}}"#,
            "{\n\t\"n\": 1e3}",
        ] {
            let want: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(parse(text).unwrap().0, want, "{text}");
        }
        assert_eq!(
            parse(r#"{"id": 99999999999999999999}"#).unwrap().0,
            json!({"id": "99999999999999999999"})
        );
        assert_eq!(parse(r#"{"half": "\ud83d!"}"#).unwrap().0, json!({"half": "\u{fffd}!"}));
    }

    #[test]
    fn says_where_it_is_broken() {
        for (text, line, column) in [
            (r#"{"this is invalid JSON"}"#, 1, 25),
            ("{", 1, 2),
            ("{]", 1, 3),
            ("{\"a\": 1,\n  b}", 2, 4),
            ("{\"a\": tru}", 1, 10),
            ("{\"a\": 1} x", 1, 11),
            ("{\"a\": 01}", 1, 9),
            ("{\"a\": \"x\ny\"}", 2, 1),
            ("{\"a\": 1,\n \"a\": 2}", 2, 2),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!((error.line, error.column), (Some(line), Some(column)), "{text}");
            let want = format!("Template format error: JSON not well-formed. (line {line}, column {column})");
            assert_eq!(error.to_string(), want);
        }
    }

    #[test]
    fn bombs_are_errors() {
        assert!(parse(&"[".repeat(1 << 20)).is_err());
        assert!(parse(&"{\"a\":".repeat(100_000)).is_err());
    }
}
