//! `AWS::ServiceCatalog::LaunchRoleConstraint`. Ref is the constraint's id.

use serde_json::{Value, json};

use super::{deleted, needed, text};
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::{Deletion, Handle, Progress, Provider, Request, Schema, Update, optional, required};
use crate::services::servicecatalog::constraint::{CreateConstraint, DeleteConstraint, UpdateConstraint};

pub struct LaunchRoleConstraint;

static SCHEMA: Schema = Schema {
    type_name: "AWS::ServiceCatalog::LaunchRoleConstraint",
    properties: &[
        optional("AcceptLanguage", Update::InPlace),
        optional("Description", Update::InPlace),
        optional("LocalRoleName", Update::InPlace),
        required("PortfolioId", Update::Replacement),
        required("ProductId", Update::Replacement),
        optional("RoleArn", Update::InPlace),
    ],
    attributes: &[],
    tags: None,
};

/// The constraint's parameters; that there is exactly one role, the operation sees to.
fn parameters(properties: &Value) -> String {
    let given = ["RoleArn", "LocalRoleName"].into_iter();
    let given = given.filter_map(|name| Some((name.to_owned(), json!(text(properties, name)?))));
    Value::Object(given.collect()).to_string()
}

impl Provider for LaunchRoleConstraint {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let properties = &request.properties;
        let made = cx.call(CreateConstraint {
            accept_language: text(properties, "AcceptLanguage"),
            portfolio_id: needed(properties, "PortfolioId"),
            product_id: needed(properties, "ProductId"),
            parameters: parameters(properties),
            kind: "LAUNCH".to_owned(),
            description: text(properties, "Description"),
            idempotency_token: cx.ids().uuid(),
        })?;
        Ok(Progress::done(made.constraint_detail.constraint_id))
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let properties = &request.properties;
        cx.call(UpdateConstraint {
            accept_language: text(properties, "AcceptLanguage"),
            id: handle.physical_id.clone(),
            description: Some(text(properties, "Description").unwrap_or_default()),
            parameters: Some(parameters(properties)),
        })?;
        Ok(Progress::done(&handle.physical_id))
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        deleted(cx.call(DeleteConstraint { id: handle.physical_id.clone(), ..DeleteConstraint::default() }))
    }
}
