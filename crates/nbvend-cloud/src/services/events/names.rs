//! Names and ARNs of buses and rules. A bus may be named by its ARN wherever the model allows it.

use nbvend_wire::arn::Arn;

use super::error::Error;
use super::state::{Bus, Rule};
use crate::context::Cx;

/// The bus that every region has and nobody made.
pub const DEFAULT: &str = "default";

/// The name of the bus a caller means.
pub fn bus_name(given: Option<&str>) -> &str {
    let given = given.unwrap_or(DEFAULT);
    given.split_once(":event-bus/").map_or(given, |(_, name)| name)
}

/// The name of an existing bus.
pub fn bus(cx: &Cx<'_>, given: Option<&str>) -> Result<String, Error> {
    let name = bus_name(given);
    let elsewhere = given.is_some_and(|given| given.starts_with("arn:") && given != bus_arn(cx, name));
    if elsewhere || (name != DEFAULT && cx.get::<Bus>(name)?.is_none()) {
        return Err(Error::NoBus(name.to_owned()));
    }
    Ok(name.to_owned())
}

pub fn bus_arn(cx: &Cx<'_>, bus: &str) -> String {
    cx.arn("events", &format!("event-bus/{bus}"))
}

/// `rule/NAME` on the default bus, `rule/BUS/NAME` on another.
pub fn rule_arn(cx: &Cx<'_>, bus: &str, rule: &str) -> String {
    match bus {
        DEFAULT => cx.arn("events", &format!("rule/{rule}")),
        _ => cx.arn("events", &format!("rule/{bus}/{rule}")),
    }
}

/// An existing rule of an existing bus.
pub fn rule(cx: &Cx<'_>, given_bus: Option<&str>, name: &str) -> Result<Rule, Error> {
    let bus = bus(cx, given_bus)?;
    match cx.get::<Rule>(&Rule::key_of(&bus, name))? {
        Some(rule) => Ok(rule),
        None => Err(Error::NoRule { rule: name.to_owned(), bus }),
    }
}

/// What an ARN of EventBridge names.
pub enum Named {
    Bus(String),
    Rule { bus: String, rule: String },
}

pub fn parse(cx: &Cx<'_>, arn: &str) -> Result<Named, Error> {
    let refuse = || {
        Error::Validation(format!(
            "Parameter {arn} is not valid. Reason: Provided Arn is not in correct format."
        ))
    };
    let parsed: Arn = arn.parse().map_err(|_| refuse())?;
    if parsed.service != "events" || parsed.region != cx.region() || parsed.account != cx.account() {
        return Err(refuse());
    }
    match parsed.resource.split_once('/').ok_or_else(refuse)? {
        ("event-bus", name) => Ok(Named::Bus(name.to_owned())),
        ("rule", rest) => {
            let (bus, rule) = rest.rsplit_once('/').unwrap_or((DEFAULT, rest));
            Ok(Named::Rule { bus: bus.to_owned(), rule: rule.to_owned() })
        }
        _ => Err(refuse()),
    }
}
