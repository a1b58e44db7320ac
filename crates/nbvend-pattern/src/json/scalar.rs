//! Strings, numbers and literals of the reader.

use super::{JsonError, Reader, Token, VALUES, describe, is_identifier};

/// How much of an unknown word a message repeats.
const MAX_TOKEN_SHOWN: usize = 256;

impl Reader<'_> {
    pub(super) fn literal(&mut self, begin: usize, word: &str, token: Token) -> Result<Token, JsonError> {
        let rest = &self.text[begin..];
        let end = begin + word.len();
        if rest.starts_with(word) && !self.text[end..].chars().next().is_some_and(is_identifier) {
            self.pos = end;
            return Ok(token);
        }
        Err(self.unrecognised(begin))
    }

    pub(super) fn unrecognised(&mut self, begin: usize) -> JsonError {
        let word: String =
            self.text[begin..].chars().take_while(|c| is_identifier(*c)).take(MAX_TOKEN_SHOWN).collect();
        self.pos = begin + word.len();
        let more = if word.chars().count() == MAX_TOKEN_SHOWN { "..." } else { "" };
        self.error(format!("Unrecognized token '{word}{more}': was expecting {VALUES}"))
    }

    pub(super) fn number(&mut self, begin: usize) -> Result<Token, JsonError> {
        self.start = begin;
        self.pos = begin;
        if self.peek() == Some('-') {
            self.pos += 1;
            self.digits("expected digit (0-9) to follow minus sign, for valid numeric value")?;
        } else {
            self.digits("")?;
        }
        let int = self.text[begin..self.pos].trim_start_matches('-');
        if int.len() > 1 && int.starts_with('0') {
            return Err(self.error("Invalid numeric value: Leading zeroes not allowed".to_owned()));
        }
        if self.peek() == Some('.') {
            self.pos += 1;
            self.digits("Decimal point not followed by a digit")?;
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.pos += 1;
            if matches!(self.peek(), Some('+' | '-')) {
                self.pos += 1;
            }
            self.digits("Exponent indicator not followed by a digit")?;
        }
        Ok(Token::Num)
    }

    /// One digit or more, or the complaint that there is none.
    fn digits(&mut self, complaint: &str) -> Result<(), JsonError> {
        let begin = self.pos;
        while matches!(self.peek(), Some('0'..='9')) {
            self.pos += 1;
        }
        if self.pos > begin {
            return Ok(());
        }
        match self.peek() {
            Some(c) => Err(JsonError {
                message: format!("Unexpected character ({}) in numeric value: {complaint}", describe(c)),
                at: self.pos,
            }),
            None => Err(self.error("Unexpected end-of-input in a Number value".to_owned())),
        }
    }

    /// Scans a string whose opening quote has been consumed.
    pub(super) fn string(&mut self, what: &str) -> Result<String, JsonError> {
        let mut out = String::new();
        loop {
            let Some(c) = self.bump() else {
                let place = if what == "name" {
                    " in field name"
                } else {
                    ": was expecting closing quote for a string value"
                };
                return Err(self.error(format!("Unexpected end-of-input{place}")));
            };
            match c {
                '"' => return Ok(out),
                '\\' => out.push(self.escape()?),
                c if (c as u32) < 0x20 => {
                    return Err(self.error(format!(
                        "Illegal unquoted character ({}): has to be escaped using backslash to be included \
                         in {what}",
                        describe(c)
                    )));
                }
                c => out.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        match self.bump() {
            Some(c @ ('"' | '\\' | '/')) => Ok(c),
            Some('b') => Ok('\u{8}'),
            Some('f') => Ok('\u{c}'),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('u') => {
                let high = self.hex4()?;
                if (0xD800..0xDC00).contains(&high) && self.text[self.pos..].starts_with("\\u") {
                    let mark = self.pos;
                    self.pos += 2;
                    let low = self.hex4()?;
                    if (0xDC00..0xE000).contains(&low) {
                        let code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                        return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    self.pos = mark;
                }
                Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER))
            }
            Some(c) => Err(self.error(format!("Unrecognized character escape {}", describe(c)))),
            None => Err(self.error("Unexpected end-of-input in character escape sequence".to_owned())),
        }
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            match self.bump() {
                Some(c) => match c.to_digit(16) {
                    Some(digit) => code = code * 16 + digit,
                    None => {
                        return Err(self.unexpected(c, "expected a hex-digit for character escape sequence"));
                    }
                },
                None => {
                    return Err(self.error("Unexpected end-of-input in character escape sequence".to_owned()));
                }
            }
        }
        Ok(code)
    }
}
