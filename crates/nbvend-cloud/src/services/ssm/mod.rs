//! Systems Manager Parameter Store.

mod error;
pub mod parameter;
mod state;

use std::sync::Arc;

use crate::operation::{Service, op};
use crate::provider::Provider;
use crate::reconcile::Reconciler;

pub static SERVICE: Service = Service {
    id: "ssm",
    action_prefix: "ssm",
    event_source: "ssm.amazonaws.com",
    operations: &[op::<parameter::GetParameter>(), op::<parameter::PutParameter>()],
};

/// The resource types this service makes for CloudFormation.
pub static PROVIDERS: &[&dyn Provider] = &[];

/// The slow work of this service.
pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    Vec::new()
}
