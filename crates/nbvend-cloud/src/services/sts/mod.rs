//! STS: who am I, and becoming somebody else for a while.

pub mod assume_role;
pub(crate) mod credentials;
mod error;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::operation::{Service, op};
use crate::provider::Provider;
use crate::reconcile::Reconciler;

pub static SERVICE: Service = Service {
    id: "sts",
    action_prefix: "sts",
    event_source: "sts.amazonaws.com",
    operations: &[op::<assume_role::AssumeRole>()],
};

/// The resource types this service makes for CloudFormation.
pub static PROVIDERS: &[&dyn Provider] = &[];

/// The slow work of this service.
pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    Vec::new()
}
