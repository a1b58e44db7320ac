//! Lambda: functions and their invocation.

pub mod invoke;
pub mod invoke_event;

use std::sync::Arc;

use crate::operation::Service;
use crate::provider::Provider;
use crate::reconcile::Reconciler;

pub static SERVICE: Service = Service {
    id: "lambda",
    action_prefix: "lambda",
    event_source: "lambda.amazonaws.com",
    operations: &[],
};

/// The resource types this service makes for CloudFormation.
pub static PROVIDERS: &[&dyn Provider] = &[];

/// The slow work of this service.
pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    Vec::new()
}
