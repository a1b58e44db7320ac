//! CloudFormation: stacks and change sets.

pub mod stack;

use std::sync::Arc;

use crate::operation::Service;
use crate::provider::Provider;
use crate::reconcile::Reconciler;

pub static SERVICE: Service = Service {
    id: "cloudformation",
    action_prefix: "cloudformation",
    event_source: "cloudformation.amazonaws.com",
    operations: &[],
};

/// The resource types this service makes for CloudFormation.
pub static PROVIDERS: &[&dyn Provider] = &[];

/// The slow work of this service.
pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    Vec::new()
}
