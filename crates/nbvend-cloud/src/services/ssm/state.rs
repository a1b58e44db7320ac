//! What Parameter Store keeps: one record a parameter with its current version, one a version, and a calendar of policies.

use std::collections::BTreeMap;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::policy::Policy;
use crate::context::Cx;
use crate::store::{GLOBAL, Record};

/// So many versions of a parameter are kept.
pub const VERSIONS: i64 = 100;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Parameter {
    /// As its maker wrote it: `/SageMaker/Notebooks/Demo-User-Notebook` or `name`.
    pub name: String,
    pub current: ParameterVersion,
    /// The oldest version that is kept.
    pub oldest: i64,
    /// Label to version.
    pub labels: BTreeMap<String, i64>,
    pub tags: BTreeMap<String, String>,
    /// The policies in force.
    pub policies: Vec<Policy>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ParameterVersion {
    pub name: String,
    pub version: i64,
    /// `String`, `StringList` or `SecureString`.
    pub kind: String,
    /// The value; of a `SecureString` its ciphertext in base64.
    pub value: String,
    pub key_id: Option<String>,
    pub description: Option<String>,
    pub allowed_pattern: Option<String>,
    /// `Standard` or `Advanced`.
    pub tier: String,
    pub data_type: String,
    /// Texts of the policies it was made with.
    pub policies: Vec<String>,
    pub modified: Timestamp,
    pub modified_by: String,
}

impl ParameterVersion {
    pub fn is_secure(&self) -> bool {
        self.kind == "SecureString"
    }
}

impl Record for Parameter {
    const KIND: &'static str = "ssm.parameter";

    fn key(&self) -> String {
        self.name.clone()
    }
}

/// Names hold no colon.
fn version_key(name: &str, version: i64) -> String {
    format!("{name}:{version:012}")
}

impl Record for ParameterVersion {
    const KIND: &'static str = "ssm.version";

    fn key(&self) -> String {
        version_key(&self.name, self.version)
    }
}

/// When a policy acts. Keys sort by time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Timer {
    pub due: Timestamp,
    pub region: String,
    pub name: String,
    /// The policy's place in the parameter's list.
    pub policy: usize,
}

impl Record for Timer {
    const KIND: &'static str = "ssm.timer";

    fn key(&self) -> String {
        format!("{:020}|{}|{}|{:02}", self.due.0, self.region, self.name, self.policy)
    }
}

impl Parameter {
    pub fn get(cx: &Cx<'_>, name: &str) -> Result<Option<Self>, Error> {
        Ok(cx.get(name)?)
    }

    pub fn find(cx: &Cx<'_>, name: &str) -> Result<Self, Error> {
        Self::get(cx, name)?.ok_or(Error::ParameterNotFound)
    }

    /// One of its versions.
    pub fn version(&self, cx: &Cx<'_>, version: i64) -> Result<Option<ParameterVersion>, Error> {
        if version == self.current.version {
            return Ok(Some(self.current.clone()));
        }
        Ok(cx.get(&version_key(&self.name, version))?)
    }

    /// A page of its versions, oldest first, beginning after one.
    pub fn versions(
        &self,
        cx: &Cx<'_>,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Vec<ParameterVersion>, Error> {
        let prefix = format!("{}:", self.name);
        let after = after.map(|version| version_key(&self.name, version));
        Ok(cx.tx.list(cx.region(), &prefix, after.as_deref(), limit)?)
    }

    pub fn labels_of(&self, version: i64) -> Vec<String> {
        self.labels.iter().filter(|(_, at)| **at == version).map(|(label, _)| label.clone()).collect()
    }

    /// Writes it, with its current version and its place in the calendar. `old` is what stood there before.
    pub fn save(&self, cx: &Cx<'_>, old: Option<&Self>) -> Result<(), Error> {
        for timer in old.map(|old| old.timers(cx.region())).unwrap_or_default() {
            cx.tx.delete::<Timer>(GLOBAL, &timer.key())?;
        }
        for timer in self.timers(cx.region()) {
            cx.put_global(&timer)?;
            cx.wake(super::POLICIES);
        }
        if old.is_none_or(|old| old.current.version != self.current.version) {
            cx.put(&self.current)?;
        }
        Ok(cx.put(self)?)
    }

    /// Removes it and all its versions.
    pub fn remove(&self, cx: &Cx<'_>) -> Result<(), Error> {
        for timer in self.timers(cx.region()) {
            cx.tx.delete::<Timer>(GLOBAL, &timer.key())?;
        }
        for version in self.oldest..=self.current.version {
            cx.delete::<ParameterVersion>(&version_key(&self.name, version))?;
        }
        cx.delete::<Self>(&self.name)?;
        Ok(())
    }

    /// Forgets the oldest version.
    pub fn forget_oldest(&mut self, cx: &Cx<'_>) -> Result<(), Error> {
        cx.delete::<ParameterVersion>(&version_key(&self.name, self.oldest))?;
        self.oldest += 1;
        Ok(())
    }

    fn timers(&self, region: &str) -> Vec<Timer> {
        let open = self.policies.iter().enumerate().filter(|(_, policy)| !policy.finished);
        open.map(|(at, policy)| Timer {
            due: policy.due,
            region: region.to_owned(),
            name: self.name.clone(),
            policy: at,
        })
        .collect()
    }
}
