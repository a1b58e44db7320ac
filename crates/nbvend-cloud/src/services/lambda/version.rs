//! `PublishVersion`, `ListVersionsByFunction`.

use serde::{Deserialize, Serialize};

use super::code;
use super::config::FunctionConfiguration;
use super::error::Error;
use super::name::{Named, function_keys, resource};
use super::page::{self, PAGE};
use super::state::{Config, Function, Published, Version};
use super::update::unchanged_since;
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// Makes `$LATEST` a numbered version, or answers the last one if nothing changed since. The caller stores `function`.
pub fn publish(cx: &Cx<'_>, function: &mut Function, description: Option<String>) -> Result<Config, Error> {
    if let Some(last) = function.published.as_ref().filter(|last| last.revision == function.latest.revision)
        && let Some(version) = cx.get::<Version>(&Version::key_of(&function.name, last.number))?
    {
        return Ok(version.config);
    }
    let number = function.next_version;
    function.next_version += 1;
    function.published = Some(Published { number, revision: function.latest.revision.clone() });
    let mut config = function.latest.clone();
    config.version = number.to_string();
    config.revision = cx.ids().uuid();
    if let Some(description) = description {
        config.description = description;
    }
    cx.put(&Version { function: function.name.clone(), number, config: config.clone() })?;
    Ok(config)
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct PublishVersion {
    pub function_name: String,
    pub code_sha256: Option<String>,
    pub description: Option<String>,
    pub revision_id: Option<String>,
}

impl Operation for PublishVersion {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "PublishVersion";
    const KIND: Kind = Kind::Write;
    const SENSITIVE: &'static [&'static str] = &["Environment"];
    type Output = FunctionConfiguration;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, None)
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<FunctionConfiguration, Error> {
        let mut function = Named::read(cx, &self.function_name, None)?.function(cx)?;
        unchanged_since(&function, self.revision_id.as_deref())?;
        let current = code::sha256(&function.latest.code);
        if let Some(given) = self.code_sha256.filter(|given| *given != current) {
            return Err(Error::parameter(format!(
                "CodeSHA256 ({given}) is different from current CodeSHA256 in $LATEST ({current}). Please try again with the CodeSHA256 in $LATEST."
            )));
        }
        let config = publish(cx, &mut function, self.description)?;
        cx.put(&function)?;
        Ok(FunctionConfiguration::made(cx, &function.name, config))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListVersionsByFunction {
    pub function_name: String,
    pub marker: Option<String>,
    pub max_items: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListVersionsByFunctionOutput {
    pub next_marker: Option<String>,
    pub versions: Vec<FunctionConfiguration>,
}

impl Operation for ListVersionsByFunction {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "ListVersionsByFunction";
    const KIND: Kind = Kind::Read;
    type Output = ListVersionsByFunctionOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, None)
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListVersionsByFunctionOutput, Error> {
        let function = Named::read(cx, &self.function_name, None)?.function(cx)?;
        let after = self.marker.as_deref().map(page::read).transpose()?;
        let limit = self.max_items.unwrap_or(PAGE).clamp(1, PAGE);
        // $LATEST stands before the numbers, and has no key of its own.
        let latest = after.is_none().then(|| function.latest.clone());
        let room = limit - usize::from(latest.is_some());
        let prefix = format!("{}:", function.name);
        let mut rest = cx.tx.list::<Version>(cx.region(), &prefix, after.as_deref(), room + 1)?;
        let more = rest.len() > room;
        rest.truncate(room);
        let last = rest.last().map_or(prefix, |version| Version::key_of(&version.function, version.number));
        let configs = latest.into_iter().chain(rest.into_iter().map(|version| version.config));
        Ok(ListVersionsByFunctionOutput {
            versions: configs.map(|c| FunctionConfiguration::listed(cx, &function.name, c)).collect(),
            next_marker: more.then(|| page::write(&last)),
        })
    }
}
