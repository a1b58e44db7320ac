//! `AWS::IAM::ManagedPolicy`. Ref: the policy's ARN. A changed document is a new default version; when there are five,
//! the oldest that is not the default makes room.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::holder::Holder;
use super::{attributes, call, document, finish, is_gone, read, unless_gone};
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::Update::{InPlace, Replacement};
use crate::provider::{
    Deletion, Handle, Progress, Provider, Request, Schema, generated_name, optional, required,
};
use crate::services::iam::policy::{CreatePolicy, DeletePolicy, GetPolicy, PolicyView};
use crate::services::iam::policy_version::{
    CreatePolicyVersion, DeletePolicyVersion, ListPolicyVersions, VERSIONS_LIMIT, VersionView,
};

pub struct ManagedPolicy;

static SCHEMA: Schema = Schema {
    type_name: "AWS::IAM::ManagedPolicy",
    properties: &[
        optional("Description", Replacement),
        optional("Groups", InPlace),
        optional("ManagedPolicyName", Replacement),
        optional("Path", Replacement),
        required("PolicyDocument", InPlace),
        optional("Roles", InPlace),
        optional("Users", InPlace),
    ],
    attributes: &["DefaultVersionId", "PolicyArn", "PolicyId"],
    tags: None,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
struct Properties {
    description: Option<String>,
    groups: Vec<String>,
    managed_policy_name: Option<String>,
    path: Option<String>,
    policy_document: Value,
    roles: Vec<String>,
    users: Vec<String>,
}

impl Properties {
    fn holders(&self) -> Vec<Holder> {
        Holder::all(&self.groups, &self.roles, &self.users)
    }
}

fn view(policy: &PolicyView) -> Map<String, Value> {
    attributes([
        ("DefaultVersionId", &policy.default_version_id),
        ("PolicyArn", &policy.arn),
        ("PolicyId", &policy.policy_id),
    ])
}

impl Provider for ManagedPolicy {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let wanted: Properties = read(&request.properties)?;
        let policy_name =
            wanted.managed_policy_name.clone().unwrap_or_else(|| generated_name(cx, request, 128));
        let policy = CreatePolicy {
            policy_name,
            path: wanted.path.clone(),
            policy_document: document(&wanted.policy_document),
            description: wanted.description.clone(),
            tags: Vec::new(),
        };
        let policy = call(cx, policy)?.policy;
        let outcome = wanted.holders().iter().try_for_each(|holder| holder.attach(cx, &policy.arn));
        finish(policy.arn.clone(), view(&policy), outcome)
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let old: Properties = read(&handle.properties)?;
        let new: Properties = read(&request.properties)?;
        let arn = handle.physical_id.clone();
        if new.policy_document != old.policy_document {
            let versions = versions(cx, &arn)?;
            if versions.len() >= VERSIONS_LIMIT
                && let Some(oldest) = versions.iter().rev().find(|version| !version.is_default_version)
            {
                let version_id = oldest.version_id.clone();
                call(cx, DeletePolicyVersion { policy_arn: arn.clone(), version_id })?;
            }
            let version = CreatePolicyVersion {
                policy_arn: arn.clone(),
                policy_document: document(&new.policy_document),
                set_as_default: true,
            };
            call(cx, version)?;
        }
        for holder in new.holders() {
            holder.attach(cx, &arn)?;
        }
        for holder in old.holders().iter().filter(|holder| !new.holders().contains(holder)) {
            holder.detach(cx, &arn)?;
        }
        let policy = call(cx, GetPolicy { policy_arn: arn.clone() })?.policy;
        Ok(Progress::Done { physical_id: arn, attributes: view(&policy) })
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        let old: Properties = read(&handle.properties)?;
        let arn = handle.physical_id.clone();
        for holder in old.holders() {
            holder.detach(cx, &arn)?;
        }
        let versions = match versions(cx, &arn) {
            Err(error) if is_gone(&error) => return Ok(Deletion::Done),
            other => other?,
        };
        for version in versions.into_iter().filter(|version| !version.is_default_version) {
            call(cx, DeletePolicyVersion { policy_arn: arn.clone(), version_id: version.version_id })?;
        }
        unless_gone(call(cx, DeletePolicy { policy_arn: arn }))?;
        Ok(Deletion::Done)
    }
}

/// Newest first.
fn versions(cx: &mut Cx<'_>, arn: &str) -> Result<Vec<VersionView>, EngineError> {
    Ok(call(cx, ListPolicyVersions { policy_arn: arn.to_owned(), ..ListPolicyVersions::default() })?.versions)
}
