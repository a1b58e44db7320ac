//! The name a notebook is called by.

use std::fmt;

/// A name that makes a valid instance name, `<name>-Notebook`: 1 to 54 letters, digits and hyphens, beginning and
/// ending with a letter or digit (SageMaker's `[a-zA-Z0-9](-*[a-zA-Z0-9])*`, at most 63 characters with the
/// ending). Nothing else goes into a parameter's path or a log line.
#[derive(Debug, Clone, PartialEq)]
pub struct UserName(String);

/// What is wrong with a name, in words for the person who typed it.
pub const RULE: &str =
    "must be 1 to 54 letters, digits and hyphens, beginning and ending with a letter or digit";

const LONGEST: usize = 54;

impl UserName {
    /// None if `name` breaks [`RULE`].
    pub fn parse(name: &str) -> Option<Self> {
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let edges = !name.starts_with('-') && !name.ends_with('-');
        ((1..=LONGEST).contains(&name.len()) && plain && edges).then(|| Self(name.to_owned()))
    }

    /// The name of this user's instance.
    pub fn notebook(&self) -> String {
        format!("{}-Notebook", self.0)
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let longest = "a".repeat(54);
        for name in ["a", "Demo-User", "a--b", "0", &longest] {
            assert_eq!(UserName::parse(name).unwrap().notebook(), format!("{name}-Notebook"));
        }
        let long = "a".repeat(55);
        let bad = [
            "",
            "-a",
            "a-",
            "a_b",
            "a.b",
            "a b",
            "a/b",
            "../x",
            "é",
            "a\n",
            "HIDDEN_DUE_TO_SECURITY_REASONS",
        ];
        for name in bad.into_iter().chain([long.as_str()]) {
            assert_eq!(UserName::parse(name), None, "{name:?}");
        }
    }

    /// The product's form refuses the same names and offers the default that the event processor falls back to.
    #[test]
    fn the_product_template_agrees() {
        let product = include_str!("../../templates/sm-notebook.yml");
        assert!(product.contains(r#"AllowedPattern: "[a-zA-Z0-9](-*[a-zA-Z0-9])*""#));
        assert!(product.contains(&format!("MaxLength: {LONGEST}\n")));
        let functions = include_str!("../template.yaml");
        let default =
            functions.lines().find_map(|l| l.trim().strip_prefix("DEFAULT_NOTEBOOK_USER_NAME: ")).unwrap();
        assert!(product.contains(&format!("Default: {default}\n")));
    }
}
