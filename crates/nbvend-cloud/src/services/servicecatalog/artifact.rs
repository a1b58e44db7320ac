//! Provisioning artifacts: the versions of a product.

use std::collections::BTreeMap;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::access;
use super::error::Error;
use super::product::{self, TEMPLATE};
use super::product_admin::by_id_or_name;
use super::state::{Artifact, Product, digest, recall, remember};
use super::template::{self, ParameterView};
use crate::context::Cx;
use crate::operation::{Kind, Operation};

/// `ProvisioningArtifactDetail`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ArtifactDetail {
    pub id: String,
    pub name: Option<String>,
    pub description: Option<String>,
    #[serde(rename = "Type")]
    pub kind: &'static str,
    pub created_time: Timestamp,
    pub active: bool,
    pub guidance: String,
}

impl ArtifactDetail {
    pub fn of(artifact: &Artifact) -> Self {
        Self {
            id: artifact.id.clone(),
            name: artifact.name.clone(),
            description: artifact.description.clone(),
            kind: TEMPLATE,
            created_time: artifact.created,
            active: artifact.active,
            guidance: artifact.guidance.clone(),
        }
    }
}

/// `ProvisioningArtifactProperties`: a version to be made.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ArtifactProperties {
    pub name: Option<String>,
    pub description: Option<String>,
    /// `LoadTemplateFromURL` with an S3 URL.
    pub info: BTreeMap<String, String>,
    #[serde(rename = "Type")]
    pub kind: Option<String>,
    pub disable_template_validation: Option<bool>,
}

/// A product's versions, oldest first.
pub fn of_product(cx: &Cx<'_>, product_id: &str) -> Result<Vec<Artifact>, Error> {
    let mut all: Vec<Artifact> =
        cx.tx.list(cx.region(), &Artifact::key_of(product_id, ""), None, usize::MAX)?;
    all.sort_by_key(|artifact| artifact.number);
    Ok(all)
}

/// The version of that id.
pub fn find(cx: &Cx<'_>, product_id: &str, id: &str) -> Result<Artifact, Error> {
    cx.get(&Artifact::key_of(product_id, id))?.ok_or_else(|| Error::ArtifactNotFound(id.to_owned()))
}

/// A product's version by id or name, exactly one of which must be given.
pub fn choose(
    cx: &Cx<'_>,
    product_id: &str,
    id: Option<&str>,
    name: Option<&str>,
) -> Result<Artifact, Error> {
    match (id, name) {
        (Some(id), None) => find(cx, product_id, id),
        (None, Some(name)) => {
            let mut found = of_product(cx, product_id)?;
            found.retain(|artifact| artifact.name.as_deref() == Some(name));
            access::one(found, "Provisioning Artifact", name, || Error::ArtifactNotFound(name.to_owned()))
        }
        _ => Err(access::either("the provisioning artifact's name", "ID")),
    }
}

/// Reads the template and adds a version to the product; writes both.
pub fn add(cx: &mut Cx<'_>, product: &mut Product, new: ArtifactProperties) -> Result<Artifact, Error> {
    if let Some(kind) = new.kind.filter(|kind| kind != TEMPLATE) {
        return Err(Error::Invalid(format!(
            "Type {kind} of a provisioning artifact is not supported by nbvend"
        )));
    }
    if let Some(key) = new.info.keys().find(|key| *key != "LoadTemplateFromURL") {
        return Err(Error::Invalid(format!("{key} of Info is not supported by nbvend")));
    }
    let Some(url) = new.info.get("LoadTemplateFromURL") else {
        return Err(Error::Invalid("LoadTemplateFromURL is required in Info".to_owned()));
    };
    let text = template::read(cx, url)?;
    if new.disable_template_validation != Some(true) {
        template::validate(&text)?;
    }
    let artifact = Artifact {
        id: format!("pa-{}", cx.ids().lower(13)),
        product_id: product.id.clone(),
        number: product.next_artifact,
        name: new.name,
        description: new.description,
        active: true,
        guidance: "DEFAULT".to_owned(),
        url: url.clone(),
        template: template::keep(cx, text)?,
        created: cx.now(),
    };
    product.next_artifact += 1;
    cx.put(&artifact)?;
    cx.put(product)?;
    Ok(artifact)
}

/// Makes a version of a product. Idempotent by its token.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateProvisioningArtifact {
    pub accept_language: Option<String>,
    pub product_id: String,
    pub parameters: ArtifactProperties,
    pub idempotency_token: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ArtifactOutput {
    pub provisioning_artifact_detail: ArtifactDetail,
    pub info: BTreeMap<String, String>,
    pub status: &'static str,
}

impl ArtifactOutput {
    fn of(artifact: &Artifact) -> Self {
        Self {
            provisioning_artifact_detail: ArtifactDetail::of(artifact),
            info: BTreeMap::from([("TemplateUrl".to_owned(), artifact.url.clone())]),
            status: "AVAILABLE",
        }
    }
}

impl Operation for CreateProvisioningArtifact {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "CreateProvisioningArtifact";
    const KIND: Kind = Kind::Write;
    type Output = ArtifactOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Product::arn_of(cx, &self.product_id)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ArtifactOutput, Error> {
        let mut product = product::find(cx, &self.product_id)?;
        let digest = digest(cx, &json!([self.product_id, self.parameters]));
        if let Some(id) = recall(cx, Self::NAME, &self.idempotency_token, &digest)?
            && let Some(made) = cx.get::<Artifact>(&Artifact::key_of(&product.id, &id))?
        {
            return Ok(ArtifactOutput::of(&made));
        }
        let artifact = add(cx, &mut product, self.parameters)?;
        remember(cx, Self::NAME, &self.idempotency_token, digest, &artifact.id)?;
        Ok(ArtifactOutput::of(&artifact))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateProvisioningArtifact {
    pub accept_language: Option<String>,
    pub product_id: String,
    pub provisioning_artifact_id: String,
    pub name: Option<String>,
    pub description: Option<String>,
    pub active: Option<bool>,
    pub guidance: Option<String>,
}

impl Operation for UpdateProvisioningArtifact {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "UpdateProvisioningArtifact";
    const KIND: Kind = Kind::Write;
    type Output = ArtifactOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Product::arn_of(cx, &self.product_id)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ArtifactOutput, Error> {
        product::find(cx, &self.product_id)?;
        let mut artifact = find(cx, &self.product_id, &self.provisioning_artifact_id)?;
        artifact.name = self.name.or(artifact.name);
        artifact.description = self.description.or(artifact.description);
        artifact.active = self.active.unwrap_or(artifact.active);
        artifact.guidance = self.guidance.unwrap_or(artifact.guidance);
        cx.put(&artifact)?;
        Ok(ArtifactOutput::of(&artifact))
    }
}

/// Ends a version; the last one stays as long as its product.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteProvisioningArtifact {
    pub accept_language: Option<String>,
    pub product_id: String,
    pub provisioning_artifact_id: String,
}

impl Operation for DeleteProvisioningArtifact {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "DeleteProvisioningArtifact";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Product::arn_of(cx, &self.product_id)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        product::find(cx, &self.product_id)?;
        let artifact = find(cx, &self.product_id, &self.provisioning_artifact_id)?;
        if of_product(cx, &self.product_id)?.len() == 1 {
            let text = "The last provisioning artifact of a product cannot be deleted";
            return Err(Error::InUse(text.to_owned()));
        }
        cx.delete::<Artifact>(&Artifact::key_of(&self.product_id, &artifact.id))?;
        template::release(cx, &artifact.template)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeProvisioningArtifact {
    pub accept_language: Option<String>,
    pub provisioning_artifact_id: Option<String>,
    pub product_id: Option<String>,
    pub provisioning_artifact_name: Option<String>,
    pub product_name: Option<String>,
    pub verbose: Option<bool>,
    pub include_provisioning_artifact_parameters: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeProvisioningArtifactOutput {
    #[serde(flatten)]
    pub artifact: ArtifactOutput,
    pub provisioning_artifact_parameters: Option<Vec<ParameterView>>,
}

impl Operation for DescribeProvisioningArtifact {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "DescribeProvisioningArtifact";
    const KIND: Kind = Kind::Read;
    type Output = DescribeProvisioningArtifactOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Product::arn_of(cx, self.product_id.as_deref().unwrap_or("*"))]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let product = by_id_or_name(cx, self.product_id.as_deref(), self.product_name.as_deref())?;
        let (id, name) = (self.provisioning_artifact_id, self.provisioning_artifact_name);
        let found = choose(cx, &product.id, id.as_deref(), name.as_deref())?;
        let mut artifact = ArtifactOutput::of(&found);
        let parsed = template::of(cx, &found)?;
        if self.verbose == Some(true) {
            // The whole template stands here on AWS.
            artifact.info.insert("CloudFormationTemplate".to_owned(), parsed.text.clone());
        }
        let wanted = self.include_provisioning_artifact_parameters == Some(true);
        let parameters = wanted.then(|| parsed.parameters.iter().map(ParameterView::from).collect());
        Ok(DescribeProvisioningArtifactOutput { artifact, provisioning_artifact_parameters: parameters })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListProvisioningArtifacts {
    pub accept_language: Option<String>,
    pub product_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListProvisioningArtifactsOutput {
    pub provisioning_artifact_details: Vec<ArtifactDetail>,
}

impl Operation for ListProvisioningArtifacts {
    const SERVICE: &'static str = "servicecatalog";
    const NAME: &'static str = "ListProvisioningArtifacts";
    const KIND: Kind = Kind::Read;
    type Output = ListProvisioningArtifactsOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Product::arn_of(cx, &self.product_id)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let product = product::find(cx, &self.product_id)?;
        let all = of_product(cx, &product.id)?;
        Ok(ListProvisioningArtifactsOutput {
            provisioning_artifact_details: all.iter().map(ArtifactDetail::of).collect(),
        })
    }
}
