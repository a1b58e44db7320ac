//! A policy document: read, checked for its grammar and compiled once.

mod compile;

use std::sync::Arc;

use crate::json::{self, Json, Node};
use crate::statement::Statement;
use crate::{Place, PolicyError, Problem};

/// Where a policy stands, which decides its grammar: only resource and trust policies have principals, a trust
/// policy has no resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Inline in a user, group or role.
    Identity,
    /// A managed policy or a version of one; [`crate::validate`] asks for version 2012-10-17.
    Managed,
    /// Of a bucket, function, event bus or API.
    Resource,
    /// A role's AssumeRolePolicyDocument.
    Trust,
    /// A permissions boundary.
    Boundary,
    /// Passed to AssumeRole or GetFederationToken.
    Session,
}

impl Kind {
    pub(crate) fn has_principal(self) -> bool {
        matches!(self, Kind::Resource | Kind::Trust)
    }
}

/// A compiled policy. Cloning is cheap: the clones share it.
#[derive(Debug, Clone)]
pub struct Policy(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    statements: Vec<Statement>,
}

impl Policy {
    /// Reads a document. Accepts what AWS evaluates, which is more than it accepts for storing: see
    /// [`crate::validate`].
    ///
    /// # Errors
    /// AWS's text for the worst fault found, with the place.
    pub fn parse(text: &str, kind: Kind) -> Result<Self, PolicyError> {
        Self::parse_in(text, kind, None)
    }

    /// As [`Policy::parse`], where a service principal written with `url_suffix` (what `AWS::URLSuffix` stands for,
    /// such as `localhost:4566`) means the service: `events.localhost:4566` is `events.amazonaws.com`.
    ///
    /// # Errors
    /// As [`Policy::parse`].
    pub fn parse_in(text: &str, kind: Kind, url_suffix: Option<&str>) -> Result<Self, PolicyError> {
        let (statements, faults) = read(text, kind, url_suffix);
        match worst(faults) {
            Some(fault) => Err(fault),
            None => Ok(Policy(Arc::new(Inner { kind, statements }))),
        }
    }

    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    pub(crate) fn statements(&self) -> &[Statement] {
        &self.0.statements
    }

    /// The condition keys its conditions and variables name, as written, each once, in order of appearance: what
    /// GetContextKeysForCustomPolicy answers.
    pub fn context_keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        for key in self.statements().iter().flat_map(Statement::keys) {
            if !keys.iter().any(|known| known.eq_ignore_ascii_case(key)) {
                keys.push(key.to_owned());
            }
        }
        keys
    }

    /// The users, roles and sessions that its principals name by ARN or unique id, for the service to check that
    /// they exist.
    pub fn named_principals(&self) -> impl Iterator<Item = &str> {
        self.statements().iter().filter_map(|statement| statement.principal.as_ref()).flat_map(|rule| {
            rule.entries.iter().filter_map(|entry| match entry {
                crate::principal::Entry::Aws(arn) => Some(arn.as_str()),
                _ => None,
            })
        })
    }
}

/// AWS reports one fault: its checks run one after another over the whole document, in the order of [`Problem`].
pub(crate) fn worst(faults: Vec<PolicyError>) -> Option<PolicyError> {
    faults.into_iter().min_by_key(|fault| fault.problem as u8)
}

/// What could be compiled and all that is wrong.
pub(crate) fn read(text: &str, kind: Kind, url_suffix: Option<&str>) -> (Vec<Statement>, Vec<PolicyError>) {
    let node = match json::read(text) {
        Ok(node) => node,
        Err(error) => {
            let fault = match error.duplicate {
                Some(member) => PolicyError::syntax(format!("{member} is given twice")),
                None => PolicyError::new(Problem::InvalidJson, "This policy contains invalid Json", ""),
            };
            return (Vec::new(), vec![fault.at(Place::of(text, error.offset))]);
        }
    };
    let mut faults = Vec::new();
    let place = |node: &Node| Place::of(text, node.start);
    let Json::Object(members) = &node.value else {
        return (Vec::new(), vec![PolicyError::syntax("a policy is an object").at(place(&node))]);
    };
    // The old version is the default and knows no variables.
    let mut variables = false;
    let mut body = None;
    for (name, member) in members {
        match (name.as_str(), &member.value) {
            ("Version", Json::String(version)) if version == "2012-10-17" => variables = true,
            ("Version", Json::String(version)) if version == "2008-10-17" => {}
            ("Version", _) => {
                faults.push(PolicyError::syntax("Version is 2012-10-17 or 2008-10-17").at(place(member)));
            }
            ("Id", Json::String(_)) => {}
            ("Id", _) => faults.push(PolicyError::syntax("Id is a text").at(place(member))),
            ("Statement", _) => body = Some(member),
            (name, _) => {
                faults.push(PolicyError::syntax(format!("unknown element {name}")).at(place(member)));
            }
        }
    }
    let single;
    let (nodes, opening): (&[Node], usize) = match body {
        Some(Node { value: Json::Array(nodes), start, .. }) if !nodes.is_empty() => (nodes, start + 1),
        Some(node @ Node { value: Json::Object(_), .. }) => {
            single = std::slice::from_ref(node);
            (single, node.start + 1)
        }
        Some(other) => {
            faults.push(PolicyError::syntax("Statement is a statement or a list of them").at(place(other)));
            return (Vec::new(), faults);
        }
        None => {
            faults.push(PolicyError::syntax("Statement is missing").at(place(&node)));
            return (Vec::new(), faults);
        }
    };
    let mut statements = Vec::new();
    let mut begin = opening;
    for (index, node) in nodes.iter().enumerate() {
        let source = compile::Source { text, kind, variables, url_suffix };
        match compile::statement(&source, node, begin) {
            Ok(statement) => statements.push(statement),
            Err(fault) => faults.push(fault.at(place(node)).in_statement(index)),
        }
        begin = node.end;
    }
    (statements, faults)
}

#[cfg(test)]
mod tests;
