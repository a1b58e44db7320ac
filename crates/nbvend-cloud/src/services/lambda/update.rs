//! `UpdateFunctionCode`, `UpdateFunctionConfiguration`.

use serde::{Deserialize, Serialize};

use super::code::Source;
use super::config::{Change, Environment, FunctionConfiguration, Logging, Storage, Tracing, check_platform};
use super::error::Error;
use super::name::{Named, function_keys, resource};
use super::reconcile::CODE;
use super::state::Function;
use super::{role, version};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Need, Operation};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateFunctionCode {
    pub function_name: String,
    pub zip_file: Option<String>,
    #[serde(rename = "S3Bucket")]
    pub s3_bucket: Option<String>,
    #[serde(rename = "S3Key")]
    pub s3_key: Option<String>,
    #[serde(rename = "S3ObjectVersion")]
    pub s3_object_version: Option<String>,
    pub publish: bool,
    pub dry_run: bool,
    pub revision_id: Option<String>,
    pub architectures: Option<Vec<String>>,
    /// The package's members together, once they were read.
    #[serde(skip)]
    pub source: Option<Source>,
}

impl UpdateFunctionCode {
    fn source(&mut self) -> &mut Source {
        let source = Source {
            zip_file: self.zip_file.take(),
            s3_bucket: self.s3_bucket.clone(),
            s3_key: self.s3_key.clone(),
            s3_object_version: self.s3_object_version.clone(),
            ready: None,
        };
        self.source.get_or_insert(source)
    }
}

impl Operation for UpdateFunctionCode {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "UpdateFunctionCode";
    const KIND: Kind = Kind::Write;
    const SENSITIVE: &'static [&'static str] = &["Environment", "ZipFile"];
    const PREPARES: bool = true;
    type Output = FunctionConfiguration;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, None)
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
    }

    fn prepare(&mut self, cx: &mut Cx<'_>) -> Result<(), Error> {
        self.source().prepare(cx)?;
        Ok(())
    }

    fn run(mut self, cx: &mut Cx<'_>) -> Result<FunctionConfiguration, Error> {
        let mut function = Named::read(cx, &self.function_name, None)?.function(cx)?;
        check_platform(self.architectures.as_deref(), None)?;
        unchanged_since(&function, self.revision_id.as_deref())?;
        function.latest.code = self.source().prepare(cx)?;
        if self.dry_run {
            return Ok(FunctionConfiguration::made(cx, &function.name, function.latest));
        }
        changed(cx, &mut function);
        let config =
            if self.publish { version::publish(cx, &mut function, None)? } else { function.latest.clone() };
        cx.put(&function)?;
        Ok(FunctionConfiguration::made(cx, &function.name, config))
    }
}

/// An optimistic lock on `$LATEST`.
pub fn unchanged_since(function: &Function, revision: Option<&str>) -> Result<(), Error> {
    match revision {
        Some(revision) if revision != function.latest.revision => {
            Err(Error::Revision("GetFunction/GetAlias"))
        }
        _ => Ok(()),
    }
}

/// A new revision of `$LATEST`: its processes are new ones, the old ones end.
fn changed(cx: &Cx<'_>, function: &mut Function) {
    function.latest.revision = cx.ids().uuid();
    function.latest.modified = cx.now();
    cx.wake(CODE);
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateFunctionConfiguration {
    pub function_name: String,
    pub role: Option<String>,
    pub handler: Option<String>,
    pub description: Option<String>,
    pub timeout: Option<u32>,
    pub memory_size: Option<u32>,
    pub environment: Option<Environment>,
    pub runtime: Option<String>,
    pub tracing_config: Option<Tracing>,
    pub revision_id: Option<String>,
    pub ephemeral_storage: Option<Storage>,
    pub logging_config: Option<Logging>,
}

impl Operation for UpdateFunctionConfiguration {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "UpdateFunctionConfiguration";
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

    fn needs(&self, _cx: &Cx<'_>) -> Vec<Need> {
        self.role.iter().map(|role| Need::pass_role(role, role::PRINCIPAL)).collect()
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<FunctionConfiguration, Error> {
        let mut function = Named::read(cx, &self.function_name, None)?.function(cx)?;
        unchanged_since(&function, self.revision_id.as_deref())?;
        if let Some(role) = self.role.as_ref().filter(|role| **role != function.latest.role) {
            role::check(cx, role, &function.name)?;
        }
        let change = Change {
            description: self.description,
            runtime: self.runtime,
            handler: self.handler,
            role: self.role,
            timeout: self.timeout,
            memory_size: self.memory_size,
            environment: self.environment,
            tracing_config: self.tracing_config,
            ephemeral_storage: self.ephemeral_storage,
            logging_config: self.logging_config,
        };
        change.apply(&mut function.latest)?;
        changed(cx, &mut function);
        cx.put(&function)?;
        Ok(FunctionConfiguration::made(cx, &function.name, function.latest))
    }
}
