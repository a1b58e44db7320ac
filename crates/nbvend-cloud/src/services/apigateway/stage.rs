//! `CreateStage`, `GetStage`, `GetStages`, `DeleteStage`.

use std::collections::BTreeMap;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::access;
use super::error::Error;
use super::state::{Deployment, MethodSetting, RestApi, Stage, Texts, within};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StageView {
    pub deployment_id: String,
    pub stage_name: String,
    pub description: Option<String>,
    pub cache_cluster_enabled: bool,
    pub cache_cluster_status: &'static str,
    pub method_settings: BTreeMap<String, MethodSettingView>,
    pub variables: Option<Texts>,
    pub tracing_enabled: bool,
    pub tags: Option<Texts>,
    pub created_date: Timestamp,
    pub last_updated_date: Timestamp,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MethodSettingView {
    pub metrics_enabled: bool,
    pub logging_level: &'static str,
    pub data_trace_enabled: bool,
    pub throttling_burst_limit: i64,
    pub throttling_rate_limit: f64,
    pub caching_enabled: bool,
    pub cache_ttl_in_seconds: i64,
    pub cache_data_encrypted: bool,
    pub require_authorization_for_cache_control: bool,
    pub unauthorized_cache_control_header_strategy: &'static str,
}

impl From<&MethodSetting> for MethodSettingView {
    fn from(setting: &MethodSetting) -> Self {
        Self {
            metrics_enabled: false,
            logging_level: "OFF",
            data_trace_enabled: false,
            // -1 is AWS's "no limit of its own".
            throttling_burst_limit: setting.burst_limit.unwrap_or(-1),
            throttling_rate_limit: setting.rate_limit.unwrap_or(-1.0),
            // There is no cache; this is what AWS says of one that is off.
            caching_enabled: false,
            cache_ttl_in_seconds: 300,
            cache_data_encrypted: false,
            require_authorization_for_cache_control: true,
            unauthorized_cache_control_header_strategy: "SUCCEED_WITH_RESPONSE_HEADER",
        }
    }
}

impl From<Stage> for StageView {
    fn from(stage: Stage) -> Self {
        Self {
            deployment_id: stage.deployment,
            stage_name: stage.name,
            description: stage.description,
            cache_cluster_enabled: false,
            cache_cluster_status: "NOT_AVAILABLE",
            method_settings: stage
                .settings
                .iter()
                .map(|(path, setting)| (path.clone(), setting.into()))
                .collect(),
            variables: Some(stage.variables).filter(|variables| !variables.is_empty()),
            tracing_enabled: stage.tracing,
            tags: Some(stage.tags).filter(|tags| !tags.is_empty()),
            created_date: stage.created,
            last_updated_date: stage.updated,
        }
    }
}

/// A stage that is not stored yet.
pub fn fresh(cx: &Cx<'_>, api: &str, name: &str, deployment: &str) -> Result<Stage, Error> {
    if name.is_empty()
        || name.len() > 128
        || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    {
        return Err(Error::bad("Stage name only allows a-zA-Z0-9_"));
    }
    Ok(Stage {
        api: api.to_owned(),
        name: name.to_owned(),
        deployment: deployment.to_owned(),
        description: None,
        variables: Texts::new(),
        settings: BTreeMap::new(),
        tracing: false,
        tags: Texts::new(),
        created: cx.now(),
        updated: cx.now(),
        generation: String::new(),
    })
}

/// A stage points only to what was deployed; AWS's words are recorded.
pub fn check_deployment(cx: &Cx<'_>, api: &str, id: &str) -> Result<(), Error> {
    let known = cx.get::<Deployment>(&within(api, id))?;
    known.map(|_| ()).ok_or_else(|| Error::bad("Deployment id does not exist"))
}

pub fn check_cache(enabled: bool) -> Result<(), Error> {
    if enabled { Err(Error::unsupported("cacheClusterEnabled")) } else { Ok(()) }
}

/// Names and values of stage variables (developer guide, "Stage variables").
pub fn check_variables(variables: &Texts) -> Result<(), Error> {
    let ok = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#&=,".contains(c);
    for (name, value) in variables {
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(Error::bad(
                "Invalid stage variable name. Must be alphanumeric and underscore characters",
            ));
        }
        if value.len() > 512 || !value.chars().all(ok) {
            return Err(Error::bad(format!(
                "Invalid stage variable value: {value}. Please use values with alphanumeric characters and the symbols ' ', -', '.', '_', ':', '/', '?', '&', '=', and ','."
            )));
        }
    }
    Ok(())
}

/// `cacheClusterSize`, `canarySettings` and `documentationVersion` are left out: refused by name.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateStage {
    pub rest_api_id: String,
    pub stage_name: String,
    pub deployment_id: String,
    pub description: Option<String>,
    pub cache_cluster_enabled: bool,
    pub variables: Texts,
    pub tracing_enabled: bool,
    pub tags: Texts,
}

impl Operation for CreateStage {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "CreateStage";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::POST;
    type Output = StageView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, "/stages")
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        access::request_tags(&self.tags, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<StageView, Error> {
        let api = RestApi::find(cx, &self.rest_api_id)?;
        check_cache(self.cache_cluster_enabled)?;
        check_variables(&self.variables)?;
        access::check_tags(cx, self.tags.keys())?;
        let mut stage = fresh(cx, &api.id, &self.stage_name, &self.deployment_id)?;
        if cx.get::<Stage>(&within(&api.id, &stage.name))?.is_some() {
            return Err(Error::Conflict("Stage already exists".to_owned()));
        }
        check_deployment(cx, &api.id, &self.deployment_id)?;
        stage.description = self.description;
        stage.variables = self.variables;
        stage.tracing = self.tracing_enabled;
        stage.tags = self.tags;
        stage.store(cx)?;
        Ok(stage.into())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct GetStage {
    pub rest_api_id: String,
    pub stage_name: String,
}

impl Operation for GetStage {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "GetStage";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = access::GET;
    type Output = StageView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &format!("/stages/{}", self.stage_name))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<StageView, Error> {
        RestApi::find(cx, &self.rest_api_id)?;
        Ok(Stage::find(cx, &self.rest_api_id, &self.stage_name)?.into())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct GetStages {
    pub rest_api_id: String,
    pub deployment_id: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct GetStagesOutput {
    /// In the singular, unlike all other lists of the service.
    pub item: Vec<StageView>,
}

impl Operation for GetStages {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "GetStages";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = access::GET;
    type Output = GetStagesOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, "/stages")
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GetStagesOutput, Error> {
        let api = RestApi::find(cx, &self.rest_api_id)?;
        let stages = match &self.deployment_id {
            Some(deployment) => cx.find::<Stage>("deployment", &within(&api.id, deployment))?,
            None => cx.tx.list::<Stage>(cx.region(), &format!("{}/", api.id), None, usize::MAX)?,
        };
        Ok(GetStagesOutput { item: stages.into_iter().map(StageView::from).collect() })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteStage {
    pub rest_api_id: String,
    pub stage_name: String,
}

impl Operation for DeleteStage {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "DeleteStage";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::DELETE;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &format!("/stages/{}", self.stage_name))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        RestApi::find(cx, &self.rest_api_id)?;
        let stage = Stage::find(cx, &self.rest_api_id, &self.stage_name)?;
        cx.delete::<Stage>(&within(&stage.api, &stage.name))?;
        Ok(())
    }
}
