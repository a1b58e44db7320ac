//! `AWS::ApiGateway::Method`, with its integration and responses. Ref is an id of CloudFormation's.

use serde_json::Value;

use super::{call, deleted, flags, list, needed, number, only, text, texts, truth};
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::{
    Deletion, Handle, Progress, Provider, Request, Schema, Update, generated_name, optional, required,
};
use crate::services::apigateway::integration::PutIntegration;
use crate::services::apigateway::integration_response::PutIntegrationResponse;
use crate::services::apigateway::method::{DeleteMethod, PutMethod};
use crate::services::apigateway::method_response::PutMethodResponse;

pub struct Method;

static SCHEMA: Schema = Schema {
    type_name: "AWS::ApiGateway::Method",
    properties: &[
        optional("ApiKeyRequired", Update::InPlace),
        optional("AuthorizationType", Update::InPlace),
        required("HttpMethod", Update::Replacement),
        optional("Integration", Update::InPlace),
        optional("MethodResponses", Update::InPlace),
        optional("OperationName", Update::InPlace),
        optional("RequestModels", Update::InPlace),
        optional("RequestParameters", Update::InPlace),
        required("ResourceId", Update::Replacement),
        required("RestApiId", Update::Replacement),
    ],
    attributes: &[],
    tags: None,
};

/// Where a method is.
#[derive(Clone)]
struct Place {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
}

impl Place {
    fn of(properties: &Value) -> Self {
        Self {
            rest_api_id: needed(properties, "RestApiId"),
            resource_id: needed(properties, "ResourceId"),
            http_method: needed(properties, "HttpMethod"),
        }
    }

    fn delete(self) -> DeleteMethod {
        let Self { rest_api_id, resource_id, http_method } = self;
        DeleteMethod { rest_api_id, resource_id, http_method }
    }
}

fn put(cx: &mut Cx<'_>, properties: &Value) -> Result<(), EngineError> {
    let Place { rest_api_id, resource_id, http_method } = Place::of(properties);
    call(
        cx,
        PutMethod {
            rest_api_id: rest_api_id.clone(),
            resource_id: resource_id.clone(),
            http_method: http_method.clone(),
            authorization_type: text(properties, "AuthorizationType").unwrap_or_else(|| "NONE".to_owned()),
            api_key_required: truth(properties, "ApiKeyRequired"),
            operation_name: text(properties, "OperationName"),
            request_parameters: flags(properties, "RequestParameters"),
            request_models: texts(properties, "RequestModels"),
        },
    )?;
    for response in list(properties, "MethodResponses") {
        only(Some(response), "MethodResponses", &["ResponseModels", "ResponseParameters", "StatusCode"])?;
        call(
            cx,
            PutMethodResponse {
                rest_api_id: rest_api_id.clone(),
                resource_id: resource_id.clone(),
                http_method: http_method.clone(),
                status_code: needed(response, "StatusCode"),
                response_parameters: flags(response, "ResponseParameters"),
                response_models: texts(response, "ResponseModels"),
            },
        )?;
    }
    let Some(integration) = properties.get("Integration").filter(|value| !value.is_null()) else {
        return Ok(());
    };
    let served = [
        "CacheNamespace",
        "Credentials",
        "IntegrationHttpMethod",
        "IntegrationResponses",
        "PassthroughBehavior",
        "RequestTemplates",
        "TimeoutInMillis",
        "Type",
        "Uri",
    ];
    only(Some(integration), "Integration", &served)?;
    call(
        cx,
        PutIntegration {
            rest_api_id: rest_api_id.clone(),
            resource_id: resource_id.clone(),
            http_method: http_method.clone(),
            kind: needed(integration, "Type"),
            integration_http_method: text(integration, "IntegrationHttpMethod"),
            uri: text(integration, "Uri"),
            credentials: text(integration, "Credentials"),
            request_templates: texts(integration, "RequestTemplates"),
            passthrough_behavior: text(integration, "PassthroughBehavior"),
            timeout_in_millis: number(integration, "TimeoutInMillis")?,
            cache_namespace: text(integration, "CacheNamespace"),
        },
    )?;
    for response in list(integration, "IntegrationResponses") {
        let served = ["ResponseParameters", "ResponseTemplates", "SelectionPattern", "StatusCode"];
        only(Some(response), "IntegrationResponses", &served)?;
        call(
            cx,
            PutIntegrationResponse {
                rest_api_id: rest_api_id.clone(),
                resource_id: resource_id.clone(),
                http_method: http_method.clone(),
                status_code: needed(response, "StatusCode"),
                selection_pattern: text(response, "SelectionPattern"),
                response_parameters: texts(response, "ResponseParameters"),
                response_templates: texts(response, "ResponseTemplates"),
            },
        )?;
    }
    Ok(())
}

impl Provider for Method {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        put(cx, &request.properties)?;
        Ok(Progress::done(generated_name(cx, request, 48)))
    }

    /// The method is made anew in the same commit: nobody sees it missing.
    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        call(cx, Place::of(&handle.properties).delete())?;
        put(cx, &request.properties)?;
        Ok(Progress::done(&handle.physical_id))
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        deleted(call(cx, Place::of(&handle.properties).delete()))
    }
}
