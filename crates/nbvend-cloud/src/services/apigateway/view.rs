//! Methods and integrations as AWS shows them, in every operation that does.

use std::collections::BTreeMap;

use serde::Serialize;

use super::state::{Flags, Integration, IntegrationResponse, Method, MethodResponse, Texts};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MethodView {
    pub http_method: String,
    pub authorization_type: &'static str,
    pub api_key_required: bool,
    pub operation_name: Option<String>,
    pub request_parameters: Option<Flags>,
    pub request_models: Option<Texts>,
    pub method_responses: Option<BTreeMap<String, MethodResponseView>>,
    pub method_integration: Option<IntegrationView>,
}

impl MethodView {
    pub fn of(verb: &str, method: &Method) -> Self {
        let responses = method
            .responses
            .iter()
            .map(|(status, response)| (status.clone(), MethodResponseView::of(status, response)));
        Self {
            http_method: verb.to_owned(),
            authorization_type: method.authorization.name(),
            api_key_required: false,
            operation_name: method.operation_name.clone(),
            request_parameters: some(&method.request_parameters),
            request_models: some(&method.request_models),
            method_responses: Some(responses.collect::<BTreeMap<_, _>>()).filter(|all| !all.is_empty()),
            method_integration: method.integration.as_ref().map(IntegrationView::of),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MethodResponseView {
    pub status_code: String,
    pub response_parameters: Option<Flags>,
    pub response_models: Option<Texts>,
}

impl MethodResponseView {
    pub fn of(status: &str, response: &MethodResponse) -> Self {
        Self {
            status_code: status.to_owned(),
            response_parameters: some(&response.parameters),
            response_models: some(&response.models),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IntegrationView {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub http_method: Option<String>,
    pub uri: Option<String>,
    pub credentials: Option<String>,
    pub request_templates: Option<Texts>,
    pub passthrough_behavior: String,
    pub timeout_in_millis: i64,
    pub cache_namespace: String,
    pub cache_key_parameters: Vec<String>,
    pub integration_responses: Option<BTreeMap<String, IntegrationResponseView>>,
}

impl IntegrationView {
    pub fn of(integration: &Integration) -> Self {
        let responses = integration
            .responses
            .iter()
            .map(|(status, response)| (status.clone(), IntegrationResponseView::of(status, response)));
        Self {
            kind: integration.backend.name(),
            http_method: integration.http_method.clone(),
            uri: integration.uri.clone(),
            credentials: integration.credentials.clone(),
            request_templates: some(&integration.request_templates),
            passthrough_behavior: integration.passthrough.clone(),
            timeout_in_millis: integration.timeout_ms,
            cache_namespace: integration.cache_namespace.clone(),
            cache_key_parameters: Vec::new(),
            integration_responses: Some(responses.collect::<BTreeMap<_, _>>()).filter(|all| !all.is_empty()),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IntegrationResponseView {
    pub status_code: String,
    pub selection_pattern: Option<String>,
    pub response_parameters: Option<Texts>,
    pub response_templates: Option<Texts>,
}

impl IntegrationResponseView {
    pub fn of(status: &str, response: &IntegrationResponse) -> Self {
        Self {
            status_code: status.to_owned(),
            selection_pattern: response.selection_pattern.clone(),
            response_parameters: some(&response.parameters),
            response_templates: some(&response.templates),
        }
    }
}

/// AWS leaves an empty map out.
fn some<T: Clone>(map: &BTreeMap<String, T>) -> Option<BTreeMap<String, T>> {
    (!map.is_empty()).then(|| map.clone())
}
