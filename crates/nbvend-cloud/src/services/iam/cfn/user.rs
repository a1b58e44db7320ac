//! `AWS::IAM::User`. Ref: the user's name.

use serde::Deserialize;

use super::holder::{Holder, Said};
use super::{InlinePolicy, all_tags, attributes, call, dropped_tags, finish, is_gone, read, unless_gone};
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::Update::{InPlace, Replacement};
use crate::provider::{Deletion, Handle, Progress, Provider, Request, Schema, generated_name, optional};
use crate::services::iam::boundary::{DeleteUserPermissionsBoundary, PutUserPermissionsBoundary};
use crate::services::iam::login_profile::{CreateLoginProfile, DeleteLoginProfile, UpdateLoginProfile};
use crate::services::iam::membership::{AddUserToGroup, RemoveUserFromGroup};
use crate::services::iam::tagging::{TagUser, UntagUser};
use crate::services::iam::tags::Tag;
use crate::services::iam::user::{CreateUser, DeleteUser, GetUser, UpdateUser};

pub struct User;

static SCHEMA: Schema = Schema {
    type_name: "AWS::IAM::User",
    properties: &[
        optional("Groups", InPlace),
        optional("LoginProfile", InPlace),
        optional("ManagedPolicyArns", InPlace),
        optional("Path", InPlace),
        optional("PermissionsBoundary", InPlace),
        optional("Policies", InPlace),
        optional("Tags", InPlace),
        optional("UserName", Replacement),
    ],
    attributes: &["Arn"],
    tags: Some("Tags"),
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
struct Properties {
    groups: Vec<String>,
    login_profile: Option<Login>,
    managed_policy_arns: Vec<String>,
    path: Option<String>,
    permissions_boundary: Option<String>,
    policies: Vec<InlinePolicy>,
    tags: Vec<Tag>,
    user_name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Login {
    password: String,
    password_reset_required: Option<String>,
}

impl Login {
    fn reset(&self) -> bool {
        self.password_reset_required.as_deref() == Some("true")
    }
}

impl Properties {
    fn said(&self) -> Said<'_> {
        Said { managed: &self.managed_policy_arns, inline: &self.policies }
    }
}

impl Provider for User {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let wanted: Properties = read(&request.properties)?;
        let name = wanted.user_name.clone().unwrap_or_else(|| generated_name(cx, request, 64));
        let user = CreateUser {
            path: wanted.path.clone(),
            user_name: name.clone(),
            permissions_boundary: wanted.permissions_boundary.clone(),
            tags: all_tags(&wanted.tags, request),
        };
        let arn = call(cx, user)?.user.arn;
        let outcome = put(cx, &name, &Properties::default(), &wanted);
        finish(name, attributes([("Arn", &arn)]), outcome)
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let old: Properties = read(&handle.properties)?;
        let new: Properties = read(&request.properties)?;
        let name = handle.physical_id.clone();
        if new.path != old.path {
            let new_path = Some(new.path.clone().unwrap_or_else(|| "/".to_owned()));
            call(cx, UpdateUser { user_name: name.clone(), new_path, new_user_name: None })?;
        }
        if new.permissions_boundary != old.permissions_boundary {
            match new.permissions_boundary.clone() {
                Some(permissions_boundary) => {
                    call(cx, PutUserPermissionsBoundary { user_name: name.clone(), permissions_boundary })?;
                }
                None => call(cx, DeleteUserPermissionsBoundary { user_name: name.clone() })?,
            }
        }
        put(cx, &name, &old, &new)?;
        let tag_keys = dropped_tags(&old.tags, &new.tags);
        if !tag_keys.is_empty() {
            call(cx, UntagUser { user_name: name.clone(), tag_keys })?;
        }
        let tags = all_tags(&new.tags, request);
        if !tags.is_empty() {
            call(cx, TagUser { user_name: name.clone(), tags })?;
        }
        let arn = call(cx, GetUser { user_name: Some(name.clone()) })?.user.arn;
        Ok(Progress::Done { physical_id: name, attributes: attributes([("Arn", &arn)]) })
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        let old: Properties = read(&handle.properties)?;
        let name = handle.physical_id.clone();
        match call(cx, GetUser { user_name: Some(name.clone()) }) {
            Err(error) if is_gone(&error) => return Ok(Deletion::Done),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        put(cx, &name, &old, &Properties::default())?;
        unless_gone(call(cx, DeleteUser { user_name: name }))?;
        Ok(Deletion::Done)
    }
}

/// Groups, password and policies: what is put on a user after it was made.
fn put(cx: &mut Cx<'_>, name: &str, old: &Properties, new: &Properties) -> Result<(), EngineError> {
    for group in new.groups.iter().filter(|group| !old.groups.contains(group)) {
        call(cx, AddUserToGroup { group_name: group.clone(), user_name: name.to_owned() })?;
    }
    for group in old.groups.iter().filter(|group| !new.groups.contains(group)) {
        unless_gone(call(cx, RemoveUserFromGroup { group_name: group.clone(), user_name: name.to_owned() }))?;
    }
    match (&old.login_profile, &new.login_profile) {
        (None, Some(login)) => {
            let user_name = Some(name.to_owned());
            let (password, password_reset_required) = (login.password.clone(), login.reset());
            call(cx, CreateLoginProfile { user_name, password, password_reset_required, digest: None })?;
        }
        (Some(_), None) => {
            unless_gone(call(cx, DeleteLoginProfile { user_name: Some(name.to_owned()) }))?;
        }
        (Some(before), Some(login)) if before != login => {
            let update = UpdateLoginProfile {
                user_name: name.to_owned(),
                password: Some(login.password.clone()),
                password_reset_required: Some(login.reset()),
                digest: None,
            };
            call(cx, update)?;
        }
        _ => {}
    }
    Holder::User(name.to_owned()).change(cx, old.said(), new.said())
}
