//! `PutResourcePolicy`, `DescribeResourcePolicies`, `DeleteResourcePolicy`: which services may write to the log groups
//! of this account and region. EventBridge asks them when a rule's target is a log group.

use nbvend_policy::Kind as PolicyKind;
use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::Error;
use super::page;
use crate::context::Cx;
use crate::error::EngineError;
use crate::operation::{Kind, Operation};
use crate::store::Record;

/// AWS's quota for an account and region.
const MOST: usize = 10;
const PAGE: i64 = 50;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ResourcePolicy {
    pub name: String,
    /// JSON text as it was put.
    pub document: String,
    pub updated: Timestamp,
}

impl Record for ResourcePolicy {
    const KIND: &'static str = "logs.resource-policy";

    fn key(&self) -> String {
        self.name.clone()
    }
}

fn all(cx: &Cx<'_>) -> Result<Vec<ResourcePolicy>, EngineError> {
    Ok(cx.tx.list(cx.region(), "", None, MOST)?)
}

/// All statements of the region in one policy; every one names the groups it is about.
pub fn of_resource(cx: &Cx<'_>, _arn: &str) -> Result<Option<String>, EngineError> {
    let mut statements = Vec::new();
    for policy in all(cx)? {
        match serde_json::from_str::<Value>(&policy.document).map(|mut whole| whole["Statement"].take()) {
            Ok(Value::Array(several)) => statements.extend(several),
            Ok(one) => statements.push(one),
            Err(error) => tracing::error!(%error, policy.name, "a stored policy cannot be read"),
        }
    }
    let whole = || json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    Ok((!statements.is_empty()).then(whole))
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    pub policy_name: String,
    pub policy_document: String,
    /// Milliseconds.
    pub last_updated_time: i64,
    pub policy_scope: &'static str,
}

impl From<ResourcePolicy> for Shown {
    fn from(policy: ResourcePolicy) -> Self {
        Self {
            policy_name: policy.name,
            policy_document: policy.document,
            last_updated_time: policy.updated.0,
            policy_scope: "ACCOUNT",
        }
    }
}

/// Replaces the policy of that name.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct PutResourcePolicy {
    pub policy_name: Option<String>,
    pub policy_document: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PutResourcePolicyOutput {
    pub resource_policy: Shown,
}

impl Operation for PutResourcePolicy {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "PutResourcePolicy";
    const KIND: Kind = Kind::Write;
    type Output = PutResourcePolicyOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<PutResourcePolicyOutput, Error> {
        let missing = |name: &str| Error::Parameter(format!("{name} must be given."));
        let name = self.policy_name.ok_or_else(|| missing("policyName"))?;
        let document = self.policy_document.ok_or_else(|| missing("policyDocument"))?;
        let suffix = cx.config().url_suffix.as_str();
        nbvend_policy::validate_in(&document, PolicyKind::Resource, Some(suffix))
            .map_err(|fault| Error::Parameter(fault.message))?;
        let known = all(cx)?;
        if known.len() >= MOST && known.iter().all(|policy| policy.name != name) {
            return Err(Error::TooManyPolicies);
        }
        let policy = ResourcePolicy { name, document, updated: cx.now() };
        cx.put(&policy)?;
        Ok(PutResourcePolicyOutput { resource_policy: policy.into() })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct DescribeResourcePolicies {
    pub next_token: Option<String>,
    pub limit: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeResourcePoliciesOutput {
    pub resource_policies: Vec<Shown>,
    pub next_token: Option<String>,
}

impl Operation for DescribeResourcePolicies {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "DescribeResourcePolicies";
    const KIND: Kind = Kind::Read;
    type Output = DescribeResourcePoliciesOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<DescribeResourcePoliciesOutput, Error> {
        let after: Option<String> = self.next_token.as_deref().map(page::read).transpose()?;
        let mut rest: Vec<ResourcePolicy> = all(cx)?;
        rest.retain(|policy| after.as_ref().is_none_or(|after| policy.name > *after));
        let limit = usize::try_from(self.limit.unwrap_or(PAGE)).unwrap_or(usize::MAX);
        let more = rest.len() > limit;
        rest.truncate(limit);
        let next_token = more.then(|| rest.last().map(|policy| page::write(&policy.name))).flatten();
        Ok(DescribeResourcePoliciesOutput {
            resource_policies: rest.into_iter().map(Shown::from).collect(),
            next_token,
        })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteResourcePolicy {
    pub policy_name: Option<String>,
}

impl Operation for DeleteResourcePolicy {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "DeleteResourcePolicy";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let name =
            self.policy_name.ok_or_else(|| Error::Parameter("policyName must be given.".to_owned()))?;
        if !cx.delete::<ResourcePolicy>(&name)? {
            return Err(Error::NoPolicy(name));
        }
        Ok(())
    }
}
