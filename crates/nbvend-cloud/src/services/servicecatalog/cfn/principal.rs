//! `AWS::ServiceCatalog::PortfolioPrincipalAssociation`. Ref is `portfolio|principal`.

use super::{deleted, needed};
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::{Deletion, Handle, Progress, Provider, Request, Schema, Update, optional, required};
use crate::services::servicecatalog::principal::{
    AssociatePrincipalWithPortfolio, DisassociatePrincipalFromPortfolio,
};
use crate::services::servicecatalog::state::PrincipalKind;

pub struct PortfolioPrincipalAssociation;

static SCHEMA: Schema = Schema {
    type_name: "AWS::ServiceCatalog::PortfolioPrincipalAssociation",
    properties: &[
        optional("AcceptLanguage", Update::Replacement),
        required("PortfolioId", Update::Replacement),
        required("PrincipalARN", Update::Replacement),
        required("PrincipalType", Update::Replacement),
    ],
    attributes: &[],
    tags: None,
};

fn kind(properties: &serde_json::Value) -> Result<PrincipalKind, EngineError> {
    let text = needed(properties, "PrincipalType");
    let known = [PrincipalKind::Iam, PrincipalKind::Pattern].into_iter().find(|kind| kind.name() == text);
    known.ok_or_else(|| {
        let text = format!("PrincipalType must be IAM or IAM_PATTERN, not {text}");
        nbvend_wire::error::WireError::new("InvalidParametersException", 400, text).into()
    })
}

impl Provider for PortfolioPrincipalAssociation {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let portfolio_id = needed(&request.properties, "PortfolioId");
        let principal_arn = needed(&request.properties, "PrincipalARN");
        let physical_id = format!("{portfolio_id}|{principal_arn}");
        cx.call(AssociatePrincipalWithPortfolio {
            accept_language: None,
            portfolio_id,
            principal_arn,
            principal_type: kind(&request.properties)?,
        })?;
        Ok(Progress::done(physical_id))
    }

    fn update(&self, _cx: &mut Cx<'_>, handle: &Handle, _request: &Request) -> Result<Progress, EngineError> {
        Ok(Progress::done(&handle.physical_id))
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        deleted(cx.call(DisassociatePrincipalFromPortfolio {
            accept_language: None,
            portfolio_id: needed(&handle.properties, "PortfolioId"),
            principal_arn: needed(&handle.properties, "PrincipalARN"),
            principal_type: Some(kind(&handle.properties)?),
        }))
    }
}
