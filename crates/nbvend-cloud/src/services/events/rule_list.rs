//! `ListRules`, `ListRuleNamesByTarget`.

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::state::Rule;
use super::{names, page};
use crate::context::Cx;
use crate::operation::{Kind, Operation};
use crate::store::Record;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListRules {
    pub name_prefix: Option<String>,
    pub event_bus_name: Option<String>,
    pub next_token: Option<String>,
    pub limit: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListRulesOutput {
    pub rules: Vec<Summary>,
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Summary {
    pub name: String,
    pub arn: String,
    pub event_pattern: Option<String>,
    pub state: &'static str,
    pub description: Option<String>,
    pub schedule_expression: Option<String>,
    pub event_bus_name: String,
}

impl Operation for ListRules {
    const SERVICE: &'static str = "events";
    const NAME: &'static str = "ListRules";
    const KIND: Kind = Kind::Read;
    type Output = ListRulesOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![names::rule_arn(cx, names::bus_name(self.event_bus_name.as_deref()), "*")]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListRulesOutput, Error> {
        let bus = names::bus(cx, self.event_bus_name.as_deref())?;
        let prefix = Rule::key_of(&bus, &self.name_prefix.unwrap_or_default());
        let after = page::after(self.next_token.as_deref())?;
        let limit = self.limit.unwrap_or(page::LIMIT);
        let rules = cx.tx.list::<Rule>(cx.region(), &prefix, after.as_deref(), limit + 1)?;
        let (rules, next_token) = page::cut(rules, limit, Record::key);
        let rules = rules.into_iter().map(|rule| Summary {
            name: rule.name,
            arn: rule.arn,
            event_pattern: rule.pattern,
            state: rule.state.name(),
            description: rule.description,
            schedule_expression: rule.schedule,
            event_bus_name: rule.bus,
        });
        Ok(ListRulesOutput { rules: rules.collect(), next_token })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListRuleNamesByTarget {
    pub target_arn: String,
    pub event_bus_name: Option<String>,
    pub next_token: Option<String>,
    pub limit: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListRuleNamesByTargetOutput {
    pub rule_names: Vec<String>,
    pub next_token: Option<String>,
}

impl Operation for ListRuleNamesByTarget {
    const SERVICE: &'static str = "events";
    const NAME: &'static str = "ListRuleNamesByTarget";
    const KIND: Kind = Kind::Read;
    type Output = ListRuleNamesByTargetOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![names::rule_arn(cx, names::bus_name(self.event_bus_name.as_deref()), "*")]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListRuleNamesByTargetOutput, Error> {
        let bus = names::bus(cx, self.event_bus_name.as_deref())?;
        let after = page::after(self.next_token.as_deref())?;
        let rules = cx.find::<Rule>("target", &Rule::key_of(&bus, &self.target_arn))?;
        let names = rules.into_iter().map(|rule| rule.name);
        let rest = names.filter(|name| after.as_ref().is_none_or(|after| name > after));
        let limit = self.limit.unwrap_or(page::LIMIT);
        let (rule_names, next_token) = page::cut(rest.take(limit + 1).collect(), limit, String::clone);
        Ok(ListRuleNamesByTargetOutput { rule_names, next_token })
    }
}
