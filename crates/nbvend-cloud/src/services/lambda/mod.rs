//! Lambda: functions, their versions, aliases and permissions, and their invocation.
//!
//! Functions run as native processes on this machine, by the host behind [`crate::ports::FunctionHost`]: runtimes
//! `provided.al2`, `provided.al2023` and `python3.x`, packages of type Zip, this machine's architecture. Other runtimes,
//! layers, VPCs, file systems, code signing, function URLs, event source mappings, provisioned concurrency, JSON logs
//! and dead-letter queues (there is no SQS or SNS) are refused by name.
//!
//! What differs from AWS and why: a function is `Active` as soon as it is made, for nothing has to be prepared. `Active`
//! tracing is stored and given back, but there is no X-Ray. `GetFunction` gives no `Code.Location`: there is no bucket
//! of AWS's to link into. 100 invocations run at once, for they share one machine. Destinations of asynchronous
//! invocations are functions and event buses.

mod account;
mod alias;
mod attempt;
mod cfn;
mod code;
mod concurrency;
mod config;
mod create;
mod delete;
mod destination;
mod error;
mod event_config;
mod get;
pub mod invoke;
pub mod invoke_event;
mod log;
mod name;
mod page;
pub mod permission;
mod queue;
mod reconcile;
mod role;
mod run;
mod stale;
mod state;
mod tags;
#[cfg(test)]
mod tests;
mod update;
mod version;

use std::sync::Arc;

pub use reconcile::INVOCATIONS;

use crate::operation::{Service, op, waiting};
use crate::provider::Provider;
use crate::reconcile::Reconciler;

pub static SERVICE: Service = Service {
    id: "lambda",
    action_prefix: "lambda",
    event_source: "lambda.amazonaws.com",
    resource_policy: Some(permission::of_resource),
    operations: &[
        op::<permission::AddPermission>(),
        op::<alias::CreateAlias>(),
        op::<create::CreateFunction>(),
        op::<alias::DeleteAlias>(),
        op::<delete::DeleteFunction>(),
        op::<concurrency::DeleteFunctionConcurrency>(),
        op::<event_config::DeleteFunctionEventInvokeConfig>(),
        op::<account::GetAccountSettings>(),
        op::<alias::GetAlias>(),
        op::<get::GetFunction>(),
        op::<concurrency::GetFunctionConcurrency>(),
        op::<get::GetFunctionConfiguration>(),
        op::<event_config::GetFunctionEventInvokeConfig>(),
        op::<permission::GetPolicy>(),
        waiting::<invoke::Invoke>(),
        op::<alias::ListAliases>(),
        op::<event_config::ListFunctionEventInvokeConfigs>(),
        op::<get::ListFunctions>(),
        op::<tags::ListTags>(),
        op::<version::ListVersionsByFunction>(),
        op::<version::PublishVersion>(),
        op::<concurrency::PutFunctionConcurrency>(),
        op::<event_config::PutFunctionEventInvokeConfig>(),
        op::<permission::RemovePermission>(),
        op::<tags::TagResource>(),
        op::<tags::UntagResource>(),
        op::<alias::UpdateAlias>(),
        op::<update::UpdateFunctionCode>(),
        op::<update::UpdateFunctionConfiguration>(),
        op::<event_config::UpdateFunctionEventInvokeConfig>(),
    ],
};

/// The resource types this service makes for CloudFormation.
pub static PROVIDERS: &[&dyn Provider] = &[
    &cfn::alias::Alias,
    &cfn::event_invoke_config::EventInvokeConfig,
    &cfn::function::Function,
    &cfn::permission::Permission,
    &cfn::version::Version,
];

/// The slow work of this service.
pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    vec![Arc::new(reconcile::Events), Arc::new(log::Writer), Arc::new(stale::Stale)]
}
