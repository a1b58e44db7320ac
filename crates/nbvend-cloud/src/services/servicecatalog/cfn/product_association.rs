//! `AWS::ServiceCatalog::PortfolioProductAssociation`. Ref is `portfolio|product`.

use super::{deleted, needed};
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::{Deletion, Handle, Progress, Provider, Request, Schema, Update, optional, required};
use crate::services::servicecatalog::association::{
    AssociateProductWithPortfolio, DisassociateProductFromPortfolio,
};

pub struct PortfolioProductAssociation;

static SCHEMA: Schema = Schema {
    type_name: "AWS::ServiceCatalog::PortfolioProductAssociation",
    properties: &[
        optional("AcceptLanguage", Update::Replacement),
        required("PortfolioId", Update::Replacement),
        required("ProductId", Update::Replacement),
    ],
    attributes: &[],
    tags: None,
};

impl Provider for PortfolioProductAssociation {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let portfolio_id = needed(&request.properties, "PortfolioId");
        let product_id = needed(&request.properties, "ProductId");
        let physical_id = format!("{portfolio_id}|{product_id}");
        cx.call(AssociateProductWithPortfolio {
            product_id,
            portfolio_id,
            ..AssociateProductWithPortfolio::default()
        })?;
        Ok(Progress::done(physical_id))
    }

    fn update(&self, _cx: &mut Cx<'_>, handle: &Handle, _request: &Request) -> Result<Progress, EngineError> {
        Ok(Progress::done(&handle.physical_id))
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        deleted(cx.call(DisassociateProductFromPortfolio {
            product_id: needed(&handle.properties, "ProductId"),
            portfolio_id: needed(&handle.properties, "PortfolioId"),
            ..DisassociateProductFromPortfolio::default()
        }))
    }
}
