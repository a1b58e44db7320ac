//! `AWS::ApiGateway::Account`. Ref is an id of CloudFormation's; there is one account, which stays as it is when the
//! resource is deleted, as on AWS.

use super::{attributes, call, operation, replace, text};
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::{
    Deletion, Handle, Progress, Provider, Request, Schema, Update, generated_name, optional,
};
use crate::services::apigateway::account::UpdateAccount;

pub struct Account;

static SCHEMA: Schema = Schema {
    type_name: "AWS::ApiGateway::Account",
    properties: &[optional("CloudWatchRoleArn", Update::InPlace)],
    attributes: &["Id"],
    tags: None,
};

fn set(cx: &mut Cx<'_>, id: String, request: &Request) -> Result<Progress, EngineError> {
    let path = "/cloudwatchRoleArn";
    let change = match text(&request.properties, "CloudWatchRoleArn") {
        Some(arn) => replace(path, arn),
        None => operation("remove", path.to_owned()),
    };
    call(cx, UpdateAccount { patch_operations: vec![change] })?;
    Ok(Progress::Done { attributes: attributes([("Id", &id)]), physical_id: id })
}

impl Provider for Account {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let id = generated_name(cx, request, 64);
        set(cx, id, request)
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        set(cx, handle.physical_id.clone(), request)
    }

    fn delete(&self, _cx: &mut Cx<'_>, _handle: &Handle) -> Result<Deletion, EngineError> {
        Ok(Deletion::Done)
    }
}
