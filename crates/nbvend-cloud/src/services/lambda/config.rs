//! A version's settings: what a request may say, what of it is taken, and how it is shown.

use std::collections::BTreeMap;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::code;
use super::error::Error;
use super::name;
use super::state::{Config, LATEST};
use crate::context::Cx;

/// This machine's word for its processor; functions run natively.
pub const ARCHITECTURE: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Environment {
    pub variables: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Tracing {
    pub mode: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Storage {
    pub size: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Logging {
    /// `Text` alone.
    pub log_format: Option<String>,
    pub log_group: Option<String>,
}

/// Settings as `CreateFunction` and `UpdateFunctionConfiguration` give them; what is absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub description: Option<String>,
    pub runtime: Option<String>,
    pub handler: Option<String>,
    pub role: Option<String>,
    pub timeout: Option<u32>,
    pub memory_size: Option<u32>,
    pub environment: Option<Environment>,
    pub tracing_config: Option<Tracing>,
    pub ephemeral_storage: Option<Storage>,
    pub logging_config: Option<Logging>,
}

impl Change {
    pub fn apply(self, config: &mut Config) -> Result<(), Error> {
        if let Some(runtime) = self.runtime {
            check_runtime(&runtime)?;
            config.runtime = runtime;
        }
        if let Some(seconds) = self.timeout {
            at_most("timeout", seconds, 900)?;
            config.timeout_seconds = seconds;
        }
        if let Some(size) = self.memory_size {
            at_most("memorySize", size, 10_240)?;
            config.memory_mb = size;
        }
        if let Some(environment) = self.environment {
            let variables = environment.variables.unwrap_or_default();
            check_environment(&variables)?;
            config.environment = (!variables.is_empty()).then_some(variables);
        }
        if let Some(logging) = self.logging_config {
            if let Some(format) = logging.log_format.filter(|format| format != "Text") {
                return Err(Error::parameter(format!(
                    "nbvend writes functions' logs as Text, not as {format}"
                )));
            }
            config.log_group = logging.log_group;
        }
        config.tracing =
            self.tracing_config.and_then(|t| t.mode).unwrap_or(std::mem::take(&mut config.tracing));
        config.ephemeral_mb = self.ephemeral_storage.map_or(config.ephemeral_mb, |storage| storage.size);
        for (new, old) in [
            (self.description, &mut config.description),
            (self.handler, &mut config.handler),
            (self.role, &mut config.role),
        ] {
            if let Some(new) = new {
                *old = new;
            }
        }
        Ok(())
    }
}

fn at_most(member: &str, value: u32, limit: u32) -> Result<(), Error> {
    if value <= limit {
        return Ok(());
    }
    Err(Error::parameter(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must have value less than or equal to {limit}"
    )))
}

fn check_runtime(runtime: &str) -> Result<(), Error> {
    match runtime {
        "provided.al2" | "provided.al2023" => Ok(()),
        _ if runtime.starts_with("python3.") => Ok(()),
        _ => Err(Error::parameter(format!(
            "nbvend runs functions of the runtimes provided.al2023, provided.al2 and python3.x, not {runtime}"
        ))),
    }
}

/// Refuses what this machine does not run.
pub fn check_platform(architectures: Option<&[String]>, package_type: Option<&str>) -> Result<(), Error> {
    if let Some(other) = architectures.into_iter().flatten().find(|given| *given != ARCHITECTURE) {
        return Err(Error::parameter(format!(
            "nbvend runs functions natively, and this machine is {ARCHITECTURE}, not {other}"
        )));
    }
    match package_type {
        None | Some("Zip") => Ok(()),
        Some(other) => {
            Err(Error::parameter(format!("nbvend runs functions of package type Zip, not {other}")))
        }
    }
}

/// Names that the runtime sets (AWS's list of reserved environment variables).
const RESERVED: &[&str] = &[
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
];

fn check_environment(variables: &BTreeMap<String, String>) -> Result<(), Error> {
    let reserved: Vec<&str> =
        variables.keys().map(String::as_str).filter(|key| RESERVED.contains(key)).collect();
    let because = "Lambda was unable to configure your environment variables because the environment variables you have provided";
    if !reserved.is_empty() {
        let used = reserved.join(", ");
        return Err(Error::parameter(format!(
            "{because} contains reserved keys that are currently not supported for modification. Reserved keys used in this request: {used}"
        )));
    }
    // AWS measures the map as JSON, and repeats it in the message; the message goes to the trail, the values must not.
    let size = serde_json::to_string(variables).map_or(0, |text| text.len());
    if size > 4096 {
        return Err(Error::parameter(format!("{because} exceeded the 4KB limit.")));
    }
    Ok(())
}

/// A version as every operation shows it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FunctionConfiguration {
    pub function_name: String,
    pub function_arn: String,
    pub runtime: String,
    pub role: String,
    pub handler: String,
    pub code_size: u64,
    pub description: String,
    pub timeout: u32,
    pub memory_size: u32,
    /// `2026-11-22T12:00:00.000+0000`.
    pub last_modified: String,
    pub code_sha256: String,
    pub version: String,
    pub environment: Option<Environment>,
    pub tracing_config: Tracing,
    pub master_arn: Option<String>,
    pub revision_id: String,
    pub state: Option<&'static str>,
    pub last_update_status: Option<&'static str>,
    pub package_type: &'static str,
    pub architectures: Vec<&'static str>,
    pub ephemeral_storage: Storage,
    pub snap_start: SnapStart,
    pub logging_config: Logging,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SnapStart {
    pub apply_on: &'static str,
    pub optimization_status: &'static str,
}

impl FunctionConfiguration {
    /// `qualifier` is what the ARN ends in: what the caller asked by.
    pub fn of(cx: &Cx<'_>, function: &str, config: Config, qualifier: Option<&str>) -> Self {
        Self {
            function_name: function.to_owned(),
            function_arn: name::arn(cx, function, qualifier),
            code_size: config.code.size,
            last_modified: last_modified(config.modified),
            code_sha256: code::sha256(&config.code),
            environment: config.environment.clone().map(|v| Environment { variables: Some(v) }),
            master_arn: None,
            // A package is checked before it is taken, and nothing else has to be made ready.
            state: Some("Active"),
            last_update_status: Some("Successful"),
            package_type: "Zip",
            architectures: vec![ARCHITECTURE],
            ephemeral_storage: Storage { size: config.ephemeral_mb },
            snap_start: SnapStart { apply_on: "None", optimization_status: "Off" },
            logging_config: Logging {
                log_format: Some("Text".to_owned()),
                log_group: Some(config.log_group(function)),
            },
            runtime: config.runtime,
            role: config.role,
            handler: config.handler,
            description: config.description,
            timeout: config.timeout_seconds,
            memory_size: config.memory_mb,
            version: config.version,
            tracing_config: Tracing { mode: Some(config.tracing) },
            revision_id: config.revision,
        }
    }

    /// A version as answered to who made or changed it: published ones by their number.
    pub fn made(cx: &Cx<'_>, function: &str, config: Config) -> Self {
        let version = config.version.clone();
        Self::of(cx, function, config, Some(version.as_str()).filter(|version| *version != LATEST))
    }

    /// As lists show it: always by its number, without the state.
    pub fn listed(cx: &Cx<'_>, function: &str, config: Config) -> Self {
        let version = config.version.clone();
        Self { state: None, last_update_status: None, ..Self::of(cx, function, config, Some(&version)) }
    }
}

fn last_modified(time: Timestamp) -> String {
    time.iso8601_millis().replace('Z', "+0000")
}
