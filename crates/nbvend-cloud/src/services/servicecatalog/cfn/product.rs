//! `AWS::ServiceCatalog::CloudFormationProduct`. Ref is the product's id.

use std::collections::BTreeMap;

use nbvend_wire::error::WireError;
use serde_json::{Map, Value, json};

use super::{deleted, dropped, needed, tags, text, truth};
use crate::context::Cx;
use crate::error::{EngineError, ServiceError};
use crate::provider::{Deletion, Handle, Progress, Provider, Request, Schema, Update, optional, required};
use crate::services::servicecatalog::artifact::{
    self, ArtifactProperties, CreateProvisioningArtifact, DeleteProvisioningArtifact,
    UpdateProvisioningArtifact,
};
use crate::services::servicecatalog::product::{CreateProduct, DeleteProduct, TEMPLATE, UpdateProduct};
use crate::services::servicecatalog::state::Artifact;

pub struct CloudFormationProduct;

static SCHEMA: Schema = Schema {
    type_name: "AWS::ServiceCatalog::CloudFormationProduct",
    properties: &[
        optional("AcceptLanguage", Update::InPlace),
        optional("Description", Update::InPlace),
        optional("Distributor", Update::InPlace),
        required("Name", Update::InPlace),
        required("Owner", Update::InPlace),
        optional("ProductType", Update::InPlace),
        required("ProvisioningArtifactParameters", Update::InPlace),
        optional("ReplaceProvisioningArtifacts", Update::InPlace),
        optional("SupportDescription", Update::InPlace),
        optional("SupportEmail", Update::InPlace),
        optional("SupportUrl", Update::InPlace),
        optional("Tags", Update::InPlace),
    ],
    attributes: &["ProductName", "ProvisioningArtifactIds", "ProvisioningArtifactNames"],
    tags: Some("Tags"),
};

/// The versions the template asks for.
fn versions(properties: &Value) -> Result<Vec<ArtifactProperties>, EngineError> {
    let listed = properties.get("ProvisioningArtifactParameters").and_then(Value::as_array);
    let read = |version: &Value| {
        let info = version.get("Info").and_then(Value::as_object);
        let info = info.into_iter().flatten();
        ArtifactProperties {
            name: text(version, "Name"),
            description: text(version, "Description"),
            info: info
                .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
                .collect(),
            kind: text(version, "Type"),
            disable_template_validation: Some(truth(version, "DisableTemplateValidation")),
        }
    };
    let versions: Vec<_> = listed.into_iter().flatten().map(read).collect();
    if versions.is_empty() {
        let text = "ProvisioningArtifactParameters must list at least one version";
        return Err(WireError::new("InvalidRequest", 400, text).into());
    }
    Ok(versions)
}

fn url(info: &BTreeMap<String, String>) -> Option<&String> {
    info.get("LoadTemplateFromURL")
}

fn kept(cx: &Cx<'_>, product_id: &str) -> Result<Vec<Artifact>, EngineError> {
    artifact::of_product(cx, product_id).map_err(|error| error.to_wire().into())
}

fn add(cx: &mut Cx<'_>, product_id: &str, version: ArtifactProperties) -> Result<(), EngineError> {
    cx.call(CreateProvisioningArtifact {
        accept_language: None,
        product_id: product_id.to_owned(),
        parameters: version,
        idempotency_token: cx.ids().uuid(),
    })?;
    Ok(())
}

fn done(cx: &Cx<'_>, product_id: &str, name: &str) -> Result<Progress, EngineError> {
    let versions = kept(cx, product_id)?;
    let list = |texts: Vec<&str>| json!(texts.join(","));
    let attributes = Map::from_iter([
        ("ProductName".to_owned(), json!(name)),
        ("ProvisioningArtifactIds".to_owned(), list(versions.iter().map(|v| v.id.as_str()).collect())),
        (
            "ProvisioningArtifactNames".to_owned(),
            list(versions.iter().map(|v| v.name.as_deref().unwrap_or_default()).collect()),
        ),
    ]);
    Ok(Progress::Done { physical_id: product_id.to_owned(), attributes })
}

impl Provider for CloudFormationProduct {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let properties = &request.properties;
        let mut versions = versions(properties)?.into_iter();
        let made = cx.call(CreateProduct {
            accept_language: text(properties, "AcceptLanguage"),
            name: needed(properties, "Name"),
            owner: needed(properties, "Owner"),
            description: text(properties, "Description"),
            distributor: text(properties, "Distributor"),
            support_description: text(properties, "SupportDescription"),
            support_email: text(properties, "SupportEmail"),
            support_url: text(properties, "SupportUrl"),
            product_type: text(properties, "ProductType").unwrap_or_else(|| TEMPLATE.to_owned()),
            tags: tags(request),
            provisioning_artifact_parameters: versions.next(),
            idempotency_token: cx.ids().uuid(),
        })?;
        let id = made.product_view_detail.product_view_summary.product_id;
        for version in versions {
            add(cx, &id, version)?;
        }
        done(cx, &id, &needed(properties, "Name"))
    }

    /// Versions are matched by name and URL, as the type's page says: those that are new are added, those that are gone
    /// are deleted, and the others keep their ids. `ReplaceProvisioningArtifacts` makes all of them anew.
    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let (properties, id) = (&request.properties, handle.physical_id.as_str());
        let cleared = |name: &str| Some(text(properties, name).unwrap_or_default());
        let add_tags = tags(request);
        cx.call(UpdateProduct {
            accept_language: text(properties, "AcceptLanguage"),
            id: id.to_owned(),
            name: text(properties, "Name"),
            owner: text(properties, "Owner"),
            description: cleared("Description"),
            distributor: cleared("Distributor"),
            support_description: cleared("SupportDescription"),
            support_email: cleared("SupportEmail"),
            support_url: cleared("SupportUrl"),
            remove_tags: dropped(&handle.properties, &add_tags),
            add_tags,
        })?;
        let replace = truth(properties, "ReplaceProvisioningArtifacts");
        let mut old = kept(cx, id)?;
        for version in versions(properties)? {
            let same = |artifact: &Artifact| {
                !replace && artifact.name == version.name && Some(&artifact.url) == url(&version.info)
            };
            match old.iter().position(same) {
                None => add(cx, id, version)?,
                Some(at) => {
                    let artifact = old.remove(at);
                    if artifact.description != version.description {
                        cx.call(UpdateProvisioningArtifact {
                            product_id: id.to_owned(),
                            provisioning_artifact_id: artifact.id,
                            description: Some(version.description.unwrap_or_default()),
                            ..UpdateProvisioningArtifact::default()
                        })?;
                    }
                }
            }
        }
        for artifact in old {
            cx.call(DeleteProvisioningArtifact {
                product_id: id.to_owned(),
                provisioning_artifact_id: artifact.id,
                ..DeleteProvisioningArtifact::default()
            })?;
        }
        done(cx, id, &needed(properties, "Name"))
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        deleted(cx.call(DeleteProduct { id: handle.physical_id.clone(), ..DeleteProduct::default() }))
    }
}
