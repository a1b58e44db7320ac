//! What is kept of notebook instances, their lifecycle configurations, links and sessions.

use std::collections::BTreeMap;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::minter::Bond;
use crate::context::Cx;
use crate::identity::Principal;
use crate::store::{Record, StoreError, Tx};

/// `NotebookInstanceStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    Pending,
    InService,
    Stopping,
    Stopped,
    Failed,
    Deleting,
    Updating,
}

impl Status {
    const ALL: [Self; 7] = [
        Self::Pending,
        Self::InService,
        Self::Stopping,
        Self::Stopped,
        Self::Failed,
        Self::Deleting,
        Self::Updating,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InService => "InService",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Failed => "Failed",
            Self::Deleting => "Deleting",
            Self::Updating => "Updating",
        }
    }

    /// Whether the reconciler has something to do.
    pub fn on_its_way(self) -> bool {
        matches!(self, Self::Pending | Self::Stopping | Self::Deleting | Self::Updating)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Notebook {
    /// The host's name for it: unique for ever, also after the name was used again.
    pub id: String,
    pub name: String,
    pub arn: String,
    pub status: Status,
    pub failure_reason: Option<String>,
    pub instance_type: String,
    pub role_arn: String,
    pub volume_size: i64,
    pub lifecycle_config: Option<String>,
    pub direct_internet_access: String,
    pub root_access: String,
    /// `https://…`, cloned at the start.
    #[serde(default)]
    pub default_repository: Option<String>,
    #[serde(default)]
    pub additional_repositories: Vec<String>,
    pub platform: String,
    /// `MinimumInstanceMetadataServiceVersion`.
    pub metadata_version: String,
    pub tags: BTreeMap<String, String>,
    /// ARN of whom it is for: who asked the catalog for it, else who made it.
    #[serde(default)]
    pub owner: String,
    pub created: Timestamp,
    pub modified: Timestamp,
    /// Counts starts. Links and sessions are good for one of them only.
    pub generation: u64,
    /// Whether the `OnCreate` script ran to its end.
    pub created_once: bool,
    /// Why the engine stopped it, if it did: `idle since …`.
    #[serde(default)]
    pub stopped_because: Option<String>,
}

impl Notebook {
    /// The key of a name: AWS's ARNs and hosts have names in lower case, so two names that differ in case are one.
    pub fn key_of(name: &str) -> String {
        name.to_ascii_lowercase()
    }

    pub fn find(cx: &Cx<'_>, name: &str) -> Result<Self, Error> {
        cx.get(&Self::key_of(name))?.ok_or(Error::NotFound)
    }

    /// The notebook that the host knows by this id, with its region.
    pub fn by_id(tx: &Tx<'_>, id: &str) -> Result<Option<(String, Self)>, StoreError> {
        Ok(tx.find_everywhere("id", id)?.pop())
    }

    /// All notebooks of all regions, each with its region.
    pub fn everywhere(tx: &Tx<'_>) -> Result<Vec<(String, Self)>, StoreError> {
        let mut all = Vec::new();
        for status in Status::ALL {
            all.extend(tx.find_everywhere("status", status.name())?);
        }
        Ok(all)
    }

    /// Its name as hosts and keys have it.
    pub fn key_name(&self) -> String {
        Self::key_of(&self.name)
    }

    /// The ARN of a notebook of that name.
    pub fn arn_of(cx: &Cx<'_>, name: &str) -> String {
        cx.arn("sagemaker", &format!("notebook-instance/{}", Self::key_of(name)))
    }

    /// Where its people find it, without a scheme.
    pub fn host(&self, region: &str, suffix: &str) -> String {
        format!("{}.notebook.{region}.sagemaker.{suffix}", Self::key_of(&self.name))
    }
}

impl Record for Notebook {
    const KIND: &'static str = "sagemaker.notebook-instance";
    const INDEXES: &'static [&'static str] = &["id", "on-its-way", "status", "lifecycle-config"];

    fn key(&self) -> String {
        Self::key_of(&self.name)
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        let mut all = vec![("id", self.id.clone()), ("status", self.status.name().to_owned())];
        if self.status.on_its_way() {
            all.push(("on-its-way", "yes".to_owned()));
        }
        if let Some(config) = &self.lifecycle_config {
            all.push(("lifecycle-config", config.clone()));
        }
        all
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LifecycleConfig {
    pub name: String,
    pub arn: String,
    /// Base64, as given.
    pub on_create: Option<String>,
    pub on_start: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub created: Timestamp,
    pub modified: Timestamp,
}

impl Record for LifecycleConfig {
    const KIND: &'static str = "sagemaker.lifecycle-config";

    fn key(&self) -> String {
        self.name.clone()
    }
}

/// A presigned URL that was handed out; the token itself is not kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Link {
    /// SHA-256 of the token, hex.
    pub digest: String,
    pub notebook: String,
    pub notebook_id: String,
    pub generation: u64,
    pub minted_by: Principal,
    #[serde(default)]
    pub bond: Bond,
    /// After that it opens nothing.
    pub usable_until: Timestamp,
    /// How long the session it opens lasts.
    pub session_seconds: i64,
}

/// An open session; the cookie itself is not kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    /// SHA-256 of the cookie's value, hex.
    pub digest: String,
    pub notebook: String,
    pub notebook_id: String,
    pub generation: u64,
    pub minted_by: Principal,
    #[serde(default)]
    pub bond: Bond,
    pub expires: Timestamp,
}

/// Ended links and sessions are found again by the hour they end in.
pub fn hour(time: Timestamp) -> String {
    (time.0 / 3_600_000).to_string()
}

impl Record for Link {
    const KIND: &'static str = "sagemaker.link";
    const INDEXES: &'static [&'static str] = &["hour"];

    fn key(&self) -> String {
        self.digest.clone()
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        vec![("hour", hour(self.usable_until))]
    }
}

impl Record for Session {
    const KIND: &'static str = "sagemaker.session";
    const INDEXES: &'static [&'static str] = &["hour"];

    fn key(&self) -> String {
        self.digest.clone()
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        vec![("hour", hour(self.expires))]
    }
}

/// The configuration of that name.
pub fn lifecycle_config(cx: &Cx<'_>, name: &str) -> Result<Option<LifecycleConfig>, StoreError> {
    cx.get(name)
}
