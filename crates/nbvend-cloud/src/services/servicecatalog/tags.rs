//! Tags of portfolios, products and launches.

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

pub fn view(tags: &[(String, String)]) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}

/// Tags as they are stored. Names that begin with `aws:` are the engine's own to give.
pub fn checked(cx: &Cx<'_>, tags: &[Tag]) -> Result<Vec<(String, String)>, Error> {
    let mut stored: Vec<(String, String)> = Vec::with_capacity(tags.len());
    for tag in tags {
        if cx.caller.invoked_by.is_none() && tag.key.to_ascii_lowercase().starts_with("aws:") {
            let text = "aws: prefixed tag key names are not allowed for external use.";
            return Err(Error::Invalid(text.to_owned()));
        }
        if stored.iter().any(|(key, _)| *key == tag.key) {
            return Err(Error::Invalid(format!("Duplicate tag keys found: {}", tag.key)));
        }
        stored.push((tag.key.clone(), tag.value.clone()));
    }
    Ok(stored)
}

/// Takes tags away and adds others; a tag of the same name is replaced.
pub fn change(
    cx: &Cx<'_>,
    tags: &mut Vec<(String, String)>,
    add: &[Tag],
    remove: &[String],
) -> Result<(), Error> {
    let added = checked(cx, add)?;
    tags.retain(|(key, _)| !remove.contains(key) && !added.iter().any(|(new, _)| new == key));
    tags.extend(added);
    if tags.iter().filter(|(key, _)| !key.starts_with("aws:")).count() > 50 {
        return Err(Error::Limit("A resource can have at most 50 tags".to_owned()));
    }
    Ok(())
}

/// `aws:RequestTag/…` and `aws:TagKeys`. What the engine stamps needs no permission.
pub fn request_keys(tags: &[Tag], keys: &mut ContextKeys) {
    let own: Vec<_> = tags.iter().filter(|tag| !tag.key.starts_with("aws:")).collect();
    if own.is_empty() {
        return;
    }
    for tag in &own {
        keys.insert(format!("aws:RequestTag/{}", tag.key), vec![tag.value.clone()]);
    }
    keys.insert("aws:TagKeys".to_owned(), own.iter().map(|tag| tag.key.clone()).collect());
}
