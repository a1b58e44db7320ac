//! Says what happens: a row among the stack's events and an event on the bus, in the commit of what happened.

use nbvend_wire::timestamp::Timestamp;
use serde_json::{Value, json};

use super::state::{Operation, Resource, ResourceStatus, Stack, StackEvent, StackStatus};
use crate::context::Cx;
use crate::outbox::Event;
use crate::services::servicecatalog::RECORDS;
use crate::store::StoreError;

/// The type of a stack among the resources of its events.
pub const STACK_TYPE: &str = "AWS::CloudFormation::Stack";
/// Why something began that a person asked for.
pub const USER_INITIATED: &str = "User Initiated";

/// Puts the stack into a status and says so. The caller stores the stack.
pub fn stack(
    cx: &Cx<'_>,
    stack: &mut Stack,
    status: StackStatus,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    stack.status = status;
    stack.reason = match (status, reason) {
        // Back at rest, but not where it was to go: why is still the question.
        (StackStatus::RollbackComplete | StackStatus::UpdateRollbackComplete, None)
        | (StackStatus::UpdateRollbackCompleteCleanupInProgress, None) => stack.reason.take(),
        (_, reason) => reason.map(str::to_owned),
    };
    let event = StackEvent {
        id: cx.ids().uuid(),
        logical_id: stack.name.clone(),
        physical_id: stack.arn.clone(),
        type_name: STACK_TYPE.to_owned(),
        status: status.as_str().to_owned(),
        reason: reason.map(str::to_owned),
        ..next(cx, stack)
    };
    cx.put(&event)?;
    if !status.in_progress() || status.as_str().contains("ROLLBACK") {
        // A launch may be waiting for just this.
        cx.wake(RECORDS);
    }
    let token = event.token.clone().unwrap_or_default();
    cx.emit(&Event {
        source: "aws.cloudformation".to_owned(),
        detail_type: "CloudFormation Stack Status Change".to_owned(),
        resources: vec![stack.arn.clone()],
        detail: json!({
            "stack-id": stack.arn,
            "status-details": {"status": status.as_str(), "status-reason": reason.unwrap_or_default()},
            "client-request-token": token,
        }),
    })
}

/// Puts a resource into a status and says so. The caller stores both.
pub fn resource(
    cx: &Cx<'_>,
    stack: &mut Stack,
    row: &mut Resource,
    status: ResourceStatus,
    reason: Option<&str>,
    properties: Option<&Value>,
) -> Result<(), StoreError> {
    let common = next(cx, stack);
    row.status = status;
    row.reason = reason.map(str::to_owned);
    row.updated = common.time;
    if status.as_str().ends_with("_FAILED") && stack.failure.is_none() {
        stack.failure = reason.map(|reason| format!("{}: {reason}", row.logical_id));
    }
    let physical = row.body.physical_id.clone().unwrap_or_default();
    let event = StackEvent {
        id: format!("{}-{}-{}", row.logical_id, status.as_str(), common.time.iso8601_millis()),
        logical_id: row.logical_id.clone(),
        physical_id: physical.clone(),
        type_name: row.type_name.clone(),
        status: status.as_str().to_owned(),
        reason: reason.map(str::to_owned),
        properties: properties.map(Value::to_string),
        ..common
    };
    cx.put(&event)?;
    cx.emit(&Event {
        source: "aws.cloudformation".to_owned(),
        detail_type: "CloudFormation Resource Status Change".to_owned(),
        resources: vec![stack.arn.clone()],
        detail: json!({
            "stack-id": stack.arn,
            "logical-resource-id": row.logical_id,
            "physical-resource-id": physical,
            "status-details": {"status": status.as_str(), "status-reason": reason.unwrap_or_default()},
            "resource-type": row.type_name,
            "client-request-token": event.token.clone().unwrap_or_default(),
        }),
    })
}

/// The next event of a stack, without what it says.
fn next(cx: &Cx<'_>, stack: &mut Stack) -> StackEvent {
    stack.events += 1;
    // Clients ask for what is newer than the last event they saw, by its time.
    stack.last_event = Timestamp(cx.now().0.max(stack.last_event.0 + 1));
    StackEvent {
        stack: stack.uuid.clone(),
        number: stack.events,
        id: String::new(),
        logical_id: String::new(),
        physical_id: String::new(),
        type_name: String::new(),
        status: String::new(),
        reason: None,
        time: stack.last_event,
        properties: None,
        token: stack.operation.as_ref().and_then(|operation: &Operation| operation.token.clone()),
    }
}
