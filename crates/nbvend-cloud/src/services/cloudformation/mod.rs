//! CloudFormation: stacks and change sets.
//!
//! A call is accepted in one transaction (template read, transformed and checked before it: [`draft`]), the work is
//! done by a reconciler ([`work`]), and everything that happens is announced ([`announce`]). Resource types are
//! whatever the services provide; this folder knows none.
//!
//! Differs from AWS:
//! - a property a type does not have is refused when the template is given, not when the resource's turn comes
//! - DeleteStack of a stack whose exports are in use is refused at once; AWS accepts and then lets it be
//! - nested stacks, custom resources, macros, stack sets, drift, import and notification topics are refused by name

mod announce;
mod change_set;
mod diff;
mod draft;
mod error;
mod event;
mod export;
mod find;
mod page;
mod plan;
mod properties;
mod prune;
mod resolver;
mod resource;
mod source;
pub mod stack;
mod state;
mod template;
#[cfg(test)]
mod tests;
mod transform;
mod work;

use std::sync::Arc;

use crate::operation::{Service, op};
use crate::provider::Provider;
use crate::reconcile::Reconciler;
use crate::store::Signal;

/// Wakes the work on stacks: rung when an operation is accepted, and by services when something a stack may be
/// waiting for has happened.
pub const STACKS: Signal = Signal("cloudformation");

/// The service as principals name it.
const PRINCIPAL: &str = "cloudformation.amazonaws.com";

pub static SERVICE: Service = Service {
    id: "cloudformation",
    action_prefix: "cloudformation",
    event_source: "cloudformation.amazonaws.com",
    resource_policy: None,
    operations: &[
        op::<stack::CancelUpdateStack>(),
        op::<stack::ContinueUpdateRollback>(),
        op::<change_set::CreateChangeSet>(),
        op::<stack::CreateStack>(),
        op::<change_set::DeleteChangeSet>(),
        op::<stack::DeleteStack>(),
        op::<change_set::DescribeChangeSet>(),
        op::<event::DescribeStackEvents>(),
        op::<resource::DescribeStackResource>(),
        op::<resource::DescribeStackResources>(),
        op::<stack::DescribeStacks>(),
        op::<change_set::ExecuteChangeSet>(),
        op::<template::GetTemplate>(),
        op::<template::GetTemplateSummary>(),
        op::<change_set::ListChangeSets>(),
        op::<export::ListExports>(),
        op::<export::ListImports>(),
        op::<resource::ListStackResources>(),
        op::<stack::ListStacks>(),
        op::<stack::RollbackStack>(),
        op::<stack::UpdateStack>(),
        op::<stack::UpdateTerminationProtection>(),
        op::<template::ValidateTemplate>(),
    ],
};

/// The resource types this service makes for CloudFormation.
pub static PROVIDERS: &[&dyn Provider] = &[];

/// Resource types of this service's tests.
#[cfg(test)]
pub static TEST_PROVIDERS: &[&dyn Provider] = tests::thing::PROVIDERS;

/// The slow work of this service.
pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    vec![Arc::new(work::Stacks), Arc::new(prune::Prune)]
}
