//! `PutRule`, `DescribeRule`, `DeleteRule`, `EnableRule`, `DisableRule`.

use nbvend_pattern::{Pattern, Schedule};
use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::names::{self, DEFAULT};
use super::state::{Due, Generation, Rule, State};
use super::tags::{self, Tag};
use super::{SCHEDULES, schedule};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};
use crate::store::{GLOBAL, StoreError};

/// Writes a rule: what was compiled of its bus is void, and its schedule stands in the calendar.
pub fn save(cx: &Cx<'_>, rule: &mut Rule, due: Option<Timestamp>) -> Result<(), StoreError> {
    unschedule(cx, rule)?;
    rule.due = due;
    if let Some(time) = due {
        let entry =
            Due { time, region: cx.region().to_owned(), bus: rule.bus.clone(), rule: rule.name.clone() };
        cx.put_global(&entry)?;
        cx.wake(SCHEDULES);
    }
    cx.put(rule)?;
    Generation::bump(cx.tx, cx.region(), &rule.bus)
}

fn unschedule(cx: &Cx<'_>, rule: &Rule) -> Result<(), StoreError> {
    if let Some(time) = rule.due {
        let entry =
            Due { time, region: cx.region().to_owned(), bus: rule.bus.clone(), rule: rule.name.clone() };
        cx.tx.delete::<Due>(GLOBAL, &crate::store::Record::key(&entry))?;
    }
    Ok(())
}

/// When a rule that listens fires next, counted from now.
fn first_due(cx: &Cx<'_>, rule: &Rule) -> Option<Timestamp> {
    let expression = rule.schedule.as_deref().filter(|_| rule.state != State::Disabled)?;
    schedule::next(expression, cx.now(), cx.now())
}

/// Makes a rule or replaces all that was said of it but its targets and tags.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutRule {
    pub name: String,
    pub schedule_expression: Option<String>,
    pub event_pattern: Option<String>,
    pub state: Option<String>,
    pub description: Option<String>,
    pub tags: Vec<Tag>,
    pub event_bus_name: Option<String>,
    #[serde(skip)]
    pub(super) checked: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutRuleOutput {
    pub rule_arn: String,
}

impl Operation for PutRule {
    const SERVICE: &'static str = "events";
    const NAME: &'static str = "PutRule";
    const KIND: Kind = Kind::Write;
    const PREPARES: bool = true;
    type Output = PutRuleOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![names::rule_arn(cx, names::bus_name(self.event_bus_name.as_deref()), &self.name)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        tags::request_keys(&self.tags, keys);
        keys.insert("events:creatorAccount".to_owned(), vec![cx.account().to_owned()]);
    }

    /// The pattern is parsed where no writer waits for it; `run` parses it again only for callers inside the engine.
    fn prepare(&mut self, _cx: &mut Cx<'_>) -> Result<(), Error> {
        self.check()?;
        self.checked = true;
        Ok(())
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<PutRuleOutput, Error> {
        if !self.checked {
            self.check()?;
        }
        let bus = names::bus(cx, self.event_bus_name.as_deref())?;
        if self.schedule_expression.is_some() && bus != DEFAULT {
            return Err(Error::validation("ScheduleExpression is supported only on the default event bus."));
        }
        let old = cx.get::<Rule>(&Rule::key_of(&bus, &self.name))?;
        let tags = match &old {
            Some(old) => old.tags.clone(),
            None => tags::checked(cx, &self.tags)?,
        };
        let unchanged =
            old.as_ref().and_then(|old| old.due.filter(|_| old.schedule == self.schedule_expression));
        let mut rule = Rule {
            arn: names::rule_arn(cx, &bus, &self.name),
            name: self.name,
            bus,
            pattern: self.event_pattern,
            schedule: self.schedule_expression,
            state: State::parse(self.state.as_deref()),
            description: self.description,
            due: old.as_ref().and_then(|old| old.due),
            targets: old.map(|old| old.targets).unwrap_or_default(),
            tags,
        };
        let due = first_due(cx, &rule).map(|first| unchanged.unwrap_or(first));
        save(cx, &mut rule, due)?;
        Ok(PutRuleOutput { rule_arn: rule.arn })
    }
}

impl PutRule {
    fn check(&self) -> Result<(), Error> {
        if self.event_pattern.is_none() && self.schedule_expression.is_none() {
            // As AWS says it, by several reports; not among the recorded answers.
            return Err(Error::validation(
                "Parameter(s) EventPattern or ScheduleExpression must be specified.",
            ));
        }
        if let Some(expression) = &self.schedule_expression {
            Schedule::parse(expression).map_err(|error| Error::validation(error.to_string()))?;
        }
        if let Some(pattern) = &self.event_pattern {
            Pattern::parse(pattern).map_err(|error| Error::InvalidPattern(error.message()))?;
        }
        Ok(())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeRule {
    pub name: String,
    pub event_bus_name: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeRuleOutput {
    pub name: String,
    pub arn: String,
    pub event_pattern: Option<String>,
    pub schedule_expression: Option<String>,
    pub state: &'static str,
    pub description: Option<String>,
    pub event_bus_name: String,
    pub created_by: String,
}

impl Operation for DescribeRule {
    const SERVICE: &'static str = "events";
    const NAME: &'static str = "DescribeRule";
    const KIND: Kind = Kind::Read;
    type Output = DescribeRuleOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![names::rule_arn(cx, names::bus_name(self.event_bus_name.as_deref()), &self.name)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<DescribeRuleOutput, Error> {
        let rule = names::rule(cx, self.event_bus_name.as_deref(), &self.name)?;
        Ok(DescribeRuleOutput {
            name: rule.name,
            arn: rule.arn,
            event_pattern: rule.pattern,
            schedule_expression: rule.schedule,
            state: rule.state.name(),
            description: rule.description,
            event_bus_name: rule.bus,
            created_by: cx.account().to_owned(),
        })
    }
}

/// `Force` is for rules that AWS services manage; there are none here, so it changes nothing, as on AWS for such rules.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteRule {
    pub name: String,
    pub event_bus_name: Option<String>,
    pub force: bool,
}

impl Operation for DeleteRule {
    const SERVICE: &'static str = "events";
    const NAME: &'static str = "DeleteRule";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![names::rule_arn(cx, names::bus_name(self.event_bus_name.as_deref()), &self.name)]
    }

    /// Deleting what is not there is no error, as on AWS.
    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let rule = match names::rule(cx, self.event_bus_name.as_deref(), &self.name) {
            Err(Error::NoRule { .. }) => return Ok(()),
            other => other?,
        };
        if !rule.targets.is_empty() {
            return Err(Error::validation("Rule can't be deleted since it has targets."));
        }
        unschedule(cx, &rule)?;
        cx.delete::<Rule>(&Rule::key_of(&rule.bus, &rule.name))?;
        Ok(Generation::bump(cx.tx, cx.region(), &rule.bus)?)
    }
}

fn set_state(cx: &Cx<'_>, bus: Option<&str>, name: &str, state: State) -> Result<(), Error> {
    let mut rule = names::rule(cx, bus, name)?;
    // Enabling what listens already changes nothing, least of all to which calls it listens.
    if (rule.state == State::Disabled) != (state == State::Disabled) {
        rule.state = state;
        let due = first_due(cx, &rule);
        save(cx, &mut rule, due)?;
    }
    Ok(())
}

macro_rules! switch {
    ($name:ident, $text:literal, $state:expr) => {
        #[derive(Debug, Default, Serialize, Deserialize)]
        #[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
        pub struct $name {
            pub name: String,
            pub event_bus_name: Option<String>,
        }

        impl Operation for $name {
            const SERVICE: &'static str = "events";
            const NAME: &'static str = $text;
            const KIND: Kind = Kind::Write;
            type Output = ();
            type Error = Error;

            fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
                vec![names::rule_arn(cx, names::bus_name(self.event_bus_name.as_deref()), &self.name)]
            }

            fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
                set_state(cx, self.event_bus_name.as_deref(), &self.name, $state)
            }
        }
    };
}

switch!(EnableRule, "EnableRule", State::Enabled);
switch!(DisableRule, "DisableRule", State::Disabled);
