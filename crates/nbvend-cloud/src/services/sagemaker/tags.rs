//! `AddTags`, `ListTags`, `DeleteTags`, and what tags mean to the other operations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::WATCH;
use super::error::Error;
use super::state::{LifecycleConfig, Notebook};
use crate::context::{ContextKeys, Cx};
use crate::engine::Engine;
use crate::operation::{Kind, Operation};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Tag {
    pub key: String,
    pub value: String,
}

/// How the notebook is kept apart from the others: shown among its tags, and stored nowhere.
pub const ISOLATION: &str = "nbvend:isolation";
/// Whether the size of its volume holds, in the same way.
pub const VOLUME: &str = "nbvend:volume";

/// The value of [`VOLUME`].
pub fn volume(engine: &Engine, notebook: &Notebook) -> &'static str {
    if engine.notebooks().enforces_volume(&notebook.id) { "enforced" } else { "not-enforced" }
}

/// Tags that AWS stamps are taken only from callers inside the engine.
pub fn checked(cx: &Cx<'_>, tags: &[Tag]) -> Result<Vec<(String, String)>, Error> {
    only_aws(cx, tags.iter().map(|tag| &tag.key))?;
    for tag in tags {
        told_not_set(&tag.key)?;
        super::watch::limits::check(&tag.key, &tag.value).map_err(Error::Validation)?;
    }
    Ok(tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect())
}

fn told_not_set(key: &str) -> Result<(), Error> {
    match key {
        ISOLATION | VOLUME => {
            Err(Error::Validation(format!("The tag {key} says what is so and cannot be changed")))
        }
        _ => Ok(()),
    }
}

fn only_aws<'a>(cx: &Cx<'_>, keys: impl IntoIterator<Item = &'a String>) -> Result<(), Error> {
    let mut keys = keys.into_iter();
    match keys.find(|key| key.to_ascii_lowercase().starts_with("aws:")) {
        Some(key) if cx.caller.invoked_by.is_none() => Err(Error::Validation(format!(
            "Tag keys cannot start with 'aws:', which is reserved for AWS use: {key}"
        ))),
        _ => Ok(()),
    }
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

/// `aws:ResourceTag/…` and `sagemaker:ResourceTag/…` of a notebook.
pub fn resource_keys(cx: &Cx<'_>, name: &str, keys: &mut ContextKeys) {
    if let Ok(notebook) = Notebook::find(cx, name) {
        for (key, value) in notebook.tags {
            keys.insert(format!("aws:ResourceTag/{key}"), vec![value.clone()]);
            keys.insert(format!("sagemaker:ResourceTag/{key}"), vec![value]);
        }
    }
}

/// What can carry tags here.
enum Tagged {
    Notebook(Box<Notebook>),
    Config(LifecycleConfig),
}

impl Tagged {
    fn find(cx: &Cx<'_>, arn: &str) -> Result<Self, Error> {
        let (kind, name) = arn.rsplit(':').next().and_then(|r| r.split_once('/')).unwrap_or_default();
        match kind {
            "notebook-instance" => Ok(Self::Notebook(Box::new(Notebook::find(cx, name)?))),
            "notebook-instance-lifecycle-config" => {
                let config = super::state::lifecycle_config(cx, name)?;
                Ok(Self::Config(config.ok_or(Error::NotFound)?))
            }
            _ => Err(Error::Validation(format!("nbvend keeps no tags of {arn}"))),
        }
    }

    fn tags(&mut self) -> &mut BTreeMap<String, String> {
        match self {
            Self::Notebook(notebook) => &mut notebook.tags,
            Self::Config(config) => &mut config.tags,
        }
    }

    fn put(&self, cx: &Cx<'_>) -> Result<(), Error> {
        match self {
            Self::Notebook(notebook) => {
                cx.put(notebook.as_ref())?;
                // A tag may say when it is stopped.
                cx.wake(WATCH);
            }
            Self::Config(config) => cx.put(config)?,
        }
        Ok(())
    }
}

fn listed(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AddTags {
    pub resource_arn: String,
    pub tags: Vec<Tag>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagsOutput {
    pub tags: Vec<Tag>,
}

impl Operation for AddTags {
    const SERVICE: &'static str = "sagemaker";
    const NAME: &'static str = "AddTags";
    const KIND: Kind = Kind::Write;
    type Output = TagsOutput;
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.resource_arn.clone()]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        request_keys(&self.tags, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<TagsOutput, Error> {
        let mut tagged = Tagged::find(cx, &self.resource_arn)?;
        tagged.tags().extend(checked(cx, &self.tags)?);
        // AWS allows 50; the ones it stamps do not count.
        if tagged.tags().keys().filter(|key| !key.starts_with("aws:")).count() > 50 {
            return Err(Error::Validation("Number of tags exceeds the limit of 50".to_owned()));
        }
        tagged.put(cx)?;
        Ok(TagsOutput { tags: listed(tagged.tags()) })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListTags {
    pub resource_arn: String,
    pub next_token: Option<String>,
    pub max_results: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListTagsOutput {
    pub tags: Vec<Tag>,
    pub next_token: Option<String>,
}

impl Operation for ListTags {
    const SERVICE: &'static str = "sagemaker";
    const NAME: &'static str = "ListTags";
    const KIND: Kind = Kind::Read;
    type Output = ListTagsOutput;
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.resource_arn.clone()]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListTagsOutput, Error> {
        let mut tagged = Tagged::find(cx, &self.resource_arn)?;
        if let Tagged::Notebook(notebook) = &mut tagged {
            let level = cx.engine.notebooks().isolation();
            let volume = volume(cx.engine, notebook);
            notebook.tags.insert(ISOLATION.to_owned(), level.to_owned());
            notebook.tags.insert(VOLUME.to_owned(), volume.to_owned());
        }
        let all = listed(tagged.tags());
        let after = self.next_token.as_deref().map(super::page::read).transpose()?;
        let limit = self.max_results.unwrap_or(100);
        let mut rest = all.into_iter().filter(|tag| after.as_ref().is_none_or(|after| tag.key > *after));
        let tags: Vec<Tag> = rest.by_ref().take(limit).collect();
        let more = rest.next().is_some();
        let next_token = tags.last().filter(|_| more).map(|tag| super::page::write(&tag.key));
        Ok(ListTagsOutput { tags, next_token })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteTags {
    pub resource_arn: String,
    pub tag_keys: Vec<String>,
}

impl Operation for DeleteTags {
    const SERVICE: &'static str = "sagemaker";
    const NAME: &'static str = "DeleteTags";
    const KIND: Kind = Kind::Write;
    type Output = serde_json::Map<String, serde_json::Value>;
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.resource_arn.clone()]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        keys.insert("aws:TagKeys".to_owned(), self.tag_keys.clone());
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        self.tag_keys.iter().try_for_each(|key| told_not_set(key))?;
        only_aws(cx, &self.tag_keys)?;
        let mut tagged = Tagged::find(cx, &self.resource_arn)?;
        tagged.tags().retain(|key, _| !self.tag_keys.contains(key));
        tagged.put(cx)?;
        Ok(serde_json::Map::new())
    }
}
