//! Tags of users, roles, policies and instance profiles. Keys are unique without regard to case.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::Error;
use crate::context::{ContextKeys, Cx};

/// A tag on the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Tag {
    pub key: String,
    pub value: String,
}

/// The most tags one entity may have.
const LIMIT: usize = 50;

/// Adds tags, replacing those of the same key.
pub fn add(cx: &Cx<'_>, tags: &mut BTreeMap<String, String>, new: &[Tag]) -> Result<(), Error> {
    for (at, tag) in new.iter().enumerate() {
        if cx.caller.invoked_by.is_none() && tag.key.to_ascii_lowercase().starts_with("aws:") {
            return Err(Error::InvalidInput(format!(
                "Tag keys beginning with 'aws:' are reserved for AWS use: {}",
                tag.key
            )));
        }
        if new[..at].iter().any(|other| other.key.eq_ignore_ascii_case(&tag.key)) {
            return Err(Error::InvalidInput(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.".to_owned(),
            ));
        }
        tags.retain(|key, _| !key.eq_ignore_ascii_case(&tag.key));
        tags.insert(tag.key.clone(), tag.value.clone());
    }
    if tags.keys().filter(|key| !key.starts_with("aws:")).count() > LIMIT {
        return Err(Error::Limit("The number of tags has reached the maximum limit.".to_owned()));
    }
    Ok(())
}

/// Takes tags away; one that is not there is no error.
pub fn remove(tags: &mut BTreeMap<String, String>, keys: &[String]) {
    tags.retain(|key, _| !keys.iter().any(|gone| gone.eq_ignore_ascii_case(key)));
}

/// As they stand in a list.
pub fn view(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}

/// As they stand in the description of an entity: not at all when there are none.
pub fn some(tags: &BTreeMap<String, String>) -> Option<Vec<Tag>> {
    (!tags.is_empty()).then(|| view(tags))
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

/// `aws:ResourceTag/…` and `iam:ResourceTag/…`.
pub fn resource_keys(tags: &BTreeMap<String, String>, keys: &mut ContextKeys) {
    for (key, value) in tags {
        keys.insert(format!("aws:ResourceTag/{key}"), vec![value.clone()]);
        keys.insert(format!("iam:ResourceTag/{key}"), vec![value.clone()]);
    }
}
