//! CloudTrail: looking up the trail.

use std::sync::Arc;

use crate::operation::Service;
use crate::provider::Provider;
use crate::reconcile::Reconciler;

pub static SERVICE: Service = Service {
    id: "cloudtrail",
    action_prefix: "cloudtrail",
    event_source: "cloudtrail.amazonaws.com",
    operations: &[],
};

/// The resource types this service makes for CloudFormation.
pub static PROVIDERS: &[&dyn Provider] = &[];

/// The slow work of this service.
pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    Vec::new()
}
