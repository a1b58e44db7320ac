//! `AWS::IAM::AccessKey`. Ref: the key's id; `Fn::GetAtt SecretAccessKey` is the only way to the secret.

use serde::Deserialize;

use super::{attributes, call, finish, read, unless_gone};
use crate::context::Cx;
use crate::error::EngineError;
use crate::identity;
use crate::provider::Update::{InPlace, Replacement};
use crate::provider::{Deletion, Handle, Progress, Provider, Request, Schema, optional, required};
use crate::services::iam::access_key::{CreateAccessKey, DeleteAccessKey, UpdateAccessKey};

pub struct AccessKey;

static SCHEMA: Schema = Schema {
    type_name: "AWS::IAM::AccessKey",
    properties: &[
        optional("Serial", Replacement),
        optional("Status", InPlace),
        required("UserName", Replacement),
    ],
    attributes: &["SecretAccessKey"],
    tags: None,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
struct Properties {
    /// Raised to have the key replaced; means nothing else.
    #[serde(rename = "Serial")]
    _serial: Option<String>,
    status: Option<String>,
    user_name: String,
}

impl Provider for AccessKey {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let wanted: Properties = read(&request.properties)?;
        let key = call(cx, CreateAccessKey { user_name: Some(wanted.user_name.clone()) })?.access_key;
        let id = key.access_key_id;
        let outcome = match &wanted.status {
            Some(status) if status != key.status => set_status(cx, &wanted.user_name, &id, status),
            _ => Ok(()),
        };
        finish(id, attributes([("SecretAccessKey", &key.secret_access_key)]), outcome)
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let wanted: Properties = read(&request.properties)?;
        let id = handle.physical_id.clone();
        set_status(cx, &wanted.user_name, &id, wanted.status.as_deref().unwrap_or("Active"))?;
        let secret = identity::AccessKey::get(cx.tx, &id)?.map(|key| key.secret).unwrap_or_default();
        Ok(Progress::Done { physical_id: id, attributes: attributes([("SecretAccessKey", &secret)]) })
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        let old: Properties = read(&handle.properties)?;
        let step =
            DeleteAccessKey { user_name: Some(old.user_name), access_key_id: handle.physical_id.clone() };
        unless_gone(call(cx, step))?;
        Ok(Deletion::Done)
    }
}

fn set_status(cx: &mut Cx<'_>, user: &str, id: &str, status: &str) -> Result<(), EngineError> {
    let step = UpdateAccessKey {
        user_name: Some(user.to_owned()),
        access_key_id: id.to_owned(),
        status: status.to_owned(),
    };
    call(cx, step)
}
