//! CloudTrail: looking up the trail, which is always on.
//!
//! Every call is recorded without a trail being made, and writes reach EventBridge at once. Log files are delivered nowhere,
//! so there are no trails: `DescribeTrails` and `ListTrails` answer that there are none, the questions about one that it is
//! unknown, and `CreateTrail` is refused by name. Insight events do not exist, so `EventCategory` is refused.

mod error;
mod lookup;
#[cfg(test)]
mod tests;
mod trail;

use std::sync::Arc;

use crate::operation::{Service, op};
use crate::provider::Provider;
use crate::reconcile::Reconciler;
use crate::trail::prune::Prune;

pub static SERVICE: Service = Service {
    id: "cloudtrail",
    action_prefix: "cloudtrail",
    event_source: "cloudtrail.amazonaws.com",
    resource_policy: None,
    operations: &[
        op::<trail::DescribeTrails>(),
        op::<trail::GetTrail>(),
        op::<trail::GetTrailStatus>(),
        op::<trail::ListTrails>(),
        op::<lookup::LookupEvents>(),
    ],
};

/// The resource types this service makes for CloudFormation.
pub static PROVIDERS: &[&dyn Provider] = &[];

/// The slow work of this service.
pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    vec![Arc::new(Prune)]
}
