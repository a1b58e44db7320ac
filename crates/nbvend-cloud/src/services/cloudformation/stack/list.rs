//! `ListStacks`.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::error::Error;
use super::super::page;
use super::super::state::{Listed, Stack};
use super::view::{Drift, NO_DRIFT};
use crate::context::Cx;
use crate::operation::{Kind, Operation};
use crate::store::Record;

/// How many stacks one call looks at, whatever the filter leaves of them.
const LOOKED_AT: usize = 1000;
const PAGE: usize = 100;

/// All stacks, deleted ones among them, newest first.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListStacks {
    pub next_token: Option<String>,
    pub stack_status_filter: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListStacksOutput {
    pub stack_summaries: Vec<StackSummary>,
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StackSummary {
    pub stack_id: String,
    pub stack_name: String,
    pub template_description: Option<String>,
    pub creation_time: Timestamp,
    pub last_updated_time: Option<Timestamp>,
    pub deletion_time: Option<Timestamp>,
    pub stack_status: String,
    pub stack_status_reason: Option<String>,
    pub drift_information: Drift,
}

impl Operation for ListStacks {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "ListStacks";
    const KIND: Kind = Kind::Read;
    type Output = ListStacksOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<ListStacksOutput, Error> {
        let page = page::of::<Listed>(cx, "", self.next_token.as_deref(), LOOKED_AT)?;
        let mut next_token = page.next;
        let mut stack_summaries = Vec::new();
        let last = page.items.len();
        for (at, listed) in page.items.into_iter().enumerate() {
            let Some(stack) = cx.get::<Stack>(&listed.uuid)? else { continue };
            let wanted = &self.stack_status_filter;
            if wanted.is_empty() || wanted.iter().any(|status| status == stack.status.as_str()) {
                stack_summaries.push(summary(stack));
            }
            if stack_summaries.len() == PAGE && at + 1 < last {
                next_token = Some(page::token(&listed.key()));
                break;
            }
        }
        Ok(ListStacksOutput { stack_summaries, next_token })
    }
}

fn summary(stack: Stack) -> StackSummary {
    StackSummary {
        stack_id: stack.arn,
        stack_name: stack.name,
        template_description: stack.face.description,
        creation_time: stack.created,
        last_updated_time: stack.updated,
        deletion_time: stack.deleted,
        stack_status: stack.status.as_str().to_owned(),
        stack_status_reason: stack.reason,
        drift_information: NO_DRIFT,
    }
}
