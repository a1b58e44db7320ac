//! IAM: users, groups, roles, policies, access keys.

mod boundary;
mod document;
mod entity;
mod error;
pub(crate) mod lookup;
mod managed;
mod page;
mod policy;
mod policy_use;
mod role;
pub(crate) mod state;
pub(crate) mod subject;
mod tags;
mod trust;

use std::sync::Arc;

use crate::operation::{Service, op};
use crate::provider::Provider;
use crate::reconcile::Reconciler;

pub static SERVICE: Service = Service {
    id: "iam",
    action_prefix: "iam",
    event_source: "iam.amazonaws.com",
    operations: &[
        op::<policy::CreatePolicy>(),
        op::<role::CreateRole>(),
        op::<policy::DeletePolicy>(),
        op::<role::DeleteRole>(),
        op::<boundary::DeleteRolePermissionsBoundary>(),
        op::<boundary::DeleteUserPermissionsBoundary>(),
        op::<policy::GetPolicy>(),
        op::<role::GetRole>(),
        op::<policy_use::ListEntitiesForPolicy>(),
        op::<policy::ListPolicies>(),
        op::<role::ListRoles>(),
        op::<boundary::PutRolePermissionsBoundary>(),
        op::<boundary::PutUserPermissionsBoundary>(),
        op::<role::UpdateAssumeRolePolicy>(),
        op::<role::UpdateRole>(),
        op::<role::UpdateRoleDescription>(),
    ],
};

/// The resource types this service makes for CloudFormation.
pub static PROVIDERS: &[&dyn Provider] = &[];

/// The slow work of this service.
pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    Vec::new()
}
