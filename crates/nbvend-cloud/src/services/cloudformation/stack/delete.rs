//! `DeleteStack`.

use serde::{Deserialize, Serialize};

use super::super::announce::{self, USER_INITIATED};
use super::super::error::Error;
use super::super::state::{OperationKind, Stack, StackStatus};
use super::super::{STACKS, export, find};
use super::create::run;
use crate::context::Cx;
use crate::operation::{Kind, Need, Operation};

/// Begins to delete a stack. One that does not exist is no error.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteStack {
    pub stack_name: String,
    pub retain_resources: Vec<String>,
    #[serde(rename = "RoleARN")]
    pub role_arn: Option<String>,
    pub client_request_token: Option<String>,
    pub deletion_mode: Option<String>,
}

impl Operation for DeleteStack {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "DeleteStack";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![find::arn(cx, &self.stack_name)]
    }

    fn needs(&self, _cx: &Cx<'_>) -> Vec<Need> {
        self.role_arn.iter().map(|role| Need::pass_role(role, super::super::PRINCIPAL)).collect()
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let Some(mut stack) = find::stack(cx, &self.stack_name)? else { return Ok(()) };
        match stack.status {
            StackStatus::DeleteComplete | StackStatus::DeleteInProgress => return Ok(()),
            status if status.in_progress() && !deletable_in(status) => {
                return Err(Error::Validation(format!(
                    "Stack [{}] cannot be deleted while in status {status}",
                    stack.name
                )));
            }
            _ => {}
        }
        if stack.protected {
            return Err(Error::Validation(format!(
                "Stack [{}] cannot be deleted while TerminationProtection is enabled",
                stack.name
            )));
        }
        if !self.retain_resources.is_empty() && stack.status != StackStatus::DeleteFailed {
            return Err(Error::Validation(format!(
                "Invalid operation on stack [{}]. RetainResources can only be specified for stacks in DELETE_FAILED state.",
                stack.arn
            )));
        }
        export::refuse_if_used(cx, &stack)?;
        if let Some(role) = self.role_arn {
            stack.role_arn = Some(role);
        }
        let mut operation = run(cx, OperationKind::Delete, self.client_request_token);
        operation.skip = self.retain_resources;
        operation.force = self.deletion_mode.as_deref() == Some("FORCE_DELETE_STACK");
        stack.operation = Some(operation);
        begin(cx, &mut stack)
    }
}

/// AWS lets a creation be broken off by a deletion, an update not.
fn deletable_in(status: StackStatus) -> bool {
    matches!(status, StackStatus::CreateInProgress | StackStatus::RollbackInProgress)
}

fn begin(cx: &Cx<'_>, stack: &mut Stack) -> Result<(), Error> {
    announce::stack(cx, stack, StackStatus::DeleteInProgress, Some(USER_INITIATED))?;
    cx.put(stack)?;
    cx.wake(STACKS);
    Ok(())
}
