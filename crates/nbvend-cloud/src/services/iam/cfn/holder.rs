//! Policies on a user, group or role, brought from what a template said to what it says now.

use super::{InlinePolicy, call, unless_gone};
use crate::context::Cx;
use crate::error::EngineError;
use crate::services::iam::attach::{
    AttachGroupPolicy, AttachRolePolicy, AttachUserPolicy, DetachGroupPolicy, DetachRolePolicy,
    DetachUserPolicy,
};
use crate::services::iam::inline::{
    DeleteGroupPolicy, DeleteRolePolicy, DeleteUserPolicy, PutGroupPolicy, PutRolePolicy, PutUserPolicy,
};
use crate::services::iam::state::{Grants, Group, Role, User, key};

/// Who holds policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    Group(String),
    Role(String),
    User(String),
}

/// What a template says of the policies of one holder.
#[derive(Debug, Clone, Copy, Default)]
pub struct Said<'a> {
    pub managed: &'a [String],
    pub inline: &'a [InlinePolicy],
}

impl Holder {
    /// The holders that a policy resource names.
    pub fn all(groups: &[String], roles: &[String], users: &[String]) -> Vec<Self> {
        let groups = groups.iter().cloned().map(Self::Group);
        let roles = roles.iter().cloned().map(Self::Role);
        groups.chain(roles).chain(users.iter().cloned().map(Self::User)).collect()
    }

    pub fn attach(&self, cx: &mut Cx<'_>, policy_arn: &str) -> Result<(), EngineError> {
        let policy_arn = policy_arn.to_owned();
        match self.clone() {
            Self::Group(group_name) => call(cx, AttachGroupPolicy { group_name, policy_arn }),
            Self::Role(role_name) => call(cx, AttachRolePolicy { role_name, policy_arn }),
            Self::User(user_name) => call(cx, AttachUserPolicy { user_name, policy_arn }),
        }
    }

    /// Nothing to do where it is not attached.
    pub fn detach(&self, cx: &mut Cx<'_>, policy_arn: &str) -> Result<(), EngineError> {
        if !self.grants(cx)?.attached.iter().any(|arn| arn == policy_arn) {
            return Ok(());
        }
        let policy_arn = policy_arn.to_owned();
        unless_gone(match self.clone() {
            Self::Group(group_name) => call(cx, DetachGroupPolicy { group_name, policy_arn }),
            Self::Role(role_name) => call(cx, DetachRolePolicy { role_name, policy_arn }),
            Self::User(user_name) => call(cx, DetachUserPolicy { user_name, policy_arn }),
        })
    }

    pub fn put(
        &self,
        cx: &mut Cx<'_>,
        policy_name: &str,
        policy_document: String,
    ) -> Result<(), EngineError> {
        let policy_name = policy_name.to_owned();
        match self.clone() {
            Self::Group(group_name) => call(cx, PutGroupPolicy { group_name, policy_name, policy_document }),
            Self::Role(role_name) => call(cx, PutRolePolicy { role_name, policy_name, policy_document }),
            Self::User(user_name) => call(cx, PutUserPolicy { user_name, policy_name, policy_document }),
        }
    }

    /// Nothing to do where there is no such policy.
    pub fn remove(&self, cx: &mut Cx<'_>, policy_name: &str) -> Result<(), EngineError> {
        if !self.grants(cx)?.inline.contains_key(policy_name) {
            return Ok(());
        }
        let policy_name = policy_name.to_owned();
        unless_gone(match self.clone() {
            Self::Group(group_name) => call(cx, DeleteGroupPolicy { group_name, policy_name }),
            Self::Role(role_name) => call(cx, DeleteRolePolicy { role_name, policy_name }),
            Self::User(user_name) => call(cx, DeleteUserPolicy { user_name, policy_name }),
        })
    }

    /// Brings the holder from one wording to another. The new first, so that an update never takes all rights away
    /// in between.
    pub fn change(&self, cx: &mut Cx<'_>, old: Said<'_>, new: Said<'_>) -> Result<(), EngineError> {
        let now = self.grants(cx)?;
        for arn in new.managed.iter().filter(|arn| !now.attached.contains(arn)) {
            self.attach(cx, arn)?;
        }
        for policy in new.inline {
            let document = policy.document();
            if now.inline.get(&policy.policy_name) != Some(&document) {
                self.put(cx, &policy.policy_name, document)?;
            }
        }
        for arn in old.managed.iter().filter(|arn| !new.managed.contains(arn)) {
            self.detach(cx, arn)?;
        }
        for policy in old.inline {
            if !new.inline.iter().any(|other| other.policy_name == policy.policy_name) {
                self.remove(cx, &policy.policy_name)?;
            }
        }
        Ok(())
    }

    /// What it holds; nothing if it is gone.
    fn grants(&self, cx: &Cx<'_>) -> Result<Grants, EngineError> {
        let found = match self {
            Self::Group(name) => cx.get_global::<Group>(&key(name))?.map(|group| group.grants),
            Self::Role(name) => cx.get_global::<Role>(&key(name))?.map(|role| role.grants),
            Self::User(name) => cx.get_global::<User>(&key(name))?.map(|user| user.grants),
        };
        Ok(found.unwrap_or_default())
    }
}
