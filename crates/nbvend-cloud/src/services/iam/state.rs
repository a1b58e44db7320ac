//! What IAM keeps. Users, groups and roles hold their own policies, so that one record says what one entity may.
//!
//! Names are unique without regard to case, as on AWS; keys are the names in lower case.

use std::collections::BTreeMap;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::password::Digest;
use super::password_policy::PasswordRules;
use crate::store::Record;

/// The policies of a user, group or role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// Inline policies: name to document.
    pub inline: BTreeMap<String, String>,
    /// ARNs of managed policies, in the order they were attached.
    pub attached: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Role {
    /// As its maker wrote it.
    pub name: String,
    /// `AROA…`
    pub id: String,
    /// With both slashes.
    pub path: String,
    /// The trust policy's text.
    pub trust: String,
    /// Users, roles and sessions that the trust policy names: they are looked for again when one of them is deleted.
    pub trusts: Vec<String>,
    pub description: Option<String>,
    /// Seconds.
    pub max_session: i64,
    pub created: Timestamp,
    pub tags: BTreeMap<String, String>,
    /// ARN of the permissions boundary.
    pub boundary: Option<String>,
    pub grants: Grants,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    pub name: String,
    /// `AIDA…`
    pub id: String,
    pub path: String,
    pub created: Timestamp,
    pub tags: BTreeMap<String, String>,
    pub boundary: Option<String>,
    /// Keys of the groups it is a member of.
    pub groups: Vec<String>,
    pub grants: Grants,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    pub name: String,
    /// `AGPA…`
    pub id: String,
    pub path: String,
    pub created: Timestamp,
    pub grants: Grants,
}

/// A customer managed policy with all its versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ManagedPolicy {
    pub name: String,
    /// `ANPA…`
    pub id: String,
    pub path: String,
    pub arn: String,
    pub description: Option<String>,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub tags: BTreeMap<String, String>,
    /// Oldest first; at most five.
    pub versions: Vec<PolicyVersion>,
    /// The number of the default one.
    pub default_version: u32,
    /// The number the next version gets; numbers are never given twice.
    pub next_version: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyVersion {
    pub number: u32,
    pub document: String,
    pub created: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceProfile {
    pub name: String,
    /// `AIPA…`
    pub id: String,
    pub path: String,
    pub created: Timestamp,
    pub tags: BTreeMap<String, String>,
    /// Key of its role; AWS allows one.
    pub role: Option<String>,
}

/// A user's password.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoginProfile {
    /// The user's key.
    pub user: String,
    pub created: Timestamp,
    pub reset_required: bool,
    pub password: Digest,
}

/// When a role was last assumed, and from which region. Apart from the role, which is rarely written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastUsed {
    pub role_id: String,
    pub time: Timestamp,
    pub region: String,
}

/// What there is one of in the account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    pub alias: Option<String>,
    /// What the account asks of passwords, if it says so.
    #[serde(default)]
    pub password_rules: Option<PasswordRules>,
    /// A fresh value with every change of who may do what: what was compiled under another one is stale. Never
    /// a count, because a count that was rolled back would come again.
    pub stamp: String,
}

impl Account {
    /// There is one.
    pub const KEY: &'static str = "account";
}

/// The key of a name.
pub fn key(name: &str) -> String {
    name.to_ascii_lowercase()
}

impl Record for Role {
    const KIND: &'static str = "iam.role";
    const INDEXES: &'static [&'static str] = &["policy", "boundary", "trusts"];

    fn key(&self) -> String {
        key(&self.name)
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        let mut entries = under_policies(&self.grants, self.boundary.as_ref());
        entries.extend(self.trusts.iter().map(|arn| ("trusts", arn.clone())));
        entries
    }
}

impl Record for User {
    const KIND: &'static str = "iam.user";
    const INDEXES: &'static [&'static str] = &["policy", "boundary", "group"];

    fn key(&self) -> String {
        key(&self.name)
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        let mut entries = under_policies(&self.grants, self.boundary.as_ref());
        entries.extend(self.groups.iter().map(|group| ("group", group.clone())));
        entries
    }
}

impl Record for Group {
    const KIND: &'static str = "iam.group";
    const INDEXES: &'static [&'static str] = &["policy"];

    fn key(&self) -> String {
        key(&self.name)
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        under_policies(&self.grants, None)
    }
}

fn under_policies(grants: &Grants, boundary: Option<&String>) -> Vec<(&'static str, String)> {
    let attached = grants.attached.iter().map(|arn| ("policy", arn.clone()));
    attached.chain(boundary.map(|arn| ("boundary", arn.clone()))).collect()
}

impl Record for ManagedPolicy {
    const KIND: &'static str = "iam.policy";

    fn key(&self) -> String {
        key(&self.name)
    }
}

impl Record for InstanceProfile {
    const KIND: &'static str = "iam.instance-profile";
    const INDEXES: &'static [&'static str] = &["role"];

    fn key(&self) -> String {
        key(&self.name)
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        self.role.iter().map(|role| ("role", role.clone())).collect()
    }
}

impl Record for LoginProfile {
    const KIND: &'static str = "iam.login-profile";

    fn key(&self) -> String {
        self.user.clone()
    }
}

impl Record for LastUsed {
    const KIND: &'static str = "iam.last-used";

    fn key(&self) -> String {
        self.role_id.clone()
    }
}

impl Record for Account {
    const KIND: &'static str = "iam.account";

    fn key(&self) -> String {
        Self::KEY.to_owned()
    }
}
