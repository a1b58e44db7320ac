//! From the JSON of one statement to its compiled form.

use crate::arn::ResourcePattern;
use crate::condition::{BadValue, Condition};
use crate::document::Kind;
use crate::json::{Json, Node};
use crate::operator::Operator;
use crate::principal::{Entry, PrincipalRule};
use crate::statement::{ActionPattern, Statement, StatementEffect};
use crate::{Place, PolicyError, Problem};

pub(super) struct Source<'a> {
    pub text: &'a str,
    pub kind: Kind,
    pub variables: bool,
    pub url_suffix: Option<&'a str>,
}

impl Source<'_> {
    fn syntax(&self, node: &Node, detail: impl Into<String>) -> PolicyError {
        PolicyError::syntax(detail).at(Place::of(self.text, node.start))
    }
}

/// `begin` is where the simulator counts the statement from: after the bracket or brace that opens the element, or
/// after the statement before (observed: column 38 for both `"Statement":{` and `"Statement":[{` there).
pub(super) fn statement(source: &Source<'_>, node: &Node, begin: usize) -> Result<Statement, PolicyError> {
    let Json::Object(members) = &node.value else {
        return Err(source.syntax(node, "a statement is an object"));
    };
    let mut sid = None;
    let mut effect = None;
    let mut principal = None;
    let mut actions = None;
    let mut resources = None;
    let mut conditions = Vec::new();
    for (name, member) in members {
        match name.as_str() {
            "Sid" => sid = Some(text(source, member, "Sid")?),
            "Effect" => effect = Some(read_effect(source, member)?),
            "Action" | "NotAction" => {
                once(source, member, actions.is_some(), "Action and NotAction")?;
                actions = Some((name == "NotAction", texts(source, member, name)?));
            }
            "Resource" | "NotResource" => {
                if source.kind == Kind::Trust {
                    let message = format!("Has prohibited field {name}");
                    let place = Place::of(source.text, member.start);
                    return Err(PolicyError::new(Problem::Prohibited, message, "").at(place));
                }
                once(source, member, resources.is_some(), "Resource and NotResource")?;
                resources = Some((name == "NotResource", texts(source, member, name)?));
            }
            "Principal" | "NotPrincipal" => {
                if !source.kind.has_principal() {
                    let message = "Policy document should not specify a principal.";
                    let place = Place::of(source.text, member.start);
                    return Err(PolicyError::new(Problem::Prohibited, message, "").at(place));
                }
                once(source, member, principal.is_some(), "Principal and NotPrincipal")?;
                principal = Some(PrincipalRule {
                    negated: name == "NotPrincipal",
                    entries: read_principal(source, member)?,
                });
            }
            "Condition" => conditions = read_conditions(source, member)?,
            other => return Err(source.syntax(member, format!("unknown element {other}"))),
        }
    }
    let effect = effect.ok_or_else(|| source.syntax(node, "Effect is missing"))?;
    if source.kind.has_principal() && principal.is_none() {
        return Err(missing(source.kind, Problem::Principal, "Principal"));
    }
    let (not_action, actions) = actions
        .filter(|(_, actions)| !actions.is_empty())
        .ok_or_else(|| missing(source.kind, Problem::NoActions, "Action"))?;
    let (not_resource, resources) = match resources.filter(|(_, resources)| !resources.is_empty()) {
        Some(resources) => resources,
        None if source.kind == Kind::Trust => (false, Vec::new()),
        None => return Err(missing(source.kind, Problem::NoResources, "Resource")),
    };
    Ok(Statement {
        sid: sid.map(String::into_boxed_str),
        effect,
        principal,
        actions: actions.iter().map(|action| ActionPattern::new(action)).collect(),
        not_action,
        resources: resources
            .iter()
            .map(|resource| ResourcePattern::new(resource, source.variables))
            .collect(),
        not_resource,
        conditions,
        start: Place::of(source.text, begin),
        end: Place::of(source.text, node.end),
        place: Place::of(source.text, node.start),
    })
}

/// IAM words a missing element one way for identity policies and another for those with principals.
fn missing(kind: Kind, problem: Problem, element: &str) -> PolicyError {
    let message = match (kind.has_principal(), problem) {
        (false, Problem::NoActions) => "Policy statement must contain actions.".to_owned(),
        (false, _) => "Policy statement must contain resources.".to_owned(),
        (true, _) => format!("Missing required field {element}"),
    };
    let problem = if kind.has_principal() { Problem::Missing } else { problem };
    PolicyError::new(problem, message, "")
}

fn once(source: &Source<'_>, member: &Node, again: bool, pair: &str) -> Result<(), PolicyError> {
    if again { Err(source.syntax(member, format!("{pair} exclude each other"))) } else { Ok(()) }
}

fn text(source: &Source<'_>, node: &Node, element: &str) -> Result<String, PolicyError> {
    match &node.value {
        Json::String(text) => Ok(text.clone()),
        _ => Err(source.syntax(node, format!("{element} is a text"))),
    }
}

/// A text or a list of texts.
fn texts(source: &Source<'_>, node: &Node, element: &str) -> Result<Vec<String>, PolicyError> {
    match &node.value {
        Json::Array(items) => items.iter().map(|item| text(source, item, element)).collect(),
        _ => Ok(vec![text(source, node, element)?]),
    }
}

fn read_effect(source: &Source<'_>, node: &Node) -> Result<StatementEffect, PolicyError> {
    match text(source, node, "Effect")?.as_str() {
        "Allow" => Ok(StatementEffect::Allow),
        "Deny" => Ok(StatementEffect::Deny),
        // Observed: the wrong letter case passes the grammar and fails later.
        other if other.eq_ignore_ascii_case("Allow") || other.eq_ignore_ascii_case("Deny") => {
            Err(PolicyError::legacy("Effect is Allow or Deny").at(Place::of(source.text, node.start)))
        }
        _ => Err(source.syntax(node, "Effect is Allow or Deny")),
    }
}

fn read_principal(source: &Source<'_>, node: &Node) -> Result<Vec<Entry>, PolicyError> {
    let invalid = |node: &Node, shown: &str| {
        PolicyError::new(Problem::Principal, format!("Invalid principal in policy: {shown}"), "")
            .at(Place::of(source.text, node.start))
    };
    let members = match &node.value {
        Json::String(all) if all == "*" => return Ok(vec![Entry::Everyone]),
        Json::Object(members) if !members.is_empty() => members,
        Json::String(other) => return Err(invalid(node, &format!("\"{other}\""))),
        _ => {
            return Err(source.syntax(node, "a principal is \"*\" or an object of AWS, Service or Federated"));
        }
    };
    let mut entries = Vec::new();
    for (name, member) in members {
        for value in texts(source, member, name)? {
            entries.push(match name.as_str() {
                "AWS" => Entry::aws(&value),
                "Service" => Entry::Service(service_name(value, source.url_suffix)),
                "Federated" => Entry::Federated(value),
                "CanonicalUser" => Entry::CanonicalUser(value),
                _ => return Err(invalid(member, &format!("\"{name}\":\"{value}\""))),
            });
        }
    }
    Ok(entries)
}

fn service_name(written: String, url_suffix: Option<&str>) -> String {
    let label =
        url_suffix.and_then(|suffix| written.strip_suffix(suffix)).and_then(|label| label.strip_suffix('.'));
    match label {
        Some(label) => format!("{label}.amazonaws.com"),
        None => written,
    }
}

fn read_conditions(source: &Source<'_>, node: &Node) -> Result<Vec<Condition>, PolicyError> {
    let Json::Object(operators) = &node.value else {
        return Err(source.syntax(node, "Condition is an object"));
    };
    let mut conditions = Vec::new();
    for (name, member) in operators {
        let Json::Object(keys) = &member.value else {
            return Err(source.syntax(member, format!("{name} is an object of condition keys")));
        };
        let operator = Operator::parse(name)
            .ok_or_else(|| source.syntax(member, format!("unknown condition operator {name}")))?;
        for (key, values) in keys {
            if key.is_empty() {
                return Err(source.syntax(values, "a condition key has a name"));
            }
            let literals = condition_values(source, values)?;
            let condition = Condition::new(name, operator, key, literals, source.variables);
            conditions.push(condition.map_err(|bad| {
                match bad {
                    BadValue::Syntax(detail) => source.syntax(values, format!("{name} {key}: {detail}")),
                    BadValue::Legacy(detail) => PolicyError::legacy(format!("{name} {key}: {detail}"))
                        .at(Place::of(source.text, values.start)),
                }
            })?);
        }
    }
    Ok(conditions)
}

/// Texts, and the booleans and numbers that people write without quotes.
fn condition_values(source: &Source<'_>, node: &Node) -> Result<Vec<String>, PolicyError> {
    let one = |node: &Node| match &node.value {
        Json::String(text) | Json::Number(text) => Ok(text.clone()),
        Json::Bool(truth) => Ok(truth.to_string()),
        _ => Err(source.syntax(node, "a condition value is a text")),
    };
    match &node.value {
        Json::Array(items) => items.iter().map(one).collect(),
        _ => Ok(vec![one(node)?]),
    }
}
