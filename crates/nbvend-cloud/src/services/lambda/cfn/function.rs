//! `AWS::Lambda::Function`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::code::{Source, package};
use super::super::concurrency::{DeleteFunctionConcurrency, PutFunctionConcurrency};
use super::super::config::{Environment, Logging, Storage, Tracing};
use super::super::create::CreateFunction;
use super::super::delete::DeleteFunction;
use super::super::name::arn;
use super::super::tags::{TagResource, UntagResource};
use super::super::update::{UpdateFunctionCode, UpdateFunctionConfiguration};
use super::{deleted, invalid};
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::{
    Deletion, Handle, Progress, Provider, Request, Schema, Update, generated_name, lenient, optional,
    properties, required,
};

pub struct Function;

static SCHEMA: Schema = Schema {
    type_name: "AWS::Lambda::Function",
    properties: &[
        optional("Architectures", Update::InPlace),
        required("Code", Update::InPlace),
        optional("Description", Update::InPlace),
        optional("Environment", Update::InPlace),
        optional("EphemeralStorage", Update::InPlace),
        optional("FunctionName", Update::Replacement),
        optional("Handler", Update::InPlace),
        optional("LoggingConfig", Update::InPlace),
        optional("MemorySize", Update::InPlace),
        optional("PackageType", Update::Replacement),
        optional("ReservedConcurrentExecutions", Update::InPlace),
        required("Role", Update::InPlace),
        optional("Runtime", Update::InPlace),
        optional("Tags", Update::InPlace),
        optional("Timeout", Update::InPlace),
        optional("TracingConfig", Update::InPlace),
    ],
    attributes: &["Arn"],
    tags: Some("Tags"),
};

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    architectures: Option<Vec<String>>,
    code: Code,
    description: Option<String>,
    environment: Option<Variables>,
    ephemeral_storage: Option<Size>,
    function_name: Option<String>,
    handler: Option<String>,
    logging_config: Option<Value>,
    #[serde(default, deserialize_with = "lenient::integer")]
    memory_size: Option<i64>,
    package_type: Option<String>,
    #[serde(default, deserialize_with = "lenient::integer")]
    reserved_concurrent_executions: Option<i64>,
    role: String,
    runtime: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default, deserialize_with = "lenient::integer")]
    timeout: Option<i64>,
    tracing_config: Option<Mode>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Code {
    /// The text of the one file, not a zip.
    zip_file: Option<String>,
    #[serde(rename = "S3Bucket")]
    s3_bucket: Option<String>,
    #[serde(rename = "S3Key")]
    s3_key: Option<String>,
    #[serde(rename = "S3ObjectVersion")]
    s3_object_version: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Variables {
    #[serde(default, deserialize_with = "lenient::texts")]
    variables: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Size {
    #[serde(deserialize_with = "lenient::integer")]
    size: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Mode {
    mode: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Tag {
    key: String,
    value: String,
}

fn natural(name: &str, value: Option<i64>) -> Result<Option<u32>, EngineError> {
    value
        .map(|value| u32::try_from(value).map_err(|_| invalid(format!("{name} is out of range: {value}"))))
        .transpose()
}

impl Properties {
    fn source(&self) -> Result<Source, EngineError> {
        let zip_file = self.code.zip_file.as_deref().map(|text| self.inline(text)).transpose()?;
        Ok(Source {
            zip_file,
            s3_bucket: self.code.s3_bucket.clone(),
            s3_key: self.code.s3_key.clone(),
            s3_object_version: self.code.s3_object_version.clone(),
            ready: None,
        })
    }

    /// CloudFormation makes a file named `index` of an inline function's text.
    fn inline(&self, text: &str) -> Result<String, EngineError> {
        let runtime = self.runtime.as_deref().unwrap_or_default();
        if !runtime.starts_with("python") {
            return Err(invalid(
                "ZipFile can only be used when Runtime is set to one of the python runtimes",
            ));
        }
        let zip = package("index.py", text).map_err(|error| invalid(format!("ZipFile: {error}")))?;
        Ok(STANDARD.encode(zip))
    }

    fn environment(&self) -> Option<Environment> {
        let variables = self.environment.as_ref().map(|environment| environment.variables.clone());
        variables.map(|variables| Environment { variables: Some(variables) })
    }

    fn tracing(&self) -> Option<Tracing> {
        self.tracing_config.as_ref().map(|tracing| Tracing { mode: tracing.mode.clone() })
    }

    fn storage(&self) -> Result<Option<Storage>, EngineError> {
        let size =
            natural("EphemeralStorage.Size", self.ephemeral_storage.as_ref().and_then(|size| size.size))?;
        Ok(size.map(|size| Storage { size }))
    }

    fn logging(&self) -> Result<Option<Logging>, EngineError> {
        let read = |value: &Value| serde_json::from_value(value.clone());
        let logging = self.logging_config.as_ref().map(read).transpose();
        logging.map_err(|error| invalid(format!("LoggingConfig: {error}")))
    }

    fn tags(&self) -> BTreeMap<String, String> {
        self.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
    }

    /// The settings as they are to be, what the template leaves out at AWS's default: an update takes it back.
    fn settings(&self, name: &str) -> Result<UpdateFunctionConfiguration, EngineError> {
        Ok(UpdateFunctionConfiguration {
            function_name: name.to_owned(),
            role: Some(self.role.clone()),
            handler: self.handler.clone(),
            description: Some(self.description.clone().unwrap_or_default()),
            timeout: natural("Timeout", self.timeout)?.or(Some(3)),
            memory_size: natural("MemorySize", self.memory_size)?.or(Some(128)),
            environment: self.environment().or_else(|| Some(Environment::default())),
            runtime: self.runtime.clone(),
            tracing_config: self.tracing().or_else(|| Some(Tracing { mode: Some("PassThrough".to_owned()) })),
            ephemeral_storage: self.storage()?.or(Some(Storage { size: 512 })),
            logging_config: self.logging()?.or(Some(Logging { log_format: None, log_group: None })),
            ..Default::default()
        })
    }
}

fn done(cx: &Cx<'_>, name: &str) -> Progress {
    let arn = Value::String(arn(cx, name, None));
    Progress::Done { physical_id: name.to_owned(), attributes: Map::from_iter([("Arn".to_owned(), arn)]) }
}

fn reserve(cx: &mut Cx<'_>, name: &str, reserved: Option<u32>) -> Result<(), EngineError> {
    let function_name = name.to_owned();
    match reserved {
        Some(reserved_concurrent_executions) => {
            cx.call(PutFunctionConcurrency { function_name, reserved_concurrent_executions })?;
        }
        None => cx.call(DeleteFunctionConcurrency { function_name })?,
    }
    Ok(())
}

impl Provider for Function {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let asked: Properties = properties(&SCHEMA, &request.properties)?;
        let name = match &asked.function_name {
            Some(name) => name.clone(),
            None => generated_name(cx, request, 64),
        };
        let tags = asked.tags();
        cx.call(CreateFunction {
            function_name: name.clone(),
            runtime: asked.runtime.clone(),
            role: asked.role.clone(),
            handler: asked.handler.clone(),
            code: asked.source()?,
            description: asked.description.clone(),
            timeout: natural("Timeout", asked.timeout)?,
            memory_size: natural("MemorySize", asked.memory_size)?,
            publish: false,
            package_type: asked.package_type.clone(),
            environment: asked.environment(),
            tracing_config: asked.tracing(),
            tags: (!tags.is_empty()).then_some(tags),
            architectures: asked.architectures.clone(),
            ephemeral_storage: asked.storage()?,
            logging_config: asked.logging()?,
        })?;
        if let Some(reserved) = natural("ReservedConcurrentExecutions", asked.reserved_concurrent_executions)?
        {
            reserve(cx, &name, Some(reserved))?;
        }
        Ok(done(cx, &name))
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let old: Properties = properties(&SCHEMA, &handle.properties)?;
        let new: Properties = properties(&SCHEMA, &request.properties)?;
        let name = &handle.physical_id;
        if new.code != old.code || new.architectures != old.architectures {
            let source = new.source()?;
            cx.call(UpdateFunctionCode {
                function_name: name.clone(),
                zip_file: source.zip_file,
                s3_bucket: source.s3_bucket,
                s3_key: source.s3_key,
                s3_object_version: source.s3_object_version,
                architectures: new.architectures.clone(),
                ..Default::default()
            })?;
        }
        let others_aside = Properties {
            code: new.code.clone(),
            architectures: new.architectures.clone(),
            tags: new.tags.clone(),
            reserved_concurrent_executions: new.reserved_concurrent_executions,
            ..old.clone()
        };
        if new != others_aside {
            cx.call(new.settings(name)?)?;
        }
        if new.reserved_concurrent_executions != old.reserved_concurrent_executions {
            let reserved = natural("ReservedConcurrentExecutions", new.reserved_concurrent_executions)?;
            reserve(cx, name, reserved)?;
        }
        let (resource, tags, old_tags) = (arn(cx, name, None), new.tags(), old.tags());
        let gone: Vec<String> = old_tags.keys().filter(|key| !tags.contains_key(*key)).cloned().collect();
        if !gone.is_empty() {
            cx.call(UntagResource { resource: resource.clone(), tag_keys: gone })?;
        }
        if !tags.is_empty() && tags != old_tags {
            cx.call(TagResource { resource, tags })?;
        }
        Ok(done(cx, name))
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        deleted(cx.call(DeleteFunction { function_name: handle.physical_id.clone(), qualifier: None }))
    }
}
