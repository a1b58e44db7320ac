//! What Lambda keeps: functions with their unpublished version, published versions, aliases, settings of asynchronous
//! invocation.

use std::collections::BTreeMap;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::Record;

/// The name of the version that is not published.
pub const LATEST: &str = "$LATEST";

/// A function and its unpublished version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Function {
    pub name: String,
    pub latest: Config,
    /// The number the next published version gets; numbers are not used again.
    pub next_version: u64,
    /// The last published version, and what `$LATEST` was then.
    pub published: Option<Published>,
    pub tags: BTreeMap<String, String>,
    /// Resource policies by qualifier; the function's own under the empty name.
    pub policies: BTreeMap<String, ResourcePolicy>,
    /// Reserved concurrency.
    pub reserved: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Published {
    pub number: u64,
    /// The revision of `$LATEST` that was published.
    pub revision: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ResourcePolicy {
    /// Statements as `GetPolicy` shows them, in the order they were added.
    pub statements: Vec<Value>,
    pub revision: String,
}

/// Code and settings of one version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Config {
    /// `$LATEST` or a number.
    pub version: String,
    pub description: String,
    pub runtime: String,
    pub handler: String,
    pub role: String,
    pub timeout_seconds: u32,
    pub memory_mb: u32,
    pub ephemeral_mb: u32,
    /// Sensitive: never in trail or log.
    pub environment: Option<BTreeMap<String, String>>,
    /// `PassThrough` or `Active`; stored and given back, there is no X-Ray here.
    pub tracing: String,
    /// Where logs go if not to `/aws/lambda/<name>`.
    pub log_group: Option<String>,
    pub code: Code,
    /// Changes whenever code or settings do, and differs between versions.
    pub revision: String,
    pub modified: Timestamp,
}

/// A deployment package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The blob that holds it; its name is the package's SHA-256 in hex.
    pub blob: String,
    pub size: u64,
}

impl Config {
    pub fn log_group(&self, function: &str) -> String {
        self.log_group.clone().unwrap_or_else(|| format!("/aws/lambda/{function}"))
    }
}

impl Record for Function {
    const KIND: &'static str = "lambda.function";
    const INDEXES: &'static [&'static str] = &["blob", "reserved"];

    fn key(&self) -> String {
        self.name.clone()
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        let reserved = self.reserved.map(|_| ("reserved", "yes".to_owned()));
        std::iter::once(("blob", self.latest.code.blob.clone())).chain(reserved).collect()
    }
}

/// A published version: never changed again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Version {
    pub function: String,
    pub number: u64,
    pub config: Config,
}

impl Version {
    /// Its key, so that numbers sort as numbers.
    pub fn key_of(function: &str, number: u64) -> String {
        format!("{function}:{number:020}")
    }
}

impl Record for Version {
    const KIND: &'static str = "lambda.version";
    const INDEXES: &'static [&'static str] = &["blob"];

    fn key(&self) -> String {
        Self::key_of(&self.function, self.number)
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        vec![("blob", self.config.code.blob.clone())]
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Alias {
    pub function: String,
    pub name: String,
    /// `$LATEST` or a number.
    pub version: String,
    pub description: String,
    /// Other versions with the share of calls that goes to them.
    pub weights: BTreeMap<String, f64>,
    pub revision: String,
}

impl Alias {
    pub fn key_of(function: &str, name: &str) -> String {
        format!("{function}:{name}")
    }
}

impl Record for Alias {
    const KIND: &'static str = "lambda.alias";

    fn key(&self) -> String {
        Self::key_of(&self.function, &self.name)
    }
}

/// Settings of asynchronous invocation of a function, version or alias.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EventInvokeConfig {
    pub function: String,
    /// `$LATEST`, a number or an alias.
    pub qualifier: String,
    pub retries: Option<u32>,
    pub age_seconds: Option<u32>,
    /// ARNs of functions.
    pub on_success: Option<String>,
    pub on_failure: Option<String>,
    pub modified: Timestamp,
}

impl EventInvokeConfig {
    pub fn key_of(function: &str, qualifier: &str) -> String {
        format!("{function}:{qualifier}")
    }
}

impl Record for EventInvokeConfig {
    const KIND: &'static str = "lambda.event-invoke-config";

    fn key(&self) -> String {
        Self::key_of(&self.function, &self.qualifier)
    }
}
