//! `AWS::IAM::InstanceProfile`. Ref: the profile's name.

use serde::Deserialize;

use super::{attributes, call, finish, is_gone, read, unless_gone};
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::Update::{InPlace, Replacement};
use crate::provider::{
    Deletion, Handle, Progress, Provider, Request, Schema, generated_name, optional, required,
};
use crate::services::iam::instance_profile::{
    CreateInstanceProfile, DeleteInstanceProfile, GetInstanceProfile,
};
use crate::services::iam::instance_profile_role::{AddRoleToInstanceProfile, RemoveRoleFromInstanceProfile};

pub struct InstanceProfile;

static SCHEMA: Schema = Schema {
    type_name: "AWS::IAM::InstanceProfile",
    properties: &[
        optional("InstanceProfileName", Replacement),
        optional("Path", Replacement),
        required("Roles", InPlace),
    ],
    attributes: &["Arn"],
    tags: None,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
struct Properties {
    instance_profile_name: Option<String>,
    path: Option<String>,
    roles: Vec<String>,
}

impl Provider for InstanceProfile {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let wanted: Properties = read(&request.properties)?;
        let name = wanted.instance_profile_name.clone().unwrap_or_else(|| generated_name(cx, request, 128));
        let profile = CreateInstanceProfile {
            instance_profile_name: name.clone(),
            path: wanted.path.clone(),
            ..CreateInstanceProfile::default()
        };
        let arn = call(cx, profile)?.instance_profile.arn;
        let outcome = roles(cx, &name, &[], &wanted.roles);
        finish(name, attributes([("Arn", &arn)]), outcome)
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let old: Properties = read(&handle.properties)?;
        let new: Properties = read(&request.properties)?;
        let name = handle.physical_id.clone();
        roles(cx, &name, &old.roles, &new.roles)?;
        let arn = call(cx, GetInstanceProfile { instance_profile_name: name.clone() })?.instance_profile.arn;
        Ok(Progress::Done { physical_id: name, attributes: attributes([("Arn", &arn)]) })
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        let old: Properties = read(&handle.properties)?;
        let name = handle.physical_id.clone();
        match roles(cx, &name, &old.roles, &[]) {
            Err(error) if is_gone(&error) => {}
            other => other?,
        }
        unless_gone(call(cx, DeleteInstanceProfile { instance_profile_name: name }))?;
        Ok(Deletion::Done)
    }
}

/// A profile holds one role: the old one leaves before the new one comes.
fn roles(cx: &mut Cx<'_>, name: &str, old: &[String], new: &[String]) -> Result<(), EngineError> {
    for role in old.iter().filter(|role| !new.contains(role)) {
        let step =
            RemoveRoleFromInstanceProfile { instance_profile_name: name.to_owned(), role_name: role.clone() };
        unless_gone(call(cx, step))?;
    }
    for role in new.iter().filter(|role| !old.contains(role)) {
        call(
            cx,
            AddRoleToInstanceProfile { instance_profile_name: name.to_owned(), role_name: role.clone() },
        )?;
    }
    Ok(())
}
