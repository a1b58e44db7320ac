//! Systems Manager Parameter Store.
//!
//! What is served: all of Parameter Store's own operations: values, versions, labels, hierarchies, tiers, policies, tags,
//! SecureStrings. The rest of Systems Manager is not here.
//!
//! What differs from AWS and why:
//! - There is no KMS: SecureStrings are encrypted with a key of the data folder ([`crypt`]), and other `KeyId`s are refused.
//! - There is no EC2: the data type `aws:ec2:image` is refused.
//! - `/name` and `name` are two parameters that share an ARN, as their makers wrote them.
//! - Values are measured in bytes. Patterns are Rust's regular expressions; what these lack is refused.
//! - A policy that is due acts within a second, not within hours.

mod by_path;
mod cfn;
pub mod crypt;
mod delete;
mod describe;
mod error;
mod event;
mod filter;
mod history;
mod label;
mod name;
mod page;
pub mod parameter;
mod policy;
mod reconcile;
mod state;
mod tags;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::operation::{Service, op};
use crate::provider::Provider;
use crate::reconcile::Reconciler;
use crate::store::Signal;

/// Systems Manager's service principal.
const PRINCIPAL: &str = "ssm.amazonaws.com";
/// Wakes who watches over parameter policies.
const POLICIES: Signal = Signal("ssm-policies");

pub static SERVICE: Service = Service {
    id: "ssm",
    action_prefix: "ssm",
    event_source: "ssm.amazonaws.com",
    resource_policy: None,
    operations: &[
        op::<tags::AddTagsToResource>(),
        op::<delete::DeleteParameter>(),
        op::<delete::DeleteParameters>(),
        op::<describe::DescribeParameters>(),
        op::<parameter::GetParameter>(),
        op::<history::GetParameterHistory>(),
        op::<parameter::GetParameters>(),
        op::<by_path::GetParametersByPath>(),
        op::<label::LabelParameterVersion>(),
        op::<tags::ListTagsForResource>(),
        op::<parameter::PutParameter>(),
        op::<tags::RemoveTagsFromResource>(),
        op::<label::UnlabelParameterVersion>(),
    ],
};

/// The resource types this service makes for CloudFormation.
pub static PROVIDERS: &[&dyn Provider] = &[&cfn::SsmParameter];

/// The slow work of this service.
pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    vec![Arc::new(reconcile::Policies)]
}
