//! Service Catalog: portfolios of products, and what is launched from them.
//!
//! An administrator keeps *products* (a CloudFormation template in versions) in *portfolios* and says who may use them;
//! a user finds them, launches one, and gets a stack that was made as the launch role, not as the user. Read in this
//! order: [`state`], [`access`] (who sees what), [`provision`], [`reconcile`] (how a launch is carried out).
//!
//! What differs from AWS, and why:
//!
//! - One account: portfolio shares, budgets, TagOptions, service actions, plans, stack sets and Terraform products are
//!   not served; a call or a constraint that would need one is refused by name.
//! - The account's root user finds and may launch every product, so that the catalog can be tried before there are
//!   users. For everybody else portfolios are open as on AWS, administrators included.
//! - A principal is not looked up when it is associated with a portfolio: a name that IAM does not know opens nothing.
//! - `AcceptLanguage` is taken and English is answered.
//! - A template is parsed when a version is made and the parameters when a launch is asked for, so what CloudFormation
//!   would refuse minutes later is refused at once, with its words.
//! - An update that changes nothing succeeds.
//! - Values of NoEcho parameters stay out of the trail; what AWS does is unknown.

mod access;
mod artifact;
mod association;
mod browse;
mod cfn;
mod constraint;
mod error;
mod follow;
mod groups;
mod launch;
mod launch_path;
mod page;
mod parameter;
mod portfolio;
mod principal;
mod product;
mod product_admin;
mod properties;
mod provision;
mod provisioned;
mod reconcile;
mod record;
mod search;
mod state;
mod tags;
mod template;
mod terminate;
#[cfg(test)]
mod tests;
mod update;

use std::sync::Arc;

use crate::operation::{Service, op};
use crate::provider::Provider;
use crate::reconcile::Reconciler;
use crate::store::Signal;

/// Wakes the reconciler that carries out launches. CloudFormation may ring it when a stack comes to rest.
pub const RECORDS: Signal = Signal("servicecatalog");

/// The service's own name, in which it assumes launch roles and through which it calls.
const PRINCIPAL: &str = "servicecatalog.amazonaws.com";

pub static SERVICE: Service = Service {
    id: "servicecatalog",
    action_prefix: "servicecatalog",
    event_source: PRINCIPAL,
    resource_policy: None,
    operations: &[
        op::<principal::AssociatePrincipalWithPortfolio>(),
        op::<association::AssociateProductWithPortfolio>(),
        op::<constraint::CreateConstraint>(),
        op::<portfolio::CreatePortfolio>(),
        op::<product::CreateProduct>(),
        op::<artifact::CreateProvisioningArtifact>(),
        op::<constraint::DeleteConstraint>(),
        op::<portfolio::DeletePortfolio>(),
        op::<product::DeleteProduct>(),
        op::<artifact::DeleteProvisioningArtifact>(),
        op::<constraint::DescribeConstraint>(),
        op::<portfolio::DescribePortfolio>(),
        op::<browse::DescribeProduct>(),
        op::<product_admin::DescribeProductAsAdmin>(),
        op::<browse::DescribeProductView>(),
        op::<provisioned::DescribeProvisionedProduct>(),
        op::<artifact::DescribeProvisioningArtifact>(),
        op::<launch_path::DescribeProvisioningParameters>(),
        op::<record::DescribeRecord>(),
        op::<principal::DisassociatePrincipalFromPortfolio>(),
        op::<association::DisassociateProductFromPortfolio>(),
        op::<provisioned::GetProvisionedProductOutputs>(),
        op::<constraint::ListConstraintsForPortfolio>(),
        op::<launch_path::ListLaunchPaths>(),
        op::<portfolio::ListPortfolios>(),
        op::<association::ListPortfoliosForProduct>(),
        op::<principal::ListPrincipalsForPortfolio>(),
        op::<artifact::ListProvisioningArtifacts>(),
        op::<record::ListRecordHistory>(),
        op::<provision::ProvisionProduct>(),
        op::<provisioned::ScanProvisionedProducts>(),
        op::<browse::SearchProducts>(),
        op::<product_admin::SearchProductsAsAdmin>(),
        op::<search::SearchProvisionedProducts>(),
        op::<terminate::TerminateProvisionedProduct>(),
        op::<constraint::UpdateConstraint>(),
        op::<portfolio::UpdatePortfolio>(),
        op::<product::UpdateProduct>(),
        op::<update::UpdateProvisionedProduct>(),
        op::<properties::UpdateProvisionedProductProperties>(),
        op::<artifact::UpdateProvisioningArtifact>(),
    ],
};

/// The resource types this service makes for CloudFormation.
pub static PROVIDERS: &[&dyn Provider] = cfn::PROVIDERS;

/// The slow work of this service.
pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    reconcile::reconcilers()
}
