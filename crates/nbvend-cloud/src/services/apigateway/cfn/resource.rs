//! `AWS::ApiGateway::Resource`. Ref is the resource's id.

use super::{attributes, call, deleted, needed};
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::{Deletion, Handle, Progress, Provider, Request, Schema, Update, required};
use crate::services::apigateway::resource::{CreateResource, DeleteResource};

pub struct Resource;

static SCHEMA: Schema = Schema {
    type_name: "AWS::ApiGateway::Resource",
    properties: &[
        required("ParentId", Update::Replacement),
        required("PathPart", Update::Replacement),
        required("RestApiId", Update::Replacement),
    ],
    attributes: &["ResourceId"],
    tags: None,
};

impl Provider for Resource {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let properties = &request.properties;
        let made = call(
            cx,
            CreateResource {
                rest_api_id: needed(properties, "RestApiId"),
                parent_id: needed(properties, "ParentId"),
                path_part: needed(properties, "PathPart"),
            },
        )?;
        Ok(Progress::Done { attributes: attributes([("ResourceId", &made.id)]), physical_id: made.id })
    }

    fn update(&self, _cx: &mut Cx<'_>, handle: &Handle, _request: &Request) -> Result<Progress, EngineError> {
        // Every change replaces it.
        let id = handle.physical_id.clone();
        Ok(Progress::Done { attributes: attributes([("ResourceId", &id)]), physical_id: id })
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        let rest_api_id = needed(&handle.properties, "RestApiId");
        deleted(call(cx, DeleteResource { rest_api_id, resource_id: handle.physical_id.clone() }))
    }
}
