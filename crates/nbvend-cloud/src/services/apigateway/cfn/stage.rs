//! `AWS::ApiGateway::Stage`. Ref is the stage's name.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    call, deleted, invalid, list, needed, only, operation, replace, retag, segment, tags, text, texts, truth,
};
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::{Deletion, Handle, Progress, Provider, Request, Schema, Update, optional, required};
use crate::services::apigateway::access;
use crate::services::apigateway::patch::PatchOperation;
use crate::services::apigateway::stage::{CreateStage, DeleteStage};
use crate::services::apigateway::update_stage::UpdateStage;

pub struct Stage;

static SCHEMA: Schema = Schema {
    type_name: "AWS::ApiGateway::Stage",
    properties: &[
        optional("CacheClusterEnabled", Update::InPlace),
        required("DeploymentId", Update::InPlace),
        optional("Description", Update::InPlace),
        optional("MethodSettings", Update::InPlace),
        required("RestApiId", Update::Replacement),
        required("StageName", Update::Replacement),
        optional("Tags", Update::InPlace),
        optional("TracingEnabled", Update::InPlace),
        optional("Variables", Update::InPlace),
    ],
    attributes: &[],
    tags: Some("Tags"),
};

/// What a setting says, by the path of a patch operation: `/~1pets/GET` to its parts.
fn settings(properties: &Value) -> Result<BTreeMap<String, Vec<PatchOperation>>, EngineError> {
    let members = [
        ("CachingEnabled", "caching/enabled"),
        ("DataTraceEnabled", "logging/dataTrace"),
        ("LoggingLevel", "logging/loglevel"),
        ("MetricsEnabled", "metrics/enabled"),
        ("ThrottlingBurstLimit", "throttling/burstLimit"),
        ("ThrottlingRateLimit", "throttling/rateLimit"),
    ];
    let mut all = BTreeMap::new();
    for setting in list(properties, "MethodSettings") {
        let names: Vec<&str> =
            members.iter().map(|(name, _)| *name).chain(["HttpMethod", "ResourcePath"]).collect();
        only(Some(setting), "MethodSettings", &names)?;
        let resource = match needed(setting, "ResourcePath").as_str() {
            // Both mean every resource.
            "/*" | "*" => "*".to_owned(),
            path if path.starts_with('/') => segment(path),
            path => {
                return Err(invalid(format!(
                    "ResourcePath of MethodSettings must begin with a slash: {path}"
                )));
            }
        };
        let path = format!("/{resource}/{}", needed(setting, "HttpMethod"));
        let parts = members
            .iter()
            .filter_map(|(name, part)| Some(replace(&format!("{path}/{part}"), text(setting, name)?)));
        all.insert(path.clone(), parts.collect());
    }
    Ok(all)
}

impl Provider for Stage {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let properties = &request.properties;
        let rest_api_id = needed(properties, "RestApiId");
        let stage_name = needed(properties, "StageName");
        call(
            cx,
            CreateStage {
                rest_api_id: rest_api_id.clone(),
                stage_name: stage_name.clone(),
                deployment_id: needed(properties, "DeploymentId"),
                description: text(properties, "Description"),
                cache_cluster_enabled: truth(properties, "CacheClusterEnabled"),
                variables: texts(properties, "Variables"),
                tracing_enabled: truth(properties, "TracingEnabled"),
                tags: tags(request),
            },
        )?;
        let patch_operations: Vec<PatchOperation> = settings(properties)?.into_values().flatten().collect();
        if !patch_operations.is_empty() {
            call(cx, UpdateStage { rest_api_id, stage_name: stage_name.clone(), patch_operations })?;
        }
        Ok(Progress::done(stage_name))
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let (old, new) = (&handle.properties, &request.properties);
        let rest_api_id = needed(new, "RestApiId");
        let stage_name = handle.physical_id.clone();
        let mut patch = vec![
            replace("/deploymentId", needed(new, "DeploymentId")),
            replace("/tracingEnabled", truth(new, "TracingEnabled").to_string()),
            replace("/cacheClusterEnabled", truth(new, "CacheClusterEnabled").to_string()),
        ];
        patch.push(match text(new, "Description") {
            Some(description) => replace("/description", description),
            None => operation("remove", "/description".to_owned()),
        });
        let variables = texts(new, "Variables");
        let gone = texts(old, "Variables").into_keys().filter(|name| !variables.contains_key(name));
        patch.extend(gone.map(|name| operation("remove", format!("/variables/{}", segment(&name)))));
        patch.extend(
            variables.iter().map(|(name, value)| replace(&format!("/variables/{}", segment(name)), value)),
        );
        // A setting with limits is a record of the stage; the others are only ever off.
        let limited = |parts: &[PatchOperation]| {
            parts.iter().any(|part| part.path.as_deref().is_some_and(|path| path.contains("/throttling/")))
        };
        let before = settings(old)?;
        let gone = before.into_iter().filter(|(_, parts)| limited(parts)).map(|(path, _)| path);
        patch.extend(gone.map(|path| operation("remove", path)));
        patch.extend(settings(new)?.into_values().flatten());
        call(
            cx,
            UpdateStage {
                rest_api_id: rest_api_id.clone(),
                stage_name: stage_name.clone(),
                patch_operations: patch,
            },
        )?;
        let arn = access::arn(cx, &format!("/restapis/{rest_api_id}/stages/{stage_name}"));
        retag(cx, arn, old, request)?;
        Ok(Progress::done(stage_name))
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        let rest_api_id = needed(&handle.properties, "RestApiId");
        deleted(call(cx, DeleteStage { rest_api_id, stage_name: handle.physical_id.clone() }))
    }
}
