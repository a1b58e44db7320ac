//! `AWS::Events::EventBus`.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::bus::{CreateEventBus, DeleteEventBus, UpdateEventBus};
use super::super::names;
use super::super::permission::{PutPermission, RemovePermission};
use super::super::tags::{Tag, TagResource};
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::{
    Deletion, Handle, Progress, Provider, Request, Schema, Update, optional, properties, required,
};

pub struct EventBus;

static SCHEMA: Schema = Schema {
    type_name: "AWS::Events::EventBus",
    properties: &[
        optional("Description", Update::InPlace),
        required("Name", Update::Replacement),
        optional("Policy", Update::InPlace),
        optional("Tags", Update::InPlace),
    ],
    attributes: &["Arn", "Name", "Policy"],
    tags: Some("Tags"),
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    name: String,
    description: Option<String>,
    policy: Option<Value>,
    #[serde(default)]
    tags: Vec<Tag>,
}

impl Properties {
    fn tags(&self, stack: &[(String, String)]) -> Vec<Tag> {
        let mut tags = self.tags.clone();
        for (key, value) in stack {
            if !tags.iter().any(|own| own.key == *key) {
                tags.push(Tag { key: key.clone(), value: value.clone() });
            }
        }
        tags
    }

    fn done(&self, cx: &Cx<'_>) -> Progress {
        let mut attributes = Map::from_iter([
            ("Arn".to_owned(), Value::String(names::bus_arn(cx, &self.name))),
            ("Name".to_owned(), Value::String(self.name.clone())),
        ]);
        if let Some(policy) = &self.policy {
            attributes.insert("Policy".to_owned(), policy.clone());
        }
        Progress::Done { physical_id: self.name.clone(), attributes }
    }

    fn put_policy(&self, cx: &mut Cx<'_>) -> Result<(), EngineError> {
        let event_bus_name = Some(self.name.clone());
        match &self.policy {
            Some(policy) => {
                let policy = Some(policy.as_str().map_or_else(|| policy.to_string(), str::to_owned));
                cx.call(PutPermission { event_bus_name, policy, ..PutPermission::default() })?;
            }
            None => cx.call(RemovePermission {
                event_bus_name,
                remove_all_permissions: true,
                ..RemovePermission::default()
            })?,
        }
        Ok(())
    }
}

impl Provider for EventBus {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let asked: Properties = properties(&SCHEMA, &request.properties)?;
        cx.call(CreateEventBus {
            name: asked.name.clone(),
            description: asked.description.clone(),
            tags: asked.tags(&request.tags),
        })?;
        if asked.policy.is_some() {
            asked.put_policy(cx)?;
        }
        Ok(asked.done(cx))
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let asked: Properties = properties(&SCHEMA, &request.properties)?;
        cx.call(UpdateEventBus { name: Some(asked.name.clone()), description: asked.description.clone() })?;
        if asked.policy.is_some() || handle.properties.get("Policy").is_some() {
            asked.put_policy(cx)?;
        }
        let tags = asked.tags(&request.tags);
        if !tags.is_empty() {
            let resource_arn = names::bus_arn(cx, &asked.name);
            cx.call(TagResource { resource_arn, tags })?;
        }
        Ok(asked.done(cx))
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        cx.call(DeleteEventBus { name: handle.physical_id.clone() })?;
        Ok(Deletion::Done)
    }
}
