//! `AWS::ApiGateway::RestApi`, from an OpenAPI document or by name. Ref is the API's id.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{
    attributes, call, deleted, invalid, list, needed, only, operation, replace, retag, segment, tags, text,
    texts,
};
use crate::context::Cx;
use crate::error::EngineError;
use crate::error::ServiceError;
use crate::provider::{Deletion, Handle, Progress, Provider, Request, Schema, Update, optional};
use crate::services::apigateway::access;
use crate::services::apigateway::error::Error;
use crate::services::apigateway::import::{self, ImportRestApi, PutRestApi};
use crate::services::apigateway::patch::PatchOperation;
use crate::services::apigateway::rest_api::{CreateRestApi, DeleteRestApi, RestApiView};
use crate::services::apigateway::update_rest_api::UpdateRestApi;
use crate::services::s3::object::GetObject;

pub struct RestApi;

static SCHEMA: Schema = Schema {
    type_name: "AWS::ApiGateway::RestApi",
    properties: &[
        optional("ApiKeySourceType", Update::InPlace),
        optional("BinaryMediaTypes", Update::InPlace),
        optional("Body", Update::InPlace),
        optional("BodyS3Location", Update::InPlace),
        optional("Description", Update::InPlace),
        optional("DisableExecuteApiEndpoint", Update::InPlace),
        optional("EndpointConfiguration", Update::InPlace),
        optional("FailOnWarnings", Update::InPlace),
        optional("Mode", Update::InPlace),
        optional("Name", Update::InPlace),
        optional("Parameters", Update::InPlace),
        optional("Policy", Update::InPlace),
        optional("Tags", Update::InPlace),
    ],
    attributes: &["RestApiId", "RootResourceId"],
    tags: Some("Tags"),
};

fn done(api: &RestApiView) -> Progress {
    Progress::Done {
        physical_id: api.id.clone(),
        attributes: attributes([("RestApiId", &api.id), ("RootResourceId", &api.root_resource_id)]),
    }
}

/// The OpenAPI document, from the template or from S3; the template's `Name` stands before the document's title.
fn document(cx: &mut Cx<'_>, properties: &Value) -> Result<Option<String>, EngineError> {
    let mut document = match (properties.get("Body"), properties.get("BodyS3Location")) {
        (Some(body), _) if !body.is_null() => body.clone(),
        (_, Some(location)) if !location.is_null() => {
            only(Some(location), "BodyS3Location", &["Bucket", "ETag", "Key", "Version"])?;
            let object = cx.call(GetObject {
                bucket: needed(location, "Bucket"),
                key: needed(location, "Key"),
                version_id: text(location, "Version"),
            })?;
            if text(location, "ETag").is_some_and(|wanted| wanted.trim_matches('"') != object.e_tag) {
                return Err(invalid("The ETag of BodyS3Location is not that of the object"));
            }
            let bytes = cx.tx.blobs().read(&object.blob)?;
            import::read(&bytes).map_err(|error| EngineError::Called(error.to_wire()))?
        }
        _ => return Ok(None),
    };
    if let Some(name) = text(properties, "Name") {
        let info = document
            .as_object_mut()
            .and_then(|root| root.entry("info").or_insert_with(|| json!({})).as_object_mut());
        let info = info.ok_or_else(|| EngineError::Called(Error::bad("Invalid OpenAPI input.").to_wire()))?;
        info.insert("title".to_owned(), json!(name));
    }
    Ok(Some(STANDARD.encode(document.to_string())))
}

/// Media types, where `~1` may stand for a slash: SAM's templates write them so.
fn media_types(properties: &Value) -> Vec<String> {
    list(properties, "BinaryMediaTypes")
        .filter_map(Value::as_str)
        .map(|kind| kind.replace("~1", "/"))
        .collect()
}

/// What the template says beside the document, as changes of `api`, which is how the document left it.
fn changes(api: &RestApiView, old: Option<&Value>, new: &Value) -> Result<Vec<PatchOperation>, EngineError> {
    let mut patch = Vec::new();
    let was = |name: &str| old.and_then(|old| text(old, name)).is_some();
    if let Some(name) = text(new, "Name").filter(|name| *name != api.name) {
        patch.push(replace("/name", name));
    }
    match text(new, "Description") {
        Some(description) => patch.push(replace("/description", description)),
        None if was("Description") && new.get("Body").is_none() => {
            patch.push(operation("remove", "/description".to_owned()));
        }
        None => {}
    }
    match new.get("Policy") {
        Some(Value::String(policy)) => patch.push(replace("/policy", policy)),
        Some(policy) if !policy.is_null() => patch.push(replace("/policy", policy.to_string())),
        _ if old.is_some_and(|old| old.get("Policy").is_some()) => patch.push(replace("/policy", "")),
        _ => {}
    }
    match text(new, "DisableExecuteApiEndpoint") {
        Some(flag) => patch.push(replace("/disableExecuteApiEndpoint", flag.to_ascii_lowercase())),
        None if was("DisableExecuteApiEndpoint") => {
            patch.push(replace("/disableExecuteApiEndpoint", "false"));
        }
        None => {}
    }
    if let Some(source) = text(new, "ApiKeySourceType") {
        patch.push(replace("/apiKeySource", source));
    }
    let endpoint = new.get("EndpointConfiguration").unwrap_or(&Value::Null);
    only(Some(endpoint), "EndpointConfiguration", &["IpAddressType", "Types"])?;
    let types: Vec<&str> = list(endpoint, "Types").filter_map(Value::as_str).collect();
    match types[..] {
        [] => {}
        [one] => patch.push(replace("/endpointConfiguration/types/0", one)),
        _ => return Err(invalid("Cannot create an api with multiple Endpoint Types.")),
    }
    if let Some(kind) = text(endpoint, "IpAddressType") {
        patch.push(replace("/endpointConfiguration/ipAddressType", kind));
    }
    let has = api.binary_media_types.clone().unwrap_or_default();
    let wanted = media_types(new);
    let before = old.map(media_types).unwrap_or_default();
    let add = wanted.iter().filter(|kind| !has.contains(kind));
    patch.extend(add.map(|kind| operation("add", format!("/binaryMediaTypes/{}", segment(kind)))));
    let remove = before.iter().filter(|kind| has.contains(kind) && !wanted.contains(kind));
    patch.extend(remove.map(|kind| operation("remove", format!("/binaryMediaTypes/{}", segment(kind)))));
    Ok(patch)
}

fn settle(
    cx: &mut Cx<'_>,
    api: RestApiView,
    old: Option<&Value>,
    new: &Value,
) -> Result<RestApiView, EngineError> {
    let patch_operations = changes(&api, old, new)?;
    if patch_operations.is_empty() {
        return Ok(api);
    }
    call(cx, UpdateRestApi { rest_api_id: api.id, patch_operations })
}

impl Provider for RestApi {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let properties = &request.properties;
        let api = match document(cx, properties)? {
            Some(body) => {
                let parameters = texts(properties, "Parameters");
                call(cx, ImportRestApi { parameters, body, ..ImportRestApi::default() })?
            }
            None => {
                let name = text(properties, "Name");
                let name = name.ok_or_else(|| invalid("Resource must have Name or Body with a title"))?;
                call(cx, CreateRestApi { name, ..CreateRestApi::default() })?
            }
        };
        let api = settle(cx, api, None, properties)?;
        if !tags(request).is_empty() {
            let arn = access::arn(cx, &format!("/restapis/{}", api.id));
            retag(cx, arn, &Value::Null, request)?;
        }
        Ok(done(&api))
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let properties = &request.properties;
        let rest_api_id = handle.physical_id.clone();
        let api = match document(cx, properties)? {
            Some(body) => {
                let mode = text(properties, "Mode").unwrap_or_else(|| "overwrite".to_owned());
                let parameters = texts(properties, "Parameters");
                let put =
                    PutRestApi { rest_api_id, mode: Some(mode), parameters, body, ..PutRestApi::default() };
                call(cx, put)?
            }
            None => call(cx, UpdateRestApi { rest_api_id, patch_operations: Vec::new() })?,
        };
        let api = settle(cx, api, Some(&handle.properties), properties)?;
        let arn = access::arn(cx, &format!("/restapis/{}", api.id));
        retag(cx, arn, &handle.properties, request)?;
        Ok(done(&api))
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        deleted(call(cx, DeleteRestApi { rest_api_id: handle.physical_id.clone() }))
    }
}
