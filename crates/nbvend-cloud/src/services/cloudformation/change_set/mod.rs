//! Change sets: what a template would do to a stack, shown before it is done.
//!
//! A change set is worked out in the call that makes it, so it is `CREATE_COMPLETE` or `FAILED` from the first look.

mod create;
mod describe;
mod execute;
mod list;

pub use create::CreateChangeSet;
pub use describe::DescribeChangeSet;
pub use execute::{DeleteChangeSet, ExecuteChangeSet};
pub use list::ListChangeSets;

use super::error::Error;
use super::find as stacks;
use super::state::{ChangeSet, Stack};
use crate::context::Cx;

/// The change set by its ARN, or by its name and its stack's.
pub fn find(cx: &Cx<'_>, name: &str, stack: Option<&str>) -> Result<ChangeSet, Error> {
    if name.starts_with("arn:") {
        let uuid = name.rsplit('/').next().unwrap_or_default();
        let found = cx.find::<ChangeSet>("id", uuid)?.into_iter().find(|set| set.arn == name);
        return found.ok_or_else(|| Error::ChangeSetNotFound(name.to_owned()));
    }
    let Some(stack) = stack else {
        return Err(Error::validation(
            "StackName must be specified if ChangeSetName is not specified as an ARN.",
        ));
    };
    let stack = stacks::existing(cx, stack)?;
    cx.get::<ChangeSet>(&format!("{}/{name}", stack.uuid))?
        .ok_or_else(|| Error::ChangeSetNotFound(name.to_owned()))
}

/// The ARN of the stack a change set belongs to, for IAM.
pub fn stack_arn(cx: &Cx<'_>, change_set: &str) -> String {
    let found = find(cx, change_set, None).ok();
    let stack = found.and_then(|set| cx.get::<Stack>(&set.stack).ok().flatten());
    stack.map_or_else(|| cx.arn("cloudformation", "stack/*/*"), |stack| stack.arn)
}

/// The stack's ARN of a request that may name either.
fn request_arn(cx: &Cx<'_>, change_set: &str, stack: Option<&str>) -> String {
    match stack {
        Some(name) => stacks::arn(cx, name),
        None => stack_arn(cx, change_set),
    }
}

/// The change sets of a stack.
fn all(cx: &Cx<'_>, stack: &Stack) -> Result<Vec<ChangeSet>, Error> {
    Ok(cx.tx.list::<ChangeSet>(cx.region(), &format!("{}/", stack.uuid), None, usize::MAX)?)
}
