//! Stacks: made, changed, ended, described.

use nbvend_wire::error::WireError;
use serde::{Deserialize, Serialize};

use crate::context::Cx;
use crate::error::EngineError;
use crate::operation::{Kind, Operation};

/// Accepts a stack; the reconciler makes it. Idempotent by `ClientRequestToken`. Service Catalog calls this as the launch role; `aws:` tags are taken only from callers inside the engine.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateStack {
    pub stack_name: String,
    pub template_body: Option<String>,
    #[serde(rename = "TemplateURL")]
    pub template_url: Option<String>,
    pub parameters: Vec<Parameter>,
    pub capabilities: Vec<String>,
    pub tags: Vec<Tag>,
    #[serde(rename = "RoleARN")]
    pub role_arn: Option<String>,
    pub client_request_token: Option<String>,
    #[serde(rename = "NotificationARNs")]
    pub notification_arns: Vec<String>,
    pub disable_rollback: Option<bool>,
    pub on_failure: Option<String>,
    pub timeout_in_minutes: Option<i64>,
    pub enable_termination_protection: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateStackOutput {
    pub stack_id: String,
}

impl Operation for CreateStack {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "CreateStack";
    const KIND: Kind = Kind::Write;
    type Output = CreateStackOutput;
    type Error = EngineError;

    fn run(self, _cx: &mut Cx<'_>) -> Result<CreateStackOutput, EngineError> {
        Err(WireError::new("NotImplemented", 501, "cloudformation:CreateStack").into())
    }
}

/// Accepts a change of a stack.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateStack {
    pub stack_name: String,
    pub template_body: Option<String>,
    #[serde(rename = "TemplateURL")]
    pub template_url: Option<String>,
    pub parameters: Vec<Parameter>,
    pub capabilities: Vec<String>,
    pub tags: Vec<Tag>,
    #[serde(rename = "RoleARN")]
    pub role_arn: Option<String>,
    pub client_request_token: Option<String>,
    #[serde(rename = "NotificationARNs")]
    pub notification_arns: Vec<String>,
    pub use_previous_template: Option<bool>,
    pub disable_rollback: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateStackOutput {
    pub stack_id: String,
}

impl Operation for UpdateStack {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "UpdateStack";
    const KIND: Kind = Kind::Write;
    type Output = UpdateStackOutput;
    type Error = EngineError;

    fn run(self, _cx: &mut Cx<'_>) -> Result<UpdateStackOutput, EngineError> {
        Err(WireError::new("NotImplemented", 501, "cloudformation:UpdateStack").into())
    }
}

/// Begins to delete a stack. One that does not exist is no error.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteStack {
    pub stack_name: String,
    pub retain_resources: Vec<String>,
    #[serde(rename = "RoleARN")]
    pub role_arn: Option<String>,
    pub client_request_token: Option<String>,
}

impl Operation for DeleteStack {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "DeleteStack";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = EngineError;

    fn run(self, _cx: &mut Cx<'_>) -> Result<(), EngineError> {
        Err(WireError::new("NotImplemented", 501, "cloudformation:DeleteStack").into())
    }
}

/// Stacks by name or id (deleted ones by id only), or all that are not deleted.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeStacks {
    pub stack_name: Option<String>,
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeStacksOutput {
    pub stacks: Vec<StackView>,
    pub next_token: Option<String>,
}

impl Operation for DescribeStacks {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "DescribeStacks";
    const KIND: Kind = Kind::Read;
    type Output = DescribeStacksOutput;
    type Error = EngineError;

    fn run(self, _cx: &mut Cx<'_>) -> Result<DescribeStacksOutput, EngineError> {
        Err(WireError::new("NotImplemented", 501, "cloudformation:DescribeStacks").into())
    }
}

/// A tag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Tag {
    pub key: String,
    pub value: String,
}

/// A parameter of a stack, or the wish to keep its old value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct Parameter {
    pub parameter_key: String,
    pub parameter_value: Option<String>,
    pub use_previous_value: Option<bool>,
    pub resolved_value: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StackView {
    pub stack_id: String,
    pub stack_name: String,
    pub stack_status: String,
    pub stack_status_reason: Option<String>,
    pub outputs: Vec<OutputView>,
    pub tags: Vec<Tag>,
    pub parameters: Vec<Parameter>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OutputView {
    pub output_key: String,
    pub output_value: String,
    pub description: Option<String>,
    pub export_name: Option<String>,
}
