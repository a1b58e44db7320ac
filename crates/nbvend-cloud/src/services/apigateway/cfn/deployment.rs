//! `AWS::ApiGateway::Deployment`. Ref is the deployment's id. One with a `StageName` makes that stage, and takes it
//! along when it goes: SAM's templates make a stage called `Stage` that way which nothing else removes.

use serde_json::Value;

use super::{attributes, call, deleted, needed, only, operation, replace, text, texts, truth};
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::{Deletion, Handle, Progress, Provider, Request, Schema, Update, optional, required};
use crate::services::apigateway::deployment::{CreateDeployment, DeleteDeployment, UpdateDeployment};
use crate::services::apigateway::stage::{CreateStage, DeleteStage, GetStages};

pub struct Deployment;

static SCHEMA: Schema = Schema {
    type_name: "AWS::ApiGateway::Deployment",
    properties: &[
        optional("Description", Update::InPlace),
        required("RestApiId", Update::Replacement),
        optional("StageDescription", Update::InPlace),
        optional("StageName", Update::InPlace),
    ],
    attributes: &["DeploymentId"],
    tags: None,
};

fn done(id: String) -> Progress {
    Progress::Done { attributes: attributes([("DeploymentId", &id)]), physical_id: id }
}

/// What `StageDescription` says, as far as a stage made this way can have it.
fn stage_description(properties: &Value) -> Result<&Value, EngineError> {
    let description = properties.get("StageDescription");
    only(description, "StageDescription", &["Description", "TracingEnabled", "Variables"])?;
    Ok(description.unwrap_or(&Value::Null))
}

/// Whether the stage of that name points to a deployment. An API that is gone has none.
fn points(cx: &mut Cx<'_>, rest_api_id: &str, deployment: &str, stage: &str) -> Result<bool, EngineError> {
    let asked = GetStages { rest_api_id: rest_api_id.to_owned(), deployment_id: Some(deployment.to_owned()) };
    match call(cx, asked) {
        Ok(stages) => Ok(stages.item.iter().any(|found| found.stage_name == stage)),
        Err(EngineError::Called(error)) if error.code == "NotFoundException" => Ok(false),
        Err(error) => Err(error),
    }
}

impl Provider for Deployment {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let properties = &request.properties;
        let stage = stage_description(properties)?;
        let made = call(
            cx,
            CreateDeployment {
                rest_api_id: needed(properties, "RestApiId"),
                stage_name: text(properties, "StageName"),
                stage_description: text(stage, "Description"),
                description: text(properties, "Description"),
                variables: texts(stage, "Variables"),
                tracing_enabled: truth(stage, "TracingEnabled"),
                ..CreateDeployment::default()
            },
        )?;
        Ok(done(made.id))
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let properties = &request.properties;
        let rest_api_id = needed(properties, "RestApiId");
        let stage = stage_description(properties)?;
        let change = match text(properties, "Description") {
            Some(description) => replace("/description", description),
            None => operation("remove", "/description".to_owned()),
        };
        let deployment_id = handle.physical_id.clone();
        call(
            cx,
            UpdateDeployment {
                rest_api_id: rest_api_id.clone(),
                deployment_id: deployment_id.clone(),
                patch_operations: vec![change],
            },
        )?;
        let (old, new) = (text(&handle.properties, "StageName"), text(properties, "StageName"));
        if old != new
            && let Some(stage_name) = new
            && !points(cx, &rest_api_id, &deployment_id, &stage_name)?
        {
            call(
                cx,
                CreateStage {
                    rest_api_id,
                    stage_name,
                    deployment_id: deployment_id.clone(),
                    description: text(stage, "Description"),
                    variables: texts(stage, "Variables"),
                    tracing_enabled: truth(stage, "TracingEnabled"),
                    ..CreateStage::default()
                },
            )?;
        }
        Ok(done(deployment_id))
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        let rest_api_id = needed(&handle.properties, "RestApiId");
        let deployment_id = handle.physical_id.clone();
        if let Some(stage_name) = text(&handle.properties, "StageName")
            && points(cx, &rest_api_id, &deployment_id, &stage_name)?
        {
            call(cx, DeleteStage { rest_api_id: rest_api_id.clone(), stage_name })?;
        }
        deleted(call(cx, DeleteDeployment { rest_api_id, deployment_id }))
    }
}
