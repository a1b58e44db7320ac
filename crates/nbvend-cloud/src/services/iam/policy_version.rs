//! Versions of managed policies: five at most, one of them the default.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::document::{check_managed, encoded};
use super::entity::permissions_changed;
use super::error::Error;
use super::page::{self, Ask};
use super::policy::{self, Found, find_to_change};
use super::state::{ManagedPolicy, PolicyVersion};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// So many versions a policy may have.
pub const VERSIONS_LIMIT: usize = 5;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VersionView {
    /// Not in lists, nor in the answer to its creation.
    pub document: Option<String>,
    pub version_id: String,
    pub is_default_version: bool,
    pub create_date: Timestamp,
}

impl VersionView {
    fn brief(policy: &ManagedPolicy, version: &PolicyVersion) -> Self {
        Self {
            document: None,
            version_id: format!("v{}", version.number),
            is_default_version: version.number == policy.default_version,
            create_date: version.created,
        }
    }

    /// All versions of a policy, newest first; AWS's own have the current one only.
    pub fn all(found: &Found, documents: bool) -> Vec<Self> {
        match found {
            Found::Own(policy) => {
                let view = |version: &PolicyVersion| Self {
                    document: documents.then(|| encoded(&version.document)),
                    ..Self::brief(policy, version)
                };
                policy.versions.iter().rev().map(view).collect()
            }
            Found::Aws(policy) => vec![Self {
                document: documents.then(|| encoded(&policy.document)),
                version_id: policy.version.clone(),
                is_default_version: true,
                create_date: policy.updated,
            }],
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VersionOutput {
    pub policy_version: VersionView,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreatePolicyVersion {
    pub policy_arn: String,
    pub policy_document: String,
    pub set_as_default: bool,
}

impl Operation for CreatePolicyVersion {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "CreatePolicyVersion";
    const KIND: Kind = Kind::Write;
    type Output = VersionOutput;
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.policy_arn.clone()]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        policy::tag_keys(cx, &self.policy_arn, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<VersionOutput, Error> {
        let mut policy = find_to_change(cx, &self.policy_arn, Self::NAME)?;
        check_managed(&self.policy_document)?;
        if policy.versions.len() >= VERSIONS_LIMIT {
            return Err(Error::Limit(
                "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.".to_owned(),
            ));
        }
        let version =
            PolicyVersion { number: policy.next_version, document: self.policy_document, created: cx.now() };
        policy.next_version += 1;
        policy.updated = cx.now();
        if self.set_as_default {
            policy.default_version = version.number;
            permissions_changed(cx)?;
        }
        let view = VersionView::brief(&policy, &version);
        policy.versions.push(version);
        cx.put_global(&policy)?;
        Ok(VersionOutput { policy_version: view })
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetPolicyVersion {
    pub policy_arn: String,
    pub version_id: String,
}

impl Operation for GetPolicyVersion {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "GetPolicyVersion";
    const KIND: Kind = Kind::Read;
    type Output = VersionOutput;
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.policy_arn.clone()]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        policy::tag_keys(cx, &self.policy_arn, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<VersionOutput, Error> {
        policy::check_arn(&self.policy_arn)?;
        let Some(found) = policy::find(cx, &self.policy_arn)? else {
            return Err(Error::NoPolicy(self.policy_arn));
        };
        let wanted =
            VersionView::all(&found, true).into_iter().find(|view| view.version_id == self.version_id);
        let policy_version = wanted.ok_or(Error::NoVersion(self.policy_arn, self.version_id))?;
        Ok(VersionOutput { policy_version })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListPolicyVersions {
    pub policy_arn: String,
    pub marker: Option<String>,
    pub max_items: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListPolicyVersionsOutput {
    pub versions: Vec<VersionView>,
    pub is_truncated: bool,
    pub marker: Option<String>,
}

impl Operation for ListPolicyVersions {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "ListPolicyVersions";
    const KIND: Kind = Kind::Read;
    type Output = ListPolicyVersionsOutput;
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.policy_arn.clone()]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        policy::tag_keys(cx, &self.policy_arn, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListPolicyVersionsOutput, Error> {
        policy::check_arn(&self.policy_arn)?;
        let found = policy::find(cx, &self.policy_arn)?.ok_or(Error::NoPolicy(self.policy_arn))?;
        let views: Vec<_> = VersionView::all(&found, false).into_iter().enumerate().collect();
        let ask = Ask { marker: &self.marker, max_items: self.max_items };
        let page = page::slice(views, ask, |(at, _)| format!("{at:03}"))?.map(|(_, view)| view);
        Ok(ListPolicyVersionsOutput {
            is_truncated: page.truncated(),
            marker: page.marker,
            versions: page.items,
        })
    }
}

/// The number of a version of this policy.
fn number(policy: &ManagedPolicy, id: &str) -> Result<u32, Error> {
    let number = id.strip_prefix('v').and_then(|digits| digits.parse().ok());
    let known = number.filter(|number| policy.version(*number).is_some());
    known.ok_or_else(|| Error::NoVersion(policy.arn.clone(), id.to_owned()))
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct SetDefaultPolicyVersion {
    pub policy_arn: String,
    pub version_id: String,
}

impl Operation for SetDefaultPolicyVersion {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "SetDefaultPolicyVersion";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.policy_arn.clone()]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        policy::tag_keys(cx, &self.policy_arn, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let mut policy = find_to_change(cx, &self.policy_arn, Self::NAME)?;
        policy.default_version = number(&policy, &self.version_id)?;
        policy.updated = cx.now();
        cx.put_global(&policy)?;
        Ok(permissions_changed(cx)?)
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeletePolicyVersion {
    pub policy_arn: String,
    pub version_id: String,
}

impl Operation for DeletePolicyVersion {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "DeletePolicyVersion";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.policy_arn.clone()]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        policy::tag_keys(cx, &self.policy_arn, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let mut policy = find_to_change(cx, &self.policy_arn, Self::NAME)?;
        let number = number(&policy, &self.version_id)?;
        if number == policy.default_version {
            return Err(Error::Conflict("Cannot delete the default version of a policy."));
        }
        policy.versions.retain(|version| version.number != number);
        cx.put_global(&policy)?;
        Ok(())
    }
}
