//! `AWS::Lambda::EventInvokeConfig`.

use serde::Deserialize;

use super::super::event_config::{
    DeleteFunctionEventInvokeConfig, Destination, Destinations, PutFunctionEventInvokeConfig,
};
use super::{deleted, invalid};
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::{
    Deletion, Handle, Progress, Provider, Request, Schema, Update, generated_name, lenient, optional,
    properties, required,
};

pub struct EventInvokeConfig;

static SCHEMA: Schema = Schema {
    type_name: "AWS::Lambda::EventInvokeConfig",
    properties: &[
        optional("DestinationConfig", Update::InPlace),
        required("FunctionName", Update::Replacement),
        optional("MaximumEventAgeInSeconds", Update::InPlace),
        optional("MaximumRetryAttempts", Update::InPlace),
        required("Qualifier", Update::Replacement),
    ],
    attributes: &[],
    tags: None,
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    destination_config: Option<DestinationConfig>,
    function_name: String,
    #[serde(default, deserialize_with = "lenient::integer")]
    maximum_event_age_in_seconds: Option<i64>,
    #[serde(default, deserialize_with = "lenient::integer")]
    maximum_retry_attempts: Option<i64>,
    #[serde(deserialize_with = "lenient::text")]
    qualifier: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DestinationConfig {
    on_success: Option<Destination>,
    on_failure: Option<Destination>,
}

impl Properties {
    fn put(self) -> Result<PutFunctionEventInvokeConfig, EngineError> {
        let small = |name: &str, value: Option<i64>, most: i64| match value {
            Some(value) if !(0..=most).contains(&value) => {
                Err(invalid(format!("{name} is out of range: {value}")))
            }
            value => Ok(value.and_then(|value| u32::try_from(value).ok())),
        };
        let destinations = self
            .destination_config
            .map(|config| Destinations { on_success: config.on_success, on_failure: config.on_failure });
        Ok(PutFunctionEventInvokeConfig {
            function_name: self.function_name,
            qualifier: self.qualifier,
            maximum_retry_attempts: small("MaximumRetryAttempts", self.maximum_retry_attempts, 2)?,
            maximum_event_age_in_seconds: small(
                "MaximumEventAgeInSeconds",
                self.maximum_event_age_in_seconds,
                21_600,
            )?,
            destination_config: destinations,
        })
    }
}

impl Provider for EventInvokeConfig {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let asked: Properties = properties(&SCHEMA, &request.properties)?;
        let id = generated_name(cx, request, 128);
        cx.call(asked.put()?)?;
        Ok(Progress::done(id))
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let asked: Properties = properties(&SCHEMA, &request.properties)?;
        cx.call(asked.put()?)?;
        Ok(Progress::done(&handle.physical_id))
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        let asked: Properties = properties(&SCHEMA, &handle.properties)?;
        deleted(cx.call(DeleteFunctionEventInvokeConfig {
            function_name: asked.function_name,
            qualifier: asked.qualifier,
        }))
    }
}
