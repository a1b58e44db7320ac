//! A stack as DescribeStacks shows it.

use nbvend_wire::timestamp::Timestamp;
use serde::Serialize;

use super::super::state::{OutputValue, ShownParameter, Stack};
use super::{Parameter, Tag};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StackView {
    pub stack_id: String,
    pub stack_name: String,
    pub change_set_id: Option<String>,
    pub description: Option<String>,
    pub stack_status: String,
    pub stack_status_reason: Option<String>,
    /// The first resource that failed in the last operation, and why: `Logical: reason`. For callers inside the engine;
    /// AWS has it in the events alone.
    #[serde(skip)]
    pub failure: Option<String>,
    pub creation_time: Timestamp,
    pub deletion_time: Option<Timestamp>,
    pub last_updated_time: Option<Timestamp>,
    pub rollback_configuration: RollbackConfiguration,
    pub disable_rollback: bool,
    #[serde(rename = "NotificationARNs")]
    pub notification_arns: Vec<String>,
    pub timeout_in_minutes: Option<i64>,
    // AWS leaves these three out where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<OutputView>,
    #[serde(rename = "RoleARN")]
    pub role_arn: Option<String>,
    pub tags: Vec<Tag>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    pub enable_termination_protection: bool,
    pub drift_information: Drift,
}

/// No rollback triggers are served: AWS answers an empty structure where there are none.
#[derive(Debug, Clone, Serialize)]
pub struct RollbackConfiguration {}

/// Drift is never looked for.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Drift {
    pub stack_drift_status: &'static str,
}

pub const NO_DRIFT: Drift = Drift { stack_drift_status: "NOT_CHECKED" };

/// The same of a resource, by another name.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceDrift {
    pub stack_resource_drift_status: &'static str,
}

pub const NO_RESOURCE_DRIFT: ResourceDrift = ResourceDrift { stack_resource_drift_status: "NOT_CHECKED" };

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OutputView {
    pub output_key: String,
    pub output_value: String,
    pub description: Option<String>,
    pub export_name: Option<String>,
}

impl StackView {
    pub fn of(stack: Stack) -> Self {
        Self {
            stack_id: stack.arn,
            stack_name: stack.name,
            change_set_id: stack.change_set_arn,
            description: stack.face.description,
            stack_status: stack.status.as_str().to_owned(),
            stack_status_reason: stack.reason,
            failure: stack.failure,
            creation_time: stack.created,
            deletion_time: stack.deleted,
            last_updated_time: stack.updated,
            rollback_configuration: RollbackConfiguration {},
            disable_rollback: stack.disable_rollback,
            notification_arns: stack.face.notification_arns,
            timeout_in_minutes: stack.timeout_minutes,
            capabilities: stack.face.capabilities,
            outputs: stack.outputs.into_iter().map(OutputView::of).collect(),
            role_arn: stack.role_arn,
            tags: tag_views(stack.face.tags),
            parameters: stack.face.parameters.into_iter().map(parameter_view).collect(),
            enable_termination_protection: stack.protected,
            drift_information: NO_DRIFT,
        }
    }
}

impl OutputView {
    fn of(output: OutputValue) -> Self {
        Self {
            output_key: output.key,
            output_value: output.value,
            description: output.description,
            export_name: output.export,
        }
    }
}

pub fn tag_views(tags: Vec<(String, String)>) -> Vec<Tag> {
    tags.into_iter().map(|(key, value)| Tag { key, value }).collect()
}

pub fn parameter_view(parameter: ShownParameter) -> Parameter {
    Parameter {
        parameter_key: parameter.key,
        parameter_value: Some(parameter.value),
        use_previous_value: None,
        resolved_value: parameter.resolved,
    }
}
