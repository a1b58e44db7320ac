//! `AWS::Lambda::Alias`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::alias::{CreateAlias, DeleteAlias, Routing, UpdateAlias};
use super::deleted;
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::{
    Deletion, Handle, Progress, Provider, Request, Schema, Update, lenient, optional, properties, required,
};

pub struct Alias;

static SCHEMA: Schema = Schema {
    type_name: "AWS::Lambda::Alias",
    properties: &[
        optional("Description", Update::InPlace),
        required("FunctionName", Update::Replacement),
        required("FunctionVersion", Update::InPlace),
        required("Name", Update::Replacement),
        optional("RoutingConfig", Update::InPlace),
    ],
    attributes: &["AliasArn"],
    tags: None,
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    description: Option<String>,
    function_name: String,
    #[serde(deserialize_with = "lenient::text")]
    function_version: Option<String>,
    name: String,
    routing_config: Option<RoutingConfig>,
}

/// A list here, a map in the API.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RoutingConfig {
    #[serde(default)]
    additional_version_weights: Vec<Weight>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Weight {
    #[serde(deserialize_with = "lenient::text")]
    function_version: Option<String>,
    function_weight: f64,
}

impl Properties {
    fn routing(&self) -> Routing {
        let weights = self.routing_config.iter().flat_map(|routing| &routing.additional_version_weights);
        let weights: BTreeMap<String, f64> = weights
            .map(|weight| (weight.function_version.clone().unwrap_or_default(), weight.function_weight))
            .collect();
        Routing { additional_version_weights: Some(weights) }
    }
}

fn done(arn: String) -> Progress {
    let attributes = Map::from_iter([("AliasArn".to_owned(), Value::String(arn.clone()))]);
    Progress::Done { physical_id: arn, attributes }
}

impl Provider for Alias {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let asked: Properties = properties(&SCHEMA, &request.properties)?;
        let routing_config = Some(asked.routing());
        let made = cx.call(CreateAlias {
            function_name: asked.function_name,
            name: asked.name,
            function_version: asked.function_version.unwrap_or_default(),
            description: asked.description,
            routing_config,
        })?;
        Ok(done(made.alias_arn))
    }

    fn update(&self, cx: &mut Cx<'_>, _handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let asked: Properties = properties(&SCHEMA, &request.properties)?;
        let routing_config = Some(asked.routing());
        let changed = cx.call(UpdateAlias {
            function_name: asked.function_name,
            name: asked.name,
            function_version: asked.function_version,
            description: Some(asked.description.unwrap_or_default()),
            routing_config,
            revision_id: None,
        })?;
        Ok(done(changed.alias_arn))
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        let asked: Properties = properties(&SCHEMA, &handle.properties)?;
        deleted(cx.call(DeleteAlias { function_name: asked.function_name, name: asked.name }))
    }
}
