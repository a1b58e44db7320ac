//! Groups: made, read, listed, renamed, deleted. Who is in them is in [`super::membership`].

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::entity::{Entity, arn_of, check_bare, find, permissions_changed, unique_id};
use super::error::Error;
use super::membership::members;
use super::page::{self, Ask};
use super::state::{Grants, Group, key};
use super::user::UserView;
use crate::context::Cx;
use crate::operation::{Kind, Operation};
use crate::store::GLOBAL;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GroupView {
    pub path: String,
    pub group_name: String,
    pub group_id: String,
    pub arn: String,
    pub create_date: Timestamp,
}

impl GroupView {
    pub fn of(cx: &Cx<'_>, group: &Group) -> Self {
        Self {
            path: group.path.clone(),
            group_name: group.name.clone(),
            group_id: group.id.clone(),
            arn: group.arn(cx),
            create_date: group.created,
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateGroup {
    pub path: Option<String>,
    pub group_name: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateGroupOutput {
    pub group: GroupView,
}

impl Operation for CreateGroup {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "CreateGroup";
    const KIND: Kind = Kind::Write;
    type Output = CreateGroupOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        let path = self.path.as_deref().unwrap_or("/");
        vec![cx.iam_arn(&format!("group{path}{}", self.group_name))]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<CreateGroupOutput, Error> {
        if cx.get_global::<Group>(&key(&self.group_name))?.is_some() {
            return Err(Error::Exists("Group", self.group_name));
        }
        let group = Group {
            name: self.group_name,
            id: unique_id(cx, "AGPA"),
            path: self.path.unwrap_or_else(|| "/".to_owned()),
            created: cx.now(),
            grants: Grants::default(),
        };
        cx.put_global(&group)?;
        Ok(CreateGroupOutput { group: GroupView::of(cx, &group) })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetGroup {
    pub group_name: String,
    pub marker: Option<String>,
    pub max_items: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetGroupOutput {
    pub group: GroupView,
    pub users: Vec<UserView>,
    pub is_truncated: bool,
    pub marker: Option<String>,
}

impl Operation for GetGroup {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "GetGroup";
    const KIND: Kind = Kind::Read;
    type Output = GetGroupOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![arn_of::<Group>(cx, &self.group_name)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GetGroupOutput, Error> {
        let group: Group = find(cx, &self.group_name)?;
        let ask = Ask { marker: &self.marker, max_items: self.max_items };
        let page = page::slice(members(cx, &group.name)?, ask, |user| key(&user.name))?;
        Ok(GetGroupOutput {
            group: GroupView::of(cx, &group),
            is_truncated: page.truncated(),
            marker: page.marker,
            users: page.items.iter().map(|user| UserView::brief(cx, user)).collect(),
        })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListGroups {
    pub path_prefix: Option<String>,
    pub marker: Option<String>,
    pub max_items: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListGroupsOutput {
    pub groups: Vec<GroupView>,
    pub is_truncated: bool,
    pub marker: Option<String>,
}

impl Operation for ListGroups {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "ListGroups";
    const KIND: Kind = Kind::Read;
    type Output = ListGroupsOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![cx.iam_arn("group/*")]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListGroupsOutput, Error> {
        let prefix = self.path_prefix.as_deref().unwrap_or("/");
        let ask = Ask { marker: &self.marker, max_items: self.max_items };
        let page = page::records::<Group>(cx, ask, |group| group.path.starts_with(prefix))?;
        Ok(ListGroupsOutput {
            is_truncated: page.truncated(),
            marker: page.marker,
            groups: page.items.iter().map(|group| GroupView::of(cx, group)).collect(),
        })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateGroup {
    pub group_name: String,
    pub new_path: Option<String>,
    pub new_group_name: Option<String>,
}

impl Operation for UpdateGroup {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "UpdateGroup";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    /// Old and new name: the caller needs the right on both.
    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        let old = arn_of::<Group>(cx, &self.group_name);
        let former = find::<Group>(cx, &self.group_name).map_or_else(|_| "/".to_owned(), |group| group.path);
        let path = self.new_path.as_deref().unwrap_or(&former);
        let name = self.new_group_name.as_deref().unwrap_or(&self.group_name);
        let new = cx.iam_arn(&format!("group{path}{name}"));
        if old == new { vec![old] } else { vec![old, new] }
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let mut group: Group = find(cx, &self.group_name)?;
        let old_key = key(&group.name);
        if let Some(name) = self.new_group_name {
            if key(&name) != old_key && cx.get_global::<Group>(&key(&name))?.is_some() {
                return Err(Error::Exists("Group", name));
            }
            group.name = name;
        }
        group.path = self.new_path.unwrap_or(group.path);
        let new_key = key(&group.name);
        for mut user in members(cx, &old_key)? {
            for name in user.groups.iter_mut().filter(|name| **name == old_key) {
                name.clone_from(&new_key);
            }
            cx.put_global(&user)?;
        }
        cx.tx.delete::<Group>(GLOBAL, &old_key)?;
        cx.put_global(&group)?;
        Ok(permissions_changed(cx)?)
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteGroup {
    pub group_name: String,
}

impl Operation for DeleteGroup {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "DeleteGroup";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![arn_of::<Group>(cx, &self.group_name)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let group: Group = find(cx, &self.group_name)?;
        if !members(cx, &group.name)?.is_empty() {
            return Err(Error::Conflict("Cannot delete entity, must remove users from group first."));
        }
        check_bare(&group.grants)?;
        cx.tx.delete::<Group>(GLOBAL, &key(&group.name))?;
        Ok(permissions_changed(cx)?)
    }
}
