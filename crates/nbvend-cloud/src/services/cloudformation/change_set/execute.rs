//! `ExecuteChangeSet`, `DeleteChangeSet`.

use serde::{Deserialize, Serialize};

use super::super::error::Error;
use super::super::find as stacks;
use super::super::stack::{begin_create, begin_update};
use super::super::state::{ChangeSet, Stack, StackStatus, Version};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};
use crate::store::Record;

/// Does what a change set says. The stack's other change sets go: what they compared with is no more.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ExecuteChangeSet {
    pub change_set_name: String,
    pub stack_name: Option<String>,
    pub client_request_token: Option<String>,
    pub disable_rollback: Option<bool>,
}

#[derive(Debug, Serialize)]
pub struct Empty {}

impl Operation for ExecuteChangeSet {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "ExecuteChangeSet";
    const KIND: Kind = Kind::Write;
    type Output = Empty;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![super::request_arn(cx, &self.change_set_name, self.stack_name.as_deref())]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        keys.insert("cloudformation:ChangeSetName".to_owned(), vec![self.change_set_name.clone()]);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Empty, Error> {
        let mut set = super::find(cx, &self.change_set_name, self.stack_name.as_deref())?;
        let gone = || Error::ChangeSetNotFound(self.change_set_name.clone());
        let mut stack = cx.get::<Stack>(&set.stack)?.ok_or_else(gone)?;
        let token = &self.client_request_token;
        let repeated = stack.operation.as_ref().is_some_and(|o| o.token.is_some() && o.token == *token);
        if repeated && stack.change_set_arn.as_ref() == Some(&set.arn) {
            return Ok(Empty {});
        }
        if set.execution != "AVAILABLE" {
            let now = if set.status == "FAILED" { &set.status } else { &set.execution };
            return Err(Error::InvalidChangeSetStatus {
                reason: format!("cannot be executed in its current status of [{now}]"),
                change_set: set.arn,
            });
        }
        let version = match &set.version {
            Some(id) => cx.get::<Version>(&Version::key_of(&stack.uuid, id))?,
            None => None,
        };
        let version = version.ok_or_else(gone)?;
        if set.creates != (stack.status == StackStatus::ReviewInProgress)
            || (!set.creates && !stack.status.updatable())
        {
            return Err(Error::Validation(format!(
                "Stack:{} is in {} state and can not be updated.",
                stack.arn, stack.status
            )));
        }
        "EXECUTE_IN_PROGRESS".clone_into(&mut set.execution);
        cx.put(&set)?;
        for other in super::all(cx, &stack)?.into_iter().filter(|other| other.uuid != set.uuid) {
            remove(cx, &stack, &other)?;
        }
        stack.change_set_arn = Some(set.arn);
        if set.role_arn.is_some() {
            stack.role_arn = set.role_arn;
        }
        let keep = self.disable_rollback.unwrap_or(false);
        if set.creates {
            stack.face = version.face;
            stack.on_failure = if keep { Some("DO_NOTHING".to_owned()) } else { set.on_failure };
            stack.disable_rollback = stack.on_failure.as_deref() == Some("DO_NOTHING");
            begin_create(cx, &mut stack, version.id, self.client_request_token)?;
        } else {
            let keep = keep || set.on_failure.as_deref() == Some("DO_NOTHING");
            begin_update(cx, &mut stack, &version, self.client_request_token, keep)?;
        }
        Ok(Empty {})
    }
}

/// Takes a change set away. The stack in review stays, as on AWS.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteChangeSet {
    pub change_set_name: String,
    pub stack_name: Option<String>,
}

impl Operation for DeleteChangeSet {
    const SERVICE: &'static str = "cloudformation";
    const NAME: &'static str = "DeleteChangeSet";
    const KIND: Kind = Kind::Write;
    type Output = Empty;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![super::request_arn(cx, &self.change_set_name, self.stack_name.as_deref())]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Empty, Error> {
        let set = match super::find(cx, &self.change_set_name, self.stack_name.as_deref()) {
            Ok(set) => set,
            // Deleting what is not there is no error.
            Err(Error::ChangeSetNotFound(_)) => return Ok(Empty {}),
            Err(error) => return Err(error),
        };
        if set.execution == "EXECUTE_IN_PROGRESS" {
            return Err(Error::InvalidChangeSetStatus {
                reason: format!("cannot be deleted in its current status of [{}]", set.execution),
                change_set: set.arn,
            });
        }
        if let Some(stack) = stacks::stack(cx, &set_stack_arn(cx, &set)?)? {
            remove(cx, &stack, &set)?;
        }
        Ok(Empty {})
    }
}

fn set_stack_arn(cx: &Cx<'_>, set: &ChangeSet) -> Result<String, Error> {
    Ok(cx.get::<Stack>(&set.stack)?.map(|stack| stack.arn).unwrap_or_default())
}

/// A change set and its version, unless the stack is at it.
fn remove(cx: &Cx<'_>, stack: &Stack, set: &ChangeSet) -> Result<(), Error> {
    cx.delete::<ChangeSet>(&set.key())?;
    if let Some(id) = &set.version
        && stack.current.as_ref() != Some(id)
        && stack.target.as_ref() != Some(id)
    {
        cx.delete::<Version>(&Version::key_of(&stack.uuid, id))?;
    }
    Ok(())
}
