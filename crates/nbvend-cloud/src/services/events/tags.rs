//! `TagResource`, `UntagResource`, `ListTagsForResource`, for buses and rules.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::Error;
use super::names::{self, Named};
use super::state::{Bus, Rule};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

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
    Ok(tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect())
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

/// What can carry tags here.
enum Tagged {
    Bus(Bus),
    Rule(Box<Rule>),
}

impl Tagged {
    fn find(cx: &Cx<'_>, arn: &str) -> Result<Self, Error> {
        match names::parse(cx, arn)? {
            Named::Bus(name) => Ok(Self::Bus(super::bus::load(cx, &name)?)),
            Named::Rule { bus, rule } => Ok(Self::Rule(Box::new(names::rule(cx, Some(&bus), &rule)?))),
        }
    }

    fn tags(&mut self) -> &mut BTreeMap<String, String> {
        match self {
            Self::Bus(bus) => &mut bus.tags,
            Self::Rule(rule) => &mut rule.tags,
        }
    }

    fn put(&self, cx: &Cx<'_>) -> Result<(), Error> {
        match self {
            Self::Bus(bus) => cx.put(bus)?,
            Self::Rule(rule) => cx.put(rule.as_ref())?,
        }
        Ok(())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct TagResource {
    #[serde(rename = "ResourceARN")]
    pub resource_arn: String,
    pub tags: Vec<Tag>,
}

impl Operation for TagResource {
    const SERVICE: &'static str = "events";
    const NAME: &'static str = "TagResource";
    const KIND: Kind = Kind::Write;
    type Output = Map<String, Value>;
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.resource_arn.clone()]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        request_keys(&self.tags, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let mut tagged = Tagged::find(cx, &self.resource_arn)?;
        tagged.tags().extend(checked(cx, &self.tags)?);
        if tagged.tags().keys().filter(|key| !key.starts_with("aws:")).count() > 50 {
            return Err(Error::Limit);
        }
        tagged.put(cx)?;
        Ok(Map::new())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct UntagResource {
    #[serde(rename = "ResourceARN")]
    pub resource_arn: String,
    pub tag_keys: Vec<String>,
}

impl Operation for UntagResource {
    const SERVICE: &'static str = "events";
    const NAME: &'static str = "UntagResource";
    const KIND: Kind = Kind::Write;
    type Output = Map<String, Value>;
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.resource_arn.clone()]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        keys.insert("aws:TagKeys".to_owned(), self.tag_keys.clone());
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let keys: Vec<Tag> = self.tag_keys.into_iter().map(|key| Tag { key, value: String::new() }).collect();
        checked(cx, &keys)?;
        let mut tagged = Tagged::find(cx, &self.resource_arn)?;
        tagged.tags().retain(|key, _| !keys.iter().any(|tag| tag.key == *key));
        tagged.put(cx)?;
        Ok(Map::new())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListTagsForResource {
    #[serde(rename = "ResourceARN")]
    pub resource_arn: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListTagsForResourceOutput {
    pub tags: Vec<Tag>,
}

impl Operation for ListTagsForResource {
    const SERVICE: &'static str = "events";
    const NAME: &'static str = "ListTagsForResource";
    const KIND: Kind = Kind::Read;
    type Output = ListTagsForResourceOutput;
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.resource_arn.clone()]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListTagsForResourceOutput, Error> {
        let mut tagged = Tagged::find(cx, &self.resource_arn)?;
        let tags = std::mem::take(tagged.tags());
        Ok(ListTagsForResourceOutput {
            tags: tags.into_iter().map(|(key, value)| Tag { key, value }).collect(),
        })
    }
}
