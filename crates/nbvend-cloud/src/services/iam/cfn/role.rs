//! `AWS::IAM::Role`. Ref: the role's name.

use serde::Deserialize;
use serde_json::Value;

use super::holder::{Holder, Said};
use super::{
    InlinePolicy, all_tags, attributes, call, document, dropped_tags, finish, number, read, unless_gone,
};
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::Update::{InPlace, Replacement};
use crate::provider::{
    Deletion, Handle, Progress, Provider, Request, Schema, generated_name, optional, required,
};
use crate::services::iam::boundary::{DeleteRolePermissionsBoundary, PutRolePermissionsBoundary};
use crate::services::iam::role::{CreateRole, DeleteRole, GetRole, UpdateRole};
use crate::services::iam::tagging::{TagRole, UntagRole};
use crate::services::iam::tags::Tag;
use crate::services::iam::trust::UpdateAssumeRolePolicy;

pub struct Role;

static SCHEMA: Schema = Schema {
    type_name: "AWS::IAM::Role",
    properties: &[
        required("AssumeRolePolicyDocument", InPlace),
        optional("Description", InPlace),
        optional("ManagedPolicyArns", InPlace),
        optional("MaxSessionDuration", InPlace),
        optional("Path", Replacement),
        optional("PermissionsBoundary", InPlace),
        optional("Policies", InPlace),
        optional("RoleName", Replacement),
        optional("Tags", InPlace),
    ],
    attributes: &["Arn", "RoleId"],
    tags: Some("Tags"),
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
struct Properties {
    assume_role_policy_document: Value,
    description: Option<String>,
    managed_policy_arns: Vec<String>,
    max_session_duration: Option<String>,
    path: Option<String>,
    permissions_boundary: Option<String>,
    policies: Vec<InlinePolicy>,
    role_name: Option<String>,
    tags: Vec<Tag>,
}

impl Properties {
    fn said(&self) -> Said<'_> {
        Said { managed: &self.managed_policy_arns, inline: &self.policies }
    }
}

/// What a role has that says nothing of it.
const DEFAULT_SESSION: i64 = 3600;

impl Provider for Role {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let wanted: Properties = read(&request.properties)?;
        let name = wanted.role_name.clone().unwrap_or_else(|| generated_name(cx, request, 64));
        let role = call(
            cx,
            CreateRole {
                path: wanted.path.clone(),
                role_name: name.clone(),
                assume_role_policy_document: document(&wanted.assume_role_policy_document),
                description: wanted.description.clone(),
                max_session_duration: number(wanted.max_session_duration.as_ref())?,
                permissions_boundary: wanted.permissions_boundary.clone(),
                tags: all_tags(&wanted.tags, request),
            },
        )?
        .role;
        let attributes = attributes([("Arn", &role.arn), ("RoleId", &role.role_id)]);
        let outcome = Holder::Role(name.clone()).change(cx, Said::default(), wanted.said());
        finish(name, attributes, outcome)
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let old: Properties = read(&handle.properties)?;
        let new: Properties = read(&request.properties)?;
        let name = handle.physical_id.clone();
        let role_name = name.clone();
        let role = call(cx, GetRole { role_name: name.clone() })?.role;
        if new.assume_role_policy_document != old.assume_role_policy_document {
            let policy_document = document(&new.assume_role_policy_document);
            call(cx, UpdateAssumeRolePolicy { role_name: name.clone(), policy_document })?;
        }
        if (&new.description, &new.max_session_duration) != (&old.description, &old.max_session_duration) {
            let seconds = number(new.max_session_duration.as_ref())?.unwrap_or(DEFAULT_SESSION);
            let description = Some(new.description.clone().unwrap_or_default());
            call(
                cx,
                UpdateRole { role_name: name.clone(), description, max_session_duration: Some(seconds) },
            )?;
        }
        if new.permissions_boundary != old.permissions_boundary {
            match new.permissions_boundary.clone() {
                Some(permissions_boundary) => {
                    call(cx, PutRolePermissionsBoundary { role_name: name.clone(), permissions_boundary })?;
                }
                None => call(cx, DeleteRolePermissionsBoundary { role_name: name.clone() })?,
            }
        }
        Holder::Role(name.clone()).change(cx, old.said(), new.said())?;
        let tag_keys = dropped_tags(&old.tags, &new.tags);
        if !tag_keys.is_empty() {
            call(cx, UntagRole { role_name: name.clone(), tag_keys })?;
        }
        let tags = all_tags(&new.tags, request);
        if !tags.is_empty() {
            call(cx, TagRole { role_name, tags })?;
        }
        Ok(Progress::Done {
            physical_id: name,
            attributes: attributes([("Arn", &role.arn), ("RoleId", &role.role_id)]),
        })
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        let old: Properties = read(&handle.properties)?;
        Holder::Role(handle.physical_id.clone()).change(cx, old.said(), Said::default())?;
        unless_gone(call(cx, DeleteRole { role_name: handle.physical_id.clone() }))?;
        Ok(Deletion::Done)
    }
}
