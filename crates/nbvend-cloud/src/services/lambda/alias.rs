//! Aliases: names for versions, with shares for a second one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::name::{Named, arn, function_keys, resource, version_number};
use super::page::{self, PAGE};
use super::state::{Alias, EventInvokeConfig, Function, LATEST, Version};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct Routing {
    pub additional_version_weights: Option<BTreeMap<String, f64>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AliasConfiguration {
    pub alias_arn: String,
    pub name: String,
    pub function_version: String,
    pub description: String,
    pub routing_config: Option<Routing>,
    pub revision_id: String,
}

impl AliasConfiguration {
    fn of(cx: &Cx<'_>, alias: Alias) -> Self {
        Self {
            alias_arn: arn(cx, &alias.function, Some(&alias.name)),
            name: alias.name,
            function_version: alias.version,
            description: alias.description,
            routing_config: (!alias.weights.is_empty())
                .then_some(Routing { additional_version_weights: Some(alias.weights) }),
            revision_id: alias.revision,
        }
    }
}

fn find(cx: &Cx<'_>, function: &str, name: &str) -> Result<Alias, Error> {
    let named = Named::read(cx, function, None)?;
    let alias = cx.get::<Alias>(&Alias::key_of(&named.name, name))?;
    alias.ok_or_else(|| Error::NoAlias(arn(cx, &named.name, Some(name))))
}

/// Whether an alias may point so.
fn check(cx: &Cx<'_>, function: &Function, alias: &Alias) -> Result<(), Error> {
    for version in std::iter::once(&alias.version).chain(alias.weights.keys()) {
        let exists = match version_number(version) {
            Some(number) => cx.get::<Version>(&Version::key_of(&function.name, number))?.is_some(),
            None => version == LATEST,
        };
        if !exists {
            return Err(Error::NoFunction(arn(cx, &function.name, Some(version))));
        }
    }
    if alias.weights.len() > 1 {
        return Err(Error::parameter("Number of items in AdditionalVersionWeights cannot be greater than 1"));
    }
    if !alias.weights.is_empty() && (alias.version == LATEST || alias.weights.contains_key(LATEST)) {
        return Err(Error::parameter(
            "$LATEST is not supported for an alias pointing to more than 1 version",
        ));
    }
    if alias.weights.contains_key(&alias.version) {
        let version = &alias.version;
        return Err(Error::parameter(format!(
            "Invalid function version {version}. Function version {version} is already included in routing configuration."
        )));
    }
    Ok(())
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateAlias {
    pub function_name: String,
    pub name: String,
    pub function_version: String,
    pub description: Option<String>,
    pub routing_config: Option<Routing>,
}

impl Operation for CreateAlias {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "CreateAlias";
    const KIND: Kind = Kind::Write;
    type Output = AliasConfiguration;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, None)
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<AliasConfiguration, Error> {
        let named = Named::unqualified(cx, &self.function_name)?;
        let versioned = Named { qualifier: Some(self.function_version.clone()), ..named };
        let function = versioned.function(cx)?;
        let alias = Alias {
            function: function.name.clone(),
            name: self.name,
            version: self.function_version,
            description: self.description.unwrap_or_default(),
            weights: self.routing_config.and_then(|r| r.additional_version_weights).unwrap_or_default(),
            revision: cx.ids().uuid(),
        };
        check(cx, &function, &alias)?;
        if cx.get::<Alias>(&Alias::key_of(&alias.function, &alias.name))?.is_some() {
            return Err(Error::AliasExists(arn(cx, &alias.function, Some(&alias.name))));
        }
        cx.put(&alias)?;
        Ok(AliasConfiguration::of(cx, alias))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetAlias {
    pub function_name: String,
    pub name: String,
}

impl Operation for GetAlias {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "GetAlias";
    const KIND: Kind = Kind::Read;
    type Output = AliasConfiguration;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, None)
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<AliasConfiguration, Error> {
        Ok(AliasConfiguration::of(cx, find(cx, &self.function_name, &self.name)?))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateAlias {
    pub function_name: String,
    pub name: String,
    pub function_version: Option<String>,
    pub description: Option<String>,
    pub routing_config: Option<Routing>,
    pub revision_id: Option<String>,
}

impl Operation for UpdateAlias {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "UpdateAlias";
    const KIND: Kind = Kind::Write;
    type Output = AliasConfiguration;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, None)
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<AliasConfiguration, Error> {
        let mut alias = find(cx, &self.function_name, &self.name)?;
        if self.revision_id.is_some_and(|revision| revision != alias.revision) {
            return Err(Error::Revision("GetFunction/GetAlias"));
        }
        if let Some(version) = self.function_version {
            alias.version = version;
        }
        if let Some(description) = self.description {
            alias.description = description;
        }
        if let Some(routing) = self.routing_config {
            alias.weights = routing.additional_version_weights.unwrap_or_default();
        }
        let function = Named { name: alias.function.clone(), qualifier: None }.function(cx)?;
        check(cx, &function, &alias)?;
        alias.revision = cx.ids().uuid();
        cx.put(&alias)?;
        Ok(AliasConfiguration::of(cx, alias))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteAlias {
    pub function_name: String,
    pub name: String,
}

impl Operation for DeleteAlias {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "DeleteAlias";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, None)
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
    }

    /// As on AWS, an alias that is not there is no error.
    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let named = Named::unqualified(cx, &self.function_name)?;
        let mut function = named.function(cx)?;
        cx.delete::<Alias>(&Alias::key_of(&named.name, &self.name))?;
        cx.delete::<EventInvokeConfig>(&EventInvokeConfig::key_of(&named.name, &self.name))?;
        if function.policies.remove(&self.name).is_some() {
            cx.put(&function)?;
        }
        Ok(())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListAliases {
    pub function_name: String,
    pub function_version: Option<String>,
    pub marker: Option<String>,
    pub max_items: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAliasesOutput {
    pub next_marker: Option<String>,
    pub aliases: Vec<AliasConfiguration>,
}

impl Operation for ListAliases {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "ListAliases";
    const KIND: Kind = Kind::Read;
    type Output = ListAliasesOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, None)
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListAliasesOutput, Error> {
        let named = Named::unqualified(cx, &self.function_name)?;
        named.function(cx)?;
        let after = self.marker.as_deref().map(page::read).transpose()?;
        let limit = self.max_items.unwrap_or(PAGE).clamp(1, PAGE);
        let prefix = format!("{}:", named.name);
        let mut aliases = cx.tx.list::<Alias>(cx.region(), &prefix, after.as_deref(), limit + 1)?;
        let more = aliases.len() > limit;
        aliases.truncate(limit);
        let next_marker =
            aliases.last().filter(|_| more).map(|a| page::write(&Alias::key_of(&a.function, &a.name)));
        aliases
            .retain(|alias| self.function_version.as_ref().is_none_or(|version| *version == alias.version));
        let aliases = aliases.into_iter().map(|alias| AliasConfiguration::of(cx, alias)).collect();
        Ok(ListAliasesOutput { next_marker, aliases })
    }
}
