//! Roles: made, read, listed, changed, deleted. The trust policy's changes are in [`super::trust`].

use std::collections::BTreeMap;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::boundary::{self, BoundaryView};
use super::document::{check_trust, encoded};
use super::entity::{arn_of, check_bare, find, permissions_changed, tag_keys, unique_id};
use super::error::Error;
use super::page::{self, Ask};
use super::state::{Grants, InstanceProfile, LastUsed, Role, key};
use super::tags::{self, Tag};
use super::trust;
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};
use crate::store::GLOBAL;

/// Seconds a session may last if the role says nothing.
const DEFAULT_SESSION: i64 = 3600;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateRole {
    pub path: Option<String>,
    pub role_name: String,
    pub assume_role_policy_document: String,
    pub description: Option<String>,
    pub max_session_duration: Option<i64>,
    pub permissions_boundary: Option<String>,
    pub tags: Vec<Tag>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoleOutput {
    pub role: RoleView,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoleView {
    pub path: String,
    pub role_name: String,
    pub role_id: String,
    pub arn: String,
    pub create_date: Timestamp,
    pub assume_role_policy_document: String,
    pub description: Option<String>,
    pub max_session_duration: i64,
    pub permissions_boundary: Option<BoundaryView>,
    pub tags: Option<Vec<Tag>>,
    pub role_last_used: Option<LastUsedView>,
}

#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LastUsedView {
    pub last_used_date: Option<Timestamp>,
    pub region: Option<String>,
}

impl RoleView {
    /// As it stands in lists: AWS leaves boundary, tags and last use out there.
    pub fn brief(cx: &Cx<'_>, role: &Role) -> Self {
        Self {
            path: role.path.clone(),
            role_name: role.name.clone(),
            role_id: role.id.clone(),
            arn: role.arn(cx),
            create_date: role.created,
            assume_role_policy_document: encoded(&role.trust),
            description: role.description.clone(),
            max_session_duration: role.max_session,
            permissions_boundary: None,
            tags: None,
            role_last_used: None,
        }
    }

    pub fn whole(cx: &Cx<'_>, role: &Role) -> Result<Self, Error> {
        Ok(Self {
            permissions_boundary: boundary::view(role.boundary.as_ref()),
            tags: tags::some(&role.tags),
            role_last_used: Some(last_used(cx, role)?),
            ..Self::brief(cx, role)
        })
    }
}

pub fn last_used(cx: &Cx<'_>, role: &Role) -> Result<LastUsedView, Error> {
    let used = cx.get_global::<LastUsed>(&role.id)?;
    Ok(used
        .map(|used| LastUsedView { last_used_date: Some(used.time), region: Some(used.region) })
        .unwrap_or_default())
}

impl Operation for CreateRole {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "CreateRole";
    const KIND: Kind = Kind::Write;
    type Output = RoleOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        let path = self.path.as_deref().unwrap_or("/");
        vec![cx.iam_arn(&format!("role{path}{}", self.role_name))]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        tags::request_keys(&self.tags, keys);
        boundary::context(self.permissions_boundary.as_ref(), keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<RoleOutput, Error> {
        let trusts = check_trust(cx, &self.assume_role_policy_document)?;
        if cx.get_global::<Role>(&key(&self.role_name))?.is_some() {
            return Err(Error::Exists("Role", self.role_name));
        }
        boundary::check(cx, self.permissions_boundary.as_ref())?;
        let mut tags = BTreeMap::new();
        tags::add(cx, &mut tags, &self.tags)?;
        let role = Role {
            name: self.role_name,
            id: unique_id(cx, "AROA"),
            path: self.path.unwrap_or_else(|| "/".to_owned()),
            trust: self.assume_role_policy_document,
            trusts,
            description: self.description.filter(|text| !text.is_empty()),
            max_session: self.max_session_duration.unwrap_or(DEFAULT_SESSION),
            created: cx.now(),
            tags,
            boundary: self.permissions_boundary,
            grants: Grants::default(),
        };
        cx.put_global(&role)?;
        permissions_changed(cx)?;
        let role = RoleView { role_last_used: None, ..RoleView::whole(cx, &role)? };
        Ok(RoleOutput { role })
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetRole {
    pub role_name: String,
}

impl Operation for GetRole {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "GetRole";
    const KIND: Kind = Kind::Read;
    type Output = RoleOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![arn_of::<Role>(cx, &self.role_name)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        tag_keys::<Role>(cx, &self.role_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<RoleOutput, Error> {
        Ok(RoleOutput { role: RoleView::whole(cx, &find(cx, &self.role_name)?)? })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListRoles {
    pub path_prefix: Option<String>,
    pub marker: Option<String>,
    pub max_items: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListRolesOutput {
    pub roles: Vec<RoleView>,
    pub is_truncated: bool,
    pub marker: Option<String>,
}

impl Operation for ListRoles {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "ListRoles";
    const KIND: Kind = Kind::Read;
    type Output = ListRolesOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![cx.iam_arn("role/*")]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListRolesOutput, Error> {
        let prefix = self.path_prefix.as_deref().unwrap_or("/");
        let ask = Ask { marker: &self.marker, max_items: self.max_items };
        let page = page::records::<Role>(cx, ask, |role| role.path.starts_with(prefix))?;
        Ok(ListRolesOutput {
            is_truncated: page.truncated(),
            marker: page.marker,
            roles: page.items.iter().map(|role| RoleView::brief(cx, role)).collect(),
        })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateRole {
    pub role_name: String,
    pub description: Option<String>,
    pub max_session_duration: Option<i64>,
}

#[derive(Debug, Serialize)]
pub struct UpdateRoleOutput {}

impl Operation for UpdateRole {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "UpdateRole";
    const KIND: Kind = Kind::Write;
    type Output = UpdateRoleOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![arn_of::<Role>(cx, &self.role_name)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        tag_keys::<Role>(cx, &self.role_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<UpdateRoleOutput, Error> {
        let mut role: Role = find(cx, &self.role_name)?;
        if let Some(text) = self.description {
            role.description = Some(text).filter(|text| !text.is_empty());
        }
        role.max_session = self.max_session_duration.unwrap_or(role.max_session);
        cx.put_global(&role)?;
        Ok(UpdateRoleOutput {})
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateRoleDescription {
    pub role_name: String,
    pub description: String,
}

impl Operation for UpdateRoleDescription {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "UpdateRoleDescription";
    const KIND: Kind = Kind::Write;
    type Output = RoleOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![arn_of::<Role>(cx, &self.role_name)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        tag_keys::<Role>(cx, &self.role_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<RoleOutput, Error> {
        let mut role: Role = find(cx, &self.role_name)?;
        role.description = Some(self.description).filter(|text| !text.is_empty());
        cx.put_global(&role)?;
        Ok(RoleOutput { role: RoleView::brief(cx, &role) })
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteRole {
    pub role_name: String,
}

impl Operation for DeleteRole {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "DeleteRole";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![arn_of::<Role>(cx, &self.role_name)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        tag_keys::<Role>(cx, &self.role_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let role: Role = find(cx, &self.role_name)?;
        let name = key(&role.name);
        if !cx.tx.find::<InstanceProfile>(GLOBAL, "role", &name)?.is_empty() {
            return Err(Error::Conflict(
                "Cannot delete entity, must remove roles from instance profile first.",
            ));
        }
        check_bare(&role.grants)?;
        cx.tx.delete::<Role>(GLOBAL, &name)?;
        cx.tx.delete::<LastUsed>(GLOBAL, &role.id)?;
        trust::renamed(cx, &role.arn(cx), &role.id)?;
        Ok(permissions_changed(cx)?)
    }
}
