//! One compiled statement and whether it applies to a request.

use serde::Serialize;

use crate::Place;
use crate::arn::ResourcePattern;
use crate::condition::Condition;
use crate::context::Scope;
use crate::glob::{Glob, Token};
use crate::principal::PrincipalRule;

/// What a statement does when it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum StatementEffect {
    Allow,
    Deny,
}

#[derive(Debug)]
pub(crate) struct Statement {
    pub sid: Option<Box<str>>,
    pub effect: StatementEffect,
    /// Only in resource and trust policies.
    pub principal: Option<PrincipalRule>,
    pub actions: Vec<ActionPattern>,
    pub not_action: bool,
    /// Empty in trust policies: the role they belong to is the resource.
    pub resources: Vec<ResourcePattern>,
    pub not_resource: bool,
    pub conditions: Vec<Condition>,
    /// Where the simulator says it begins and ends.
    pub start: Place,
    pub end: Place,
    /// Where its text really begins.
    pub place: Place,
}

/// An element of `Action` or `NotAction`; letter case does not matter in actions.
#[derive(Debug)]
pub(crate) struct ActionPattern {
    pub source: Box<str>,
    glob: Glob,
}

impl ActionPattern {
    pub(crate) fn new(source: &str) -> Self {
        let lower = source.to_lowercase();
        let mut tokens = Vec::new();
        for c in lower.chars() {
            match (c, tokens.last_mut()) {
                ('*', _) => tokens.push(Token::Any),
                ('?', _) => tokens.push(Token::One),
                (c, Some(Token::Literal(text))) => text.push(c),
                (c, _) => tokens.push(Token::Literal(c.to_string())),
            }
        }
        ActionPattern { source: source.into(), glob: Glob::new(&tokens) }
    }
}

impl Statement {
    /// `action` in lower case.
    pub(crate) fn covers_action(&self, action: &str) -> bool {
        self.actions.iter().any(|pattern| pattern.glob.matches(action)) != self.not_action
    }

    /// A variable without value in `NotResource` leaves an Allow out and a Deny in, for the same reason as in
    /// negated conditions.
    pub(crate) fn covers_resource(&self, resource: &str, scope: &mut Scope<'_>) -> bool {
        if self.resources.is_empty() {
            return true;
        }
        scope.unresolved = false;
        let named = self.resources.iter().any(|pattern| pattern.matches(resource, scope));
        if self.not_resource {
            !named && (!scope.unresolved || self.effect == StatementEffect::Deny)
        } else {
            named
        }
    }

    /// Looks at every condition even after one failed, so that all absent keys are known.
    pub(crate) fn conditions_hold(&self, scope: &mut Scope<'_>) -> bool {
        let mut all = true;
        for condition in &self.conditions {
            all &= condition.holds(self.effect, scope);
        }
        all
    }

    /// The condition keys its conditions and variables name.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        let resources = self.resources.iter().flat_map(ResourcePattern::variables);
        self.conditions.iter().flat_map(Condition::keys).chain(resources)
    }
}
