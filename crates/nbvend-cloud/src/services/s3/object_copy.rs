//! `CopyObject`: a second object that points to the same blob. The source is read as the caller, by a call of its own.

use std::collections::BTreeMap;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::condition::Conditions;
use super::error::Error;
use super::object::GetObject;
use super::object_put::{check_conditions, write_keys};
use super::state::{Bucket, Checksum, Content, Encryption, Headers, StoredBody, Tag, object_arn};
use super::{name, version};
use crate::context::{ContextKeys, Cx};
use crate::error::EngineError;
use crate::operation::{Kind, Operation};

/// The largest object that is copied in one call.
const LARGEST: u64 = 5 << 30;

/// Copies an object, with what was said of it or with what is said now.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CopyObject {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    pub key: String,
    pub source: Source,
    pub source_if_match: Option<String>,
    pub source_if_none_match: Option<String>,
    pub source_if_modified_since: Option<Timestamp>,
    pub source_if_unmodified_since: Option<Timestamp>,
    /// Headers and metadata instead of the source's.
    pub replace: Option<Said>,
    /// Tags instead of the source's.
    pub tags: Option<Vec<Tag>>,
    pub encryption: Option<Encryption>,
    pub if_match: Option<String>,
    pub if_none_match: Option<String>,
}

/// The object to copy.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct Source {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    pub key: String,
    pub version_id: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct Said {
    pub headers: Headers,
    pub metadata: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CopyObjectOutput {
    #[serde(rename = "ETag")]
    pub e_tag: String,
    pub last_modified: Timestamp,
    pub version_id: Option<String>,
    pub source_version_id: Option<String>,
    pub encryption: Encryption,
    pub checksum: Option<Checksum>,
}

/// The source's conditions; one that does not hold fails the copy, also where a GET would say 304.
pub fn check_source(conditions: &Conditions, e_tag: &str, modified: Timestamp) -> Result<(), Error> {
    conditions.check(e_tag, modified).map_err(|error| match error {
        Error::NotModified { .. } if conditions.if_none_match.is_some() => {
            Error::PreconditionFailed("x-amz-copy-source-If-None-Match")
        }
        Error::NotModified { .. } => Error::PreconditionFailed("x-amz-copy-source-If-Modified-Since"),
        Error::PreconditionFailed("If-Match") => Error::PreconditionFailed("x-amz-copy-source-If-Match"),
        _ => Error::PreconditionFailed("x-amz-copy-source-If-Unmodified-Since"),
    })
}

impl Operation for CopyObject {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "CopyObject";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = Some("s3:PutObject");
    const DATA: bool = true;
    type Output = CopyObjectOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![object_arn(cx, &self.bucket, &self.key)]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        write_keys(self.tags.as_deref().unwrap_or_default(), self.encryption.as_ref(), keys);
        keys.insert(
            "s3:x-amz-copy-source".to_owned(),
            vec![format!("{}/{}", self.source.bucket, self.source.key)],
        );
        let directive = if self.replace.is_some() { "REPLACE" } else { "COPY" };
        keys.insert("s3:x-amz-metadata-directive".to_owned(), vec![directive.to_owned()]);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let bucket = Bucket::load(cx, &self.bucket)?;
        name::check_key(&self.key)?;
        let Source { bucket: source_bucket, key: source_key, version_id } = self.source.clone();
        let itself = source_bucket == self.bucket && source_key == self.key && version_id.is_none();
        let get = GetObject { bucket: source_bucket, key: source_key, version_id };
        let source = cx.call(get).map_err(EngineError::Called)?;
        let conditions = Conditions {
            if_match: self.source_if_match,
            if_none_match: self.source_if_none_match,
            if_modified_since: self.source_if_modified_since,
            if_unmodified_since: self.source_if_unmodified_since,
        };
        check_source(&conditions, &source.e_tag, source.last_modified)?;
        check_conditions(
            cx,
            &self.bucket,
            &self.key,
            self.if_match.as_deref(),
            self.if_none_match.as_deref(),
        )?;
        if source.content_length > LARGEST {
            let text = "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120";
            return Err(Error::InvalidRequest(text.to_owned()));
        }
        let encryption = self.encryption.clone().unwrap_or_else(|| bucket.encryption.clone());
        if itself && self.replace.is_none() && (self.encryption.is_none() || encryption == source.encryption)
        {
            let text = "This copy request is illegal because it is trying to copy an object to itself without changing \
                the object's metadata, storage class, website redirect location or encryption attributes.";
            return Err(Error::InvalidRequest(text.to_owned()));
        }
        let tags = self.tags.unwrap_or(source.tags);
        name::check_tags(cx, &tags, 10)?;
        let said = self.replace.unwrap_or(Said { headers: source.headers, metadata: source.metadata });
        // The copy is one body, whatever the source was made of.
        let checksum = source.checksum.filter(|checksum| !checksum.composite);
        let content = Content {
            body: StoredBody {
                blob: source.blob,
                size: source.content_length,
                e_tag: source.md5.clone(),
                md5: source.md5.clone(),
                checksum: checksum.clone(),
            },
            headers: said.headers,
            metadata: said.metadata,
            tags,
            encryption: encryption.clone(),
            parts: Vec::new(),
            upload_id: None,
        };
        let version = version::put(cx, &bucket, &self.key, Some(content))?;
        Ok(CopyObjectOutput {
            e_tag: source.md5,
            last_modified: version.modified,
            version_id: version.shown_id(&bucket),
            source_version_id: source.version_id,
            encryption,
            checksum,
        })
    }
}
