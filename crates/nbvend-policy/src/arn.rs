//! Patterns over ARNs, whose six parts are separated by the first five colons.

use crate::context::Scope;
use crate::glob::Token;
use crate::pattern::{Part, Pattern, Syntax, split};

/// A pattern matched part by part: a wildcard stays within its part. What `ArnEquals` and `ArnLike` compare.
#[derive(Debug, Clone)]
pub(crate) struct ArnPattern {
    /// `None` is the lone `*`, which means any ARN.
    parts: Option<[Pattern; 6]>,
}

impl ArnPattern {
    pub(crate) fn new(source: &str, syntax: Syntax) -> Option<Self> {
        if source == "*" {
            return Some(ArnPattern { parts: None });
        }
        let parts = into_arn_parts(split(source, syntax))?;
        Some(ArnPattern { parts: Some(parts.map(|part| Pattern::from_parts(part, false))) })
    }

    pub(crate) fn matches(&self, text: &str, scope: &mut Scope<'_>) -> bool {
        let Some(given) = arn_parts(text) else { return false };
        self.parts
            .as_ref()
            .is_none_or(|wanted| wanted.iter().zip(given).all(|(pattern, part)| pattern.matches(part, scope)))
    }

    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().flatten().flat_map(Pattern::variables)
    }
}

/// An element of `Resource` or `NotResource`.
///
/// The guide keeps wildcards within their part, except for a `*` that ends one, which may reach over the colons
/// behind it. So a pattern with such a star before the last part is matched over the whole text, and so is one
/// without any wildcard there, for which it comes to the same.
#[derive(Debug, Clone)]
pub(crate) struct ResourcePattern {
    pub source: Box<str>,
    form: ResourceForm,
}

#[derive(Debug, Clone)]
enum ResourceForm {
    Whole(Pattern),
    ByPart(ArnPattern),
}

impl ResourcePattern {
    pub(crate) fn new(source: &str, variables: bool) -> Self {
        let syntax = Syntax { wildcards: true, variables, fold_case: false };
        let parts = split(source, syntax);
        let form = match into_arn_parts(parts.clone()) {
            Some(arn) if stays_within_parts(&arn) => ResourceForm::ByPart(ArnPattern {
                parts: Some(arn.map(|part| Pattern::from_parts(part, false))),
            }),
            _ => ResourceForm::Whole(Pattern::from_parts(parts, false)),
        };
        ResourcePattern { source: source.into(), form }
    }

    pub(crate) fn matches(&self, resource: &str, scope: &mut Scope<'_>) -> bool {
        match &self.form {
            ResourceForm::Whole(pattern) => pattern.matches(resource, scope),
            ResourceForm::ByPart(arn) => arn.matches(resource, scope),
        }
    }

    pub(crate) fn variables(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match &self.form {
            ResourceForm::Whole(pattern) => Box::new(pattern.variables()),
            ResourceForm::ByPart(arn) => Box::new(arn.variables()),
        }
    }
}

/// Whether the first five parts hold wildcards and none that ends its part.
fn stays_within_parts(arn: &[Vec<Part>; 6]) -> bool {
    let early = &arn[..5];
    early.iter().flatten().any(|part| matches!(part, Part::Fixed(Token::Any | Token::One)))
        && !early.iter().any(|part| matches!(part.last(), Some(Part::Fixed(Token::Any))))
}

/// The six parts of an ARN as text; the last keeps its colons.
fn arn_parts(text: &str) -> Option<[&str; 6]> {
    let mut parts = text.splitn(6, ':');
    let mut next = || parts.next();
    let arn = [next()?, next()?, next()?, next()?, next()?, next()?];
    (arn[0] == "arn").then_some(arn)
}

/// Cuts a pattern at its first five literal colons; `None` if it has fewer. A colon inside a variable's name is
/// none.
fn into_arn_parts(pattern: Vec<Part>) -> Option<[Vec<Part>; 6]> {
    let mut parts: [Vec<Part>; 6] = Default::default();
    let mut at = 0;
    for part in pattern {
        let Part::Fixed(Token::Literal(text)) = part else {
            parts[at].push(part);
            continue;
        };
        let mut rest = text.as_str();
        while at < 5 {
            let Some((before, after)) = rest.split_once(':') else { break };
            push_literal(&mut parts[at], before);
            at += 1;
            rest = after;
        }
        push_literal(&mut parts[at], rest);
    }
    (at == 5).then_some(parts)
}

fn push_literal(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Fixed(Token::Literal(text.to_owned())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Context;

    const FULL: Syntax = Syntax { wildcards: true, variables: true, fold_case: false };

    #[test]
    fn arn_operators_compare_part_by_part() {
        let context: Context = [("aws:username", "alice")].into_iter().collect();
        let mut scope = Scope::new(&context);
        for (pattern, text, expected) in [
            ("arn:aws:events:*:111122223333:rule/*", "arn:aws:events:eu-west-1:111122223333:rule/a:b", true),
            // The star of the region does not reach over the account.
            ("arn:aws:sqs:*:111122223333:jobs", "arn:aws:sqs:eu:9:q:111122223333:jobs", false),
            ("arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::1:user/alice", true),
            ("arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::1:user/bob", false),
            ("arn:aws:s3:::Data", "arn:aws:s3:::data", false),
            ("*", "arn:aws:s3:::data", true),
            ("*", "data", false),
        ] {
            let compiled = ArnPattern::new(pattern, FULL).expect(pattern);
            assert_eq!(compiled.matches(text, &mut scope), expected, "{pattern} {text}");
        }
        assert!(ArnPattern::new("arn:aws:s3", FULL).is_none());
    }

    #[test]
    fn resources_may_cross_colons_only_by_a_star_that_ends_its_part() {
        let context = Context::new();
        let mut scope = Scope::new(&context);
        for (pattern, text, expected) in [
            ("*", "*", true),
            ("*", "arn:aws:s3:::b", true),
            ("arn:aws:s3:::b/*", "*", false),
            ("arn:aws:s3:::b/*", "arn:aws:s3:::b/x:y/z", true),
            ("arn:aws:sns:*", "arn:aws:sns:eu-west-1:1:topic", true),
            ("arn:aws:logs:*:1:log-group:/a", "arn:aws:logs:eu:1:log-group:/a", true),
            ("arn:aws:logs:*:1:log-group:/a", "arn:aws:logs:eu:2:x:1:log-group:/a", true),
            ("arn:aws:logs:us-*-1:1:a", "arn:aws:logs:us-east-1:1:a", true),
            ("arn:aws:logs:us-*-1:1:a", "arn:aws:logs:us-east-2:9:b-1:1:a", false),
            ("arn:aws:cloudformation:eu-west-1:1:*/*", "arn:aws:cloudformation:eu-west-1:1:stack/a/b", true),
            ("arn:aws:s3:::B", "arn:aws:s3:::b", false),
        ] {
            assert_eq!(
                ResourcePattern::new(pattern, true).matches(text, &mut scope),
                expected,
                "{pattern} {text}"
            );
        }
    }
}
