//! `TagResource`, `UntagResource`, `ListTags`: of functions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::name::{Named, function_keys};
use super::state::Function;
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

type Tags = BTreeMap<String, String>;

/// Tags that AWS stamps.
fn stamped(key: &str) -> bool {
    key.to_ascii_lowercase().starts_with("aws:")
}

/// Puts tags on a function: stamped ones only from callers inside the engine, 50 others at the most.
pub fn add(cx: &Cx<'_>, tags: &mut Tags, new: Tags) -> Result<(), Error> {
    if cx.caller.invoked_by.is_none() && new.keys().any(|key| stamped(key)) {
        return Err(Error::parameter("Tag keys starting with 'aws:' are reserved for system use"));
    }
    tags.extend(new);
    if tags.keys().filter(|key| !stamped(key)).count() > 50 {
        return Err(Error::parameter("Number of tags exceeds resource tag limit."));
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

fn find(cx: &Cx<'_>, arn: &str) -> Result<Function, Error> {
    if !arn.contains(":function:") {
        return Err(Error::parameter(format!("nbvend keeps tags of functions only, not of {arn}")));
    }
    let named = Named::read(cx, arn, None)?;
    if named.qualifier.is_some() {
        return Err(Error::parameter(
            "Tags on function aliases and versions are not supported. Please specify a function ARN.",
        ));
    }
    named.function(cx)
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct TagResource {
    pub resource: String,
    pub tags: Tags,
}

impl Operation for TagResource {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "TagResource";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.resource.clone()]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        request_keys(self.tags.iter(), keys);
        function_keys(cx, &self.resource, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let mut function = find(cx, &self.resource)?;
        if self.tags.is_empty() {
            return Err(Error::parameter("An error occurred and the request cannot be processed."));
        }
        add(cx, &mut function.tags, self.tags)?;
        Ok(cx.put(&function)?)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UntagResource {
    pub resource: String,
    pub tag_keys: Vec<String>,
}

impl Operation for UntagResource {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "UntagResource";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.resource.clone()]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        keys.insert("aws:TagKeys".to_owned(), self.tag_keys.clone());
        function_keys(cx, &self.resource, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let mut function = find(cx, &self.resource)?;
        function.tags.retain(|key, _| !self.tag_keys.contains(key));
        Ok(cx.put(&function)?)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListTags {
    pub resource: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListTagsOutput {
    pub tags: Tags,
}

impl Operation for ListTags {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "ListTags";
    const KIND: Kind = Kind::Read;
    type Output = ListTagsOutput;
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.resource.clone()]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.resource, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListTagsOutput, Error> {
        Ok(ListTagsOutput { tags: find(cx, &self.resource)?.tags })
    }
}
