//! `AWS::IAM::Group`. Ref: the group's name.

use serde::Deserialize;

use super::holder::{Holder, Said};
use super::{InlinePolicy, attributes, call, finish, read, unless_gone};
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::Update::{InPlace, Replacement};
use crate::provider::{Deletion, Handle, Progress, Provider, Request, Schema, generated_name, optional};
use crate::services::iam::group::{CreateGroup, DeleteGroup, GetGroup, UpdateGroup};

pub struct Group;

static SCHEMA: Schema = Schema {
    type_name: "AWS::IAM::Group",
    properties: &[
        optional("GroupName", Replacement),
        optional("ManagedPolicyArns", InPlace),
        optional("Path", InPlace),
        optional("Policies", InPlace),
    ],
    attributes: &["Arn"],
    tags: None,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
struct Properties {
    group_name: Option<String>,
    managed_policy_arns: Vec<String>,
    path: Option<String>,
    policies: Vec<InlinePolicy>,
}

impl Properties {
    fn said(&self) -> Said<'_> {
        Said { managed: &self.managed_policy_arns, inline: &self.policies }
    }
}

impl Provider for Group {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let wanted: Properties = read(&request.properties)?;
        let name = wanted.group_name.clone().unwrap_or_else(|| generated_name(cx, request, 128));
        let arn = call(cx, CreateGroup { path: wanted.path.clone(), group_name: name.clone() })?.group.arn;
        let outcome = Holder::Group(name.clone()).change(cx, Said::default(), wanted.said());
        finish(name, attributes([("Arn", &arn)]), outcome)
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let old: Properties = read(&handle.properties)?;
        let new: Properties = read(&request.properties)?;
        let name = handle.physical_id.clone();
        if new.path != old.path {
            let new_path = Some(new.path.clone().unwrap_or_else(|| "/".to_owned()));
            call(cx, UpdateGroup { group_name: name.clone(), new_path, new_group_name: None })?;
        }
        Holder::Group(name.clone()).change(cx, old.said(), new.said())?;
        let arn = call(cx, GetGroup { group_name: name.clone(), ..GetGroup::default() })?.group.arn;
        Ok(Progress::Done { physical_id: name, attributes: attributes([("Arn", &arn)]) })
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        let old: Properties = read(&handle.properties)?;
        Holder::Group(handle.physical_id.clone()).change(cx, old.said(), Said::default())?;
        unless_gone(call(cx, DeleteGroup { group_name: handle.physical_id.clone() }))?;
        Ok(Deletion::Done)
    }
}
