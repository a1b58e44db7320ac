//! A decision in plain words, what nearly allowed the call, and the smallest statement that would.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::Policy;
use crate::context::Scope;
use crate::decision::{Decision, Effect, Layer, MatchedStatement, Reason};
use crate::evaluate::{Policies, Request, grant_of};
use crate::statement::{Statement, StatementEffect};

/// An Allow statement for the action that did not apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NearMiss {
    pub layer: Layer,
    pub policy: String,
    /// From 0.
    pub index: usize,
    pub sid: Option<String>,
    pub obstacle: Obstacle,
}

/// The first thing that kept a statement from applying.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Obstacle {
    Principal,
    /// The statement is for these resources (or, negated, for all but these).
    Resource {
        negated: bool,
        patterns: Vec<String>,
    },
    /// The condition did not hold; `given` is what the request had, `None` if it lacked the key.
    Condition {
        operator: String,
        key: String,
        wanted: Vec<String>,
        given: Option<Vec<String>>,
    },
}

/// How many near misses are kept: enough to see, few enough to store with each denial.
const KEPT: usize = 8;

pub(crate) fn near_misses(request: &Request<'_>, policies: &Policies<'_>, because: &Reason) -> Vec<NearMiss> {
    let Some(layer) = because.lacking() else { return Vec::new() };
    let one;
    let applied: &[(&str, &Policy)] = match layer {
        Layer::Identity => policies.identity,
        Layer::Session => policies.session,
        Layer::Boundary => {
            one = policies.boundary;
            one.as_slice()
        }
        Layer::Resource | Layer::Trust => {
            one = policies.resource;
            one.as_slice()
        }
    };
    let action = request.action.to_lowercase();
    let mut misses = Vec::new();
    for (name, policy) in applied {
        for (index, statement) in policy.statements().iter().enumerate() {
            if statement.effect == StatementEffect::Deny || !statement.covers_action(&action) {
                continue;
            }
            let Some(obstacle) = obstacle(request, policies, statement) else { continue };
            let sid = statement.sid.as_deref().map(str::to_owned);
            misses.push(NearMiss { layer, policy: (*name).to_owned(), index, sid, obstacle });
            if misses.len() == KEPT {
                return misses;
            }
        }
    }
    misses
}

fn obstacle(request: &Request<'_>, policies: &Policies<'_>, statement: &Statement) -> Option<Obstacle> {
    let mut scope = Scope::new(request.context);
    if grant_of(statement, request.principal, policies.boundary.is_some()).is_none() {
        return Some(Obstacle::Principal);
    }
    if !statement.covers_resource(request.resource, &mut scope) {
        let patterns = statement.resources.iter().map(|pattern| pattern.source.to_string()).collect();
        return Some(Obstacle::Resource { negated: statement.not_resource, patterns });
    }
    let failed =
        statement.conditions.iter().find(|condition| !condition.holds(statement.effect, &mut scope))?;
    Some(Obstacle::Condition {
        operator: failed.name.to_string(),
        key: failed.key.to_string(),
        wanted: failed.values.clone(),
        given: request.context.get(&failed.key).map(<[String]>::to_vec),
    })
}

/// The decision in plain words, several lines.
pub fn explain(decision: &Decision, request: &Request<'_>) -> String {
    let mut text =
        format!("{} asked for {} on {}.\n", request.principal.arn(), request.action, request.resource);
    let allowed = decision.effect == Effect::Allowed;
    match &decision.because {
        Reason::Statement(statement) => {
            let verb = if allowed { "Allowed" } else { "Denied" };
            sentence(&mut text, format_args!("{verb} by {}.", describe(statement)));
            if !allowed {
                sentence(
                    &mut text,
                    "An explicit deny wins over every allow: change or remove that statement.",
                );
            }
        }
        Reason::AccountRoot => {
            sentence(&mut text, "Allowed: the root user may do everything in its account.");
        }
        reason => {
            let layer = reason.lacking().map_or("policy", Layer::name);
            sentence(&mut text, format_args!("Denied: no {layer} allows it."));
        }
    }
    for miss in &decision.near_misses {
        let name = place(&miss.policy, miss.index, miss.sid.as_deref());
        match &miss.obstacle {
            Obstacle::Principal => {
                sentence(&mut text, format_args!("{name} allows the action, but to other principals."));
            }
            Obstacle::Resource { negated, patterns } => {
                let which = if *negated { "on all resources but" } else { "only on" };
                sentence(
                    &mut text,
                    format_args!("{name} allows the action, but {which} {}.", patterns.join(", ")),
                );
            }
            Obstacle::Condition { operator, key, wanted, given } => {
                let given = match given {
                    Some(values) => format!("the request has {}", values.join(", ")),
                    None => "the request does not have that key".to_owned(),
                };
                let wanted = wanted.join(", ");
                sentence(
                    &mut text,
                    format_args!("{name} would allow it, but {operator} wants {key} {wanted}, and {given}."),
                );
            }
        }
    }
    if let Some(statement) = smallest_statement_for(decision, request) {
        let layer = decision.because.lacking().map_or_else(|| "a policy".to_owned(), Layer::with_article);
        sentence(&mut text, format_args!("This statement in {layer} would allow it: {statement}"));
    }
    text
}

fn sentence(text: &mut String, sentence: impl std::fmt::Display) {
    writeln!(text, "{sentence}").expect("writing to a String does not fail");
}

fn describe(statement: &MatchedStatement) -> String {
    let place = place(&statement.policy, statement.index, statement.sid.as_deref());
    format!("{place} ({})", statement.layer.name())
}

fn place(policy: &str, index: usize, sid: Option<&str>) -> String {
    match sid {
        Some(sid) => format!("statement {} ({sid}) of {policy}", index + 1),
        None => format!("statement {} of {policy}", index + 1),
    }
}

/// The smallest statement of an identity policy that allows the request.
pub fn smallest_statement(request: &Request<'_>) -> Value {
    json!({"Effect": "Allow", "Action": request.action, "Resource": request.resource})
}

/// The smallest statement for the layer that lacked one; `None` if a statement decided.
pub fn smallest_statement_for(decision: &Decision, request: &Request<'_>) -> Option<Value> {
    let layer = decision.because.lacking()?;
    let mut statement = Map::new();
    statement.insert("Effect".into(), "Allow".into());
    if matches!(layer, Layer::Resource | Layer::Trust) {
        statement.insert("Principal".into(), principal_element(request));
    }
    statement.insert("Action".into(), request.action.into());
    if layer != Layer::Trust {
        statement.insert("Resource".into(), request.resource.into());
    }
    Some(Value::Object(statement))
}

fn principal_element(request: &Request<'_>) -> Value {
    use crate::Principal;
    match request.principal {
        Principal::Service { name } => json!({"Service": name}),
        Principal::Anonymous => json!("*"),
        // The role, not the session: sessions come and go.
        Principal::AssumedRole { role_arn, .. } => json!({"AWS": role_arn}),
        principal => json!({"AWS": principal.arn()}),
    }
}

#[cfg(test)]
mod tests;
