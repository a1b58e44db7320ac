//! `DescribeChangeSet`.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::error::Error;
use super::super::page;
use super::super::stack::{Parameter, RollbackConfiguration, Tag, parameter_view, tag_views};
use super::super::state::Stack;
use crate::context::Cx;
use crate::operation::{Kind, Operation};

/// Changes in one answer.
const PAGE: usize = 100;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeChangeSet {
    pub change_set_name: String,
    pub stack_name: Option<String>,
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeChangeSetOutput {
    pub change_set_name: String,
    pub change_set_id: String,
    pub stack_id: String,
    pub stack_name: String,
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    pub creation_time: Timestamp,
    pub execution_status: String,
    pub status: String,
    pub status_reason: Option<String>,
    #[serde(rename = "NotificationARNs")]
    pub notification_arns: Vec<String>,
    pub rollback_configuration: RollbackConfiguration,
    pub capabilities: Vec<String>,
    pub tags: Vec<Tag>,
    pub changes: Vec<Value>,
    pub next_token: Option<String>,
    pub include_nested_stacks: bool,
    pub on_stack_failure: Option<String>,
}

impl Operation for DescribeChangeSet {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "DescribeChangeSet";
    const KIND: Kind = Kind::Read;
    type Output = DescribeChangeSetOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![super::request_arn(cx, &self.change_set_name, self.stack_name.as_deref())]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<DescribeChangeSetOutput, Error> {
        let set = super::find(cx, &self.change_set_name, self.stack_name.as_deref())?;
        let stack = cx.get::<Stack>(&set.stack)?;
        let stack = stack.ok_or_else(|| Error::ChangeSetNotFound(self.change_set_name.clone()))?;
        let from = match &self.next_token {
            Some(token) => {
                page::key(token)?.parse::<usize>().map_err(|_| Error::validation("Invalid NextToken"))?
            }
            None => 0,
        };
        let next = from + PAGE;
        let next_token = (set.changes.len() > next).then(|| page::token(&next.to_string()));
        Ok(DescribeChangeSetOutput {
            change_set_name: set.name,
            change_set_id: set.arn,
            stack_id: stack.arn,
            stack_name: stack.name,
            description: set.description,
            parameters: set.face.parameters.into_iter().map(parameter_view).collect(),
            creation_time: set.created,
            execution_status: set.execution,
            status: set.status,
            status_reason: set.reason,
            notification_arns: set.face.notification_arns,
            rollback_configuration: RollbackConfiguration {},
            capabilities: set.face.capabilities,
            tags: tag_views(set.face.tags),
            changes: set.changes.into_iter().skip(from).take(PAGE).collect(),
            next_token,
            include_nested_stacks: false,
            on_stack_failure: set.on_failure,
        })
    }
}
