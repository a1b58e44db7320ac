//! `DescribeStackEvents`.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::find;
use super::page::{self, Page};
use super::state::{Stack, StackEvent};
use crate::context::Cx;
use crate::operation::{Kind, Operation};

/// What happened to a stack, newest first.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeStackEvents {
    pub stack_name: String,
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeStackEventsOutput {
    pub stack_events: Vec<StackEventView>,
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StackEventView {
    pub stack_id: String,
    pub event_id: String,
    pub stack_name: String,
    pub logical_resource_id: String,
    pub physical_resource_id: String,
    pub resource_type: String,
    pub timestamp: Timestamp,
    pub resource_status: String,
    pub resource_status_reason: Option<String>,
    pub resource_properties: Option<String>,
    pub client_request_token: Option<String>,
}

impl Operation for DescribeStackEvents {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "DescribeStackEvents";
    const KIND: Kind = Kind::Read;
    type Output = DescribeStackEventsOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![find::arn(cx, &self.stack_name)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<DescribeStackEventsOutput, Error> {
        let stack = find::existing(cx, &self.stack_name)?;
        let prefix = format!("{}/", stack.uuid);
        let Page { items, next } = page::of::<StackEvent>(cx, &prefix, self.next_token.as_deref(), 100)?;
        let stack_events = items.into_iter().map(|event| view(&stack, event)).collect();
        Ok(DescribeStackEventsOutput { stack_events, next_token: next })
    }
}

fn view(stack: &Stack, event: StackEvent) -> StackEventView {
    StackEventView {
        stack_id: stack.arn.clone(),
        event_id: event.id,
        stack_name: stack.name.clone(),
        logical_resource_id: event.logical_id,
        physical_resource_id: event.physical_id,
        resource_type: event.type_name,
        timestamp: event.time,
        resource_status: event.status,
        resource_status_reason: event.reason,
        resource_properties: event.properties,
        client_request_token: event.token,
    }
}
