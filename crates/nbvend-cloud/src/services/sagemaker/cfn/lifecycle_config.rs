//! `AWS::SageMaker::NotebookInstanceLifecycleConfig`.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::lifecycle_config::{
    CreateNotebookInstanceLifecycleConfig, DeleteNotebookInstanceLifecycleConfig, Hook,
    UpdateNotebookInstanceLifecycleConfig,
};
use super::super::tags::Tag;
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::{
    Deletion, Handle, Progress, Provider, Request, Schema, Update, generated_name, optional, properties,
};

pub struct NotebookInstanceLifecycleConfig;

static SCHEMA: Schema = Schema {
    type_name: "AWS::SageMaker::NotebookInstanceLifecycleConfig",
    properties: &[
        optional("NotebookInstanceLifecycleConfigName", Update::Replacement),
        optional("OnCreate", Update::InPlace),
        optional("OnStart", Update::InPlace),
        optional("Tags", Update::InPlace),
    ],
    attributes: &["NotebookInstanceLifecycleConfigName"],
    tags: Some("Tags"),
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    notebook_instance_lifecycle_config_name: Option<String>,
    #[serde(default)]
    on_create: Vec<Hook>,
    #[serde(default)]
    on_start: Vec<Hook>,
    #[serde(default)]
    tags: Vec<Tag>,
}

fn done(physical_id: String, name: &str) -> Progress {
    let shown = ("NotebookInstanceLifecycleConfigName".to_owned(), Value::String(name.to_owned()));
    Progress::Done { physical_id, attributes: Map::from_iter([shown]) }
}

impl Provider for NotebookInstanceLifecycleConfig {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let asked: Properties = properties(&SCHEMA, &request.properties)?;
        let name = match asked.notebook_instance_lifecycle_config_name {
            Some(name) => name,
            None => generated_name(cx, request, 63),
        };
        let made = cx.call(CreateNotebookInstanceLifecycleConfig {
            notebook_instance_lifecycle_config_name: name.clone(),
            on_create: asked.on_create,
            on_start: asked.on_start,
            tags: asked.tags,
        })?;
        Ok(done(made.notebook_instance_lifecycle_config_arn, &name))
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let asked: Properties = properties(&SCHEMA, &request.properties)?;
        let name = asked.notebook_instance_lifecycle_config_name.unwrap_or_else(|| name(&handle.physical_id));
        cx.call(UpdateNotebookInstanceLifecycleConfig {
            notebook_instance_lifecycle_config_name: name.clone(),
            on_create: Some(asked.on_create),
            on_start: Some(asked.on_start),
        })?;
        Ok(done(handle.physical_id.clone(), &name))
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        let given = handle.properties["NotebookInstanceLifecycleConfigName"].as_str().map(str::to_owned);
        let name = given.unwrap_or_else(|| name(&handle.physical_id));
        match cx.call(DeleteNotebookInstanceLifecycleConfig { notebook_instance_lifecycle_config_name: name })
        {
            Err(error) if !error.message.contains("Could not find") => Err(error.into()),
            _ => Ok(Deletion::Done),
        }
    }
}

fn name(physical_id: &str) -> String {
    physical_id.rsplit('/').next().unwrap_or(physical_id).to_owned()
}
