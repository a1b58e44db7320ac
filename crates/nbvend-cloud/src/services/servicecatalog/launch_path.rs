//! What a user needs to know before a launch: by which paths, and with which parameters.

use serde::{Deserialize, Serialize};

use super::access::Sight;
use super::artifact;
use super::constraint::{self, ConstraintSummary};
use super::error::Error;
use super::page;
use super::state::{Artifact, Product};
use super::tags::{self, Tag};
use super::template::{self, ParameterView};
use crate::context::Cx;
use crate::operation::{Kind, Operation};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListLaunchPaths {
    pub accept_language: Option<String>,
    pub product_id: String,
    pub page_size: Option<usize>,
    pub page_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListLaunchPathsOutput {
    pub launch_path_summaries: Vec<LaunchPathSummary>,
    pub next_page_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LaunchPathSummary {
    pub id: String,
    pub constraint_summaries: Vec<ConstraintSummary>,
    pub tags: Vec<Tag>,
    pub name: String,
}

impl Operation for ListLaunchPaths {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "ListLaunchPaths";
    const KIND: Kind = Kind::Read;
    type Output = ListLaunchPathsOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Product::arn_of(cx, &self.product_id)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListLaunchPathsOutput, Error> {
        let paths = Sight::of(cx)?.paths(cx, &self.product_id)?;
        if paths.is_empty() {
            return Err(Error::NoLaunchPaths(self.product_id));
        }
        let mut keyed = Vec::with_capacity(paths.len());
        for path in paths {
            let summary = LaunchPathSummary {
                constraint_summaries: constraint::summaries(cx, &path.portfolio.id, &self.product_id)?,
                tags: tags::view(&path.portfolio.tags),
                name: path.portfolio.display_name,
                id: path.id,
            };
            keyed.push((summary.id.clone(), summary));
        }
        let (launch_path_summaries, next_page_token) =
            page::cut(keyed, false, self.page_token.as_deref(), self.page_size)?;
        Ok(ListLaunchPathsOutput { launch_path_summaries, next_page_token })
    }
}

/// A version that users may launch or update to: inactive ones do not exist for them.
pub fn launchable(
    cx: &Cx<'_>,
    product_id: &str,
    id: Option<&str>,
    name: Option<&str>,
) -> Result<Artifact, Error> {
    let artifact = artifact::choose(cx, product_id, id, name)?;
    if artifact.active { Ok(artifact) } else { Err(Error::ArtifactNotFound(artifact.id)) }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeProvisioningParameters {
    pub accept_language: Option<String>,
    pub product_id: Option<String>,
    pub product_name: Option<String>,
    pub provisioning_artifact_id: Option<String>,
    pub provisioning_artifact_name: Option<String>,
    pub path_id: Option<String>,
    pub path_name: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeProvisioningParametersOutput {
    /// In the order of the template.
    pub provisioning_artifact_parameters: Vec<ParameterView>,
    pub constraint_summaries: Vec<ConstraintSummary>,
    pub usage_instructions: Vec<UsageInstruction>,
    /// There are no TagOptions here.
    pub tag_options: [(); 0],
    pub provisioning_artifact_outputs: Vec<OutputKey>,
    pub provisioning_artifact_output_keys: Vec<OutputKey>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UsageInstruction {
    #[serde(rename = "Type")]
    pub kind: &'static str,
    pub value: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OutputKey {
    pub key: String,
    pub description: Option<String>,
}

impl Operation for DescribeProvisioningParameters {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "DescribeProvisioningParameters";
    const KIND: Kind = Kind::Read;
    type Output = DescribeProvisioningParametersOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Product::arn_of(cx, self.product_id.as_deref().unwrap_or("*"))]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let sight = Sight::of(cx)?;
        let product = sight.product(cx, self.product_id.as_deref(), self.product_name.as_deref())?;
        let (id, name) = (self.provisioning_artifact_id, self.provisioning_artifact_name);
        let artifact = launchable(cx, &product.id, id.as_deref(), name.as_deref())?;
        let path = sight.path(cx, &product.id, self.path_id.as_deref(), self.path_name.as_deref())?;
        let parsed = template::of(cx, &artifact)?;
        let instruction =
            |kind, value: &Option<String>| value.clone().map(|value| UsageInstruction { kind, value });
        let metadata = parsed.metadata.as_ref().map(ToString::to_string);
        let outputs: Vec<OutputKey> = parsed
            .outputs
            .iter()
            .map(|(key, description)| OutputKey { key: key.clone(), description: description.clone() })
            .collect();
        Ok(DescribeProvisioningParametersOutput {
            provisioning_artifact_parameters: parsed.parameters.iter().map(ParameterView::from).collect(),
            constraint_summaries: constraint::summaries(cx, &path.portfolio.id, &product.id)?,
            usage_instructions: [
                instruction("version", &parsed.version),
                instruction("description", &parsed.description),
                instruction("metadata", &metadata),
            ]
            .into_iter()
            .flatten()
            .collect(),
            tag_options: [],
            provisioning_artifact_outputs: outputs.clone(),
            provisioning_artifact_output_keys: outputs,
        })
    }
}
