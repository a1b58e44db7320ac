//! The registry: every service, one line each.

pub mod apigateway;
pub mod cloudformation;
pub mod cloudtrail;
pub mod events;
pub mod iam;
pub mod lambda;
pub mod logs;
#[cfg(test)]
mod parity;
pub mod s3;
pub mod sagemaker;
pub mod servicecatalog;
pub mod ssm;
pub mod sts;

use std::sync::Arc;

use crate::operation::{RawHandler, Service};
use crate::provider::Provider;
use crate::reconcile::Reconciler;
use crate::store::{StoreError, Tx};

/// All services, by id.
pub static SERVICES: &[&Service] = &[
    &apigateway::SERVICE,
    &cloudformation::SERVICE,
    &cloudtrail::SERVICE,
    &events::SERVICE,
    &iam::SERVICE,
    &lambda::SERVICE,
    &logs::SERVICE,
    &s3::SERVICE,
    &sagemaker::SERVICE,
    &servicecatalog::SERVICE,
    &ssm::SERVICE,
    &sts::SERVICE,
];

/// The resource providers of all services.
static PROVIDERS: &[&[&'static dyn Provider]] = &[
    apigateway::PROVIDERS,
    cloudformation::PROVIDERS,
    cloudtrail::PROVIDERS,
    events::PROVIDERS,
    iam::PROVIDERS,
    lambda::PROVIDERS,
    logs::PROVIDERS,
    s3::PROVIDERS,
    sagemaker::PROVIDERS,
    servicecatalog::PROVIDERS,
    ssm::PROVIDERS,
    sts::PROVIDERS,
    #[cfg(test)]
    cloudformation::TEST_PROVIDERS,
];

/// Makes the reconcilers of one service.
type Make = fn() -> Vec<Arc<dyn Reconciler>>;

static RECONCILERS: &[Make] = &[
    apigateway::reconcilers,
    cloudformation::reconcilers,
    cloudtrail::reconcilers,
    events::reconcilers,
    iam::reconcilers,
    lambda::reconcilers,
    logs::reconcilers,
    s3::reconcilers,
    sagemaker::reconcilers,
    servicecatalog::reconcilers,
    ssm::reconcilers,
    sts::reconcilers,
];

/// The kinds of records that point to blobs, by an index named `blob`. A kind that does and does not stand here has its
/// blobs swept away.
static BLOB_KINDS: &[&str] = &["lambda.function", "lambda.version", "s3.part", "s3.version"];

/// Whether any record of any service points to the blob.
pub fn blob_referenced(tx: &Tx<'_>, id: &str) -> Result<bool, StoreError> {
    for kind in BLOB_KINDS {
        if tx.kind_stands_in(kind, "blob", id)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// S3 reads its requests itself.
pub const S3: RawHandler = s3::handle;

/// API Gateway's data plane: what a deployed API answers.
pub const EXECUTE_API: RawHandler = apigateway::handle;

/// The service of that id.
pub fn find(id: &str) -> Option<&'static Service> {
    SERVICES.binary_search_by(|service| service.id.cmp(id)).ok().map(|at| SERVICES[at])
}

/// The provider of a resource type (`AWS::S3::Bucket`); `None` means the type is refused by name.
pub fn provider(type_name: &str) -> Option<&'static dyn Provider> {
    PROVIDERS
        .iter()
        .flat_map(|list| list.iter())
        .copied()
        .find(|provider| provider.schema().type_name == type_name)
}

/// All resource types that can be made.
pub fn resource_types() -> impl Iterator<Item = &'static str> {
    PROVIDERS.iter().flat_map(|list| list.iter()).map(|provider| provider.schema().type_name)
}

/// The slow work of all services.
pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    RECONCILERS.iter().flat_map(|list| list()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_in_order_and_in_the_models() {
        assert!(SERVICES.is_sorted_by(|a, b| a.id < b.id));
        for service in SERVICES {
            assert!(service.operations.is_sorted_by(|a, b| a.name < b.name), "{}", service.id);
            let Some(model) = nbvend_wire::model::service(service.id) else {
                assert_eq!(service.id, "s3", "no model of {}", service.id);
                continue;
            };
            for entry in service.operations {
                assert_eq!(entry.service, service.id, "{}", entry.name);
                assert!(
                    model.operation(entry.name).is_some(),
                    "{}:{} is not in the model",
                    service.id,
                    entry.name
                );
            }
        }
    }
}
