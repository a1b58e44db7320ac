//! The conditions of a JSON pattern: comparisons of selected members, joined by `&&` and `||`.

use serde_json::Value;

/// Deeper than any pattern of 1024 characters that means something.
const DEEPEST: usize = 50;

#[derive(Debug)]
pub enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Test(Vec<Step>, Test),
}

/// One step of a selector: `.name`, `["name"]` or `[0]`.
#[derive(Debug)]
pub enum Step {
    Member(String),
    Item(usize),
}

#[derive(Debug)]
pub enum Test {
    /// The number is there too where the text is one without quotes.
    Equals(String, Option<f64>),
    Differs(String, Option<f64>),
    Number(Order, f64),
    IsTrue,
    IsFalse,
    IsNull,
    NotExists,
}

#[derive(Debug, Clone, Copy)]
pub enum Order {
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Condition {
    pub fn holds(&self, event: &Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(event)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(event)),
            Self::Test(selector, test) => {
                let found = selector.iter().try_fold(event, |value, step| match step {
                    Step::Member(name) => value.get(name),
                    Step::Item(at) => value.get(at),
                });
                match found {
                    Some(value) => test.holds(value),
                    None => matches!(test, Test::NotExists),
                }
            }
        }
    }
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Equals(text, number) => equals(value, text, *number),
            Self::Differs(text, number) => {
                !value.is_object() && !value.is_array() && !equals(value, text, *number)
            }
            Self::Number(order, than) => value.as_f64().is_some_and(|number| match order {
                Order::Less => number < *than,
                Order::AtMost => number <= *than,
                Order::More => number > *than,
                Order::AtLeast => number >= *than,
            }),
            Self::IsTrue => *value == Value::Bool(true),
            Self::IsFalse => *value == Value::Bool(false),
            Self::IsNull => value.is_null(),
            Self::NotExists => false,
        }
    }
}

fn equals(value: &Value, text: &str, number: Option<f64>) -> bool {
    match value {
        Value::String(value) => like(value, text),
        Value::Number(value) => match number {
            // Both were written as numbers: 1 is 1.0.
            Some(number) => value.as_f64() == Some(number),
            None => like(&value.to_string(), text),
        },
        _ => false,
    }
}

/// Whether a text is as another says, where `*` stands for any text.
fn like(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// # Errors
/// What is wrong with it, for a person.
pub fn parse(text: &str) -> Result<Condition, String> {
    let mut parser = Parser { rest: text.trim(), depth: 0 };
    let condition = parser.any()?;
    match parser.rest {
        "" => Ok(condition),
        rest => Err(format!("unexpected {rest}")),
    }
}

struct Parser<'t> {
    rest: &'t str,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn any(&mut self) -> Result<Condition, String> {
        let mut parts = vec![self.all()?];
        while self.take("||") {
            parts.push(self.all()?);
        }
        Ok(Condition::Any(parts))
    }

    fn all(&mut self) -> Result<Condition, String> {
        let mut parts = vec![self.one()?];
        while self.take("&&") {
            parts.push(self.one()?);
        }
        Ok(Condition::All(parts))
    }

    fn one(&mut self) -> Result<Condition, String> {
        if self.take("(") {
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err("too many brackets".to_owned());
            }
            let inner = self.any()?;
            self.depth -= 1;
            return if self.take(")") { Ok(inner) } else { Err("a bracket is not closed".to_owned()) };
        }
        let selector = self.selector()?;
        Ok(Condition::Test(selector, self.test()?))
    }

    fn take(&mut self, sign: &str) -> bool {
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    /// The longest beginning of such characters.
    fn run(&mut self, of: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !of(c)).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at(end);
        self.rest = rest;
        run
    }

    fn selector(&mut self) -> Result<Vec<Step>, String> {
        let mut steps = Vec::new();
        let Some(rest) = self.rest.strip_prefix('$') else {
            return Err(format!("a selector begins with $ (at {})", self.rest));
        };
        self.rest = rest;
        loop {
            if let Some(rest) = self.rest.strip_prefix('.') {
                self.rest = rest;
                let name = self.run(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '@' | ':'));
                if name.is_empty() {
                    return Err("a selector's name is missing".to_owned());
                }
                steps.push(Step::Member(name.to_owned()));
            } else if let Some(rest) = self.rest.strip_prefix('[') {
                self.rest = rest;
                if self.rest.starts_with('"') {
                    let (name, rest) = super::quoted(self.rest)?;
                    self.rest = rest;
                    steps.push(Step::Member(name));
                } else {
                    let digits = self.run(|c| c.is_ascii_digit());
                    steps.push(Step::Item(digits.parse().map_err(|_| "an index is a number")?));
                }
                self.rest = self.rest.strip_prefix(']').ok_or("an index ends with ]")?;
            } else {
                self.rest = self.rest.trim_start();
                return if steps.is_empty() { Err("a selector is $.name".to_owned()) } else { Ok(steps) };
            }
        }
    }

    fn test(&mut self) -> Result<Test, String> {
        for (words, test) in [("TRUE", Test::IsTrue), ("FALSE", Test::IsFalse), ("NULL", Test::IsNull)] {
            let before = self.rest;
            if self.take("IS") && self.take(words) {
                return Ok(test);
            }
            self.rest = before;
        }
        if self.take("NOT") {
            return if self.take("EXISTS") {
                Ok(Test::NotExists)
            } else {
                Err("NOT EXISTS is meant".to_owned())
            };
        }
        // The longer signs first.
        let sign = ["!=", "<=", ">=", "=", "<", ">"].into_iter().find(|sign| self.take(sign));
        let sign = sign.ok_or_else(|| format!("an operator is missing at {}", self.rest))?;
        let (text, number) = self.value()?;
        let order = match sign {
            "=" => return Ok(Test::Equals(text, number)),
            "!=" => return Ok(Test::Differs(text, number)),
            "<" => Order::Less,
            "<=" => Order::AtMost,
            ">" => Order::More,
            _ => Order::AtLeast,
        };
        let number = number.ok_or_else(|| format!("{sign} compares numbers, {text} is none"))?;
        Ok(Test::Number(order, number))
    }

    fn value(&mut self) -> Result<(String, Option<f64>), String> {
        if self.rest.starts_with('"') {
            let (text, rest) = super::quoted(self.rest)?;
            self.rest = rest.trim_start();
            return Ok((text, None));
        }
        if self.rest.starts_with('%') {
            return Err("nbvend does not serve regular expressions in % %".to_owned());
        }
        let text = self.run(|c| !c.is_whitespace() && !matches!(c, '(' | ')' | '&' | '|' | '"'));
        if text.is_empty() {
            return Err("a value is missing".to_owned());
        }
        self.rest = self.rest.trim_start();
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        Ok((text.to_owned(), number))
    }
}
