//! SageMaker, as far as notebook instances go: instances with AWS's states, lifecycle configurations, presigned URLs,
//! tags.
//!
//! What differs from AWS and why: there is no VPC here, so `SubnetId`, `SecurityGroupIds` and `KmsKeyId` are refused by
//! name, as are Git repositories and accelerators. Lifecycle scripts run as the notebook's user, not as root. A
//! notebook is in service in a second or two, not in minutes. A server that dies by itself is started again. What a
//! presigned URL opens ends with the right of whoever made it ([`minter`]).

pub mod access;
mod cfn;
mod create;
mod describe;
mod error;
mod event;
mod lifecycle_config;
mod list;
mod log;
mod minter;
mod page;
mod presign;
mod reconcile;
mod state;
mod tags;
#[cfg(test)]
mod tests;
mod transition;

use std::sync::Arc;

use crate::operation::{Service, op};
use crate::provider::Provider;
use crate::reconcile::Reconciler;
use crate::store::Signal;

/// Wakes the reconciler of notebook instances.
pub const NOTEBOOKS: Signal = Signal("notebooks");
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
        op::<lifecycle_config::ListNotebookInstanceLifecycleConfigs>(),
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
    vec![Arc::new(reconcile::Notebooks)]
}
