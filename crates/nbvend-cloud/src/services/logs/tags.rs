//! Tags of log groups: the operations of today, by ARN, and the older ones by name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::state::{Group, group_keys, name_of_arn};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

type Tags = BTreeMap<String, String>;

/// Tags that AWS stamps.
fn stamped(key: &str) -> bool {
    key.to_ascii_lowercase().starts_with("aws:")
}

/// Puts tags on a group: stamped ones only from callers inside the engine, 50 others at the most.
pub fn add(cx: &Cx<'_>, tags: &mut Tags, new: Tags) -> Result<(), Error> {
    if cx.caller.invoked_by.is_none() && new.keys().any(|key| stamped(key)) {
        return Err(Error::Parameter(
            "aws: prefixed tag key names are not allowed for external use.".to_owned(),
        ));
    }
    tags.extend(new);
    if tags.keys().filter(|key| !stamped(key)).count() > 50 {
        return Err(Error::TooManyTags);
    }
    Ok(())
}

/// `aws:RequestTag/…` and `aws:TagKeys`.
pub fn request_keys<'a>(tags: impl Iterator<Item = (&'a String, &'a String)>, keys: &mut ContextKeys) {
    let mut names = Vec::new();
    for (key, value) in tags {
        keys.insert(format!("aws:RequestTag/{key}"), vec![value.clone()]);
        names.push(key.clone());
    }
    if !names.is_empty() {
        keys.insert("aws:TagKeys".to_owned(), names);
    }
}

fn by_arn(cx: &Cx<'_>, arn: &str) -> Result<Group, Error> {
    let name = name_of_arn(cx, arn).ok_or(Error::NoResource)?;
    cx.get(&name)?.ok_or(Error::NoResource)
}

fn arn_keys(cx: &Cx<'_>, arn: &str, keys: &mut ContextKeys) {
    if let Some(name) = name_of_arn(cx, arn) {
        group_keys(cx, &name, keys);
    }
}

fn tag(cx: &Cx<'_>, mut group: Group, tags: Tags) -> Result<(), Error> {
    add(cx, &mut group.tags, tags)?;
    Ok(cx.put(&group)?)
}

fn untag(cx: &Cx<'_>, mut group: Group, keys: &[String]) -> Result<(), Error> {
    group.tags.retain(|key, _| !keys.contains(key));
    Ok(cx.put(&group)?)
}

#[derive(Debug, Serialize)]
pub struct TagsOutput {
    pub tags: Tags,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TagResource {
    pub resource_arn: String,
    pub tags: Tags,
}

impl Operation for TagResource {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "TagResource";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.resource_arn.clone()]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        request_keys(self.tags.iter(), keys);
        arn_keys(cx, &self.resource_arn, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        tag(cx, by_arn(cx, &self.resource_arn)?, self.tags)
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UntagResource {
    pub resource_arn: String,
    pub tag_keys: Vec<String>,
}

impl Operation for UntagResource {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "UntagResource";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.resource_arn.clone()]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        keys.insert("aws:TagKeys".to_owned(), self.tag_keys.clone());
        arn_keys(cx, &self.resource_arn, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        untag(cx, by_arn(cx, &self.resource_arn)?, &self.tag_keys)
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListTagsForResource {
    pub resource_arn: String,
}

impl Operation for ListTagsForResource {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "ListTagsForResource";
    const KIND: Kind = Kind::Read;
    type Output = TagsOutput;
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.resource_arn.clone()]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        arn_keys(cx, &self.resource_arn, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<TagsOutput, Error> {
        Ok(TagsOutput { tags: by_arn(cx, &self.resource_arn)?.tags })
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TagLogGroup {
    pub log_group_name: String,
    pub tags: Tags,
}

impl Operation for TagLogGroup {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "TagLogGroup";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Group::arn(cx, &self.log_group_name)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        request_keys(self.tags.iter(), keys);
        group_keys(cx, &self.log_group_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        tag(cx, Group::find(cx, &self.log_group_name)?, self.tags)
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UntagLogGroup {
    pub log_group_name: String,
    /// Keys.
    pub tags: Vec<String>,
}

impl Operation for UntagLogGroup {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "UntagLogGroup";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Group::arn(cx, &self.log_group_name)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        keys.insert("aws:TagKeys".to_owned(), self.tags.clone());
        group_keys(cx, &self.log_group_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        untag(cx, Group::find(cx, &self.log_group_name)?, &self.tags)
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListTagsLogGroup {
    pub log_group_name: String,
}

impl Operation for ListTagsLogGroup {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "ListTagsLogGroup";
    const KIND: Kind = Kind::Read;
    type Output = TagsOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![Group::arn(cx, &self.log_group_name)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        group_keys(cx, &self.log_group_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<TagsOutput, Error> {
        Ok(TagsOutput { tags: Group::find(cx, &self.log_group_name)?.tags })
    }
}
