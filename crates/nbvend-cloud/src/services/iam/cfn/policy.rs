//! `AWS::IAM::Policy`: one inline policy put on several users, groups and roles. Ref: an id of its own.

use serde::Deserialize;
use serde_json::Value;

use super::holder::Holder;
use super::{attributes, document, finish, read};
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::Update::InPlace;
use crate::provider::{
    Deletion, Handle, Progress, Provider, Request, Schema, generated_name, optional, required,
};

pub struct Policy;

static SCHEMA: Schema = Schema {
    type_name: "AWS::IAM::Policy",
    properties: &[
        optional("Groups", InPlace),
        required("PolicyDocument", InPlace),
        required("PolicyName", InPlace),
        optional("Roles", InPlace),
        optional("Users", InPlace),
    ],
    attributes: &["Id"],
    tags: None,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
struct Properties {
    groups: Vec<String>,
    policy_document: Value,
    policy_name: String,
    roles: Vec<String>,
    users: Vec<String>,
}

impl Properties {
    fn holders(&self) -> Vec<Holder> {
        Holder::all(&self.groups, &self.roles, &self.users)
    }

    fn put(&self, cx: &mut Cx<'_>) -> Result<(), EngineError> {
        let text = document(&self.policy_document);
        self.holders().iter().try_for_each(|holder| holder.put(cx, &self.policy_name, text.clone()))
    }
}

impl Provider for Policy {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let wanted: Properties = read(&request.properties)?;
        if wanted.holders().is_empty() {
            return Ok(Progress::Failed {
                physical_id: None,
                reason: "At least one of [Groups,Roles,Users] must be non-empty.".to_owned(),
            });
        }
        let id = generated_name(cx, request, 128);
        let outcome = wanted.put(cx);
        finish(id.clone(), attributes([("Id", &id)]), outcome)
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let old: Properties = read(&handle.properties)?;
        let new: Properties = read(&request.properties)?;
        new.put(cx)?;
        let renamed = new.policy_name != old.policy_name;
        for holder in old.holders().iter().filter(|holder| renamed || !new.holders().contains(holder)) {
            holder.remove(cx, &old.policy_name)?;
        }
        let id = handle.physical_id.clone();
        Ok(Progress::Done { attributes: attributes([("Id", &id)]), physical_id: id })
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        let old: Properties = read(&handle.properties)?;
        for holder in old.holders() {
            holder.remove(cx, &old.policy_name)?;
        }
        Ok(Deletion::Done)
    }
}
