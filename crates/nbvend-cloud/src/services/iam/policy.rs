//! Managed policies: made, read, listed, deleted. Their versions are in [`super::policy_version`], who uses them in
//! [`super::policy_use`].

use std::collections::BTreeMap;

use nbvend_wire::arn::Arn;
use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::document::check_managed;
use super::entity::unique_id;
use super::error::{Error, bad_arn};
use super::managed::{self, AwsPolicy};
use super::policy_use::Uses;
use super::state::{ManagedPolicy, PolicyVersion, key};
use super::tags::{self, Tag};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};
use crate::store::GLOBAL;

/// A customer's policy or one of AWS's.
pub enum Found {
    Own(Box<ManagedPolicy>),
    Aws(&'static AwsPolicy),
}

/// The policy of that ARN.
pub fn find(cx: &Cx<'_>, arn: &str) -> Result<Option<Found>, Error> {
    if managed::is_aws(arn) {
        return Ok(managed::find(arn).map(Found::Aws));
    }
    Ok(find_own(cx, arn)?.map(|policy| Found::Own(Box::new(policy))))
}

fn find_own(cx: &Cx<'_>, arn: &str) -> Result<Option<ManagedPolicy>, Error> {
    let name = arn.rsplit('/').next().unwrap_or_default();
    Ok(cx.get_global::<ManagedPolicy>(&key(name))?.filter(|policy| policy.arn == arn))
}

pub fn exists(cx: &Cx<'_>, arn: &str) -> Result<bool, Error> {
    Ok(find(cx, arn)?.is_some())
}

/// The customer's policy of that ARN, to be changed: AWS's own may not be.
pub fn find_to_change(cx: &Cx<'_>, arn: &str, action: &str) -> Result<ManagedPolicy, Error> {
    check_arn(arn)?;
    if managed::is_aws(arn) {
        let who = cx.caller.principal.arn(cx.account());
        return Err(Error::Denied(format!(
            "User: {who} is not authorized to perform: iam:{action} on resource: policy {arn}"
        )));
    }
    find_own(cx, arn)?.ok_or_else(|| Error::NoPolicy(arn.to_owned()))
}

/// Whether it is an ARN at all, and one of a policy.
pub fn check_arn(text: &str) -> Result<(), Error> {
    let arn: Arn = text.parse().map_err(|_| bad_arn())?;
    if arn.service != "iam" || !arn.resource.starts_with("policy/") {
        return Err(Error::InvalidInput(format!("ARN {text} is not valid.")));
    }
    Ok(())
}

impl ManagedPolicy {
    /// The version that counts.
    pub fn default(&self) -> Option<&PolicyVersion> {
        self.version(self.default_version)
    }

    pub fn version(&self, number: u32) -> Option<&PolicyVersion> {
        self.versions.iter().find(|version| version.number == number)
    }
}

impl Found {
    /// The text of the version that counts.
    pub fn document(&self) -> &str {
        match self {
            Self::Own(policy) => policy.default().map_or("", |version| &version.document),
            Self::Aws(policy) => &policy.document,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyOutput {
    pub policy: PolicyView,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyView {
    pub policy_name: String,
    pub policy_id: String,
    pub arn: String,
    pub path: String,
    pub default_version_id: String,
    pub attachment_count: usize,
    pub permissions_boundary_usage_count: usize,
    pub is_attachable: bool,
    pub description: Option<String>,
    pub create_date: Timestamp,
    pub update_date: Timestamp,
    pub tags: Option<Vec<Tag>>,
}

impl PolicyView {
    pub fn own(cx: &Cx<'_>, policy: &ManagedPolicy) -> Result<Self, Error> {
        let uses = Uses::of(cx, &policy.arn)?;
        Ok(Self {
            policy_name: policy.name.clone(),
            policy_id: policy.id.clone(),
            arn: policy.arn.clone(),
            path: policy.path.clone(),
            default_version_id: format!("v{}", policy.default_version),
            attachment_count: uses.attachments(),
            permissions_boundary_usage_count: uses.boundaries(),
            is_attachable: true,
            description: policy.description.clone(),
            create_date: policy.created,
            update_date: policy.updated,
            tags: tags::some(&policy.tags),
        })
    }

    pub fn aws(cx: &Cx<'_>, policy: &AwsPolicy) -> Result<Self, Error> {
        let uses = Uses::of(cx, &policy.arn)?;
        Ok(Self {
            policy_name: policy.name.clone(),
            policy_id: policy.id.clone(),
            arn: policy.arn.clone(),
            path: policy.path.clone(),
            default_version_id: policy.version.clone(),
            attachment_count: uses.attachments(),
            permissions_boundary_usage_count: uses.boundaries(),
            is_attachable: true,
            description: None,
            create_date: policy.created,
            update_date: policy.updated,
            tags: None,
        })
    }

    fn of(cx: &Cx<'_>, found: &Found) -> Result<Self, Error> {
        match found {
            Found::Own(policy) => Self::own(cx, policy),
            Found::Aws(policy) => Self::aws(cx, policy),
        }
    }

    /// As it stands in lists, where AWS leaves description and tags out.
    pub fn brief(self) -> Self {
        Self { description: None, tags: None, ..self }
    }
}

/// Its tags as condition keys.
pub fn tag_keys(cx: &Cx<'_>, arn: &str, keys: &mut ContextKeys) {
    if let Ok(Some(policy)) = find_own(cx, arn) {
        tags::resource_keys(&policy.tags, keys);
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreatePolicy {
    pub policy_name: String,
    pub path: Option<String>,
    pub policy_document: String,
    pub description: Option<String>,
    pub tags: Vec<Tag>,
}

impl CreatePolicy {
    fn arn(&self, cx: &Cx<'_>) -> String {
        cx.iam_arn(&format!("policy{}{}", self.path.as_deref().unwrap_or("/"), self.policy_name))
    }
}

impl Operation for CreatePolicy {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "CreatePolicy";
    const KIND: Kind = Kind::Write;
    type Output = PolicyOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![self.arn(cx)]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        tags::request_keys(&self.tags, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<PolicyOutput, Error> {
        check_managed(&self.policy_document)?;
        if cx.get_global::<ManagedPolicy>(&key(&self.policy_name))?.is_some() {
            return Err(Error::PolicyExists(self.policy_name));
        }
        let mut tags = BTreeMap::new();
        tags::add(cx, &mut tags, &self.tags)?;
        let policy = ManagedPolicy {
            arn: self.arn(cx),
            name: self.policy_name,
            id: unique_id(cx, "ANPA"),
            path: self.path.unwrap_or_else(|| "/".to_owned()),
            description: self.description.filter(|text| !text.is_empty()),
            created: cx.now(),
            updated: cx.now(),
            tags,
            versions: vec![PolicyVersion { number: 1, document: self.policy_document, created: cx.now() }],
            default_version: 1,
            next_version: 2,
        };
        cx.put_global(&policy)?;
        Ok(PolicyOutput { policy: PolicyView { description: None, ..PolicyView::own(cx, &policy)? } })
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetPolicy {
    pub policy_arn: String,
}

impl Operation for GetPolicy {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "GetPolicy";
    const KIND: Kind = Kind::Read;
    type Output = PolicyOutput;
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.policy_arn.clone()]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        tag_keys(cx, &self.policy_arn, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<PolicyOutput, Error> {
        check_arn(&self.policy_arn)?;
        let found = find(cx, &self.policy_arn)?.ok_or(Error::NoPolicy(self.policy_arn))?;
        Ok(PolicyOutput { policy: PolicyView::of(cx, &found)? })
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeletePolicy {
    pub policy_arn: String,
}

impl Operation for DeletePolicy {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "DeletePolicy";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.policy_arn.clone()]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        tag_keys(cx, &self.policy_arn, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let policy = find_to_change(cx, &self.policy_arn, Self::NAME)?;
        let uses = Uses::of(cx, &policy.arn)?;
        if uses.attachments() + uses.boundaries() > 0 {
            return Err(Error::Conflict("Cannot delete a policy attached to entities."));
        }
        if policy.versions.len() > 1 {
            return Err(Error::Conflict(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
            ));
        }
        cx.tx.delete::<ManagedPolicy>(GLOBAL, &key(&policy.name))?;
        Ok(())
    }
}
