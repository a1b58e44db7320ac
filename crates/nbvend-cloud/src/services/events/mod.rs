//! EventBridge: buses, rules, targets, and the delivery of events.
//!
//! What is served: the default bus and custom buses with their policies; rules by pattern and by schedule; targets that are
//! Lambda functions, CloudWatch Logs groups and other buses of the account, with inputs, transformers and retries.
//!
//! What differs from AWS and why:
//! - Every recorded write call arrives as `AWS API Call via CloudTrail`, in milliseconds and without a trail: the trail
//!   is always on here. Only writes are emitted, so `ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS` matches no more
//!   than `ENABLED` does.
//! - A target sees events in the order they were committed: while one waits to be tried again, those behind it wait too.
//! - There is no SQS, so `DeadLetterConfig` is refused in `FailedEntries`; what was given up is kept for 14 days as
//!   `events.failed-delivery` records and told in the log.
//! - Archives, replays, API destinations, connections, endpoints and partner sources are not served, nor are a rule's
//!   `RoleArn` and the members of targets that cannot be (`EcsParameters`, …): all refused by name.
//! - AWS's quota of 300 rules a bus is not enforced; 5 targets a rule are.

mod bus;
mod cfn;
mod deliver;
mod destination;
mod error;
mod forward;
mod input;
mod matching;
mod names;
mod page;
mod permission;
pub mod put;
mod reconcile;
mod retry;
mod rule;
mod rule_list;
mod schedule;
mod state;
mod tags;
mod target;
mod test_pattern;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::operation::{Service, op};
use crate::provider::Provider;
use crate::reconcile::Reconciler;
use crate::store::{GLOBAL, Signal, StoreError, Tx};

/// EventBridge's service principal.
const PRINCIPAL: &str = "events.amazonaws.com";
/// Wakes who tries failed deliveries again.
const RETRIES: Signal = Signal("events-retries");
/// Wakes who fires scheduled rules.
const SCHEDULES: Signal = Signal("events-schedules");

pub static SERVICE: Service = Service {
    id: "events",
    action_prefix: "events",
    event_source: "events.amazonaws.com",
    resource_policy: Some(permission::of_resource),
    operations: &[
        op::<bus::CreateEventBus>(),
        op::<bus::DeleteEventBus>(),
        op::<rule::DeleteRule>(),
        op::<bus::DescribeEventBus>(),
        op::<rule::DescribeRule>(),
        op::<rule::DisableRule>(),
        op::<rule::EnableRule>(),
        op::<bus::ListEventBuses>(),
        op::<rule_list::ListRuleNamesByTarget>(),
        op::<rule_list::ListRules>(),
        op::<tags::ListTagsForResource>(),
        op::<target::ListTargetsByRule>(),
        op::<put::PutEvents>(),
        op::<permission::PutPermission>(),
        op::<rule::PutRule>(),
        op::<target::PutTargets>(),
        op::<permission::RemovePermission>(),
        op::<target::RemoveTargets>(),
        op::<tags::TagResource>(),
        op::<test_pattern::TestEventPattern>(),
        op::<tags::UntagResource>(),
        op::<bus::UpdateEventBus>(),
    ],
};

/// The resource types this service makes for CloudFormation.
pub static PROVIDERS: &[&dyn Provider] = &[&cfn::event_bus::EventBus, &cfn::rule::Rule];

/// The slow work of this service.
pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    vec![Arc::new(reconcile::Matcher), Arc::new(retry::Retries), Arc::new(schedule::Schedules)]
}

/// How deliveries stand, for health and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deliveries {
    /// Targets that fail and are tried again.
    pub blocked_targets: usize,
    /// Given up in the last 14 days, counted up to 1000.
    pub failed: usize,
}

/// Counts what waits and what was given up.
pub fn deliveries(tx: &Tx<'_>) -> Result<Deliveries, StoreError> {
    Ok(Deliveries {
        blocked_targets: tx.list::<state::Blocked>(GLOBAL, "", None, 1000)?.len(),
        failed: tx.list::<state::Failed>(GLOBAL, "", None, 1000)?.len(),
    })
}
