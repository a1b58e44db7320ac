//! Operations of a path: methods with their integration.

use serde_json::{Map, Value};

use super::Methods;
use super::document::{Document, flag, flags, integer, text, texts};
use super::security::Schemes;
use crate::services::apigateway::error::Error;
use crate::services::apigateway::integration::Wanted;
use crate::services::apigateway::integration_response;
use crate::services::apigateway::method::check_parameters;
use crate::services::apigateway::state::{
    Flags, Integration, IntegrationResponse, Method, MethodResponse, Texts,
};

/// The methods of one path; `resource` is the resource's id.
pub fn methods(
    document: &Document<'_>,
    security: &Schemes<'_>,
    item: &Map<String, Value>,
    resource: &str,
) -> Result<Methods, Error> {
    if item.contains_key("$ref") {
        return Err(Error::unsupported("$ref of a path"));
    }
    let mut methods = Methods::new();
    let shared = item.get("parameters");
    for (name, operation) in item {
        let verb = match name.as_str() {
            "get" | "put" | "post" | "delete" | "patch" | "options" | "head" => name.to_ascii_uppercase(),
            "x-amazon-apigateway-any-method" => "ANY".to_owned(),
            "trace" => return Err(Error::unsupported("The method TRACE")),
            _ => continue,
        };
        let empty = Map::new();
        let operation = match operation {
            Value::Null => &empty,
            Value::Object(operation) => operation,
            _ => return Err(Error::bad("Invalid OpenAPI input.")),
        };
        methods.insert(verb, method(document, security, operation, shared, resource)?);
    }
    Ok(methods)
}

fn method<'a>(
    document: &Document<'a>,
    security: &Schemes<'_>,
    operation: &'a Map<String, Value>,
    shared: Option<&'a Value>,
    resource: &str,
) -> Result<Method, Error> {
    for (name, value) in operation {
        let known = ["x-amazon-apigateway-integration", "x-amazon-apigateway-auth"].contains(&name.as_str());
        if name.starts_with("x-amazon-apigateway-") && !known && !value.is_null() {
            return Err(Error::unsupported(name));
        }
    }
    let mut method = Method {
        authorization: security.authorization(operation)?,
        operation_name: operation.get("operationId").and_then(text),
        ..Method::default()
    };
    let own = operation.get("parameters");
    for parameter in [shared, own].into_iter().flatten().filter_map(Value::as_array).flatten() {
        self::parameter(document, operation, parameter, &mut method)?;
    }
    check_parameters(&method.request_parameters)?;
    if let Some(content) = operation.get("requestBody").and_then(|body| body.get("content")) {
        for (content_type, media) in content.as_object().into_iter().flatten() {
            if let Some(model) = media.get("schema").and_then(model_name) {
                method.request_models.insert(content_type.clone(), model);
            }
        }
    }
    for (status, response) in operation.get("responses").and_then(Value::as_object).into_iter().flatten() {
        if status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit()) {
            method.responses.insert(status.clone(), method_response(document.resolve(response)?));
        }
    }
    if let Some(integration) =
        operation.get("x-amazon-apigateway-integration").filter(|value| !value.is_null())
    {
        method.integration = Some(self::integration(integration, resource)?);
    }
    Ok(method)
}

/// A parameter becomes a request parameter; one in the body names the model of what the operation consumes.
fn parameter<'a>(
    document: &Document<'a>,
    operation: &Map<String, Value>,
    parameter: &'a Value,
    method: &mut Method,
) -> Result<(), Error> {
    let parameter = document.resolve(parameter)?;
    let member = |name: &str| parameter.get(name).and_then(text).unwrap_or_default();
    let place = match member("in").as_str() {
        "query" => "querystring",
        "path" => "path",
        "header" => "header",
        "body" => {
            if let Some(model) = parameter.get("schema").and_then(model_name) {
                let consumes = operation.get("consumes").and_then(Value::as_array);
                let types = consumes.map(|types| types.iter().filter_map(text).collect::<Vec<_>>());
                for content_type in types.unwrap_or_else(|| vec!["application/json".to_owned()]) {
                    method.request_models.insert(content_type, model.clone());
                }
            }
            return Ok(());
        }
        // Form fields and cookies are no request parameters of API Gateway's.
        _ => return Ok(()),
    };
    let required = parameter.get("required").and_then(flag).unwrap_or_default();
    method.request_parameters.insert(format!("method.request.{place}.{}", member("name")), required);
    Ok(())
}

/// The model a schema refers to.
fn model_name(schema: &Value) -> Option<String> {
    let reference = schema.get("$ref")?.as_str()?;
    reference.rsplit('/').next().map(str::to_owned)
}

fn method_response(response: &Value) -> MethodResponse {
    let headers = response.get("headers").and_then(Value::as_object);
    let mut models = Texts::new();
    if let Some(model) = response.get("schema").and_then(model_name) {
        models.insert("application/json".to_owned(), model);
    }
    for (content_type, media) in response.get("content").and_then(Value::as_object).into_iter().flatten() {
        if let Some(model) = media.get("schema").and_then(model_name) {
            models.insert(content_type.clone(), model);
        }
    }
    let parameters =
        headers.map_or_else(Flags::new, |headers| flags(headers.keys(), "method.response.header."));
    MethodResponse { parameters, models }
}

fn integration(value: &Value, resource: &str) -> Result<Integration, Error> {
    let members = value.as_object().ok_or_else(|| Error::bad("Invalid OpenAPI input."))?;
    let mut wanted = Wanted::default();
    let mut responses = Vec::new();
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        match name.as_str() {
            "type" => wanted.kind = text(value).unwrap_or_default().to_ascii_uppercase(),
            "httpMethod" => wanted.http_method = text(value),
            "uri" => wanted.uri = text(value),
            "credentials" => wanted.credentials = text(value),
            "requestTemplates" => wanted.request_templates = texts(value),
            "passthroughBehavior" => wanted.passthrough = text(value),
            "timeoutInMillis" => wanted.timeout_ms = integer(value),
            "cacheNamespace" => wanted.cache_namespace = text(value),
            "responses" => responses.extend(value.as_object().into_iter().flatten()),
            // What API Gateway does anyway.
            "connectionType" if value == "INTERNET" => {}
            "responseTransferMode" if value == "BUFFERED" => {}
            "cacheKeyParameters" if value.as_array().is_some_and(Vec::is_empty) => {}
            _ => return Err(Error::unsupported(format!("{name} of x-amazon-apigateway-integration"))),
        }
    }
    if wanted.kind.is_empty() {
        // What is fetched over HTTP is the default.
        wanted.kind = "HTTP".to_owned();
    }
    let mut integration = wanted.build(resource)?;
    for (pattern, response) in responses {
        let (status, response) = integration_response(pattern, response)?;
        integration.responses.insert(status, response);
    }
    Ok(integration)
}

fn integration_response(pattern: &str, value: &Value) -> Result<(String, IntegrationResponse), Error> {
    let members = value.as_object().ok_or_else(|| Error::bad("Invalid OpenAPI input."))?;
    let mut status = "200".to_owned();
    let mut response = IntegrationResponse {
        selection_pattern: Some(pattern.to_owned()).filter(|pattern| pattern != "default"),
        ..IntegrationResponse::default()
    };
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        match name.as_str() {
            "statusCode" => status = text(value).unwrap_or(status),
            "responseParameters" => response.parameters = texts(value),
            "responseTemplates" => response.templates = texts(value),
            _ => return Err(Error::unsupported(format!("{name} of an integration's response"))),
        }
    }
    integration_response::check(&response)?;
    Ok((status, response))
}
