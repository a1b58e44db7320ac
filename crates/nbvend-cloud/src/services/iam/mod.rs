//! IAM: users, groups, roles, policies, instance profiles, access keys, passwords, and the policy simulator.
//!
//! Different from AWS, and why:
//! - AWS's own managed policies are a table of those that notebooks, functions and the catalog's people use
//!   ([`managed`]); any other cannot be attached.
//! - A change of permissions holds at once, not "eventually".
//! - `RoleLastUsed` is when the role was last assumed, not when the session last called.
//! - The root user cannot be described by `GetUser`: nobody keeps when the account was made.
//! - Not served: service-linked roles, identity providers, second factors, server and signing certificates, SSH keys,
//!   and credential and access reports.
//!
//! [`effective`] is what evaluation reads: all policies of a caller, compiled. [`lookup`] is what STS reads.

mod access_key;
mod account;
mod attach;
mod boundary;
mod cfn;
mod context_keys;
mod details;
mod document;
pub(crate) mod effective;
mod entity;
mod error;
pub mod group;
mod inline;
mod instance_profile;
mod instance_profile_role;
pub mod last_used;
mod login_profile;
pub(crate) mod lookup;
mod managed;
pub mod membership;
mod page;
mod password;
mod password_policy;
mod policy;
mod policy_list;
mod policy_use;
mod policy_version;
mod role;
mod simulate;
pub(crate) mod state;
pub(crate) mod subject;
mod tagging;
mod tags;
#[cfg(test)]
mod tests;
mod trust;
mod user;

use std::sync::Arc;

use crate::operation::{Service, op};
use crate::provider::Provider;
use crate::reconcile::Reconciler;

pub static SERVICE: Service = Service {
    id: "iam",
    action_prefix: "iam",
    event_source: "iam.amazonaws.com",
    resource_policy: None,
    operations: &[
        op::<instance_profile_role::AddRoleToInstanceProfile>(),
        op::<membership::AddUserToGroup>(),
        op::<attach::AttachGroupPolicy>(),
        op::<attach::AttachRolePolicy>(),
        op::<attach::AttachUserPolicy>(),
        op::<login_profile::ChangePassword>(),
        op::<access_key::CreateAccessKey>(),
        op::<account::CreateAccountAlias>(),
        op::<group::CreateGroup>(),
        op::<instance_profile::CreateInstanceProfile>(),
        op::<login_profile::CreateLoginProfile>(),
        op::<policy::CreatePolicy>(),
        op::<policy_version::CreatePolicyVersion>(),
        op::<role::CreateRole>(),
        op::<user::CreateUser>(),
        op::<access_key::DeleteAccessKey>(),
        op::<account::DeleteAccountAlias>(),
        op::<password_policy::DeleteAccountPasswordPolicy>(),
        op::<group::DeleteGroup>(),
        op::<inline::DeleteGroupPolicy>(),
        op::<instance_profile::DeleteInstanceProfile>(),
        op::<login_profile::DeleteLoginProfile>(),
        op::<policy::DeletePolicy>(),
        op::<policy_version::DeletePolicyVersion>(),
        op::<role::DeleteRole>(),
        op::<boundary::DeleteRolePermissionsBoundary>(),
        op::<inline::DeleteRolePolicy>(),
        op::<user::DeleteUser>(),
        op::<boundary::DeleteUserPermissionsBoundary>(),
        op::<inline::DeleteUserPolicy>(),
        op::<attach::DetachGroupPolicy>(),
        op::<attach::DetachRolePolicy>(),
        op::<attach::DetachUserPolicy>(),
        op::<last_used::GetAccessKeyLastUsed>(),
        op::<details::GetAccountAuthorizationDetails>(),
        op::<password_policy::GetAccountPasswordPolicy>(),
        op::<account::GetAccountSummary>(),
        op::<context_keys::GetContextKeysForCustomPolicy>(),
        op::<context_keys::GetContextKeysForPrincipalPolicy>(),
        op::<group::GetGroup>(),
        op::<inline::GetGroupPolicy>(),
        op::<instance_profile::GetInstanceProfile>(),
        op::<login_profile::GetLoginProfile>(),
        op::<policy::GetPolicy>(),
        op::<policy_version::GetPolicyVersion>(),
        op::<role::GetRole>(),
        op::<inline::GetRolePolicy>(),
        op::<user::GetUser>(),
        op::<inline::GetUserPolicy>(),
        op::<access_key::ListAccessKeys>(),
        op::<account::ListAccountAliases>(),
        op::<attach::ListAttachedGroupPolicies>(),
        op::<attach::ListAttachedRolePolicies>(),
        op::<attach::ListAttachedUserPolicies>(),
        op::<policy_use::ListEntitiesForPolicy>(),
        op::<inline::ListGroupPolicies>(),
        op::<group::ListGroups>(),
        op::<membership::ListGroupsForUser>(),
        op::<tagging::ListInstanceProfileTags>(),
        op::<instance_profile::ListInstanceProfiles>(),
        op::<instance_profile_role::ListInstanceProfilesForRole>(),
        op::<policy_list::ListPolicies>(),
        op::<tagging::ListPolicyTags>(),
        op::<policy_version::ListPolicyVersions>(),
        op::<inline::ListRolePolicies>(),
        op::<tagging::ListRoleTags>(),
        op::<role::ListRoles>(),
        op::<inline::ListUserPolicies>(),
        op::<tagging::ListUserTags>(),
        op::<user::ListUsers>(),
        op::<inline::PutGroupPolicy>(),
        op::<boundary::PutRolePermissionsBoundary>(),
        op::<inline::PutRolePolicy>(),
        op::<boundary::PutUserPermissionsBoundary>(),
        op::<inline::PutUserPolicy>(),
        op::<instance_profile_role::RemoveRoleFromInstanceProfile>(),
        op::<membership::RemoveUserFromGroup>(),
        op::<policy_version::SetDefaultPolicyVersion>(),
        op::<simulate::SimulateCustomPolicy>(),
        op::<simulate::SimulatePrincipalPolicy>(),
        op::<tagging::TagInstanceProfile>(),
        op::<tagging::TagPolicy>(),
        op::<tagging::TagRole>(),
        op::<tagging::TagUser>(),
        op::<tagging::UntagInstanceProfile>(),
        op::<tagging::UntagPolicy>(),
        op::<tagging::UntagRole>(),
        op::<tagging::UntagUser>(),
        op::<access_key::UpdateAccessKey>(),
        op::<password_policy::UpdateAccountPasswordPolicy>(),
        op::<trust::UpdateAssumeRolePolicy>(),
        op::<group::UpdateGroup>(),
        op::<login_profile::UpdateLoginProfile>(),
        op::<role::UpdateRole>(),
        op::<role::UpdateRoleDescription>(),
        op::<user::UpdateUser>(),
    ],
};

/// The resource types this service makes for CloudFormation.
pub static PROVIDERS: &[&dyn Provider] = cfn::PROVIDERS;

/// The slow work of this service.
pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    vec![Arc::new(last_used::WriteUses)]
}
