//! CloudWatch Logs: groups, streams, events, and the two ways of reading them that `aws logs tail` and `sam logs` use.
//!
//! What differs from AWS and why: an event can be read as soon as it was taken, not seconds later. There is no KMS key
//! for a group, no class but `STANDARD`, no deletion protection, no live tail; metric and subscription filters and
//! Insights queries are other services' feeds and not served. Filter patterns are terms and JSON comparisons; regular
//! expressions and `[column, column]` patterns are refused by name.

mod cfn;
mod error;
mod filter;
mod group;
mod page;
mod pattern;
mod read;
mod reconcile;
mod resource_policy;
mod retention;
mod state;
mod stream;
mod table;
mod tags;
#[cfg(test)]
mod tests;
pub mod write;

use std::sync::Arc;

use crate::operation::{Service, op};
use crate::provider::Provider;
use crate::reconcile::Reconciler;

pub static SERVICE: Service = Service {
    id: "logs",
    action_prefix: "logs",
    event_source: "logs.amazonaws.com",
    resource_policy: Some(resource_policy::of_resource),
    operations: &[
        op::<write::CreateLogGroup>(),
        op::<write::CreateLogStream>(),
        op::<group::DeleteLogGroup>(),
        op::<stream::DeleteLogStream>(),
        op::<resource_policy::DeleteResourcePolicy>(),
        op::<retention::DeleteRetentionPolicy>(),
        op::<group::DescribeLogGroups>(),
        op::<stream::DescribeLogStreams>(),
        op::<resource_policy::DescribeResourcePolicies>(),
        op::<filter::FilterLogEvents>(),
        op::<read::GetLogEvents>(),
        op::<tags::ListTagsForResource>(),
        op::<tags::ListTagsLogGroup>(),
        op::<write::PutLogEvents>(),
        op::<resource_policy::PutResourcePolicy>(),
        op::<retention::PutRetentionPolicy>(),
        op::<tags::TagLogGroup>(),
        op::<tags::TagResource>(),
        op::<tags::UntagLogGroup>(),
        op::<tags::UntagResource>(),
    ],
};

/// The resource types this service makes for CloudFormation.
pub static PROVIDERS: &[&dyn Provider] = &[&cfn::LogGroup];

/// The slow work of this service.
pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    vec![Arc::new(reconcile::Sweeper)]
}
