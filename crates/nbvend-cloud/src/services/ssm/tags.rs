//! `AddTagsToResource`, `RemoveTagsFromResource`, `ListTagsForResource`, for parameters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::Error;
use super::name;
use super::state::Parameter;
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// Tags of its owner that a parameter may have.
const TAGS: usize = 50;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Tag {
    pub key: String,
    pub value: String,
}

/// Tags that AWS stamps are taken only from callers inside the engine.
pub fn checked(cx: &Cx<'_>, tags: &[Tag]) -> Result<BTreeMap<String, String>, Error> {
    let reserved = |tag: &&Tag| tag.key.to_ascii_lowercase().starts_with("aws:");
    if cx.caller.invoked_by.is_none()
        && let Some(tag) = tags.iter().find(reserved)
    {
        return Err(Error::Validation(format!(
            "System tags cannot be added/updated by requester: {}",
            tag.key
        )));
    }
    let tags: BTreeMap<String, String> =
        tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect();
    counted(&tags)?;
    Ok(tags)
}

fn counted(tags: &BTreeMap<String, String>) -> Result<(), Error> {
    let own = tags.keys().filter(|key| !key.starts_with("aws:")).count();
    if own > TAGS { Err(Error::TooManyTags) } else { Ok(()) }
}

/// `aws:RequestTag/…` and `aws:TagKeys`.
pub fn request_keys(tags: &[Tag], keys: &mut ContextKeys) {
    for tag in tags {
        keys.insert(format!("aws:RequestTag/{}", tag.key), vec![tag.value.clone()]);
    }
    if !tags.is_empty() {
        keys.insert("aws:TagKeys".to_owned(), tags.iter().map(|tag| tag.key.clone()).collect());
    }
}

/// `aws:ResourceTag/…` and `ssm:resourceTag/…` of a parameter.
pub fn resource_keys(cx: &Cx<'_>, name: &str, keys: &mut ContextKeys) {
    if let Ok(Some(parameter)) = Parameter::get(cx, name) {
        for (key, value) in parameter.tags {
            keys.insert(format!("aws:ResourceTag/{key}"), vec![value.clone()]);
            keys.insert(format!("ssm:resourceTag/{key}"), vec![value]);
        }
    }
}

/// The parameter that a call names: there is nothing else here that could carry tags.
fn tagged(cx: &Cx<'_>, kind: &str, id: &str) -> Result<Parameter, Error> {
    if kind != "Parameter" {
        return Err(Error::ResourceType);
    }
    Parameter::get(cx, id.trim())?.ok_or(Error::ResourceId)
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct AddTagsToResource {
    pub resource_type: String,
    pub resource_id: String,
    pub tags: Vec<Tag>,
}

impl Operation for AddTagsToResource {
    const SERVICE: &'static str = "ssm";
    const NAME: &'static str = "AddTagsToResource";
    const KIND: Kind = Kind::Write;
    type Output = Map<String, Value>;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![name::arn(cx, self.resource_id.trim())]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        request_keys(&self.tags, keys);
        resource_keys(cx, self.resource_id.trim(), keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let mut parameter = tagged(cx, &self.resource_type, &self.resource_id)?;
        parameter.tags.extend(checked(cx, &self.tags)?);
        counted(&parameter.tags)?;
        cx.put(&parameter)?;
        Ok(Map::new())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct RemoveTagsFromResource {
    pub resource_type: String,
    pub resource_id: String,
    pub tag_keys: Vec<String>,
}

impl Operation for RemoveTagsFromResource {
    const SERVICE: &'static str = "ssm";
    const NAME: &'static str = "RemoveTagsFromResource";
    const KIND: Kind = Kind::Write;
    type Output = Map<String, Value>;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![name::arn(cx, self.resource_id.trim())]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        keys.insert("aws:TagKeys".to_owned(), self.tag_keys.clone());
        resource_keys(cx, self.resource_id.trim(), keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let mut parameter = tagged(cx, &self.resource_type, &self.resource_id)?;
        let tags: Vec<Tag> =
            self.tag_keys.iter().map(|key| Tag { key: key.clone(), ..Tag::default() }).collect();
        checked(cx, &tags)?;
        parameter.tags.retain(|key, _| !self.tag_keys.contains(key));
        cx.put(&parameter)?;
        Ok(Map::new())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListTagsForResource {
    pub resource_type: String,
    pub resource_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListTagsForResourceOutput {
    pub tag_list: Vec<Tag>,
}

impl Operation for ListTagsForResource {
    const SERVICE: &'static str = "ssm";
    const NAME: &'static str = "ListTagsForResource";
    const KIND: Kind = Kind::Read;
    type Output = ListTagsForResourceOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![name::arn(cx, self.resource_id.trim())]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListTagsForResourceOutput, Error> {
        let tags = tagged(cx, &self.resource_type, &self.resource_id)?.tags;
        Ok(ListTagsForResourceOutput {
            tag_list: tags.into_iter().map(|(key, value)| Tag { key, value }).collect(),
        })
    }
}
