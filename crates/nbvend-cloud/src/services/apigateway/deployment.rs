//! `CreateDeployment`, `GetDeployment`, `GetDeployments`, `UpdateDeployment`, `DeleteDeployment`.
//!
//! A deployment freezes the API as it is. The data plane serves only what was frozen, through the stage that points
//! to it.

use std::collections::BTreeMap;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::access;
use super::error::Error;
use super::page::Page;
use super::patch::{self, PatchOperation};
use super::stage;
use super::state::{Definition, Deployment, RestApi, Snapshot, Stage, Texts, within};
use crate::context::Cx;
use crate::operation::{Kind, Operation};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentView {
    pub id: String,
    pub description: Option<String>,
    pub created_date: Timestamp,
    pub api_summary: Option<BTreeMap<String, BTreeMap<String, MethodSnapshot>>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MethodSnapshot {
    pub authorization_type: &'static str,
    pub api_key_required: bool,
}

impl From<Deployment> for DeploymentView {
    fn from(deployment: Deployment) -> Self {
        Self {
            id: deployment.id,
            description: deployment.description,
            created_date: deployment.created,
            api_summary: None,
        }
    }
}

fn summary(snapshot: &Snapshot) -> BTreeMap<String, BTreeMap<String, MethodSnapshot>> {
    let resources = snapshot.definition.resources.values().filter(|resource| !resource.methods.is_empty());
    resources
        .map(|resource| {
            let methods = resource.methods.iter().map(|(verb, method)| {
                let authorization_type = method.authorization.name();
                (verb.clone(), MethodSnapshot { authorization_type, api_key_required: false })
            });
            (resource.path.clone(), methods.collect())
        })
        .collect()
}

/// `cacheClusterSize`, `canarySettings` are left out: refused by name.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateDeployment {
    pub rest_api_id: String,
    pub stage_name: Option<String>,
    pub stage_description: Option<String>,
    pub description: Option<String>,
    pub cache_cluster_enabled: bool,
    pub variables: Texts,
    pub tracing_enabled: bool,
}

impl Operation for CreateDeployment {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "CreateDeployment";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::POST;
    type Output = DeploymentView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, "/deployments")
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<DeploymentView, Error> {
        let api = RestApi::find(cx, &self.rest_api_id)?;
        let definition = Definition::find(cx, &self.rest_api_id)?;
        check(&definition)?;
        let deployment = Deployment {
            api: api.id.clone(),
            // Six characters, as AWS's deployment ids have.
            id: cx.ids().lower(6),
            description: self.description,
            created: cx.now(),
        };
        cx.put(&deployment)?;
        cx.put(&Snapshot { deployment: deployment.id.clone(), api, definition })?;
        if let Some(name) = self.stage_name.filter(|name| !name.is_empty()) {
            stage::check_cache(self.cache_cluster_enabled)?;
            match cx.get::<Stage>(&within(&deployment.api, &name))? {
                Some(mut stage) => {
                    stage.deployment.clone_from(&deployment.id);
                    stage.description = self.stage_description.or(stage.description);
                    stage::check_variables(&self.variables)?;
                    stage.variables.extend(self.variables);
                    stage.store(cx)?;
                }
                None => {
                    let mut stage = stage::fresh(cx, &deployment.api, &name, &deployment.id)?;
                    stage.description = self.stage_description;
                    stage::check_variables(&self.variables)?;
                    stage.variables = self.variables;
                    stage.tracing = self.tracing_enabled;
                    stage.store(cx)?;
                }
            }
        }
        Ok(deployment.into())
    }
}

/// What can be deployed: something that answers, everywhere.
fn check(definition: &Definition) -> Result<(), Error> {
    let mut methods = definition.resources.values().flat_map(|resource| resource.methods.values()).peekable();
    if methods.peek().is_none() {
        return Err(Error::bad("The REST API doesn't contain any methods"));
    }
    if methods.any(|method| method.integration.is_none()) {
        return Err(Error::bad("No integration defined for method"));
    }
    Ok(())
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct GetDeployment {
    pub rest_api_id: String,
    pub deployment_id: String,
    pub embed: Vec<String>,
}

impl Operation for GetDeployment {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "GetDeployment";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = access::GET;
    type Output = DeploymentView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &format!("/deployments/{}", self.deployment_id))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<DeploymentView, Error> {
        RestApi::find(cx, &self.rest_api_id)?;
        let deployment = Deployment::find(cx, &self.rest_api_id, &self.deployment_id)?;
        let mut view = DeploymentView::from(deployment);
        if self.embed.iter().any(|what| what.eq_ignore_ascii_case("apisummary")) {
            let snapshot = cx.get::<Snapshot>(&within(&self.rest_api_id, &self.deployment_id))?;
            view.api_summary = snapshot.as_ref().map(summary);
        }
        Ok(view)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct GetDeployments {
    pub rest_api_id: String,
    pub position: Option<String>,
    pub limit: Option<i64>,
}

#[derive(Debug, Serialize)]
pub struct GetDeploymentsOutput {
    pub position: Option<String>,
    pub items: Vec<DeploymentView>,
}

impl Operation for GetDeployments {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "GetDeployments";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = access::GET;
    type Output = GetDeploymentsOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, "/deployments")
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GetDeploymentsOutput, Error> {
        let api = RestApi::find(cx, &self.rest_api_id)?;
        let page = Page::read(self.position.as_deref(), self.limit)?;
        let below = format!("{}/", api.id);
        let found = cx.tx.list::<Deployment>(cx.region(), &below, page.after.as_deref(), page.fetch())?;
        let (items, position) = page.cut(found, |deployment| within(&deployment.api, &deployment.id));
        Ok(GetDeploymentsOutput { position, items: items.into_iter().map(DeploymentView::from).collect() })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateDeployment {
    pub rest_api_id: String,
    pub deployment_id: String,
    pub patch_operations: Vec<PatchOperation>,
}

impl Operation for UpdateDeployment {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "UpdateDeployment";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::PATCH;
    type Output = DeploymentView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &format!("/deployments/{}", self.deployment_id))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<DeploymentView, Error> {
        RestApi::find(cx, &self.rest_api_id)?;
        let mut deployment = Deployment::find(cx, &self.rest_api_id, &self.deployment_id)?;
        patch::apply(&self.patch_operations, |change| match change.parts()[..] {
            ["description"] => {
                deployment.description = change.text()?;
                Ok(())
            }
            _ => Err(change.one_of("/description")),
        })?;
        cx.put(&deployment)?;
        Ok(deployment.into())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteDeployment {
    pub rest_api_id: String,
    pub deployment_id: String,
}

impl Operation for DeleteDeployment {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "DeleteDeployment";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::DELETE;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &format!("/deployments/{}", self.deployment_id))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        RestApi::find(cx, &self.rest_api_id)?;
        let deployment = Deployment::find(cx, &self.rest_api_id, &self.deployment_id)?;
        let key = within(&deployment.api, &deployment.id);
        if !cx.find::<Stage>("deployment", &key)?.is_empty() {
            return Err(Error::bad("Active stages pointing to this deployment must be moved or deleted"));
        }
        cx.delete::<Snapshot>(&key)?;
        cx.delete::<Deployment>(&key)?;
        Ok(())
    }
}
