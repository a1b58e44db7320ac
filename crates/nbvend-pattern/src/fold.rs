//! Text compared without regard to case, the way event-ruler does it: character by character, each
//! in its lower or its upper form, which may differ in length.

/// A text prepared for comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folded {
    text: Box<str>,
    /// Lower and upper form of each character; empty if the text is plain ASCII.
    forms: Vec<(Box<str>, Box<str>)>,
}

impl Folded {
    pub fn new(text: &str) -> Self {
        let forms = if text.is_ascii() {
            Vec::new()
        } else {
            let form = |c: char| -> (Box<str>, Box<str>) {
                (c.to_lowercase().collect::<String>().into(), c.to_uppercase().collect::<String>().into())
            };
            text.chars().map(form).collect()
        };
        Folded { text: text.into(), forms }
    }

    /// The text in lower case, if it is plain ASCII; then only ASCII can equal it.
    pub fn ascii_key(&self) -> Option<String> {
        self.text.is_ascii().then(|| self.text.to_ascii_lowercase())
    }

    pub fn equals(&self, value: &str) -> bool {
        if self.forms.is_empty() {
            return self.text.eq_ignore_ascii_case(value);
        }
        self.ends(value).contains(&value.len())
    }

    pub fn starts(&self, value: &str) -> bool {
        if self.forms.is_empty() {
            return value
                .as_bytes()
                .get(..self.text.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(self.text.as_bytes()));
        }
        !self.ends(value).is_empty()
    }

    pub fn finishes(&self, value: &str) -> bool {
        if self.forms.is_empty() {
            return value
                .len()
                .checked_sub(self.text.len())
                .is_some_and(|at| value.as_bytes()[at..].eq_ignore_ascii_case(self.text.as_bytes()));
        }
        let mut places = vec![value.len()];
        for (lower, upper) in self.forms.iter().rev() {
            places =
                step(&places, lower, upper, |at, form| value[..at].ends_with(form).then(|| at - form.len()));
        }
        !places.is_empty()
    }

    /// All places in `value` at which a match from its beginning can end.
    fn ends(&self, value: &str) -> Vec<usize> {
        let mut places = vec![0];
        for (lower, upper) in &self.forms {
            places = step(&places, lower, upper, |at, form| {
                value[at..].starts_with(form).then(|| at + form.len())
            });
        }
        places
    }
}

/// One character further from each place. There are rarely two places and never many.
fn step(
    places: &[usize],
    lower: &str,
    upper: &str,
    advance: impl Fn(usize, &str) -> Option<usize>,
) -> Vec<usize> {
    let mut next = Vec::with_capacity(places.len());
    for &at in places {
        for form in [lower, upper] {
            if let Some(to) = advance(at, form)
                && !next.contains(&to)
            {
                next.push(to);
            }
        }
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_starts_finishes() {
        for (pattern, value, equals, starts, finishes) in [
            ("abC", "ABc", true, true, true),
            ("ab", "ABc", false, true, false),
            ("bC", "ABc", false, false, true),
            ("", "", true, true, true),
            ("", "x", false, true, true),
            ("é", "É", true, true, true),
            ("straße", "STRASSE", true, true, true),
            ("ß", "xSS", false, false, true),
            ("日本", "日本語", false, true, false),
            ("ⱥ", "Ⱥ", true, true, true),
            ("aé", "é", false, false, false),
        ] {
            let folded = Folded::new(pattern);
            assert_eq!(
                (folded.equals(value), folded.starts(value), folded.finishes(value)),
                (equals, starts, finishes),
                "{pattern} against {value}"
            );
        }
    }
}
