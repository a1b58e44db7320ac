//! `PutObject`: points an object to the blob its body was received into.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::name;
use super::state::{Bucket, Checksum, Content, Encryption, Headers, StoredBody, Tag, object_arn};
use super::version;
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// The commit of a put: the body is in a blob already.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutObject {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    pub key: String,
    /// `None` only while the call is asked for before its body is received.
    pub body: Option<StoredBody>,
    pub headers: Headers,
    pub metadata: BTreeMap<String, String>,
    pub tags: Vec<Tag>,
    /// As asked for; else the bucket's.
    pub encryption: Option<Encryption>,
    /// Only over a current object of this ETag, or any for `*`.
    pub if_match: Option<String>,
    /// Only where there is no current object of this ETag, or none at all for `*`.
    pub if_none_match: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutObjectOutput {
    #[serde(rename = "ETag")]
    pub e_tag: String,
    pub version_id: Option<String>,
    pub encryption: Encryption,
    pub checksum: Option<Checksum>,
}

impl Operation for PutObject {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "PutObject";
    const KIND: Kind = Kind::Write;
    const DATA: bool = true;
    type Output = PutObjectOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![object_arn(cx, &self.bucket, &self.key)]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        write_keys(&self.tags, self.encryption.as_ref(), keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let bucket = Bucket::load(cx, &self.bucket)?;
        name::check_key(&self.key)?;
        name::check_tags(cx, &self.tags, 10)?;
        check_conditions(
            cx,
            &self.bucket,
            &self.key,
            self.if_match.as_deref(),
            self.if_none_match.as_deref(),
        )?;
        let body = self.body.ok_or(Error::IncompleteBody)?;
        let (e_tag, checksum) = (body.e_tag.clone(), body.checksum.clone());
        let encryption = self.encryption.unwrap_or_else(|| bucket.encryption.clone());
        let content = Content {
            body,
            headers: self.headers,
            metadata: self.metadata,
            tags: self.tags,
            encryption: encryption.clone(),
            parts: Vec::new(),
            upload_id: None,
        };
        let version = version::put(cx, &bucket, &self.key, Some(content))?;
        Ok(PutObjectOutput { e_tag, version_id: version.shown_id(&bucket), encryption, checksum })
    }
}

/// Condition keys of a write of an object.
pub(super) fn write_keys(tags: &[Tag], encryption: Option<&Encryption>, keys: &mut ContextKeys) {
    for tag in tags {
        keys.insert(format!("s3:RequestObjectTag/{}", tag.key), vec![tag.value.clone()]);
    }
    if !tags.is_empty() {
        let names = tags.iter().map(|tag| tag.key.clone()).collect();
        keys.insert("s3:RequestObjectTagKeys".to_owned(), names);
    }
    if let Some(encryption) = encryption {
        keys.insert("s3:x-amz-server-side-encryption".to_owned(), vec![encryption.algorithm.clone()]);
        if let Some(key) = &encryption.kms_key {
            keys.insert("s3:x-amz-server-side-encryption-aws-kms-key-id".to_owned(), vec![key.clone()]);
        }
    }
}

/// Conditional writes, judged in the transaction that writes.
pub(super) fn check_conditions(
    cx: &Cx<'_>,
    bucket: &str,
    key: &str,
    if_match: Option<&str>,
    if_none_match: Option<&str>,
) -> Result<(), Error> {
    if if_match.is_none() && if_none_match.is_none() {
        return Ok(());
    }
    let current = version::newest(cx, bucket, key)?.and_then(|version| version.content);
    let matches = |wanted: &str| current.as_ref().is_some_and(|c| wanted == "*" || wanted == c.body.e_tag);
    if let Some(wanted) = if_match {
        if current.is_none() {
            return Err(Error::NoSuchKey { key: key.to_owned(), delete_marker: None });
        }
        if !matches(wanted) {
            return Err(Error::PreconditionFailed("If-Match"));
        }
    }
    if if_none_match.is_some_and(matches) {
        return Err(Error::PreconditionFailed("If-None-Match"));
    }
    Ok(())
}
