//! What STS reads of IAM, and whether a user that another service remembers is still the same one: facts about identities,
//! not permissions, so these are typed functions and not calls through the door.

use super::error::Error;
use super::policy;
pub(crate) use super::state::Role;
use super::state::{LastUsed, User, key};
use crate::context::Cx;
use crate::error::EngineError;
use crate::store::StoreError;

/// The role an ARN names, path included.
pub(crate) fn role_by_arn(cx: &Cx<'_>, arn: &str) -> Result<Option<Role>, StoreError> {
    let prefix = cx.iam_arn("role/");
    let Some(name) = arn.strip_prefix(&prefix).and_then(|rest| rest.rsplit('/').next()) else {
        return Ok(None);
    };
    let found = cx.get_global::<Role>(&key(name))?;
    Ok(found.filter(|role| cx.iam_arn(&format!("role{}{}", role.path, role.name)) == arn))
}

/// The unique id of the user an ARN names, path included.
pub(crate) fn user_id(cx: &Cx<'_>, arn: &str) -> Result<Option<String>, StoreError> {
    let prefix = cx.iam_arn("user/");
    let Some(name) = arn.strip_prefix(&prefix).and_then(|rest| rest.rsplit('/').next()) else {
        return Ok(None);
    };
    let found = cx.get_global::<User>(&key(name))?;
    Ok(found.filter(|user| user.arn(cx) == arn).map(|user| user.id))
}

/// The document of a managed policy in the version that counts.
pub(crate) fn managed_policy(cx: &Cx<'_>, arn: &str) -> Result<Option<String>, EngineError> {
    match policy::find(cx, arn) {
        Ok(found) => Ok(found.map(|found| found.document().to_owned())),
        Err(Error::Engine(error)) => Err(error),
        Err(_) => Ok(None),
    }
}

/// Notes that a role was assumed.
pub(crate) fn role_used(cx: &Cx<'_>, role: &Role) -> Result<(), StoreError> {
    cx.put_global(&LastUsed { role_id: role.id.clone(), time: cx.now(), region: cx.region().to_owned() })
}
