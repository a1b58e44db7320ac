//! `PutGatewayResponse`, `GetGatewayResponse`, `GetGatewayResponses`, `DeleteGatewayResponse`: what the gateway itself
//! answers when it does not let a request through.

use serde::{Deserialize, Serialize};

use super::access;
use super::error::Error;
use super::page::Page;
use super::state::{Definition, GatewayResponse, Texts};
use super::template;
use crate::context::Cx;
use crate::operation::{Kind, Operation};

/// All types with their default status.
pub const TYPES: [(&str, Option<u16>); 21] = [
    ("ACCESS_DENIED", Some(403)),
    ("API_CONFIGURATION_ERROR", Some(500)),
    ("AUTHORIZER_CONFIGURATION_ERROR", Some(500)),
    ("AUTHORIZER_FAILURE", Some(500)),
    ("BAD_REQUEST_BODY", Some(400)),
    ("BAD_REQUEST_PARAMETERS", Some(400)),
    ("DEFAULT_4XX", None),
    ("DEFAULT_5XX", None),
    ("EXPIRED_TOKEN", Some(403)),
    ("INTEGRATION_FAILURE", Some(504)),
    ("INTEGRATION_TIMEOUT", Some(504)),
    ("INVALID_API_KEY", Some(403)),
    ("INVALID_SIGNATURE", Some(403)),
    ("MISSING_AUTHENTICATION_TOKEN", Some(403)),
    ("QUOTA_EXCEEDED", Some(429)),
    ("REQUEST_TOO_LARGE", Some(413)),
    ("RESOURCE_NOT_FOUND", Some(404)),
    ("THROTTLED", Some(429)),
    ("UNAUTHORIZED", Some(401)),
    ("UNSUPPORTED_MEDIA_TYPE", Some(415)),
    ("WAF_FILTERED", Some(403)),
];

/// The template of every response nobody changed.
const DEFAULT_TEMPLATE: &str = r#"{"message":$context.error.messageString}"#;

/// Refuses what could not be done when the response is sent.
pub fn check(kind: &str, response: &GatewayResponse) -> Result<(), Error> {
    if !TYPES.iter().any(|(known, _)| *known == kind) {
        return Err(Error::bad(format!("Invalid gateway response type specified: {kind}")));
    }
    if let Some(status) = &response.status
        && !status.parse::<u16>().is_ok_and(|status| (100..600).contains(&status))
    {
        return Err(Error::bad(format!("Invalid status code specified: {status}")));
    }
    for (target, value) in &response.parameters {
        // SAM writes paths and query strings too; no answer can carry them, here or on AWS.
        if !["header.", "path.", "querystring."]
            .iter()
            .any(|place| target.strip_prefix("gatewayresponse.").is_some_and(|rest| rest.starts_with(place)))
        {
            return Err(Error::bad(format!("Invalid parameter name specified: {target}")));
        }
        template::mapped(value)?;
    }
    response.templates.values().try_for_each(|text| template::check(text))
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayResponseView {
    pub response_type: String,
    pub status_code: Option<String>,
    pub response_parameters: Texts,
    pub response_templates: Texts,
    pub default_response: bool,
}

impl GatewayResponseView {
    fn of(kind: &str, definition: &Definition) -> Self {
        let default_status = TYPES.iter().find(|(known, _)| *known == kind).and_then(|(_, status)| *status);
        let default_status = default_status.map(|status| status.to_string());
        match definition.gateway_responses.get(kind) {
            Some(response) => Self {
                response_type: kind.to_owned(),
                status_code: response.status.clone().or(default_status),
                response_parameters: response.parameters.clone(),
                response_templates: response.templates.clone(),
                default_response: false,
            },
            None => Self {
                response_type: kind.to_owned(),
                status_code: default_status,
                response_parameters: Texts::new(),
                response_templates: [("application/json".to_owned(), DEFAULT_TEMPLATE.to_owned())].into(),
                default_response: true,
            },
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct PutGatewayResponse {
    pub rest_api_id: String,
    pub response_type: String,
    pub status_code: Option<String>,
    pub response_parameters: Texts,
    pub response_templates: Texts,
}

impl Operation for PutGatewayResponse {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "PutGatewayResponse";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::PUT;
    type Output = GatewayResponseView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &format!("/gatewayresponses/{}", self.response_type))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GatewayResponseView, Error> {
        let mut definition = Definition::find(cx, &self.rest_api_id)?;
        let response = GatewayResponse {
            status: self.status_code,
            parameters: self.response_parameters,
            templates: self.response_templates,
        };
        check(&self.response_type, &response)?;
        definition.gateway_responses.insert(self.response_type.clone(), response);
        cx.put(&definition)?;
        Ok(GatewayResponseView::of(&self.response_type, &definition))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct GetGatewayResponse {
    pub rest_api_id: String,
    pub response_type: String,
}

impl Operation for GetGatewayResponse {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "GetGatewayResponse";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = access::GET;
    type Output = GatewayResponseView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &format!("/gatewayresponses/{}", self.response_type))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GatewayResponseView, Error> {
        Ok(GatewayResponseView::of(&self.response_type, &Definition::find(cx, &self.rest_api_id)?))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct GetGatewayResponses {
    pub rest_api_id: String,
    pub position: Option<String>,
    pub limit: Option<i64>,
}

#[derive(Debug, Serialize)]
pub struct GetGatewayResponsesOutput {
    pub position: Option<String>,
    pub items: Vec<GatewayResponseView>,
}

impl Operation for GetGatewayResponses {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "GetGatewayResponses";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = access::GET;
    type Output = GetGatewayResponsesOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, "/gatewayresponses")
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GetGatewayResponsesOutput, Error> {
        let definition = Definition::find(cx, &self.rest_api_id)?;
        let page = Page::read(self.position.as_deref(), self.limit)?;
        let all = TYPES.iter().map(|(kind, _)| GatewayResponseView::of(kind, &definition));
        let (items, position) = page.of(all, |view| view.response_type.clone());
        Ok(GetGatewayResponsesOutput { position, items })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteGatewayResponse {
    pub rest_api_id: String,
    pub response_type: String,
}

impl Operation for DeleteGatewayResponse {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "DeleteGatewayResponse";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::DELETE;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &format!("/gatewayresponses/{}", self.response_type))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let mut definition = Definition::find(cx, &self.rest_api_id)?;
        definition.gateway_responses.remove(&self.response_type).ok_or(Error::NoGatewayResponse)?;
        cx.put(&definition)?;
        Ok(())
    }
}
