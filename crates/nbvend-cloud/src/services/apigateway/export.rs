//! `GetExport`: a stage's deployment as an OpenAPI document, with the extensions that make it importable again if they
//! are asked for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::access;
use super::error::Error;
use super::model;
use super::state::{Authorization, Definition, Integration, Method, RestApi, Snapshot, Stage, Texts, within};
use crate::context::Cx;
use crate::operation::{Kind, Operation};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct GetExport {
    pub rest_api_id: String,
    pub stage_name: String,
    pub export_type: String,
    pub parameters: Texts,
    pub accepts: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GetExportOutput {
    pub content_type: String,
    pub content_disposition: String,
    /// Base64 of the document.
    pub body: String,
}

impl Operation for GetExport {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "GetExport";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = access::GET;
    type Output = GetExportOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(
            cx,
            &self.rest_api_id,
            &format!("/stages/{}/exports/{}", self.stage_name, self.export_type),
        )
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GetExportOutput, Error> {
        let api = RestApi::find(cx, &self.rest_api_id)?;
        let stage = Stage::find(cx, &api.id, &self.stage_name)?;
        let v3 = match self.export_type.as_str() {
            "swagger" => false,
            "oas30" => true,
            other => {
                return Err(Error::bad(format!(
                    "Invalid export type {other}. Valid options are swagger,oas30"
                )));
            }
        };
        if self.accepts.as_deref().is_some_and(|accepts| accepts.contains("yaml")) {
            return Err(Error::unsupported("An export in YAML"));
        }
        let extended = match self.parameters.get("extensions").map(String::as_str) {
            None => false,
            Some("integrations" | "apigateway") => true,
            Some(other) => return Err(Error::unsupported(format!("extensions={other} of an export"))),
        };
        let snapshot = cx.get::<Snapshot>(&within(&api.id, &stage.deployment))?.ok_or(Error::NoDeployment)?;
        let document = document(cx, &snapshot, &stage, v3, extended);
        let name = format!("{}_{}.json", if v3 { "oas30" } else { "swagger" }, cx.now().amz_date());
        Ok(GetExportOutput {
            content_type: "application/json".to_owned(),
            content_disposition: format!("attachment; filename=\"{name}\""),
            body: STANDARD.encode(serde_json::to_vec_pretty(&document).unwrap_or_default()),
        })
    }
}

fn document(cx: &Cx<'_>, snapshot: &Snapshot, stage: &Stage, v3: bool, extended: bool) -> Value {
    let mut root = Map::new();
    let mut set = |name: &str, value: Value| {
        root.insert(name.to_owned(), value);
    };
    let api = &snapshot.api;
    let version = api.version.clone().unwrap_or_else(|| api.created.iso8601());
    let mut info = json!({"title": api.name, "version": version});
    if let Some(description) = &api.description {
        info["description"] = json!(description);
    }
    let host = format!("{}.execute-api.{}.{}", api.id, cx.region(), cx.config().url_suffix);
    set(if v3 { "openapi" } else { "swagger" }, json!(if v3 { "3.0.1" } else { "2.0" }));
    set("info", info);
    if v3 {
        let server = json!({"url": format!("https://{host}/{{basePath}}"),
            "variables": {"basePath": {"default": stage.name}}});
        set("servers", json!([server]));
    } else {
        set("host", json!(host));
        set("basePath", json!(format!("/{}", stage.name)));
        set("schemes", json!(["https"]));
    }
    let mut paths = Map::new();
    let mut signed = false;
    for resource in snapshot.definition.resources.values().filter(|resource| !resource.methods.is_empty()) {
        let methods = resource.methods.iter().map(|(verb, method)| {
            signed |= method.authorization == Authorization::Iam;
            let name = match verb.as_str() {
                "ANY" => "x-amazon-apigateway-any-method".to_owned(),
                verb => verb.to_ascii_lowercase(),
            };
            (name, operation(method, v3, extended))
        });
        paths.insert(resource.path.clone(), Value::Object(methods.collect()));
    }
    set("paths", Value::Object(paths));
    let schemes = json!({"sigv4": {"type": "apiKey", "name": "Authorization", "in": "header",
        "x-amazon-apigateway-authtype": "awsSigv4"}});
    let schemas: Map<String, Value> = snapshot
        .definition
        .models
        .iter()
        .filter(|(name, _)| !model::DEFAULTS.contains(&name.as_str()) || named(&snapshot.definition, name))
        .map(|(name, model)| (name.clone(), serde_json::from_str(&model.schema).unwrap_or_default()))
        .collect();
    if v3 {
        let mut components = json!({"schemas": schemas});
        if signed {
            components["securitySchemes"] = schemes;
        }
        set("components", components);
    } else {
        if signed {
            set("securityDefinitions", schemes);
        }
        set("definitions", Value::Object(schemas));
    }
    if extended && !api.binary_media_types.is_empty() {
        set("x-amazon-apigateway-binary-media-types", json!(api.binary_media_types));
    }
    Value::Object(root)
}

/// Whether a method of the API names that model.
fn named(definition: &Definition, model: &str) -> bool {
    let mut methods = definition.resources.values().flat_map(|resource| resource.methods.values());
    methods.any(|method| {
        let answers = method.responses.values().flat_map(|response| response.models.values());
        method.request_models.values().chain(answers).any(|name| name == model)
    })
}

fn operation(method: &Method, v3: bool, extended: bool) -> Value {
    let mut operation = json!({});
    if let Some(name) = &method.operation_name {
        operation["operationId"] = json!(name);
    }
    let parameters: Vec<Value> = method
        .request_parameters
        .iter()
        .filter_map(|(parameter, required)| {
            let (place, name) = parameter.strip_prefix("method.request.")?.split_once('.')?;
            let place = if place == "querystring" { "query" } else { place };
            let mut parameter = json!({"name": name, "in": place, "required": required});
            if v3 {
                parameter["schema"] = json!({"type": "string"});
            } else {
                parameter["type"] = json!("string");
            }
            Some(parameter)
        })
        .collect();
    if !parameters.is_empty() {
        operation["parameters"] = json!(parameters);
    }
    let responses = method.responses.iter().map(|(status, response)| {
        let headers =
            response.parameters.keys().filter_map(|name| name.strip_prefix("method.response.header."));
        let headers: Map<String, Value> = headers
            .map(|name| {
                (
                    name.to_owned(),
                    if v3 { json!({"schema": {"type": "string"}}) } else { json!({"type": "string"}) },
                )
            })
            .collect();
        let mut shown = json!({"description": format!("{status} response")});
        if !headers.is_empty() {
            shown["headers"] = Value::Object(headers);
        }
        (status.clone(), shown)
    });
    operation["responses"] = Value::Object(responses.collect());
    if method.authorization == Authorization::Iam {
        operation["security"] = json!([{"sigv4": []}]);
    }
    if let Some(backend) = method.integration.as_ref().filter(|_| extended) {
        operation["x-amazon-apigateway-integration"] = integration(backend);
    }
    operation
}

fn integration(integration: &Integration) -> Value {
    let mut shown = json!({"type": integration.backend.name().to_ascii_lowercase(),
        "passthroughBehavior": integration.passthrough.to_ascii_lowercase(), "timeoutInMillis": integration.timeout_ms});
    let texts = [
        ("httpMethod", &integration.http_method),
        ("uri", &integration.uri),
        ("credentials", &integration.credentials),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            shown[name] = json!(value);
        }
    }
    if !integration.request_templates.is_empty() {
        shown["requestTemplates"] = json!(integration.request_templates);
    }
    let responses = integration.responses.iter().map(|(status, response)| {
        let pattern = response.selection_pattern.as_deref().filter(|pattern| !pattern.is_empty());
        let mut shown = json!({"statusCode": status});
        if !response.parameters.is_empty() {
            shown["responseParameters"] = json!(response.parameters);
        }
        if !response.templates.is_empty() {
            shown["responseTemplates"] = json!(response.templates);
        }
        (pattern.unwrap_or("default").to_owned(), shown)
    });
    let responses: Map<String, Value> = responses.collect();
    if !responses.is_empty() {
        shown["responses"] = Value::Object(responses);
    }
    shown
}
