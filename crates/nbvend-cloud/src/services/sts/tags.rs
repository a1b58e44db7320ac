//! Session tags: given with the role, or carried on from the session the caller calls with.

use serde::{Deserialize, Serialize};

use super::error::Error;
use crate::context::ContextKeys;
use crate::identity::Session;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Tag {
    pub key: String,
    pub value: String,
}

/// The tags of a new session, and which of them go on from it.
#[derive(Debug, Default)]
pub struct SessionTags {
    pub tags: Vec<(String, String)>,
    pub transitive: Vec<String>,
}

/// Texts and codes of the three faults as recorded from AWS.
pub fn combine(given: &[Tag], transitive: &[String], former: Option<&Session>) -> Result<SessionTags, Error> {
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    for (at, tag) in given.iter().enumerate() {
        if given[..at].iter().any(|other| same(&other.key, &tag.key)) {
            return Err(Error::Parameter(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
    }
    if !transitive.iter().all(|key| given.iter().any(|tag| same(&tag.key, key))) {
        return Err(Error::Parameter(
            "The specified transitive tag key must be included in the requested tags.",
        ));
    }
    let mut all = SessionTags {
        tags: given.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect(),
        transitive: transitive.to_vec(),
    };
    let Some(former) = former else { return Ok(all) };
    for key in &former.transitive {
        if given.iter().any(|tag| same(&tag.key, key)) {
            return Err(Error::Parameter(
                "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
            ));
        }
        all.tags.extend(former.tags.iter().filter(|(name, _)| same(name, key)).cloned());
        all.transitive.push(key.clone());
    }
    Ok(all)
}

/// The condition keys of `sts:TagSession`, which AssumeRole has as well.
pub fn request_keys(given: &[Tag], transitive: &[String], keys: &mut ContextKeys) {
    for tag in given {
        keys.insert(format!("aws:RequestTag/{}", tag.key), vec![tag.value.clone()]);
    }
    if !given.is_empty() {
        keys.insert("aws:TagKeys".to_owned(), given.iter().map(|tag| tag.key.clone()).collect());
    }
    if !transitive.is_empty() {
        keys.insert("sts:TransitiveTagKeys".to_owned(), transitive.to_vec());
    }
}
