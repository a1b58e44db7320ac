//! How asynchronous invocations of a function are tried again, and who hears of their end.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::destination::event_bus;
use super::error::Error;
use super::name::{Named, arn, function_keys, resource};
use super::page::{self, PAGE};
use super::state::{EventInvokeConfig, Function, LATEST};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct Destinations {
    pub on_success: Option<Destination>,
    pub on_failure: Option<Destination>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct Destination {
    pub destination: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EventInvokeConfigView {
    pub last_modified: Timestamp,
    pub function_arn: String,
    pub maximum_retry_attempts: Option<u32>,
    pub maximum_event_age_in_seconds: Option<u32>,
    pub destination_config: Destinations,
}

impl EventInvokeConfigView {
    fn of(cx: &Cx<'_>, config: EventInvokeConfig) -> Self {
        let destination = |to: Option<String>| Some(Destination { destination: Some(to?) });
        // AWS shows what is not set as an empty object.
        let shown = |to| destination(to).or_else(|| Some(Destination::default()));
        Self {
            last_modified: config.modified,
            function_arn: arn(cx, &config.function, Some(&config.qualifier)),
            maximum_retry_attempts: config.retries,
            maximum_event_age_in_seconds: config.age_seconds,
            destination_config: Destinations {
                on_success: shown(config.on_success),
                on_failure: shown(config.on_failure),
            },
        }
    }
}

fn qualified(cx: &Cx<'_>, function: &str, qualifier: Option<&str>) -> Result<(Named, String), Error> {
    let named = Named::read(cx, function, qualifier)?;
    let qualifier = named.qualifier.clone().unwrap_or_else(|| LATEST.to_owned());
    Ok((named, qualifier))
}

fn find(cx: &Cx<'_>, function: &str, qualifier: Option<&str>) -> Result<EventInvokeConfig, Error> {
    let (named, qualifier) = qualified(cx, function, qualifier)?;
    let config = cx.get(&EventInvokeConfig::key_of(&named.name, &qualifier))?;
    config.ok_or_else(|| Error::NoEventInvokeConfig(arn(cx, &named.name, Some(&qualifier))))
}

/// A destination's ARN, or none for an empty text: a function or an event bus of this account and region.
fn destination(cx: &Cx<'_>, given: Option<Destination>, own: &Named) -> Result<Option<String>, Error> {
    let Some(to) = given.and_then(|given| given.destination).filter(|to| !to.is_empty()) else {
        return Ok(None);
    };
    if event_bus(&to).is_some() {
        return match to.starts_with(&cx.arn("events", "event-bus/")) {
            true => Ok(Some(to)),
            false => Err(Error::parameter(format!("The destination ARN {to} is invalid."))),
        };
    }
    if !to.starts_with("arn:aws:lambda:") {
        return Err(Error::parameter(format!(
            "nbvend serves functions and event buses as destinations of asynchronous invocations, not {to}"
        )));
    }
    let named = Named::read(cx, &to, None)?;
    if named.name == own.name {
        return Err(Error::parameter("You can't specify the function as a destination for itself."));
    }
    if cx.get::<Function>(&named.name)?.is_none() {
        return Err(Error::parameter(format!("The destination ARN {to} is invalid.")));
    }
    Ok(Some(to))
}

/// Sets all settings anew.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutFunctionEventInvokeConfig {
    pub function_name: String,
    pub qualifier: Option<String>,
    pub maximum_retry_attempts: Option<u32>,
    pub maximum_event_age_in_seconds: Option<u32>,
    pub destination_config: Option<Destinations>,
}

impl Operation for PutFunctionEventInvokeConfig {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "PutFunctionEventInvokeConfig";
    const KIND: Kind = Kind::Write;
    type Output = EventInvokeConfigView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, self.qualifier.as_deref())
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<EventInvokeConfigView, Error> {
        let (named, qualifier) = qualified(cx, &self.function_name, self.qualifier.as_deref())?;
        let missing = || Error::NoFunctionToConfigure;
        let function = cx.get::<Function>(&named.name)?.ok_or_else(missing)?;
        named.version(cx, &function).map_err(|_| missing())?;
        if self.maximum_retry_attempts.is_none()
            && self.maximum_event_age_in_seconds.is_none()
            && self.destination_config.is_none()
        {
            return Err(Error::parameter(
                "You must specify at least one of error handling or destination setting.",
            ));
        }
        let destinations = self.destination_config.unwrap_or_default();
        let config = EventInvokeConfig {
            retries: self.maximum_retry_attempts,
            age_seconds: self.maximum_event_age_in_seconds,
            on_success: destination(cx, destinations.on_success, &named)?,
            on_failure: destination(cx, destinations.on_failure, &named)?,
            modified: cx.now(),
            function: named.name,
            qualifier,
        };
        cx.put(&config)?;
        Ok(EventInvokeConfigView::of(cx, config))
    }
}

/// Changes what is given.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateFunctionEventInvokeConfig {
    pub function_name: String,
    pub qualifier: Option<String>,
    pub maximum_retry_attempts: Option<u32>,
    pub maximum_event_age_in_seconds: Option<u32>,
    pub destination_config: Option<Destinations>,
}

impl Operation for UpdateFunctionEventInvokeConfig {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "UpdateFunctionEventInvokeConfig";
    const KIND: Kind = Kind::Write;
    type Output = EventInvokeConfigView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, self.qualifier.as_deref())
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<EventInvokeConfigView, Error> {
        let mut config = find(cx, &self.function_name, self.qualifier.as_deref())?;
        let named = Named { name: config.function.clone(), qualifier: None };
        config.retries = self.maximum_retry_attempts.or(config.retries);
        config.age_seconds = self.maximum_event_age_in_seconds.or(config.age_seconds);
        if let Some(destinations) = self.destination_config {
            if destinations.on_success.is_some() {
                config.on_success = destination(cx, destinations.on_success, &named)?;
            }
            if destinations.on_failure.is_some() {
                config.on_failure = destination(cx, destinations.on_failure, &named)?;
            }
        }
        config.modified = cx.now();
        cx.put(&config)?;
        Ok(EventInvokeConfigView::of(cx, config))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetFunctionEventInvokeConfig {
    pub function_name: String,
    pub qualifier: Option<String>,
}

impl Operation for GetFunctionEventInvokeConfig {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "GetFunctionEventInvokeConfig";
    const KIND: Kind = Kind::Read;
    type Output = EventInvokeConfigView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, self.qualifier.as_deref())
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<EventInvokeConfigView, Error> {
        let config = find(cx, &self.function_name, self.qualifier.as_deref())?;
        Ok(EventInvokeConfigView::of(cx, config))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteFunctionEventInvokeConfig {
    pub function_name: String,
    pub qualifier: Option<String>,
}

impl Operation for DeleteFunctionEventInvokeConfig {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "DeleteFunctionEventInvokeConfig";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, self.qualifier.as_deref())
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let config = find(cx, &self.function_name, self.qualifier.as_deref())?;
        cx.delete::<EventInvokeConfig>(&EventInvokeConfig::key_of(&config.function, &config.qualifier))?;
        Ok(())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListFunctionEventInvokeConfigs {
    pub function_name: String,
    pub marker: Option<String>,
    pub max_items: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListFunctionEventInvokeConfigsOutput {
    pub function_event_invoke_configs: Vec<EventInvokeConfigView>,
    pub next_marker: Option<String>,
}

impl Operation for ListFunctionEventInvokeConfigs {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "ListFunctionEventInvokeConfigs";
    const KIND: Kind = Kind::Read;
    type Output = ListFunctionEventInvokeConfigsOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, None)
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListFunctionEventInvokeConfigsOutput, Error> {
        let named = Named::read(cx, &self.function_name, None)?;
        cx.get::<Function>(&named.name)?.ok_or(Error::NoFunctionToConfigure)?;
        let after = self.marker.as_deref().map(page::read).transpose()?;
        let limit = self.max_items.unwrap_or(PAGE).clamp(1, PAGE);
        let prefix = format!("{}:", named.name);
        let mut configs =
            cx.tx.list::<EventInvokeConfig>(cx.region(), &prefix, after.as_deref(), limit + 1)?;
        let more = configs.len() > limit;
        configs.truncate(limit);
        let last = configs.last().map(|last| EventInvokeConfig::key_of(&last.function, &last.qualifier));
        Ok(ListFunctionEventInvokeConfigsOutput {
            next_marker: last.filter(|_| more).map(|key| page::write(&key)),
            function_event_invoke_configs: configs
                .into_iter()
                .map(|config| EventInvokeConfigView::of(cx, config))
                .collect(),
        })
    }
}
