//! `AWS::Logs::LogGroup`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::group::DeleteLogGroup;
use super::retention::{DeleteRetentionPolicy, PutRetentionPolicy};
use super::state::Group;
use super::tags::{TagResource, UntagResource};
use super::write::CreateLogGroup;
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::{
    Deletion, Handle, Progress, Provider, Request, Schema, Update, generated_name, optional, properties,
};

pub struct LogGroup;

static SCHEMA: Schema = Schema {
    type_name: "AWS::Logs::LogGroup",
    properties: &[
        optional("LogGroupName", Update::Replacement),
        optional("LogGroupClass", Update::Replacement),
        optional("RetentionInDays", Update::InPlace),
        optional("Tags", Update::InPlace),
    ],
    attributes: &["Arn"],
    tags: Some("Tags"),
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    log_group_name: Option<String>,
    log_group_class: Option<String>,
    #[serde(default, deserialize_with = "crate::provider::lenient::integer")]
    retention_in_days: Option<i64>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Tag {
    key: String,
    value: String,
}

impl Properties {
    fn tags(self) -> BTreeMap<String, String> {
        self.tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
    }
}

fn done(cx: &Cx<'_>, name: String) -> Progress {
    let arn = format!("{}:*", Group::arn(cx, &name));
    Progress::Done { physical_id: name, attributes: Map::from_iter([("Arn".to_owned(), Value::String(arn))]) }
}

impl Provider for LogGroup {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let mut asked: Properties = properties(&SCHEMA, &request.properties)?;
        let name = match asked.log_group_name.take() {
            Some(name) => name,
            None => generated_name(cx, request, 512),
        };
        let (class, days) = (asked.log_group_class.take(), asked.retention_in_days);
        let tags = asked.tags();
        cx.call(CreateLogGroup {
            log_group_name: name.clone(),
            tags: (!tags.is_empty()).then_some(tags),
            log_group_class: class,
        })?;
        if let Some(days) = days {
            cx.call(PutRetentionPolicy { log_group_name: name.clone(), retention_in_days: days })?;
        }
        Ok(done(cx, name))
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let asked: Properties = properties(&SCHEMA, &request.properties)?;
        let old: Properties = properties(&SCHEMA, &handle.properties)?;
        let name = handle.physical_id.clone();
        if asked.retention_in_days != old.retention_in_days {
            match asked.retention_in_days {
                Some(days) => {
                    cx.call(PutRetentionPolicy { log_group_name: name.clone(), retention_in_days: days })?;
                }
                None => cx.call(DeleteRetentionPolicy { log_group_name: name.clone() })?,
            }
        }
        let arn = Group::arn(cx, &name);
        let (asked, old) = (asked.tags(), old.tags());
        let gone: Vec<String> = old.keys().filter(|key| !asked.contains_key(*key)).cloned().collect();
        if !gone.is_empty() {
            cx.call(UntagResource { resource_arn: arn.clone(), tag_keys: gone })?;
        }
        if !asked.is_empty() && asked != old {
            cx.call(TagResource { resource_arn: arn, tags: asked })?;
        }
        Ok(done(cx, name))
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        match cx.call(DeleteLogGroup { log_group_name: handle.physical_id.clone() }) {
            Err(error) if error.code != "ResourceNotFoundException" => Err(error.into()),
            _ => Ok(Deletion::Done),
        }
    }
}
