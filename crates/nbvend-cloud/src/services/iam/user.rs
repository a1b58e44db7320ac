//! Users: made, read, listed, renamed, deleted.

use std::collections::BTreeMap;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::boundary::{self, BoundaryView};
use super::entity::{arn_of, check_bare, find, permissions_changed, tag_keys, unique_id};
use super::error::Error;
use super::page::{self, Ask};
use super::state::{Grants, LoginProfile, User, key};
use super::tags::{self, Tag};
use super::{access_key, trust};
use crate::context::{ContextKeys, Cx};
use crate::identity::{AccessKey, Principal};
use crate::operation::{Kind, Operation};
use crate::store::GLOBAL;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserOutput {
    pub user: UserView,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserView {
    pub path: String,
    pub user_name: String,
    pub user_id: String,
    pub arn: String,
    pub create_date: Timestamp,
    pub permissions_boundary: Option<BoundaryView>,
    pub tags: Option<Vec<Tag>>,
}

impl UserView {
    /// As it stands in lists: AWS leaves boundary and tags out there.
    pub fn brief(cx: &Cx<'_>, user: &User) -> Self {
        Self {
            path: user.path.clone(),
            user_name: user.name.clone(),
            user_id: user.id.clone(),
            arn: user.arn(cx),
            create_date: user.created,
            permissions_boundary: None,
            tags: None,
        }
    }

    pub fn whole(cx: &Cx<'_>, user: &User) -> Self {
        Self {
            permissions_boundary: boundary::view(user.boundary.as_ref()),
            tags: tags::some(&user.tags),
            ..Self::brief(cx, user)
        }
    }
}

/// The user a call is about: the named one, or the one who calls.
pub fn named_or_caller(cx: &Cx<'_>, name: Option<String>) -> Result<String, Error> {
    match (name, &cx.caller.principal) {
        (Some(name), _) => Ok(name),
        (None, Principal::User { name, .. }) => Ok(name.clone()),
        (None, _) => {
            Err(Error::Validation("Must specify userName when calling with non-User credentials".to_owned()))
        }
    }
}

/// The ARN of the user a call is about.
pub fn resource(cx: &Cx<'_>, name: Option<&String>) -> String {
    match named_or_caller(cx, name.cloned()) {
        Ok(name) => arn_of::<User>(cx, &name),
        Err(_) => cx.iam_arn("user/*"),
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateUser {
    pub path: Option<String>,
    pub user_name: String,
    pub permissions_boundary: Option<String>,
    pub tags: Vec<Tag>,
}

impl Operation for CreateUser {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "CreateUser";
    const KIND: Kind = Kind::Write;
    type Output = UserOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        let path = self.path.as_deref().unwrap_or("/");
        vec![cx.iam_arn(&format!("user{path}{}", self.user_name))]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        tags::request_keys(&self.tags, keys);
        boundary::context(self.permissions_boundary.as_ref(), keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<UserOutput, Error> {
        if cx.get_global::<User>(&key(&self.user_name))?.is_some() {
            return Err(Error::Exists("User", self.user_name));
        }
        boundary::check(cx, self.permissions_boundary.as_ref())?;
        let mut tags = BTreeMap::new();
        tags::add(cx, &mut tags, &self.tags)?;
        let user = User {
            name: self.user_name,
            id: unique_id(cx, "AIDA"),
            path: self.path.unwrap_or_else(|| "/".to_owned()),
            created: cx.now(),
            tags,
            boundary: self.permissions_boundary,
            groups: Vec::new(),
            grants: Grants::default(),
        };
        cx.put_global(&user)?;
        permissions_changed(cx)?;
        Ok(UserOutput { user: UserView::whole(cx, &user) })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetUser {
    pub user_name: Option<String>,
}

impl Operation for GetUser {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "GetUser";
    const KIND: Kind = Kind::Read;
    type Output = UserOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![resource(cx, self.user_name.as_ref())]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        if let Ok(name) = named_or_caller(cx, self.user_name.clone()) {
            tag_keys::<User>(cx, &name, keys);
        }
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<UserOutput, Error> {
        let name = named_or_caller(cx, self.user_name)?;
        Ok(UserOutput { user: UserView::whole(cx, &find(cx, &name)?) })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListUsers {
    pub path_prefix: Option<String>,
    pub marker: Option<String>,
    pub max_items: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListUsersOutput {
    pub users: Vec<UserView>,
    pub is_truncated: bool,
    pub marker: Option<String>,
}

impl Operation for ListUsers {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "ListUsers";
    const KIND: Kind = Kind::Read;
    type Output = ListUsersOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![cx.iam_arn("user/*")]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListUsersOutput, Error> {
        let prefix = self.path_prefix.as_deref().unwrap_or("/");
        let ask = Ask { marker: &self.marker, max_items: self.max_items };
        let page = page::records::<User>(cx, ask, |user| user.path.starts_with(prefix))?;
        Ok(ListUsersOutput {
            is_truncated: page.truncated(),
            marker: page.marker,
            users: page.items.iter().map(|user| UserView::brief(cx, user)).collect(),
        })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateUser {
    pub user_name: String,
    pub new_path: Option<String>,
    pub new_user_name: Option<String>,
}

impl Operation for UpdateUser {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "UpdateUser";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    /// Old and new name: the caller needs the right on both.
    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        let old = arn_of::<User>(cx, &self.user_name);
        let former = find::<User>(cx, &self.user_name).map_or_else(|_| "/".to_owned(), |user| user.path);
        let path = self.new_path.as_deref().unwrap_or(&former);
        let name = self.new_user_name.as_deref().unwrap_or(&self.user_name);
        let new = cx.iam_arn(&format!("user{path}{name}"));
        if old == new { vec![old] } else { vec![old, new] }
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        tag_keys::<User>(cx, &self.user_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let mut user: User = find(cx, &self.user_name)?;
        let (old_key, old_name, old_arn) = (key(&user.name), user.name.clone(), user.arn(cx));
        if let Some(name) = self.new_user_name {
            if key(&name) != old_key && cx.get_global::<User>(&key(&name))?.is_some() {
                return Err(Error::Exists("User", name));
            }
            user.name = name;
        }
        user.path = self.new_path.unwrap_or(user.path);
        cx.tx.delete::<User>(GLOBAL, &old_key)?;
        cx.put_global(&user)?;
        if let Some(mut profile) = cx.get_global::<LoginProfile>(&old_key)? {
            cx.tx.delete::<LoginProfile>(GLOBAL, &old_key)?;
            profile.user = key(&user.name);
            cx.put_global(&profile)?;
        }
        access_key::renamed(cx, &old_name, &user)?;
        trust::renamed(cx, &old_arn, &user.arn(cx))?;
        Ok(permissions_changed(cx)?)
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteUser {
    pub user_name: String,
}

impl Operation for DeleteUser {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "DeleteUser";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![arn_of::<User>(cx, &self.user_name)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        tag_keys::<User>(cx, &self.user_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let user: User = find(cx, &self.user_name)?;
        if !user.groups.is_empty() {
            return Err(Error::Conflict("Cannot delete entity, must remove users from group first."));
        }
        if !AccessKey::of_user(cx.tx, &user.name)?.is_empty() {
            return Err(Error::Conflict("Cannot delete entity, must delete access keys first."));
        }
        if cx.get_global::<LoginProfile>(&key(&user.name))?.is_some() {
            return Err(Error::Conflict("Cannot delete entity, must delete login profile first."));
        }
        check_bare(&user.grants)?;
        for session in AccessKey::sessions_of_user(cx.tx, &user.name)? {
            AccessKey::delete(cx.tx, &session.id)?;
        }
        cx.tx.delete::<User>(GLOBAL, &key(&user.name))?;
        trust::renamed(cx, &user.arn(cx), &user.id)?;
        Ok(permissions_changed(cx)?)
    }
}
