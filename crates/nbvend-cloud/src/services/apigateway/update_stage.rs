//! `UpdateStage`: another deployment, variables, limits.

use serde::{Deserialize, Serialize};

use super::access;
use super::error::Error;
use super::patch::{self, Change, PatchOperation};
use super::stage::{StageView, check_cache, check_deployment, check_variables};
use super::state::{MethodSetting, RestApi, Stage, Texts};
use crate::context::Cx;
use crate::operation::{Kind, Operation};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateStage {
    pub rest_api_id: String,
    pub stage_name: String,
    pub patch_operations: Vec<PatchOperation>,
}

impl Operation for UpdateStage {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "UpdateStage";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::PATCH;
    type Output = StageView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, &format!("/stages/{}", self.stage_name))
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<StageView, Error> {
        RestApi::find(cx, &self.rest_api_id)?;
        let mut stage = Stage::find(cx, &self.rest_api_id, &self.stage_name)?;
        patch::apply(&self.patch_operations, |change| one(cx, &mut stage, change))?;
        stage.store(cx)?;
        Ok(stage.into())
    }
}

fn one(cx: &Cx<'_>, stage: &mut Stage, change: &Change<'_>) -> Result<(), Error> {
    match change.parts()[..] {
        ["deploymentId"] => {
            let deployment = change.replaced()?;
            check_deployment(cx, &stage.api, deployment)?;
            deployment.clone_into(&mut stage.deployment);
        }
        ["description"] => stage.description = change.text()?,
        ["tracingEnabled"] => stage.tracing = change.flag()?,
        ["cacheClusterEnabled"] => check_cache(change.flag()?)?,
        ["variables", name] => match change.op {
            "add" | "replace" => {
                let variable = Texts::from([(name.to_owned(), change.value()?.to_owned())]);
                check_variables(&variable)?;
                stage.variables.extend(variable);
            }
            "remove" if stage.variables.remove(name).is_some() => {}
            _ => return Err(no_setting(change)),
        },
        ["cacheClusterSize" | "clientCertificateId" | "documentationVersion"]
        | ["accessLogSettings" | "canarySettings", ..] => {
            return Err(Error::unsupported(change.path.trim_start_matches('/')));
        }
        [path, verb] if change.op == "remove" => {
            let removed = stage.settings.remove(&format!("{}/{verb}", path.trim_start_matches('/')));
            removed.ok_or_else(|| no_setting(change))?;
        }
        [path, verb, kind, name] => {
            setting(stage, change, &format!("{}/{verb}", path.trim_start_matches('/')), kind, name)?;
        }
        _ => return Err(invalid(change.path)),
    }
    Ok(())
}

fn setting(stage: &mut Stage, change: &Change<'_>, key: &str, kind: &str, name: &str) -> Result<(), Error> {
    let text = change.replaced()?;
    let wrong = || Error::bad(format!("Invalid value '{text}' specified for path {}", change.path));
    // What is off already may be turned off; what would have to be done to be on is refused.
    let off = |allowed: bool, what: &str| if allowed { Ok(()) } else { Err(Error::unsupported(what)) };
    match (kind, name) {
        ("throttling", "burstLimit") => {
            limits(stage, key).burst_limit = limit(text.parse().map_err(|_| wrong())?)
        }
        ("throttling", "rateLimit") => {
            let rate: f64 = text.parse().map_err(|_| wrong())?;
            limits(stage, key).rate_limit = (rate.is_finite() && rate >= 0.0).then_some(rate);
        }
        ("logging", "loglevel") => off(text.eq_ignore_ascii_case("OFF"), "logging/loglevel")?,
        ("logging", "dataTrace") => off(!change.flag()?, "logging/dataTrace")?,
        ("metrics", "enabled") => off(!change.flag()?, "metrics/enabled")?,
        ("caching", "enabled") => off(!change.flag()?, "caching/enabled")?,
        ("caching", _) => return Err(Error::unsupported(format!("caching/{name}"))),
        _ => return Err(invalid(change.path)),
    }
    Ok(())
}

/// A limit below zero is none.
pub fn limit(given: i64) -> Option<i64> {
    (given >= 0).then_some(given)
}

fn limits<'a>(stage: &'a mut Stage, key: &str) -> &'a mut MethodSetting {
    stage.settings.entry(key.to_owned()).or_default()
}

/// Recorded, with the blank at its end.
fn no_setting(change: &Change<'_>) -> Error {
    let what = change.path.trim_start_matches('/');
    Error::bad(format!(
        "Cannot remove method setting {what} because there is no method setting for this method "
    ))
}

/// AWS goes on to list every path there is; here are those that can be changed.
fn invalid(path: &str) -> Error {
    Error::bad(format!(
        "Invalid method setting path: {path}. Must be one of: [/deploymentId, /description, /{{resourcePath}}/{{httpMethod}}/throttling/burstLimit, /{{resourcePath}}/{{httpMethod}}/throttling/rateLimit, /*/*/throttling/burstLimit, /*/*/throttling/rateLimit, /variables/{{variable_name}}, /tracingEnabled]"
    ))
}
