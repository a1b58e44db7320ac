//! Finding stacks by what callers call them: a name (of one that is not deleted) or an id (of any).

use super::error::Error;
use super::state::{Live, Stack, stack_uuid};
use crate::context::Cx;
use crate::error::EngineError;
use crate::store::StoreError;

/// The stack, deleted ones by id only.
pub fn stack(cx: &Cx<'_>, name_or_id: &str) -> Result<Option<Stack>, StoreError> {
    if let Some(uuid) = stack_uuid(name_or_id) {
        let found = cx.get::<Stack>(uuid)?;
        return Ok(found.filter(|stack| stack.arn == name_or_id));
    }
    match cx.get::<Live>(name_or_id)? {
        Some(live) => cx.get(&live.uuid),
        None => Ok(None),
    }
}

/// The stack, or `Stack [X] does not exist`.
pub fn existing(cx: &Cx<'_>, name_or_id: &str) -> Result<Stack, Error> {
    stack(cx, name_or_id)?.ok_or_else(|| Error::no_stack(name_or_id))
}

/// A stack that may be given a new template.
pub fn updatable(cx: &Cx<'_>, name_or_id: &str) -> Result<Stack, Error> {
    let found = existing(cx, name_or_id)?;
    if found.status.updatable() {
        return Ok(found);
    }
    Err(Error::Validation(format!(
        "Stack:{} is in {} state and can not be updated.",
        found.arn, found.status
    )))
}

/// The ARN that a call about the stack is authorised on: that of the stack, or a pattern of its name where there is
/// none, as IAM sees it on AWS.
pub fn arn(cx: &Cx<'_>, name_or_id: &str) -> String {
    if name_or_id.starts_with("arn:") {
        return name_or_id.to_owned();
    }
    match stack(cx, name_or_id) {
        Ok(Some(found)) => found.arn,
        _ => cx.arn("cloudformation", &format!("stack/{name_or_id}/*")),
    }
}

/// The stack whose work goes on; gone or finished is `None`.
pub fn unfinished(cx: &Cx<'_>, uuid: &str) -> Result<Option<Stack>, EngineError> {
    Ok(cx.get::<Stack>(uuid)?.filter(|stack| stack.status.in_progress()))
}

/// The longest name.
const LONGEST: usize = 128;

/// Refuses a name no stack can have. The model has no constraint for it; the service does, in the model's words
/// (recorded).
pub fn check_name(name: &str) -> Result<(), Error> {
    let mut letters = name.bytes();
    let good = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let constraint = if !good && !name.starts_with("arn:") {
        "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*"
            .to_owned()
    } else if good && name.len() > LONGEST {
        format!("Member must have length less than or equal to {LONGEST}")
    } else {
        return Ok(());
    };
    Err(Error::Validation(format!(
        "1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: {constraint}"
    )))
}
