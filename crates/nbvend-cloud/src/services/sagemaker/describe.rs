//! `DescribeNotebookInstance`.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::create::MetadataService;
use super::error::Error;
use super::state::Notebook;
use super::tags;
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeNotebookInstance {
    pub notebook_instance_name: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeNotebookInstanceOutput {
    pub notebook_instance_arn: String,
    pub notebook_instance_name: String,
    pub notebook_instance_status: &'static str,
    pub failure_reason: Option<String>,
    /// The host, without a scheme.
    pub url: Option<String>,
    pub instance_type: String,
    pub role_arn: String,
    pub last_modified_time: Timestamp,
    pub creation_time: Timestamp,
    pub notebook_instance_lifecycle_config_name: Option<String>,
    pub direct_internet_access: String,
    #[serde(rename = "VolumeSizeInGB")]
    pub volume_size_in_gb: i64,
    pub root_access: String,
    pub default_code_repository: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub additional_code_repositories: Vec<String>,
    pub platform_identifier: String,
    pub instance_metadata_service_configuration: MetadataService,
}

impl Operation for DescribeNotebookInstance {
    const SERVICE: &'static str = "sagemaker";
    const NAME: &'static str = "DescribeNotebookInstance";
    const KIND: Kind = Kind::Read;
    type Output = DescribeNotebookInstanceOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Notebook::arn_of(cx, &self.notebook_instance_name)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        tags::resource_keys(cx, &self.notebook_instance_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let notebook = Notebook::find(cx, &self.notebook_instance_name)?;
        Ok(DescribeNotebookInstanceOutput {
            url: Some(notebook.host(cx.region(), &cx.config().url_suffix)),
            notebook_instance_arn: notebook.arn,
            notebook_instance_name: notebook.name,
            notebook_instance_status: notebook.status.name(),
            failure_reason: notebook.failure_reason,
            instance_type: notebook.instance_type,
            role_arn: notebook.role_arn,
            last_modified_time: notebook.modified,
            creation_time: notebook.created,
            notebook_instance_lifecycle_config_name: notebook.lifecycle_config,
            direct_internet_access: notebook.direct_internet_access,
            volume_size_in_gb: notebook.volume_size,
            root_access: notebook.root_access,
            default_code_repository: notebook.default_repository,
            additional_code_repositories: notebook.additional_repositories,
            platform_identifier: notebook.platform,
            instance_metadata_service_configuration: MetadataService {
                minimum_instance_metadata_service_version: notebook.metadata_version,
            },
        })
    }
}
