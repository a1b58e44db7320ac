//! Who is in which group. The user's record says it; an index finds a group's members.

use serde::{Deserialize, Serialize};

use super::entity::{arn_of, find, permissions_changed};
use super::error::{Error, quota};
use super::group::{GroupView, ListGroupsOutput};
use super::page::{self, Ask};
use super::state::{Group, User, key};
use crate::context::Cx;
use crate::operation::{Kind, Operation};
use crate::store::GLOBAL;

/// So many groups a user may be in.
pub const GROUPS_PER_USER: usize = 10;

/// The members of a group, by name.
pub fn members(cx: &Cx<'_>, group: &str) -> Result<Vec<User>, Error> {
    Ok(cx.tx.find(GLOBAL, "group", &key(group))?)
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListGroupsForUser {
    pub user_name: String,
    pub marker: Option<String>,
    pub max_items: Option<i64>,
}

impl Operation for ListGroupsForUser {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "ListGroupsForUser";
    const KIND: Kind = Kind::Read;
    type Output = ListGroupsOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![arn_of::<User>(cx, &self.user_name)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListGroupsOutput, Error> {
        let user: User = find(cx, &self.user_name)?;
        let mut groups = Vec::new();
        for group in &user.groups {
            groups.extend(cx.get_global::<Group>(group)?);
        }
        groups.sort_by_key(|group| key(&group.name));
        let ask = Ask { marker: &self.marker, max_items: self.max_items };
        let page = page::slice(groups, ask, |group| key(&group.name))?;
        Ok(ListGroupsOutput {
            is_truncated: page.truncated(),
            marker: page.marker,
            groups: page.items.iter().map(|group| GroupView::of(cx, group)).collect(),
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AddUserToGroup {
    pub group_name: String,
    pub user_name: String,
}

impl Operation for AddUserToGroup {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "AddUserToGroup";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![arn_of::<Group>(cx, &self.group_name)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let group = key(&find::<Group>(cx, &self.group_name)?.name);
        let mut user: User = find(cx, &self.user_name)?;
        if user.groups.contains(&group) {
            return Ok(());
        }
        if user.groups.len() >= GROUPS_PER_USER {
            return Err(quota("GroupsPerUser", GROUPS_PER_USER));
        }
        user.groups.push(group);
        cx.put_global(&user)?;
        Ok(permissions_changed(cx)?)
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct RemoveUserFromGroup {
    pub group_name: String,
    pub user_name: String,
}

impl Operation for RemoveUserFromGroup {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "RemoveUserFromGroup";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![arn_of::<Group>(cx, &self.group_name)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let group = key(&find::<Group>(cx, &self.group_name)?.name);
        let mut user: User = find(cx, &self.user_name)?;
        if !user.groups.contains(&group) {
            return Err(Error::NotAMember { user: self.user_name, group: self.group_name });
        }
        user.groups.retain(|other| *other != group);
        cx.put_global(&user)?;
        Ok(permissions_changed(cx)?)
    }
}
