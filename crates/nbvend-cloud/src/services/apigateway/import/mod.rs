//! `ImportRestApi`, `PutRestApi`: an API from an OpenAPI document (2.0, called Swagger, or 3.0).
//!
//! What the document says and this engine would have to ignore is refused by name; see [`security`] and
//! [`document::check_extensions`].

mod document;
mod operation;
mod security;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use document::read;

use super::access;
use super::error::Error;
use super::gateway_response;
use super::passed;
use super::paths;
use super::policy;
use super::rest_api::{RestApiView, api_key_source, endpoint_type, fresh};
use super::state::{Definition, GatewayResponse, Model, RestApi, Texts};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Need, Operation};
use document::Document;

/// What becomes of an API's methods that the document does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Merge,
    Overwrite,
}

/// Puts a document on an API. The name is taken from it too, as on AWS.
pub fn apply(
    cx: &Cx<'_>,
    api: &mut RestApi,
    definition: &mut Definition,
    document: &Value,
    mode: Mode,
    parameters: &Texts,
) -> Result<(), Error> {
    let document = Document::open(document)?;
    check_parameters(api, parameters)?;
    let (title, info) = (document.title(), document.info());
    if let Some(title) = title {
        api.name = title;
    }
    if mode == Mode::Overwrite || info.description.is_some() {
        api.description = info.description.filter(|text| !text.is_empty());
    }
    if mode == Mode::Overwrite || info.version.is_some() {
        api.version = info.version;
    }
    settings(cx, api, &document)?;

    if mode == Mode::Overwrite {
        clear(api, definition);
    }
    for (name, schema) in document.schemas() {
        let model = Model {
            id: cx.ids().lower(6),
            description: schema.get("description").and_then(Value::as_str).map(str::to_owned),
            content_type: "application/json".to_owned(),
            schema: schema.to_string(),
        };
        definition.models.insert(name.clone(), model);
    }
    for (kind, response) in
        document.extension("gateway-responses").and_then(Value::as_object).into_iter().flatten()
    {
        let response = gateway(response)?;
        gateway_response::check(kind, &response)?;
        definition.gateway_responses.insert(kind.clone(), response);
    }
    let security = document.security()?;
    let root = api.root.clone();
    for (path, item) in document.paths()? {
        if !path.starts_with('/') {
            return Err(Error::bad(format!(
                "Unable to create resource at path '{path}': a path begins with a slash"
            )));
        }
        let resource =
            paths::ensure(definition, &root, path, cx.ids()).map_err(|error| in_path(path, error))?;
        for (verb, method) in
            operation::methods(&document, &security, item, &resource).map_err(|error| in_path(path, error))?
        {
            definition.resource_mut(&resource)?.methods.insert(verb, method);
        }
    }
    Ok(())
}

/// AWS wraps what is wrong with a path so that the path is told; an engine's own failure stays what it is.
fn in_path(path: &str, error: Error) -> Error {
    match error {
        Error::Engine(_) => error,
        Error::Unsupported(what) => Error::Unsupported(format!("{what} (at {path})")),
        error => Error::bad(format!("Unable to create resource at path '{path}': {error}")),
    }
}

/// Keeps the root resource, which the API's record names, and nothing else.
fn clear(api: &RestApi, definition: &mut Definition) {
    definition.resources.retain(|id, _| *id == api.root);
    for resource in definition.resources.values_mut() {
        resource.methods.clear();
    }
    definition.gateway_responses.clear();
    definition.models.clear();
}

/// The parameters an import is given beside its document.
fn check_parameters(api: &mut RestApi, parameters: &Texts) -> Result<(), Error> {
    for (name, value) in parameters {
        match (name.as_str(), value.as_str()) {
            ("endpointConfigurationTypes", kind) => endpoint_type(kind)?.clone_into(&mut api.endpoint_type),
            // Both are the default.
            ("ignore", "documentation") | ("basepath", "ignore") => {}
            _ => return Err(Error::unsupported(format!("The import parameter {name}={value}"))),
        }
    }
    Ok(())
}

/// The extensions that are settings of the API.
fn settings(cx: &Cx<'_>, api: &mut RestApi, document: &Document<'_>) -> Result<(), Error> {
    if let Some(types) = document.extension("binary-media-types").and_then(Value::as_array) {
        api.binary_media_types = types.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    }
    if let Some(source) = document.extension("api-key-source").and_then(Value::as_str) {
        api.api_key_source = api_key_source(source)?;
    }
    if let Some(document) = document.extension("policy") {
        api.policy = policy::stored(cx, &api.id, Some(&document.to_string()))?;
    }
    if let Some(endpoint) = document.extension("endpoint-configuration").and_then(Value::as_object) {
        for (name, value) in endpoint {
            match name.as_str() {
                "disableExecuteApiEndpoint" => {
                    api.disable_execute_api_endpoint = document::flag(value).unwrap_or_default();
                }
                "types" => {
                    for kind in value.as_array().into_iter().flatten().filter_map(Value::as_str) {
                        endpoint_type(kind)?.clone_into(&mut api.endpoint_type);
                    }
                }
                _ => {
                    return Err(Error::unsupported(format!(
                        "x-amazon-apigateway-endpoint-configuration.{name}"
                    )));
                }
            }
        }
    }
    Ok(())
}

fn gateway(value: &Value) -> Result<GatewayResponse, Error> {
    let members = value.as_object().ok_or_else(|| Error::bad("Invalid OpenAPI input."))?;
    let mut response = GatewayResponse::default();
    for (name, value) in members {
        match name.as_str() {
            "statusCode" => response.status = document::text(value),
            "responseParameters" => response.parameters = document::texts(value),
            "responseTemplates" => response.templates = document::texts(value),
            _ => return Err(Error::unsupported(format!("{name} of a gateway response"))),
        }
    }
    Ok(response)
}

fn body(text: &str) -> Result<Value, Error> {
    let bytes = STANDARD.decode(text).map_err(|_| Error::bad("Invalid OpenAPI input."))?;
    document::read(&bytes)
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportRestApi {
    /// Nothing is warned of here: what AWS would warn of is refused.
    pub fail_on_warnings: bool,
    pub parameters: Texts,
    /// Base64 of the document.
    pub body: String,
}

impl Operation for ImportRestApi {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "ImportRestApi";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::POST;
    type Output = RestApiView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![access::arn(cx, "/restapis")]
    }

    fn needs(&self, _cx: &Cx<'_>) -> Vec<Need> {
        body(&self.body).map(|document| passed::document(&document)).unwrap_or_default()
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<RestApiView, Error> {
        let document = body(&self.body)?;
        let (mut api, mut definition) = fresh(cx, "");
        apply(cx, &mut api, &mut definition, &document, Mode::Overwrite, &self.parameters)?;
        if api.name.trim().is_empty() {
            return Err(Error::bad("API name cannot be blank"));
        }
        cx.put(&api)?;
        cx.put(&definition)?;
        Ok(api.into())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct PutRestApi {
    pub rest_api_id: String,
    /// `merge`, which is the default, or `overwrite`.
    pub mode: Option<String>,
    pub fail_on_warnings: bool,
    pub parameters: Texts,
    /// Base64 of the document.
    pub body: String,
}

impl Operation for PutRestApi {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "PutRestApi";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::PUT;
    type Output = RestApiView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, "")
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        access::resource_tags(cx, &self.rest_api_id, keys);
    }

    fn needs(&self, _cx: &Cx<'_>) -> Vec<Need> {
        body(&self.body).map(|document| passed::document(&document)).unwrap_or_default()
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<RestApiView, Error> {
        let mut api = RestApi::find(cx, &self.rest_api_id)?;
        let mut definition = Definition::find(cx, &self.rest_api_id)?;
        let document = body(&self.body)?;
        let mode = if self.mode.as_deref() == Some("overwrite") { Mode::Overwrite } else { Mode::Merge };
        apply(cx, &mut api, &mut definition, &document, mode, &self.parameters)?;
        cx.put(&api)?;
        cx.put(&definition)?;
        Ok(api.into())
    }
}

/// What a document's `info` says.
#[derive(Debug, Default)]
pub(super) struct Info {
    pub description: Option<String>,
    pub version: Option<String>,
}

/// Methods by name.
pub(super) type Methods = BTreeMap<String, super::state::Method>;
