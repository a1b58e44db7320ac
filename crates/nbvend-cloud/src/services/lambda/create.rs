//! `CreateFunction`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::code::Source;
use super::config::{Change, Environment, FunctionConfiguration, Logging, Storage, Tracing, check_platform};
use super::error::Error;
use super::name::{Named, arn, resource};
use super::state::{Code, Config, Function, LATEST};
use super::{role, tags, version};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Need, Operation};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateFunction {
    pub function_name: String,
    pub runtime: Option<String>,
    pub role: String,
    pub handler: Option<String>,
    pub code: Source,
    pub description: Option<String>,
    pub timeout: Option<u32>,
    pub memory_size: Option<u32>,
    pub publish: bool,
    pub package_type: Option<String>,
    pub environment: Option<Environment>,
    pub tracing_config: Option<Tracing>,
    pub tags: Option<BTreeMap<String, String>>,
    pub architectures: Option<Vec<String>>,
    pub ephemeral_storage: Option<Storage>,
    pub logging_config: Option<Logging>,
}

impl Operation for CreateFunction {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "CreateFunction";
    const KIND: Kind = Kind::Write;
    const SENSITIVE: &'static [&'static str] = &["Environment", "ZipFile"];
    const PREPARES: bool = true;
    type Output = FunctionConfiguration;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, None)
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        tags::request_keys(self.tags.iter().flatten(), keys);
    }

    fn prepare(&mut self, cx: &mut Cx<'_>) -> Result<(), Error> {
        self.code.prepare(cx)?;
        Ok(())
    }

    fn needs(&self, _cx: &Cx<'_>) -> Vec<Need> {
        vec![Need::pass_role(&self.role, role::PRINCIPAL)]
    }

    fn run(mut self, cx: &mut Cx<'_>) -> Result<FunctionConfiguration, Error> {
        let named = Named::read(cx, &self.function_name, None)?;
        check_platform(self.architectures.as_deref(), self.package_type.as_deref())?;
        if self.runtime.is_none() || self.handler.as_deref().is_none_or(str::is_empty) {
            return Err(Error::parameter(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
            ));
        }
        let mut tags = BTreeMap::new();
        tags::add(cx, &mut tags, self.tags.take().unwrap_or_default())?;
        if cx.get::<Function>(&named.name)?.is_some() {
            return Err(Error::FunctionExists(arn(cx, &named.name, None)));
        }
        let code = self.code.prepare(cx)?;
        let mut latest = defaults(cx, code);
        let (publish, role) = (self.publish, self.role.clone());
        self.change().apply(&mut latest)?;
        role::check(cx, &role, &named.name)?;
        let mut function = Function {
            name: named.name,
            latest,
            next_version: 1,
            published: None,
            tags,
            policies: BTreeMap::new(),
            reserved: None,
        };
        let config =
            if publish { version::publish(cx, &mut function, None)? } else { function.latest.clone() };
        cx.put(&function)?;
        Ok(FunctionConfiguration::made(cx, &function.name, config))
    }
}

impl CreateFunction {
    fn change(self) -> Change {
        Change {
            description: self.description,
            runtime: self.runtime,
            handler: self.handler,
            role: Some(self.role),
            timeout: self.timeout,
            memory_size: self.memory_size,
            environment: self.environment,
            tracing_config: self.tracing_config,
            ephemeral_storage: self.ephemeral_storage,
            logging_config: self.logging_config,
        }
    }
}

/// AWS's defaults.
fn defaults(cx: &Cx<'_>, code: Code) -> Config {
    Config {
        version: LATEST.to_owned(),
        description: String::new(),
        runtime: String::new(),
        handler: String::new(),
        role: String::new(),
        timeout_seconds: 3,
        memory_mb: 128,
        ephemeral_mb: 512,
        environment: None,
        tracing: "PassThrough".to_owned(),
        log_group: None,
        code,
        revision: cx.ids().uuid(),
        modified: cx.now(),
    }
}
