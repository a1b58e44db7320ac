//! `CreateNotebookInstance`: accepted as `Pending`; the reconciler starts it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::event::changed;
use super::state::{Notebook, Status, lifecycle_config};
use super::tags::{self, Tag};
use super::{NOTEBOOKS, PRINCIPAL, admission, credentials, repository};
use crate::context::{ContextKeys, Cx};
use crate::identity::Caller;
use crate::operation::{Kind, Need, Operation};
use crate::services::sts::assume_role::AssumeRole;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateNotebookInstance {
    pub notebook_instance_name: String,
    pub instance_type: String,
    pub role_arn: String,
    pub tags: Vec<Tag>,
    pub lifecycle_config_name: Option<String>,
    pub direct_internet_access: Option<String>,
    #[serde(rename = "VolumeSizeInGB")]
    pub volume_size_in_gb: Option<i64>,
    pub root_access: Option<String>,
    pub default_code_repository: Option<String>,
    pub additional_code_repositories: Vec<String>,
    pub platform_identifier: Option<String>,
    pub instance_metadata_service_configuration: Option<MetadataService>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct MetadataService {
    pub minimum_instance_metadata_service_version: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateNotebookInstanceOutput {
    pub notebook_instance_arn: String,
}

/// Platforms that AWS takes for new instances; the older ones are refused by name.
const PLATFORMS: &[&str] =
    &["notebook-al2-v2", "notebook-al2-v3", "notebook-al2023-v1", "notebook-al2023-v2"];

/// Refuses the platforms that AWS takes no more.
pub fn supported(platform: String) -> Result<String, Error> {
    if PLATFORMS.contains(&platform.as_str()) {
        return Ok(platform);
    }
    Err(Error::Validation(format!("Platform identifier ({platform}) is not supported for this service.")))
}

impl Operation for CreateNotebookInstance {
    const SERVICE: &'static str = "sagemaker";
    const NAME: &'static str = "CreateNotebookInstance";
    const KIND: Kind = Kind::Write;
    type Output = CreateNotebookInstanceOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Notebook::arn_of(cx, &self.notebook_instance_name)]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        tags::request_keys(&self.tags, keys);
        keys.insert("sagemaker:InstanceTypes".to_owned(), vec![self.instance_type.clone()]);
        let access = |value: &Option<String>| vec![value.clone().unwrap_or_else(|| "Enabled".to_owned())];
        keys.insert("sagemaker:RootAccess".to_owned(), access(&self.root_access));
        keys.insert("sagemaker:DirectInternetAccess".to_owned(), access(&self.direct_internet_access));
    }

    fn needs(&self, _cx: &Cx<'_>) -> Vec<Need> {
        vec![Need::pass_role(&self.role_arn, PRINCIPAL)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let arn = Notebook::arn_of(cx, &self.notebook_instance_name);
        if cx.get::<Notebook>(&Notebook::key_of(&self.notebook_instance_name))?.is_some() {
            return Err(Error::Duplicate(arn));
        }
        let platform = supported(self.platform_identifier.unwrap_or_else(|| "notebook-al2-v2".to_owned()))?;
        if let Some(name) = &self.lifecycle_config_name
            && lifecycle_config(cx, name)?.is_none()
        {
            return Err(Error::NoLifecycleConfig(name.clone()));
        }
        let (default, others) = (self.default_code_repository, self.additional_code_repositories);
        repository::check(default.iter().chain(&others))?;
        let tags = BTreeMap::from_iter(tags::checked(cx, &self.tags)?);
        let caller = &cx.caller.principal;
        let owner = tags.get(super::minter::OWNER).cloned().unwrap_or_else(|| caller.arn(cx.account()));
        role_can_be_assumed(cx, &self.role_arn)?;
        admission::admit(cx, &self.instance_type, &owner)?;
        let mut notebook = Notebook {
            id: cx.ids().uuid(),
            name: self.notebook_instance_name,
            arn: arn.clone(),
            status: Status::Pending,
            failure_reason: None,
            instance_type: self.instance_type,
            role_arn: self.role_arn,
            volume_size: self.volume_size_in_gb.unwrap_or(5),
            lifecycle_config: self.lifecycle_config_name,
            direct_internet_access: self.direct_internet_access.unwrap_or_else(|| "Enabled".to_owned()),
            root_access: self.root_access.unwrap_or_else(|| "Enabled".to_owned()),
            default_repository: default,
            additional_repositories: others,
            platform,
            metadata_version: self
                .instance_metadata_service_configuration
                .map_or_else(|| "1".to_owned(), |m| m.minimum_instance_metadata_service_version),
            tags,
            owner,
            created: cx.now(),
            modified: cx.now(),
            generation: 1,
            created_once: false,
            stopped_because: None,
        };
        credentials::begin(cx, &notebook)?;
        changed(cx, &mut notebook)?;
        cx.wake(NOTEBOOKS);
        Ok(CreateNotebookInstanceOutput { notebook_instance_arn: arn })
    }
}

/// Whether SageMaker may assume an execution role, tried as AWS does: by assuming it.
pub fn role_can_be_assumed(cx: &mut Cx<'_>, role_arn: &str) -> Result<(), Error> {
    let sagemaker = Caller::service(PRINCIPAL, cx.region());
    let attempt = AssumeRole {
        role_arn: role_arn.to_owned(),
        role_session_name: "SageMaker".to_owned(),
        duration_seconds: Some(900),
        ..AssumeRole::default()
    };
    cx.call_as(sagemaker, attempt).map(|_| ()).map_err(|_| Error::Role(role_arn.to_owned()))
}
