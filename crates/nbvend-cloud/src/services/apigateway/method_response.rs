//! `PutMethodResponse`, `GetMethodResponse`, `DeleteMethodResponse`: what a method says it may answer. Of the answers
//! themselves it changes nothing.

use serde::{Deserialize, Serialize};

use super::access;
use super::error::Error;
use super::state::{Definition, Flags, MethodResponse, Texts};
use super::view::MethodResponseView;
use crate::context::Cx;
use crate::operation::{Kind, Operation};

fn below(resource: &str, verb: &str, status: &str) -> String {
    format!("/resources/{resource}/methods/{verb}/responses/{status}")
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct PutMethodResponse {
    pub rest_api_id: String,
    pub resource_id: String,
    pub http_method: String,
    pub status_code: String,
    pub response_parameters: Flags,
    pub response_models: Texts,
}

impl Operation for PutMethodResponse {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "PutMethodResponse";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::PUT;
    type Output = MethodResponseView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &below(&self.resource_id, &self.http_method, &self.status_code))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<MethodResponseView, Error> {
        let mut definition = Definition::find(cx, &self.rest_api_id)?;
        let responses = &mut definition.method_mut(&self.resource_id, &self.http_method)?.responses;
        if responses.contains_key(&self.status_code) {
            return Err(Error::Conflict("Response already exists for this resource".to_owned()));
        }
        let response = MethodResponse { parameters: self.response_parameters, models: self.response_models };
        let view = MethodResponseView::of(&self.status_code, &response);
        responses.insert(self.status_code, response);
        cx.put(&definition)?;
        Ok(view)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct GetMethodResponse {
    pub rest_api_id: String,
    pub resource_id: String,
    pub http_method: String,
    pub status_code: String,
}

impl Operation for GetMethodResponse {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "GetMethodResponse";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = access::GET;
    type Output = MethodResponseView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &below(&self.resource_id, &self.http_method, &self.status_code))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<MethodResponseView, Error> {
        let definition = Definition::find(cx, &self.rest_api_id)?;
        let method = definition.method(&self.resource_id, &self.http_method)?;
        let response = method.responses.get(&self.status_code).ok_or(Error::NoResponse)?;
        Ok(MethodResponseView::of(&self.status_code, response))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteMethodResponse {
    pub rest_api_id: String,
    pub resource_id: String,
    pub http_method: String,
    pub status_code: String,
}

impl Operation for DeleteMethodResponse {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "DeleteMethodResponse";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::DELETE;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &below(&self.resource_id, &self.http_method, &self.status_code))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let mut definition = Definition::find(cx, &self.rest_api_id)?;
        let method = definition.method_mut(&self.resource_id, &self.http_method)?;
        method.responses.remove(&self.status_code).ok_or(Error::NoResponse)?;
        cx.put(&definition)?;
        Ok(())
    }
}
