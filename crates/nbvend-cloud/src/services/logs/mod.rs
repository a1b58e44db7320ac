//! CloudWatch Logs: groups, streams, events.

pub mod write;

use std::sync::Arc;

use crate::operation::Service;
use crate::provider::Provider;
use crate::reconcile::Reconciler;

pub static SERVICE: Service = Service {
    id: "logs",
    action_prefix: "logs",
    event_source: "logs.amazonaws.com",
    operations: &[],
};

/// The resource types this service makes for CloudFormation.
pub static PROVIDERS: &[&dyn Provider] = &[];

/// The slow work of this service.
pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    Vec::new()
}
