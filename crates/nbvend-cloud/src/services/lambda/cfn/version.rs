//! `AWS::Lambda::Version`.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::delete::DeleteFunction;
use super::super::version::PublishVersion;
use super::deleted;
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::{
    Deletion, Handle, Progress, Provider, Request, Schema, Update, optional, properties, required,
};

pub struct Version;

static SCHEMA: Schema = Schema {
    type_name: "AWS::Lambda::Version",
    properties: &[
        optional("CodeSha256", Update::Replacement),
        optional("Description", Update::Replacement),
        required("FunctionName", Update::Replacement),
    ],
    attributes: &["FunctionArn", "Version"],
    tags: None,
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    code_sha256: Option<String>,
    description: Option<String>,
    function_name: String,
}

impl Provider for Version {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let asked: Properties = properties(&SCHEMA, &request.properties)?;
        let made = cx.call(PublishVersion {
            function_name: asked.function_name,
            code_sha256: asked.code_sha256,
            description: asked.description,
            revision_id: None,
        })?;
        let attributes = Map::from_iter([
            ("FunctionArn".to_owned(), Value::String(made.function_arn.clone())),
            ("Version".to_owned(), Value::String(made.version)),
        ]);
        Ok(Progress::Done { physical_id: made.function_arn, attributes })
    }

    fn update(&self, _cx: &mut Cx<'_>, handle: &Handle, _request: &Request) -> Result<Progress, EngineError> {
        // Every change replaces it.
        Ok(Progress::done(&handle.physical_id))
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        deleted(cx.call(DeleteFunction { function_name: handle.physical_id.clone(), qualifier: None }))
    }
}
