//! `AWS::Lambda::Permission`.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::permission::{AddPermission, RemovePermission};
use super::{deleted, invalid};
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::{
    Deletion, Handle, Progress, Provider, Request, Schema, Update, generated_name, lenient, optional,
    properties, required,
};

pub struct Permission;

static SCHEMA: Schema = Schema {
    type_name: "AWS::Lambda::Permission",
    properties: &[
        required("Action", Update::Replacement),
        optional("EventSourceToken", Update::Replacement),
        required("FunctionName", Update::Replacement),
        required("Principal", Update::Replacement),
        optional("SourceAccount", Update::Replacement),
        optional("SourceArn", Update::Replacement),
    ],
    attributes: &["Id"],
    tags: None,
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    action: String,
    event_source_token: Option<String>,
    function_name: String,
    /// An account may be written as a number.
    #[serde(deserialize_with = "lenient::text")]
    principal: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    source_account: Option<String>,
    source_arn: Option<String>,
}

impl Provider for Permission {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let asked: Properties = properties(&SCHEMA, &request.properties)?;
        let id = generated_name(cx, request, 100);
        cx.call(AddPermission {
            function_name: asked.function_name,
            statement_id: id.clone(),
            action: asked.action,
            principal: asked.principal.ok_or_else(|| invalid("Principal is missing"))?,
            source_arn: asked.source_arn,
            source_account: asked.source_account,
            event_source_token: asked.event_source_token,
            ..Default::default()
        })?;
        let attributes = Map::from_iter([("Id".to_owned(), Value::String(id.clone()))]);
        Ok(Progress::Done { physical_id: id, attributes })
    }

    fn update(&self, _cx: &mut Cx<'_>, handle: &Handle, _request: &Request) -> Result<Progress, EngineError> {
        // Every change replaces it.
        Ok(Progress::done(&handle.physical_id))
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        let asked: Properties = properties(&SCHEMA, &handle.properties)?;
        deleted(cx.call(RemovePermission {
            function_name: asked.function_name,
            statement_id: handle.physical_id.clone(),
            ..Default::default()
        }))
    }
}
