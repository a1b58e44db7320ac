//! `PutMethod`, `GetMethod`, `UpdateMethod`, `DeleteMethod`.

use serde::{Deserialize, Serialize};

use super::access;
use super::error::Error;
use super::patch::{self, PatchOperation};
use super::state::{Authorization, Definition, Flags, Method, Texts};
use super::view::MethodView;
use crate::context::Cx;
use crate::operation::{Kind, Operation};

const VERBS: [&str; 8] = ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY"];

/// A method's name; AWS's words.
pub fn check_verb(verb: &str) -> Result<(), Error> {
    if VERBS.contains(&verb) {
        return Ok(());
    }
    Err(Error::bad(
        "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY",
    ))
}

/// An authorisation that is enforced.
pub fn authorization(text: &str) -> Result<Authorization, Error> {
    match text {
        "NONE" => Ok(Authorization::Open),
        "AWS_IAM" => Ok(Authorization::Iam),
        "CUSTOM" | "COGNITO_USER_POOLS" => Err(Error::unsupported(format!("authorizationType {text}"))),
        _ => Err(Error::bad(
            "Invalid authorization type specified. Valid options are NONE,AWS_IAM,CUSTOM,COGNITO_USER_POOLS",
        )),
    }
}

/// Names of a method's request parameters: `method.request.{path,querystring,header}.name`.
pub fn check_parameters(parameters: &Flags) -> Result<(), Error> {
    let mut names = std::collections::BTreeSet::new();
    for parameter in parameters.keys() {
        let name = ["path.", "querystring.", "header.", "multivaluequerystring.", "multivalueheader."]
            .iter()
            .find_map(|place| parameter.strip_prefix("method.request.")?.strip_prefix(place))
            .filter(|name| !name.is_empty())
            .ok_or_else(|| Error::bad(format!("Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: {parameter}]")))?;
        if !names.insert(name) {
            return Err(Error::bad("Parameter names must be unique across querystring, header and path"));
        }
    }
    Ok(())
}

fn below(resource: &str, verb: &str) -> String {
    format!("/resources/{resource}/methods/{verb}")
}

/// `authorizerId`, `requestValidatorId` and `authorizationScopes` are left out: refused by name.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct PutMethod {
    pub rest_api_id: String,
    pub resource_id: String,
    pub http_method: String,
    pub authorization_type: String,
    pub api_key_required: bool,
    pub operation_name: Option<String>,
    pub request_parameters: Flags,
    pub request_models: Texts,
}

impl Operation for PutMethod {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "PutMethod";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::PUT;
    type Output = MethodView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &below(&self.resource_id, &self.http_method))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<MethodView, Error> {
        let mut definition = Definition::find(cx, &self.rest_api_id)?;
        let verb = self.http_method;
        check_verb(&verb)?;
        if self.api_key_required {
            return Err(Error::unsupported("apiKeyRequired"));
        }
        check_parameters(&self.request_parameters)?;
        for model in self.request_models.values() {
            if !definition.models.contains_key(model) && model != "Empty" && model != "Error" {
                return Err(Error::bad(format!("Invalid model identifier specified: {model}")));
            }
        }
        let method = Method {
            authorization: authorization(&self.authorization_type)?,
            operation_name: self.operation_name,
            request_parameters: self.request_parameters,
            request_models: self.request_models,
            ..Method::default()
        };
        let view = MethodView::of(&verb, &method);
        let methods = &mut definition.resource_mut(&self.resource_id)?.methods;
        if methods.contains_key(&verb) {
            return Err(Error::Conflict("Method already exists for this resource".to_owned()));
        }
        methods.insert(verb, method);
        cx.put(&definition)?;
        Ok(view)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct GetMethod {
    pub rest_api_id: String,
    pub resource_id: String,
    pub http_method: String,
}

impl Operation for GetMethod {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "GetMethod";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = access::GET;
    type Output = MethodView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &below(&self.resource_id, &self.http_method))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<MethodView, Error> {
        let definition = Definition::find(cx, &self.rest_api_id)?;
        Ok(MethodView::of(&self.http_method, definition.method(&self.resource_id, &self.http_method)?))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateMethod {
    pub rest_api_id: String,
    pub resource_id: String,
    pub http_method: String,
    pub patch_operations: Vec<PatchOperation>,
}

impl Operation for UpdateMethod {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "UpdateMethod";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::PATCH;
    type Output = MethodView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &below(&self.resource_id, &self.http_method))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<MethodView, Error> {
        let mut definition = Definition::find(cx, &self.rest_api_id)?;
        let models: Vec<String> = definition.models.keys().cloned().collect();
        let method = definition.method_mut(&self.resource_id, &self.http_method)?;
        patch::apply(&self.patch_operations, |change| {
            match change.parts()[..] {
                ["authorizationType"] => method.authorization = authorization(change.replaced()?)?,
                ["operationName"] => method.operation_name = change.text()?,
                ["apiKeyRequired"] => {
                    change.replaced()?;
                    if change.flag()? {
                        return Err(Error::unsupported("apiKeyRequired"));
                    }
                }
                ["requestParameters", name] => match change.op {
                    "add" => {
                        let required = change.value().is_ok_and(|value| value == "true");
                        method.request_parameters.insert(name.to_owned(), required);
                        check_parameters(&method.request_parameters)?;
                    }
                    "replace" if method.request_parameters.contains_key(name) => {
                        method.request_parameters.insert(name.to_owned(), change.flag()?);
                    }
                    "remove" if method.request_parameters.remove(name).is_some() => {}
                    _ => return Err(change.invalid()),
                },
                ["requestModels", content_type] => match change.op {
                    "add" | "replace" => {
                        let model = change.value()?;
                        if !models.iter().any(|known| known == model) && model != "Empty" && model != "Error"
                        {
                            return Err(Error::bad(format!("Invalid model identifier specified: {model}")));
                        }
                        method.request_models.insert(content_type.to_owned(), model.to_owned());
                    }
                    "remove" if method.request_models.remove(content_type).is_some() => {}
                    _ => return Err(change.invalid()),
                },
                _ => return Err(change.invalid()),
            }
            Ok(())
        })?;
        let view = MethodView::of(&self.http_method, method);
        cx.put(&definition)?;
        Ok(view)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteMethod {
    pub rest_api_id: String,
    pub resource_id: String,
    pub http_method: String,
}

impl Operation for DeleteMethod {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "DeleteMethod";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::DELETE;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &below(&self.resource_id, &self.http_method))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let mut definition = Definition::find(cx, &self.rest_api_id)?;
        let gone = definition.resource_mut(&self.resource_id)?.methods.remove(&self.http_method);
        gone.ok_or(Error::NoMethod)?;
        cx.put(&definition)?;
        Ok(())
    }
}
