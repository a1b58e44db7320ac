//! `ListChangeSets`.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::error::Error;
use super::super::page;
use super::super::state::ChangeSet;
use super::stacks;
use crate::context::Cx;
use crate::operation::{Kind, Operation};

/// The change sets of a stack.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListChangeSets {
    pub stack_name: String,
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListChangeSetsOutput {
    pub summaries: Vec<ChangeSetSummary>,
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ChangeSetSummary {
    pub stack_id: String,
    pub stack_name: String,
    pub change_set_id: String,
    pub change_set_name: String,
    pub execution_status: String,
    pub status: String,
    pub status_reason: Option<String>,
    pub creation_time: Timestamp,
    pub description: Option<String>,
    pub include_nested_stacks: bool,
}

impl Operation for ListChangeSets {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "ListChangeSets";
    const KIND: Kind = Kind::Read;
    type Output = ListChangeSetsOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![stacks::arn(cx, &self.stack_name)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListChangeSetsOutput, Error> {
        let stack = stacks::existing(cx, &self.stack_name)?;
        let prefix = format!("{}/", stack.uuid);
        let page = page::of::<ChangeSet>(cx, &prefix, self.next_token.as_deref(), 100)?;
        let view = |set: ChangeSet| ChangeSetSummary {
            stack_id: stack.arn.clone(),
            stack_name: stack.name.clone(),
            change_set_id: set.arn,
            change_set_name: set.name,
            execution_status: set.execution,
            status: set.status,
            status_reason: set.reason,
            creation_time: set.created,
            description: set.description,
            include_nested_stacks: false,
        };
        Ok(ListChangeSetsOutput {
            summaries: page.items.into_iter().map(view).collect(),
            next_token: page.next,
        })
    }
}
