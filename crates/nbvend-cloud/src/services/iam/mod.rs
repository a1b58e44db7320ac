//! IAM: users, groups, roles, policies, access keys.

pub(crate) mod lookup;
pub(crate) mod state;
pub(crate) mod subject;

use std::sync::Arc;

use crate::operation::Service;
use crate::provider::Provider;
use crate::reconcile::Reconciler;

pub static SERVICE: Service = Service {
    id: "iam",
    action_prefix: "iam",
    event_source: "iam.amazonaws.com",
    operations: &[],
};

/// The resource types this service makes for CloudFormation.
pub static PROVIDERS: &[&dyn Provider] = &[];

/// The slow work of this service.
pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    Vec::new()
}
