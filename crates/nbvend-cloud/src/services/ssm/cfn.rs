//! `AWS::SSM::Parameter`. As on AWS, templates make no SecureStrings.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::delete::DeleteParameter;
use super::parameter::{GetParameter, PutParameter};
use super::tags::{AddTagsToResource, ListTagsForResource, RemoveTagsFromResource, Tag};
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::{
    Deletion, Handle, Progress, Provider, Request, Schema, Update, generated_name, lenient, optional,
    properties, required,
};

pub struct SsmParameter;

static SCHEMA: Schema = Schema {
    type_name: "AWS::SSM::Parameter",
    properties: &[
        optional("AllowedPattern", Update::InPlace),
        optional("DataType", Update::InPlace),
        optional("Description", Update::InPlace),
        optional("Name", Update::Replacement),
        optional("Policies", Update::InPlace),
        optional("Tags", Update::InPlace),
        optional("Tier", Update::InPlace),
        // AWS updates a type in place and then fails on it, because Parameter Store does not change types.
        required("Type", Update::InPlace),
        required("Value", Update::InPlace),
    ],
    attributes: &["Type", "Value"],
    // A map here, not a list as elsewhere: the provider itself adds the stack's tags.
    tags: Some("Tags"),
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    name: Option<String>,
    #[serde(rename = "Type")]
    kind: String,
    #[serde(deserialize_with = "lenient::text")]
    value: Option<String>,
    description: Option<String>,
    allowed_pattern: Option<String>,
    policies: Option<String>,
    tier: Option<String>,
    data_type: Option<String>,
    #[serde(default, deserialize_with = "lenient::texts")]
    tags: BTreeMap<String, String>,
}

impl Properties {
    fn tags(&self, stack: &[(String, String)]) -> BTreeMap<String, String> {
        let mut tags: BTreeMap<String, String> = stack.iter().cloned().collect();
        tags.extend(self.tags.clone());
        tags
    }

    fn put(self, name: String, overwrite: bool, tags: Vec<Tag>) -> PutParameter {
        PutParameter {
            name,
            value: self.value.unwrap_or_default(),
            kind: Some(self.kind),
            description: self.description,
            overwrite,
            allowed_pattern: self.allowed_pattern,
            tags,
            tier: self.tier,
            policies: self.policies,
            data_type: self.data_type,
            ..PutParameter::default()
        }
    }

    fn refusal(&self) -> Option<String> {
        let secure = self.kind == "SecureString";
        secure.then(|| "AWS::SSM::Parameter does not support the type SecureString".to_owned())
    }
}

fn list(tags: BTreeMap<String, String>) -> Vec<Tag> {
    tags.into_iter().map(|(key, value)| Tag { key, value }).collect()
}

fn done(cx: &mut Cx<'_>, name: &str) -> Result<Progress, EngineError> {
    let now = cx.call(GetParameter { name: name.to_owned(), ..GetParameter::default() })?.parameter;
    let attributes = Map::from_iter([
        ("Type".to_owned(), Value::String(now.kind)),
        ("Value".to_owned(), Value::String(now.value)),
    ]);
    Ok(Progress::Done { physical_id: name.to_owned(), attributes })
}

impl Provider for SsmParameter {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let asked: Properties = properties(&SCHEMA, &request.properties)?;
        if let Some(reason) = asked.refusal() {
            return Ok(Progress::Failed { physical_id: None, reason });
        }
        let name = match &asked.name {
            Some(name) => name.clone(),
            None => generated_name(cx, request, 255),
        };
        let tags = list(asked.tags(&request.tags));
        cx.call(asked.put(name.clone(), false, tags))?;
        done(cx, &name)
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let asked: Properties = properties(&SCHEMA, &request.properties)?;
        if let Some(reason) = asked.refusal() {
            return Ok(Progress::Failed { physical_id: Some(handle.physical_id.clone()), reason });
        }
        let name = handle.physical_id.clone();
        let (resource_type, resource_id) = ("Parameter".to_owned(), name.clone());
        let tags = asked.tags(&request.tags);
        let now = cx.call(ListTagsForResource {
            resource_type: resource_type.clone(),
            resource_id: resource_id.clone(),
        })?;
        let old = now.tag_list.into_iter().map(|tag| tag.key);
        let gone: Vec<String> =
            old.filter(|key| !key.starts_with("aws:") && !tags.contains_key(key)).collect();
        if !gone.is_empty() {
            let (resource_type, resource_id) = (resource_type.clone(), resource_id.clone());
            cx.call(RemoveTagsFromResource { resource_type, resource_id, tag_keys: gone })?;
        }
        if !tags.is_empty() {
            cx.call(AddTagsToResource { resource_type, resource_id, tags: list(tags) })?;
        }
        let mut put = asked.put(name.clone(), true, Vec::new());
        // What the template no longer says is taken away, where PutParameter would keep it.
        put.description =
            put.description.or_else(|| handle.properties.get("Description").map(|_| String::new()));
        put.allowed_pattern =
            put.allowed_pattern.or_else(|| handle.properties.get("AllowedPattern").map(|_| String::new()));
        put.policies = put.policies.or_else(|| handle.properties.get("Policies").map(|_| "[]".to_owned()));
        cx.call(put)?;
        done(cx, &name)
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        match cx.call(DeleteParameter { name: handle.physical_id.clone() }) {
            Err(error) if error.code != "ParameterNotFound" => Err(error.into()),
            _ => Ok(Deletion::Done),
        }
    }
}
