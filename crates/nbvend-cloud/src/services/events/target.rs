//! `PutTargets`, `RemoveTargets`, `ListTargetsByRule`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::state::{Generation, Input, Rule, Target};
use super::{destination, input, names, page};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Need, Operation};

/// So many targets a rule may have.
pub const TARGETS: usize = 5;

/// A target as clients write it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct TargetEntry {
    pub id: String,
    pub arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_transformer: Option<Transformer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter_config: Option<DeadLetterConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_policy: Option<RetryPolicy>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct Transformer {
    pub input_paths_map: Option<BTreeMap<String, String>>,
    pub input_template: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeadLetterConfig {
    pub arn: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct RetryPolicy {
    pub maximum_retry_attempts: Option<u32>,
    pub maximum_event_age_in_seconds: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FailedEntry {
    pub target_id: String,
    pub error_code: &'static str,
    pub error_message: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EntriesOutput {
    pub failed_entry_count: usize,
    pub failed_entries: Vec<FailedEntry>,
}

impl From<Vec<FailedEntry>> for EntriesOutput {
    fn from(failed_entries: Vec<FailedEntry>) -> Self {
        Self { failed_entry_count: failed_entries.len(), failed_entries }
    }
}

impl TargetEntry {
    /// The input, checked. What is wrong here fails the whole request, as on AWS.
    fn checked_input(&self) -> Result<Input, Error> {
        let id = &self.id;
        let given = [self.input.is_some(), self.input_path.is_some(), self.input_transformer.is_some()];
        if given.iter().filter(|given| **given).count() > 1 {
            let text = format!(
                "Only one of Input, InputPath, or InputTransformer must be provided for target {id}."
            );
            return Err(Error::Validation(text));
        }
        let input = if let Some(text) = &self.input {
            if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
                return Err(Error::Validation(format!(
                    "JSON syntax error in Input for target {id}: {error}."
                )));
            }
            Input::Constant(text.clone())
        } else if let Some(path) = &self.input_path {
            if nbvend_pattern::path::JsonPath::parse(path).is_none() {
                return Err(Error::Validation(format!("InputPath for target {id} is invalid.")));
            }
            Input::Path(path.clone())
        } else if let Some(transformer) = &self.input_transformer {
            Input::Transformer {
                paths: transformer.input_paths_map.clone().unwrap_or_default(),
                template: transformer.input_template.clone(),
            }
        } else {
            Input::Event
        };
        input::compile(&input).map_err(|error| Error::Validation(error.message(id)))?;
        Ok(input)
    }

    /// Why this engine cannot deliver there, if so.
    fn refusal(&self, cx: &Cx<'_>) -> Option<String> {
        let id = &self.id;
        if self.dead_letter_config.as_ref().is_some_and(|config| config.arn.is_some()) {
            return Some(format!(
                "DeadLetterConfig of target {id} is not supported by nbvend: there is no Amazon SQS here"
            ));
        }
        match destination::parse(&self.arn, cx.account(), cx.region()) {
            Err(reason) => Some(reason),
            Ok(destination::Destination::Bus { .. }) => None,
            Ok(_) if self.role_arn.is_some() => {
                Some(format!("RoleArn is not supported for target {}.", self.arn))
            }
            Ok(_) => None,
        }
    }

    fn into_stored(self, input: Input) -> Target {
        let retry = self.retry_policy.unwrap_or_default();
        Target {
            id: self.id,
            arn: self.arn,
            role_arn: self.role_arn,
            input,
            retry_attempts: retry.maximum_retry_attempts,
            retry_age_seconds: retry.maximum_event_age_in_seconds,
        }
    }
}

impl From<Target> for TargetEntry {
    fn from(target: Target) -> Self {
        let retry = target.retry_attempts.is_some() || target.retry_age_seconds.is_some();
        let mut entry = Self {
            id: target.id,
            arn: target.arn,
            role_arn: target.role_arn,
            retry_policy: retry.then_some(RetryPolicy {
                maximum_retry_attempts: target.retry_attempts,
                maximum_event_age_in_seconds: target.retry_age_seconds,
            }),
            ..Self::default()
        };
        match target.input {
            Input::Event => {}
            Input::Constant(text) => entry.input = Some(text),
            Input::Path(path) => entry.input_path = Some(path),
            Input::Transformer { paths, template } => {
                let input_paths_map = (!paths.is_empty()).then_some(paths);
                entry.input_transformer = Some(Transformer { input_paths_map, input_template: template });
            }
        }
        entry
    }
}

/// Adds targets or replaces those of the same id.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutTargets {
    pub rule: String,
    pub event_bus_name: Option<String>,
    pub targets: Vec<TargetEntry>,
}

impl Operation for PutTargets {
    const SERVICE: &'static str = "events";
    const NAME: &'static str = "PutTargets";
    const KIND: Kind = Kind::Write;
    type Output = EntriesOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![names::rule_arn(cx, names::bus_name(self.event_bus_name.as_deref()), &self.rule)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        let arns = self.targets.iter().map(|target| target.arn.clone()).collect();
        keys.insert("events:TargetArn".to_owned(), arns);
        keys.insert("events:creatorAccount".to_owned(), vec![cx.account().to_owned()]);
    }

    fn needs(&self, _cx: &Cx<'_>) -> Vec<Need> {
        let roles = self.targets.iter().filter_map(|target| target.role_arn.as_deref());
        roles.map(|role| Need::pass_role(role, super::PRINCIPAL)).collect()
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<EntriesOutput, Error> {
        let mut rule = names::rule(cx, self.event_bus_name.as_deref(), &self.rule)?;
        let inputs = self.targets.iter().map(TargetEntry::checked_input).collect::<Result<Vec<_>, _>>()?;
        let mut failed = Vec::new();
        for (entry, input) in self.targets.into_iter().zip(inputs) {
            if let Some(error_message) = entry.refusal(cx) {
                failed.push(FailedEntry {
                    target_id: entry.id,
                    error_code: "ValidationException",
                    error_message,
                });
                continue;
            }
            let target = entry.into_stored(input);
            match rule.targets.iter_mut().find(|old| old.id == target.id) {
                Some(old) => *old = target,
                None => rule.targets.push(target),
            }
        }
        if rule.targets.len() > TARGETS {
            return Err(Error::Limit);
        }
        changed(cx, &rule)?;
        Ok(failed.into())
    }
}

fn changed(cx: &Cx<'_>, rule: &Rule) -> Result<(), Error> {
    cx.put(rule)?;
    Ok(Generation::bump(cx.tx, cx.region(), &rule.bus)?)
}

/// `Force` is for rules that AWS services manage; there are none here.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct RemoveTargets {
    pub rule: String,
    pub event_bus_name: Option<String>,
    pub ids: Vec<String>,
    pub force: bool,
}

impl Operation for RemoveTargets {
    const SERVICE: &'static str = "events";
    const NAME: &'static str = "RemoveTargets";
    const KIND: Kind = Kind::Write;
    type Output = EntriesOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![names::rule_arn(cx, names::bus_name(self.event_bus_name.as_deref()), &self.rule)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<EntriesOutput, Error> {
        let mut rule = names::rule(cx, self.event_bus_name.as_deref(), &self.rule)?;
        let mut failed = Vec::new();
        for id in self.ids {
            match rule.targets.iter().position(|target| target.id == id) {
                Some(at) => {
                    rule.targets.remove(at);
                }
                None => failed.push(FailedEntry {
                    error_message: format!("Rule '{}' does not have a target with the Id '{id}'.", rule.name),
                    target_id: id,
                    error_code: "ResourceNotFoundException",
                }),
            }
        }
        changed(cx, &rule)?;
        Ok(failed.into())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListTargetsByRule {
    pub rule: String,
    pub event_bus_name: Option<String>,
    pub next_token: Option<String>,
    pub limit: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListTargetsByRuleOutput {
    pub targets: Vec<TargetEntry>,
    pub next_token: Option<String>,
}

impl Operation for ListTargetsByRule {
    const SERVICE: &'static str = "events";
    const NAME: &'static str = "ListTargetsByRule";
    const KIND: Kind = Kind::Read;
    type Output = ListTargetsByRuleOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![names::rule_arn(cx, names::bus_name(self.event_bus_name.as_deref()), &self.rule)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListTargetsByRuleOutput, Error> {
        let rule = names::rule(cx, self.event_bus_name.as_deref(), &self.rule)?;
        let after = page::after(self.next_token.as_deref())?;
        let start = match &after {
            None => 0,
            Some(id) => rule
                .targets
                .iter()
                .position(|target| target.id == *id)
                .map_or(rule.targets.len(), |at| at + 1),
        };
        let rest: Vec<Target> = rule.targets.into_iter().skip(start).collect();
        let (page, next_token) =
            page::cut(rest, self.limit.unwrap_or(page::LIMIT), |target| target.id.clone());
        Ok(ListTargetsByRuleOutput { targets: page.into_iter().map(TargetEntry::from).collect(), next_token })
    }
}
