//! `PutIntegrationResponse`, `GetIntegrationResponse`, `DeleteIntegrationResponse`: how a backend's answer becomes the
//! method's. Mock integrations answer by these; a proxied function says everything itself.

use serde::{Deserialize, Serialize};

use super::access;
use super::error::Error;
use super::state::{Definition, IntegrationResponse, Texts};
use super::template;
use super::view::IntegrationResponseView;
use crate::context::Cx;
use crate::operation::{Kind, Operation};

/// Refuses mappings that could not be done.
pub fn check(response: &IntegrationResponse) -> Result<(), Error> {
    for (target, value) in &response.parameters {
        if !target.starts_with("method.response.header.") {
            return Err(Error::bad(format!(
                "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: {target}]"
            )));
        }
        template::mapped(value)?;
    }
    if let Some(pattern) = &response.selection_pattern {
        selection(pattern)?;
    }
    response.templates.values().try_for_each(|text| template::check(text))
}

/// A selection pattern, which is met by the whole text.
pub fn selection(pattern: &str) -> Result<regex::Regex, Error> {
    regex::Regex::new(&format!("^(?:{pattern})$"))
        .map_err(|_| Error::bad("Invalid selection pattern specified"))
}

fn below(resource: &str, verb: &str, status: &str) -> String {
    format!("/resources/{resource}/methods/{verb}/integration/responses/{status}")
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct PutIntegrationResponse {
    pub rest_api_id: String,
    pub resource_id: String,
    pub http_method: String,
    pub status_code: String,
    pub selection_pattern: Option<String>,
    pub response_parameters: Texts,
    pub response_templates: Texts,
}

impl Operation for PutIntegrationResponse {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "PutIntegrationResponse";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::PUT;
    type Output = IntegrationResponseView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &below(&self.resource_id, &self.http_method, &self.status_code))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<IntegrationResponseView, Error> {
        let mut definition = Definition::find(cx, &self.rest_api_id)?;
        let integration = definition.integration_mut(&self.resource_id, &self.http_method)?;
        let response = IntegrationResponse {
            selection_pattern: self.selection_pattern,
            parameters: self.response_parameters,
            templates: self.response_templates,
        };
        check(&response)?;
        let view = IntegrationResponseView::of(&self.status_code, &response);
        integration.responses.insert(self.status_code, response);
        cx.put(&definition)?;
        Ok(view)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct GetIntegrationResponse {
    pub rest_api_id: String,
    pub resource_id: String,
    pub http_method: String,
    pub status_code: String,
}

impl Operation for GetIntegrationResponse {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "GetIntegrationResponse";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = access::GET;
    type Output = IntegrationResponseView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &below(&self.resource_id, &self.http_method, &self.status_code))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<IntegrationResponseView, Error> {
        let mut definition = Definition::find(cx, &self.rest_api_id)?;
        let integration = definition.integration_mut(&self.resource_id, &self.http_method)?;
        let response = integration.responses.get(&self.status_code).ok_or(Error::NoResponse)?;
        Ok(IntegrationResponseView::of(&self.status_code, response))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteIntegrationResponse {
    pub rest_api_id: String,
    pub resource_id: String,
    pub http_method: String,
    pub status_code: String,
}

impl Operation for DeleteIntegrationResponse {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "DeleteIntegrationResponse";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::DELETE;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &below(&self.resource_id, &self.http_method, &self.status_code))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let mut definition = Definition::find(cx, &self.rest_api_id)?;
        let integration = definition.integration_mut(&self.resource_id, &self.http_method)?;
        integration.responses.remove(&self.status_code).ok_or(Error::NoResponse)?;
        cx.put(&definition)?;
        Ok(())
    }
}
