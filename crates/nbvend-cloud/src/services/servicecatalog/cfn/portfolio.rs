//! `AWS::ServiceCatalog::Portfolio`. Ref is the portfolio's id.

use serde_json::{Map, json};

use super::{deleted, dropped, needed, tags, text};
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::{Deletion, Handle, Progress, Provider, Request, Schema, Update, optional, required};
use crate::services::servicecatalog::portfolio::{
    CreatePortfolio, DeletePortfolio, PortfolioDetail, UpdatePortfolio,
};

pub struct Portfolio;

static SCHEMA: Schema = Schema {
    type_name: "AWS::ServiceCatalog::Portfolio",
    properties: &[
        optional("AcceptLanguage", Update::InPlace),
        optional("Description", Update::InPlace),
        required("DisplayName", Update::InPlace),
        required("ProviderName", Update::InPlace),
        optional("Tags", Update::InPlace),
    ],
    attributes: &["PortfolioName"],
    tags: Some("Tags"),
};

fn done(detail: PortfolioDetail) -> Progress {
    let attributes = Map::from_iter([("PortfolioName".to_owned(), json!(detail.display_name))]);
    Progress::Done { physical_id: detail.id, attributes }
}

impl Provider for Portfolio {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let properties = &request.properties;
        let made = cx.call(CreatePortfolio {
            accept_language: text(properties, "AcceptLanguage"),
            display_name: needed(properties, "DisplayName"),
            description: text(properties, "Description"),
            provider_name: needed(properties, "ProviderName"),
            tags: tags(request),
            idempotency_token: cx.ids().uuid(),
        })?;
        Ok(done(made.portfolio_detail))
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let properties = &request.properties;
        let add_tags = tags(request);
        let made = cx.call(UpdatePortfolio {
            accept_language: text(properties, "AcceptLanguage"),
            id: handle.physical_id.clone(),
            display_name: text(properties, "DisplayName"),
            // A description that was taken out of the template is taken from the portfolio.
            description: Some(text(properties, "Description").unwrap_or_default()),
            provider_name: text(properties, "ProviderName"),
            remove_tags: dropped(&handle.properties, &add_tags),
            add_tags,
        })?;
        Ok(done(made.portfolio_detail))
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        deleted(cx.call(DeletePortfolio { id: handle.physical_id.clone(), ..DeletePortfolio::default() }))
    }
}
