//! `AWS::SageMaker::NotebookInstance`.
//!
//! Creating and updating are one thing: look at the instance, take the one step that brings it nearer to what was asked,
//! look again. An update stops it, changes it and starts it, as AWS does.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::create::{CreateNotebookInstance, MetadataService};
use super::super::describe::{DescribeNotebookInstance, DescribeNotebookInstanceOutput};
use super::super::tags::{AddTags, Tag};
use super::super::transition::{
    DeleteNotebookInstance, StartNotebookInstance, StopNotebookInstance, UpdateNotebookInstance,
};
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::{
    Deletion, Handle, Progress, Provider, Request, Schema, Update, generated_name, optional, properties,
    required,
};

pub struct NotebookInstance;

static SCHEMA: Schema = Schema {
    type_name: "AWS::SageMaker::NotebookInstance",
    properties: &[
        optional("AdditionalCodeRepositories", Update::InPlace),
        optional("DefaultCodeRepository", Update::InPlace),
        optional("DirectInternetAccess", Update::Replacement),
        optional("InstanceMetadataServiceConfiguration", Update::InPlace),
        required("InstanceType", Update::InPlace),
        optional("LifecycleConfigName", Update::InPlace),
        optional("NotebookInstanceName", Update::Replacement),
        optional("PlatformIdentifier", Update::Replacement),
        required("RoleArn", Update::InPlace),
        optional("RootAccess", Update::InPlace),
        optional("Tags", Update::InPlace),
        optional("VolumeSizeInGB", Update::InPlace),
    ],
    attributes: &["NotebookInstanceName"],
    tags: Some("Tags"),
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    notebook_instance_name: Option<String>,
    instance_type: String,
    role_arn: String,
    #[serde(default)]
    tags: Vec<Tag>,
    lifecycle_config_name: Option<String>,
    direct_internet_access: Option<String>,
    #[serde(rename = "VolumeSizeInGB")]
    volume_size_in_gb: Option<i64>,
    root_access: Option<String>,
    default_code_repository: Option<String>,
    #[serde(default)]
    additional_code_repositories: Vec<String>,
    platform_identifier: Option<String>,
    instance_metadata_service_configuration: Option<MetadataService>,
}

impl Properties {
    /// Whether the instance is as asked. What the template leaves out may be anything.
    fn met_by(&self, now: &DescribeNotebookInstanceOutput) -> bool {
        let same = |asked: &Option<String>, is: &str| asked.as_ref().is_none_or(|asked| asked == is);
        let version = self.instance_metadata_service_configuration.as_ref();
        now.instance_type == self.instance_type
            && now.role_arn == self.role_arn
            && now.notebook_instance_lifecycle_config_name == self.lifecycle_config_name
            && self.volume_size_in_gb.is_none_or(|size| size == now.volume_size_in_gb)
            && self.default_code_repository == now.default_code_repository
            && self.additional_code_repositories == now.additional_code_repositories
            && same(&self.root_access, &now.root_access)
            && same(
                &version.map(|v| v.minimum_instance_metadata_service_version.clone()),
                &now.instance_metadata_service_configuration.minimum_instance_metadata_service_version,
            )
    }

    fn update(self, name: String) -> UpdateNotebookInstance {
        UpdateNotebookInstance {
            notebook_instance_name: name,
            instance_type: Some(self.instance_type),
            role_arn: Some(self.role_arn),
            disassociate_lifecycle_config: Some(self.lifecycle_config_name.is_none()),
            lifecycle_config_name: self.lifecycle_config_name,
            volume_size_in_gb: self.volume_size_in_gb,
            root_access: self.root_access,
            disassociate_default_code_repository: Some(self.default_code_repository.is_none()),
            default_code_repository: self.default_code_repository,
            disassociate_additional_code_repositories: Some(self.additional_code_repositories.is_empty()),
            additional_code_repositories: Some(self.additional_code_repositories),
            platform_identifier: None,
            instance_metadata_service_configuration: self.instance_metadata_service_configuration,
        }
    }
}

/// The name in an ARN, which is what `Ref` gives.
fn name(physical_id: &str) -> String {
    physical_id.rsplit('/').next().unwrap_or(physical_id).to_owned()
}

fn all_tags(own: Vec<Tag>, stack: &[(String, String)]) -> Vec<Tag> {
    let mut tags = own;
    let inherited = stack.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() });
    for tag in inherited {
        if !tags.iter().any(|own| own.key == tag.key) {
            tags.push(tag);
        }
    }
    tags
}

impl Provider for NotebookInstance {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let asked: Properties = properties(&SCHEMA, &request.properties)?;
        let name = match asked.notebook_instance_name {
            Some(name) => name,
            None => generated_name(cx, request, 63),
        };
        let made = cx.call(CreateNotebookInstance {
            notebook_instance_name: name,
            instance_type: asked.instance_type,
            role_arn: asked.role_arn,
            tags: all_tags(asked.tags, &request.tags),
            lifecycle_config_name: asked.lifecycle_config_name,
            direct_internet_access: asked.direct_internet_access,
            volume_size_in_gb: asked.volume_size_in_gb,
            root_access: asked.root_access,
            default_code_repository: asked.default_code_repository,
            additional_code_repositories: asked.additional_code_repositories,
            platform_identifier: asked.platform_identifier,
            instance_metadata_service_configuration: asked.instance_metadata_service_configuration,
        })?;
        Ok(Progress::Pending { physical_id: made.notebook_instance_arn })
    }

    fn stabilize(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Progress, EngineError> {
        let asked: Properties = properties(&SCHEMA, &handle.properties)?;
        let physical_id = handle.physical_id.clone();
        let name = name(&physical_id);
        let now = cx.call(DescribeNotebookInstance { notebook_instance_name: name.clone() })?;
        match (now.notebook_instance_status, asked.met_by(&now)) {
            ("InService", true) => {
                let shown = Value::String(now.notebook_instance_name);
                let attributes = Map::from_iter([("NotebookInstanceName".to_owned(), shown)]);
                return Ok(Progress::Done { physical_id, attributes });
            }
            ("InService", false) => cx.call(StopNotebookInstance { notebook_instance_name: name })?,
            ("Stopped", true) => cx.call(StartNotebookInstance { notebook_instance_name: name })?,
            ("Stopped", false) => {
                cx.call(asked.update(name))?;
            }
            ("Failed", _) => {
                let reason = now.failure_reason.unwrap_or_else(|| "the notebook instance failed".to_owned());
                return Ok(Progress::Failed { physical_id: Some(physical_id), reason });
            }
            _ => {}
        }
        Ok(Progress::Pending { physical_id })
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let asked: Properties = properties(&SCHEMA, &request.properties)?;
        let tags = all_tags(asked.tags, &request.tags);
        if !tags.is_empty() {
            cx.call(AddTags { resource_arn: handle.physical_id.clone(), tags })?;
        }
        Ok(Progress::Pending { physical_id: handle.physical_id.clone() })
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        let name = name(&handle.physical_id);
        let now = match cx.call(DescribeNotebookInstance { notebook_instance_name: name.clone() }) {
            Ok(now) => now,
            Err(error) if error.message.contains("RecordNotFound") => return Ok(Deletion::Done),
            Err(error) => return Err(error.into()),
        };
        match now.notebook_instance_status {
            "InService" => cx.call(StopNotebookInstance { notebook_instance_name: name })?,
            "Stopped" | "Failed" => cx.call(DeleteNotebookInstance { notebook_instance_name: name })?,
            _ => {}
        }
        Ok(Deletion::Pending)
    }
}
