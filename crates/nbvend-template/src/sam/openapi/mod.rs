//! An OpenAPI document under edit: Swagger 2.0 while the transform works on it, turned into OpenAPI 3 at the end
//! when that is asked for ([`version3`]).
//!
//! Every edit keeps to the order of insertions, copies and mark-ups that AWS's own transform makes, because the
//! printed document names the deployment (see [`super::py27`]). That is why a document is copied when an edit
//! begins and when it ends.

mod auth;
mod cors;
mod integration;
mod policy;
mod request;
pub(crate) mod version3;

pub(crate) use auth::{Authorizer, Authorizers};
pub(crate) use cors::{Cors, origin_only};
pub(crate) use integration::Integration;
pub(crate) use request::Parameter;

use super::error::{Result, SamError};
use super::intrinsics::{contents, contents_mut, make_conditional};
use super::node::{Dict, Node, Text, ordered};

pub(crate) const ANY_METHOD: &str = "x-amazon-apigateway-any-method";
pub(crate) const INTEGRATION: &str = "x-amazon-apigateway-integration";
const POLICY: &str = "x-amazon-apigateway-policy";
const GATEWAY_RESPONSES: &str = "x-amazon-apigateway-gateway-responses";
const ENDPOINT: &str = "x-amazon-apigateway-endpoint-configuration";
const VALIDATORS: &str = "x-amazon-apigateway-request-validators";
const VALIDATOR: &str = "x-amazon-apigateway-request-validator";
const METHODS: [&str; 7] = ["delete", "get", "head", "options", "patch", "post", "put"];

/// The document an API starts with if it brings none.
pub(crate) fn skeleton() -> Dict {
    ordered! {
        "swagger" => "2.0",
        "info" => ordered! { "version" => "1.0", "title" => ordered! { "Ref" => "AWS::StackName" } },
        "paths" => Dict::py27(),
    }
}

/// Whether this is something the transform can edit: paths, and `swagger` or `openapi` 3.
pub(crate) fn is_valid(body: Option<&Node>) -> bool {
    let Some(body) = body.and_then(Node::as_dict) else { return false };
    if body.get("paths").and_then(Node::as_dict).is_none() {
        return false;
    }
    body.get("swagger").is_some_and(Node::truthy) || body.get("openapi").is_some_and(version3::is_version3)
}

/// Method names as OpenAPI has them: lower case, and API Gateway's own name for `any`.
pub(crate) fn method_name(method: &Text) -> Text {
    let lower = method.to_lowercase();
    if lower == "any" { Text::from(ANY_METHOD) } else { method.like(lower) }
}

pub(crate) fn is_method(name: &str) -> bool {
    name == ANY_METHOD || METHODS.contains(&name.to_lowercase().as_str())
}

pub(crate) struct Editor {
    doc: Dict,
    security_definitions: Dict,
    gateway_responses: Dict,
    resource_policy: Dict,
    definitions: Dict,
}

impl Editor {
    /// # Errors
    /// A path item that is not a map; `id` is the API's logical id.
    pub(crate) fn new(id: &str, body: &Dict) -> Result<Self> {
        let mut doc = body.deep_copy();
        let mut part = |name: &str| match doc.get_mut(name) {
            Some(Node::Dict(part)) => part.clone(),
            _ => Dict::py27(),
        };
        let security_definitions = part("securityDefinitions");
        let gateway_responses = part(GATEWAY_RESPONSES);
        let resource_policy = part(POLICY);
        let definitions = part("definitions");
        let editor = Self { doc, security_definitions, gateway_responses, resource_policy, definitions };
        for (path, item) in editor.paths().iter() {
            if contents(item).iter().any(|item| item.as_dict().is_none()) {
                return Err(SamError::resource(
                    id,
                    format!(
                        "Value of '{}' path must be a dictionary according to Swagger spec.",
                        path.as_str()
                    ),
                ));
            }
        }
        Ok(editor)
    }

    /// The edited document.
    pub(crate) fn finish(mut self) -> Dict {
        for (name, part) in [
            ("securityDefinitions", self.security_definitions),
            (GATEWAY_RESPONSES, self.gateway_responses),
            ("definitions", self.definitions),
        ] {
            if !part.is_empty() {
                self.doc.insert(name, part);
            }
        }
        self.doc.deep_copy()
    }

    fn paths(&self) -> &Dict {
        self.doc.get("paths").and_then(Node::as_dict).expect("a document is checked before it is edited")
    }

    fn paths_mut(&mut self) -> &mut Dict {
        self.doc
            .get_mut("paths")
            .and_then(Node::as_dict_mut)
            .expect("a document is checked before it is edited")
    }

    pub(crate) fn path_names(&self) -> Vec<Text> {
        self.paths().keys().cloned().collect()
    }

    /// What is under a path: the path item, or the branches of a conditional one.
    fn path_items(&self, path: &str) -> Vec<&Dict> {
        self.paths()
            .get(path)
            .map(contents)
            .unwrap_or_default()
            .into_iter()
            .filter_map(Node::as_dict)
            .collect()
    }

    fn path_items_mut(&mut self, path: &str) -> Vec<&mut Dict> {
        self.paths_mut()
            .get_mut(path)
            .map(contents_mut)
            .unwrap_or_default()
            .into_iter()
            .filter_map(Node::as_dict_mut)
            .collect()
    }

    pub(crate) fn add_path(&mut self, path: &Text, method: &Text) {
        let method = method_name(method);
        self.paths_mut().entry(path, || Dict::py27().into());
        for item in self.path_items_mut(path) {
            item.entry(method.clone(), || Dict::py27().into());
        }
    }

    pub(crate) fn has_integration(&self, path: &str, method: &Text) -> bool {
        let method = method_name(method);
        self.path_items(path)
            .into_iter()
            .filter_map(|item| item.get(&method))
            .flat_map(contents)
            .any(|method| method.get(INTEGRATION).is_some_and(Node::truthy))
    }

    /// Wraps a path so that it is there only if the condition holds.
    pub(crate) fn make_path_conditional(&mut self, path: &str, condition: impl Into<Node>) {
        if let Some(item) = self.paths_mut().get_mut(path) {
            let inner = std::mem::replace(item, Node::Null);
            *item = make_conditional(condition, inner);
        }
    }

    /// Runs over every method that has an integration, with the method's name.
    fn each_method(&mut self, path: &str, mut edit: impl FnMut(&str, &mut Dict) -> Result<()>) -> Result<()> {
        for item in self.path_items_mut(path) {
            let names: Vec<Text> = item.keys().filter(|name| is_method(name)).cloned().collect();
            for name in names {
                let Some(method) = item.get_mut(&name) else { continue };
                for definition in contents_mut(method).into_iter().filter_map(Node::as_dict_mut) {
                    if definition.get(INTEGRATION).is_some_and(Node::truthy) {
                        edit(&method_name(&name), definition)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The definitions of one method, edited in each branch.
    fn definitions_of(&mut self, path: &str, method: &Text) -> Vec<&mut Dict> {
        let method = method_name(method);
        self.path_items_mut(path)
            .into_iter()
            .filter_map(|item| item.get_mut(&method))
            .flat_map(contents_mut)
            .filter_map(Node::as_dict_mut)
            .collect()
    }

    pub(crate) fn add_gateway_response(&mut self, name: &Text, response: Dict) {
        self.gateway_responses.insert(name, response);
    }

    pub(crate) fn add_models(&mut self, models: &Dict) {
        for (name, model) in models.iter() {
            self.definitions.insert(name.like(name.to_lowercase()), model.clone());
        }
    }

    /// Whether the API answers under API Gateway's own host name.
    pub(crate) fn set_execute_endpoint(&mut self, disable: &Node) {
        let setting = ordered! { "disableExecuteApiEndpoint" => disable.clone() };
        if !self.doc.get("openapi").is_some_and(version3::is_version3) {
            self.doc.insert(ENDPOINT, setting);
            return;
        }
        match self.doc.get_mut("servers").and_then(Node::as_list_mut).filter(|servers| !servers.is_empty()) {
            Some(servers) => {
                for server in servers.iter_mut().filter_map(Node::as_dict_mut) {
                    server.insert(ENDPOINT, setting.clone());
                }
            }
            None => self.doc.insert("servers", vec![Node::from(ordered! { ENDPOINT => setting })]),
        }
    }

    pub(crate) fn set_binary_media_types(&mut self, types: Node) {
        self.doc.insert("x-amazon-apigateway-binary-media-types", types);
    }
}
