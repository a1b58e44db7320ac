//! SageMaker, as far as notebook instances go: instances with AWS's states, lifecycle configurations, presigned URLs,
//! tags.
//!
//! What differs from AWS and why: there is no VPC here, so `SubnetId`, `SecurityGroupIds` and `KmsKeyId` are refused by
//! name, as are accelerators. Git repositories are given by URL alone; one that cannot be reached fails nothing. Lifecycle
//! scripts run as the notebook's user, not as root. Instance types are refused when the machine is smaller than they are. A
//! notebook whose server dies by itself is `Failed` with the reason, and may be started again. What a presigned URL opens
//! ends with the right of whoever made it ([`minter`]).

pub mod access;
mod admission;
mod cfn;
mod create;
pub mod credentials;
mod describe;
mod error;
mod event;
mod failure;
pub mod instance_type;
mod lifecycle_config;
mod lifecycle_list;
mod list;
mod log;
mod minter;
mod page;
mod presign;
mod prune;
mod reconcile;
mod repository;
mod spec;
mod state;
mod tags;
#[cfg(test)]
mod tests;
mod transition;
pub mod watch;

use std::sync::Arc;

use crate::operation::{Service, op};
use crate::provider::Provider;
use crate::reconcile::Reconciler;
use crate::store::Signal;

/// Wakes the reconciler of notebook instances.
pub const NOTEBOOKS: Signal = Signal("notebooks");
/// Wakes who stops notebooks that nobody works with.
pub const WATCH: Signal = Signal("notebook-watch");
/// SageMaker's service principal.
const PRINCIPAL: &str = "sagemaker.amazonaws.com";

pub static SERVICE: Service = Service {
    id: "sagemaker",
    action_prefix: "sagemaker",
    event_source: "sagemaker.amazonaws.com",
    resource_policy: None,
    operations: &[
        op::<tags::AddTags>(),
        op::<create::CreateNotebookInstance>(),
        op::<lifecycle_config::CreateNotebookInstanceLifecycleConfig>(),
        op::<presign::CreatePresignedNotebookInstanceUrl>(),
        op::<transition::DeleteNotebookInstance>(),
        op::<lifecycle_config::DeleteNotebookInstanceLifecycleConfig>(),
        op::<tags::DeleteTags>(),
        op::<describe::DescribeNotebookInstance>(),
        op::<lifecycle_config::DescribeNotebookInstanceLifecycleConfig>(),
        op::<lifecycle_list::ListNotebookInstanceLifecycleConfigs>(),
        op::<list::ListNotebookInstances>(),
        op::<tags::ListTags>(),
        op::<transition::StartNotebookInstance>(),
        op::<transition::StopNotebookInstance>(),
        op::<transition::UpdateNotebookInstance>(),
        op::<lifecycle_config::UpdateNotebookInstanceLifecycleConfig>(),
    ],
};

/// The resource types this service makes for CloudFormation.
pub static PROVIDERS: &[&dyn Provider] =
    &[&cfn::notebook_instance::NotebookInstance, &cfn::lifecycle_config::NotebookInstanceLifecycleConfig];

/// The slow work of this service.
pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    vec![Arc::new(reconcile::Notebooks), Arc::new(watch::Watch), Arc::new(prune::Prune)]
}
