//! `PutPermission`, `RemovePermission`: the policy of a bus, statement by statement or whole.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::bus;
use super::error::Error;
use super::names::{self, DEFAULT};
use super::state::Bus;
use crate::context::Cx;
use crate::error::EngineError;
use crate::operation::{Kind, Operation};

/// So long may the policy of a bus be, in characters.
const LONGEST: usize = 10_240;

/// The policy that stands on a bus. Rules have none.
pub fn of_resource(cx: &Cx<'_>, arn: &str) -> Result<Option<String>, EngineError> {
    let Some((_, bus)) = arn.split_once(":event-bus/") else { return Ok(None) };
    Ok(cx.get::<Bus>(bus)?.and_then(|bus| bus.policy).map(|policy| policy.to_string()))
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutPermission {
    pub event_bus_name: Option<String>,
    pub action: Option<String>,
    pub principal: Option<String>,
    pub statement_id: Option<String>,
    pub condition: Option<Condition>,
    /// A whole policy, instead of all the others.
    pub policy: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Condition {
    #[serde(rename = "Type")]
    pub kind: String,
    pub key: String,
    pub value: String,
}

impl PutPermission {
    /// The statement, in the form recorded from AWS.
    fn statement(&self, arn: &str) -> Result<Value, Error> {
        let missing = |name: &str| Error::Validation(format!("Parameter {name} must be specified."));
        let principal = self.principal.as_deref().ok_or_else(|| missing("Principal"))?;
        let action = self.action.as_deref().ok_or_else(|| missing("Action"))?;
        let id = self.statement_id.as_deref().ok_or_else(|| missing("StatementId"))?;
        let who = match principal {
            "*" => json!("*"),
            account => json!({"AWS": format!("arn:aws:iam::{account}:root")}),
        };
        let mut statement =
            json!({"Sid": id, "Effect": "Allow", "Principal": who, "Action": action, "Resource": arn});
        if let Some(Condition { kind, key, value }) = &self.condition {
            statement["Condition"] = json!({kind: {key: value}});
        }
        Ok(statement)
    }

    fn whole(&self, text: &str) -> Result<Value, Error> {
        if self.action.is_some()
            || self.principal.is_some()
            || self.statement_id.is_some()
            || self.condition.is_some()
        {
            return Err(Error::validation(
                "Policy and the parameters of a statement can't be given together.",
            ));
        }
        let refuse = |what: &str| Error::Validation(format!("Parameter Policy is not valid. Reason: {what}"));
        let policy: Value = serde_json::from_str(text).map_err(|error| refuse(&error.to_string()))?;
        match policy.get("Statement") {
            Some(Value::Array(_) | Value::Object(_)) => Ok(policy),
            _ => Err(refuse("a policy has a Statement")),
        }
    }
}

impl Operation for PutPermission {
    const SERVICE: &'static str = "events";
    const NAME: &'static str = "PutPermission";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![names::bus_arn(cx, names::bus_name(self.event_bus_name.as_deref()))]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let mut bus = bus::load(cx, self.event_bus_name.as_deref().unwrap_or(DEFAULT))?;
        let policy = match &self.policy {
            Some(text) => self.whole(text)?,
            None => {
                let statement = self.statement(&names::bus_arn(cx, &bus.name))?;
                let mut all = statements(bus.policy.take());
                match all.iter_mut().find(|old| old["Sid"] == statement["Sid"]) {
                    Some(old) => *old = statement,
                    None => all.push(statement),
                }
                json!({"Version": "2012-10-17", "Statement": all})
            }
        };
        if policy.to_string().chars().count() > LONGEST {
            return Err(Error::PolicyTooLong);
        }
        bus.policy = Some(policy);
        bus.modified = Some(cx.now());
        Ok(cx.put(&bus)?)
    }
}

fn statements(policy: Option<Value>) -> Vec<Value> {
    match policy.and_then(|mut policy| policy.get_mut("Statement").map(Value::take)) {
        Some(Value::Array(statements)) => statements,
        Some(statement) => vec![statement],
        None => Vec::new(),
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct RemovePermission {
    pub statement_id: Option<String>,
    pub remove_all_permissions: bool,
    pub event_bus_name: Option<String>,
}

impl Operation for RemovePermission {
    const SERVICE: &'static str = "events";
    const NAME: &'static str = "RemovePermission";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![names::bus_arn(cx, names::bus_name(self.event_bus_name.as_deref()))]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let mut bus = bus::load(cx, self.event_bus_name.as_deref().unwrap_or(DEFAULT))?;
        if self.remove_all_permissions {
            bus.policy = None;
        } else {
            let id = self.statement_id.as_deref();
            let id = id.ok_or_else(|| Error::validation("Parameter StatementId must be specified."))?;
            let mut all = statements(bus.policy.take());
            let before = all.len();
            all.retain(|statement| statement["Sid"] != id);
            if all.len() == before {
                return Err(Error::NoStatement);
            }
            bus.policy = (!all.is_empty()).then(|| json!({"Version": "2012-10-17", "Statement": all}));
        }
        bus.modified = Some(cx.now());
        Ok(cx.put(&bus)?)
    }
}
