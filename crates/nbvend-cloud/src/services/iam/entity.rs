//! What users, groups and roles have in common, so that attaching, inline policies, boundaries and tags are written
//! once for the three.

use std::collections::BTreeMap;

use super::error::Error;
use super::state::{Account, Grants, Group, InstanceProfile, Role, User, key};
use crate::context::{ContextKeys, Cx};
use crate::store::{Record, StoreError};

/// A user, a group or a role.
pub trait Entity: Record {
    /// `role`: as it stands in ARNs and in AWS's messages.
    const WORD: &'static str;
    /// The name of the quota on attached policies.
    const ATTACHED_QUOTA: &'static str;
    /// Characters that all inline policies together may have.
    const INLINE_LIMIT: usize;

    fn name(&self) -> &str;
    fn path(&self) -> &str;
    fn grants(&self) -> &Grants;
    fn grants_mut(&mut self) -> &mut Grants;
    /// Tags, which groups have none of.
    fn tags(&self) -> Option<&BTreeMap<String, String>>;

    fn arn(&self, cx: &Cx<'_>) -> String {
        cx.iam_arn(&format!("{}{}{}", Self::WORD, self.path(), self.name()))
    }
}

/// Managed policies that may be attached to one entity.
pub const ATTACHED_LIMIT: usize = 10;

/// The entity of that name.
pub fn find<E: Entity>(cx: &Cx<'_>, name: &str) -> Result<E, Error> {
    cx.get_global(&key(name))?.ok_or_else(|| Error::NotFound(E::WORD, name.to_owned()))
}

/// The ARN for authorising a call on an entity that may not exist.
pub fn arn_of<E: Entity>(cx: &Cx<'_>, name: &str) -> String {
    match find::<E>(cx, name) {
        Ok(entity) => entity.arn(cx),
        Err(_) => cx.iam_arn(&format!("{}/{name}", E::WORD)),
    }
}

/// Its tags as condition keys.
pub fn tag_keys<E: Entity>(cx: &Cx<'_>, name: &str, keys: &mut ContextKeys) {
    if let Ok(entity) = find::<E>(cx, name)
        && let Some(tags) = entity.tags()
    {
        super::tags::resource_keys(tags, keys);
    }
}

/// Notes that who may do what has changed: everything compiled before is stale from this commit on.
pub fn permissions_changed(cx: &Cx<'_>) -> Result<(), StoreError> {
    let mut account = account(cx)?;
    account.stamp = cx.ids().uuid();
    cx.put_global(&account)
}

/// The account's own record.
pub fn account(cx: &Cx<'_>) -> Result<Account, StoreError> {
    Ok(cx.get_global::<Account>(Account::KEY)?.unwrap_or_default())
}

/// A new unique id: a prefix of four letters and 17 upper-case letters and digits.
pub fn unique_id(cx: &Cx<'_>, prefix: &str) -> String {
    format!("{prefix}{}", cx.ids().upper(17))
}

impl Entity for Role {
    const WORD: &'static str = "role";
    const ATTACHED_QUOTA: &'static str = "PoliciesPerRole";
    const INLINE_LIMIT: usize = 10_240;

    fn name(&self) -> &str {
        &self.name
    }
    fn path(&self) -> &str {
        &self.path
    }
    fn grants(&self) -> &Grants {
        &self.grants
    }
    fn grants_mut(&mut self) -> &mut Grants {
        &mut self.grants
    }
    fn tags(&self) -> Option<&BTreeMap<String, String>> {
        Some(&self.tags)
    }
}

impl Entity for User {
    const WORD: &'static str = "user";
    const ATTACHED_QUOTA: &'static str = "PoliciesPerUser";
    const INLINE_LIMIT: usize = 2048;

    fn name(&self) -> &str {
        &self.name
    }
    fn path(&self) -> &str {
        &self.path
    }
    fn grants(&self) -> &Grants {
        &self.grants
    }
    fn grants_mut(&mut self) -> &mut Grants {
        &mut self.grants
    }
    fn tags(&self) -> Option<&BTreeMap<String, String>> {
        Some(&self.tags)
    }
}

impl Entity for Group {
    const WORD: &'static str = "group";
    const ATTACHED_QUOTA: &'static str = "PoliciesPerGroup";
    const INLINE_LIMIT: usize = 5120;

    fn name(&self) -> &str {
        &self.name
    }
    fn path(&self) -> &str {
        &self.path
    }
    fn grants(&self) -> &Grants {
        &self.grants
    }
    fn grants_mut(&mut self) -> &mut Grants {
        &mut self.grants
    }
    fn tags(&self) -> Option<&BTreeMap<String, String>> {
        None
    }
}

impl Role {
    pub fn arn(&self, cx: &Cx<'_>) -> String {
        Entity::arn(self, cx)
    }
}

impl User {
    pub fn arn(&self, cx: &Cx<'_>) -> String {
        Entity::arn(self, cx)
    }
}

impl InstanceProfile {
    pub fn arn(&self, cx: &Cx<'_>) -> String {
        cx.iam_arn(&format!("instance-profile{}{}", self.path, self.name))
    }
}

/// An entity with neither attached nor inline policies can be deleted.
pub fn check_bare(grants: &Grants) -> Result<(), Error> {
    if !grants.attached.is_empty() {
        return Err(Error::Conflict("Cannot delete entity, must detach all policies first."));
    }
    if !grants.inline.is_empty() {
        return Err(Error::Conflict("Cannot delete entity, must delete policies first."));
    }
    Ok(())
}
