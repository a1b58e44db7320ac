//! `GetFunction`, `GetFunctionConfiguration`, `ListFunctions`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::concurrency::Concurrency;
use super::config::FunctionConfiguration;
use super::error::Error;
use super::name::{Named, arn, function_keys, resource};
use super::page::{self, PAGE};
use super::state::{Function, Version};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// A function with its settings, tags and reserved concurrency. `Code.Location` is left out: AWS gives a link into a
/// bucket of its own there, and there is none here to link to.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetFunction {
    pub function_name: String,
    pub qualifier: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetFunctionOutput {
    pub configuration: FunctionConfiguration,
    pub code: CodeLocation,
    pub tags: Option<BTreeMap<String, String>>,
    pub concurrency: Option<Concurrency>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CodeLocation {
    pub repository_type: &'static str,
}

fn find(
    cx: &Cx<'_>,
    function: &str,
    qualifier: Option<&str>,
) -> Result<(Function, FunctionConfiguration), Error> {
    let named = Named::read(cx, function, qualifier)?;
    let found = named.function(cx)?;
    let config = named.version(cx, &found)?;
    let view = FunctionConfiguration::of(cx, &found.name, config, named.qualifier.as_deref());
    Ok((found, view))
}

impl Operation for GetFunction {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "GetFunction";
    const KIND: Kind = Kind::Read;
    type Output = GetFunctionOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, self.qualifier.as_deref())
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GetFunctionOutput, Error> {
        let (function, configuration) = find(cx, &self.function_name, self.qualifier.as_deref())?;
        Ok(GetFunctionOutput {
            configuration,
            code: CodeLocation { repository_type: "S3" },
            tags: (!function.tags.is_empty()).then_some(function.tags),
            concurrency: function.reserved.map(Concurrency::of),
        })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetFunctionConfiguration {
    pub function_name: String,
    pub qualifier: Option<String>,
}

impl Operation for GetFunctionConfiguration {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "GetFunctionConfiguration";
    const KIND: Kind = Kind::Read;
    type Output = FunctionConfiguration;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, self.qualifier.as_deref())
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<FunctionConfiguration, Error> {
        Ok(find(cx, &self.function_name, self.qualifier.as_deref())?.1)
    }
}

/// Lists functions, with `FunctionVersion=ALL` all their versions.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListFunctions {
    pub function_version: Option<String>,
    pub marker: Option<String>,
    pub max_items: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListFunctionsOutput {
    pub next_marker: Option<String>,
    pub functions: Vec<FunctionConfiguration>,
}

impl Operation for ListFunctions {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "ListFunctions";
    const KIND: Kind = Kind::Read;
    type Output = ListFunctionsOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<ListFunctionsOutput, Error> {
        let after = self.marker.as_deref().map(page::read).transpose()?;
        let limit = self.max_items.unwrap_or(PAGE).clamp(1, PAGE);
        if self.function_version.is_some() {
            return all_versions(cx, after, limit);
        }
        let mut functions = cx.tx.list::<Function>(cx.region(), "", after.as_deref(), limit + 1)?;
        let more = functions.len() > limit;
        functions.truncate(limit);
        let next_marker = functions.last().filter(|_| more).map(|last| page::write(&last.name));
        let view = |function: Function| FunctionConfiguration {
            function_arn: arn(cx, &function.name, None),
            ..FunctionConfiguration::listed(cx, &function.name, function.latest)
        };
        Ok(ListFunctionsOutput { functions: functions.into_iter().map(view).collect(), next_marker })
    }
}

/// A marker is `function` (its `$LATEST` was the last) or a version's key.
fn all_versions(cx: &Cx<'_>, after: Option<String>, limit: usize) -> Result<ListFunctionsOutput, Error> {
    let mut found: Vec<(String, FunctionConfiguration)> = Vec::new();
    let (mut function, mut within) = match after {
        None => (None, None),
        Some(key) => (Some(key.split(':').next().unwrap_or_default().to_owned()), Some(key)),
    };
    while found.len() <= limit {
        if let (Some(name), Some(key)) = (&function, &within) {
            let rest = cx.tx.list::<Version>(cx.region(), &format!("{name}:"), Some(key), limit + 1)?;
            found.extend(rest.into_iter().map(|version| {
                let key = Version::key_of(&version.function, version.number);
                (key, FunctionConfiguration::listed(cx, &version.function, version.config))
            }));
            within = None;
            continue;
        }
        let next = cx.tx.list::<Function>(cx.region(), "", function.as_deref(), 1)?.pop();
        let Some(next) = next else { break };
        found.push((next.name.clone(), FunctionConfiguration::listed(cx, &next.name, next.latest)));
        (function, within) = (Some(next.name.clone()), Some(format!("{}:", next.name)));
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let next_marker = found.last().filter(|_| more).map(|(key, _)| page::write(key));
    let master = |mut view: FunctionConfiguration| {
        view.master_arn = Some(arn(cx, &view.function_name, Some("$LATEST")));
        view
    };
    Ok(ListFunctionsOutput {
        functions: found.into_iter().map(|(_, view)| master(view)).collect(),
        next_marker,
    })
}
