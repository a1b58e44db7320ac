//! `CancelUpdateStack`, `ContinueUpdateRollback`, `RollbackStack`: the ways back.

use serde::{Deserialize, Serialize};

use super::super::announce::{self, USER_INITIATED};
use super::super::error::Error;
use super::super::state::{OperationKind, Resource, Stack, StackStatus};
use super::super::{STACKS, find};
use super::create::run;
use crate::context::Cx;
use crate::operation::{Kind, Need, Operation};

/// Gives up an update under way and goes back.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CancelUpdateStack {
    pub stack_name: String,
    pub client_request_token: Option<String>,
}

impl Operation for CancelUpdateStack {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "CancelUpdateStack";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![find::arn(cx, &self.stack_name)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let mut stack = find::existing(cx, &self.stack_name)?;
        if stack.status != StackStatus::UpdateInProgress {
            return Err(Error::validation("CancelUpdateStack cannot be called from current stack status"));
        }
        if let Some(operation) = &mut stack.operation {
            operation.keep_on_failure = false;
            operation.abort = Some("User Initiated".to_owned());
            if self.client_request_token.is_some() {
                operation.token = self.client_request_token;
            }
        }
        cx.put(&stack)?;
        cx.wake(STACKS);
        Ok(())
    }
}

/// Tries a rollback again that failed, leaving out what cannot be brought back.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ContinueUpdateRollback {
    pub stack_name: String,
    #[serde(rename = "RoleARN")]
    pub role_arn: Option<String>,
    pub resources_to_skip: Vec<String>,
    pub client_request_token: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct ContinueUpdateRollbackOutput {}

impl Operation for ContinueUpdateRollback {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "ContinueUpdateRollback";
    const KIND: Kind = Kind::Write;
    type Output = ContinueUpdateRollbackOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![find::arn(cx, &self.stack_name)]
    }

    fn needs(&self, _cx: &Cx<'_>) -> Vec<Need> {
        self.role_arn.iter().map(|role| Need::pass_role(role, super::super::PRINCIPAL)).collect()
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ContinueUpdateRollbackOutput, Error> {
        let mut stack = find::existing(cx, &self.stack_name)?;
        if repeated(&stack, self.client_request_token.as_ref()) {
            return Ok(ContinueUpdateRollbackOutput {});
        }
        if stack.status != StackStatus::UpdateRollbackFailed {
            return Err(Error::Validation(format!(
                "Stack:{} is in {} state and can not continue rollback.",
                stack.arn, stack.status
            )));
        }
        for id in &self.resources_to_skip {
            if cx.get::<Resource>(&format!("{}/{id}", stack.uuid))?.is_none() {
                return Err(Error::Validation(format!(
                    "Resource {id} does not exist for stack {}",
                    stack.name
                )));
            }
        }
        if self.role_arn.is_some() {
            stack.role_arn = self.role_arn;
        }
        let mut operation = run(cx, OperationKind::Rollback, self.client_request_token);
        operation.skip = self.resources_to_skip;
        stack.operation = Some(operation);
        begin(cx, &mut stack, StackStatus::UpdateRollbackInProgress)?;
        Ok(ContinueUpdateRollbackOutput {})
    }
}

/// Takes back a creation or an update that failed and was kept as it was.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct RollbackStack {
    pub stack_name: String,
    #[serde(rename = "RoleARN")]
    pub role_arn: Option<String>,
    pub client_request_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RollbackStackOutput {
    pub stack_id: String,
}

impl Operation for RollbackStack {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "RollbackStack";
    const KIND: Kind = Kind::Write;
    type Output = RollbackStackOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![find::arn(cx, &self.stack_name)]
    }

    fn needs(&self, _cx: &Cx<'_>) -> Vec<Need> {
        self.role_arn.iter().map(|role| Need::pass_role(role, super::super::PRINCIPAL)).collect()
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<RollbackStackOutput, Error> {
        let mut stack = find::existing(cx, &self.stack_name)?;
        if repeated(&stack, self.client_request_token.as_ref()) {
            return Ok(RollbackStackOutput { stack_id: stack.arn });
        }
        let status = match (stack.status, stack.current.is_some()) {
            (StackStatus::UpdateFailed, true) => StackStatus::UpdateRollbackInProgress,
            (StackStatus::CreateFailed | StackStatus::UpdateFailed, _) => StackStatus::RollbackInProgress,
            (status, _) => {
                return Err(Error::Validation(format!(
                    "Stack:{} is in {status} state and can not be rolled back.",
                    stack.arn
                )));
            }
        };
        if self.role_arn.is_some() {
            stack.role_arn = self.role_arn;
        }
        stack.operation = Some(run(cx, OperationKind::Rollback, self.client_request_token));
        begin(cx, &mut stack, status)?;
        Ok(RollbackStackOutput { stack_id: stack.arn })
    }
}

/// Whether the last operation was asked for with this token.
fn repeated(stack: &Stack, token: Option<&String>) -> bool {
    let last = stack.operation.as_ref().filter(|operation| operation.kind == OperationKind::Rollback);
    token.is_some() && last.is_some_and(|operation| operation.token.as_ref() == token)
}

fn begin(cx: &Cx<'_>, stack: &mut Stack, status: StackStatus) -> Result<(), Error> {
    announce::stack(cx, stack, status, Some(USER_INITIATED))?;
    cx.put(stack)?;
    cx.wake(STACKS);
    Ok(())
}
