//! What S3 keeps: buckets, versions of objects, uploads and their parts. All are global: a bucket's name is one for
//! all regions, and the bucket knows its own.

use std::collections::BTreeMap;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use crate::context::Cx;
use crate::store::Record;

/// Stands between a key and what follows it in a record's key. It sorts before every character that a key may have
/// (see [`super::name::check_key`]), so that records lie in the order of their keys.
pub const END_OF_KEY: char = '\u{1}';

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bucket {
    pub name: String,
    pub region: String,
    pub created: Timestamp,
    pub versioning: Versioning,
    pub encryption: Encryption,
    /// `None` once it was deleted; new buckets have all four, as on AWS since April 2023.
    pub public_access: Option<PublicAccess>,
    /// Whether the (only) ownership setting is still there; it may be deleted.
    pub ownership: bool,
    /// The policy's text as it was put.
    pub policy: Option<String>,
    pub tags: Vec<Tag>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Versioning {
    /// Never enabled.
    Off,
    Enabled,
    Suspended,
}

/// What a bucket or object says of its encryption. It is a statement for clients: bodies lie in the data folder as
/// they came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Encryption {
    /// `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub algorithm: String,
    pub kms_key: Option<String>,
    pub bucket_key: bool,
}

impl Default for Encryption {
    fn default() -> Self {
        Self { algorithm: "AES256".to_owned(), kms_key: None, bucket_key: false }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PublicAccess {
    pub block_public_acls: bool,
    pub ignore_public_acls: bool,
    pub block_public_policy: bool,
    pub restrict_public_buckets: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Tag {
    pub key: String,
    pub value: String,
}

/// One version of an object, or a delete marker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Version {
    pub bucket: String,
    pub key: String,
    /// 16 hexadecimal digits, smaller for newer versions of the same key: the newest is found first.
    pub sequence: String,
    /// `None` is the version called `null`. Others begin with the sequence.
    pub version_id: Option<String>,
    pub modified: Timestamp,
    /// `None` for a delete marker.
    pub content: Option<Content>,
}

/// An object's body and what was said of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Content {
    pub body: StoredBody,
    pub headers: Headers,
    /// User metadata, names in lower case without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    pub tags: Vec<Tag>,
    pub encryption: Encryption,
    /// For objects uploaded in parts.
    pub parts: Vec<PartSummary>,
    /// The upload that made it, so that completing it a second time is answered as the first was.
    pub upload_id: Option<String>,
}

/// A body that lies in a blob.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredBody {
    pub blob: String,
    pub size: u64,
    /// Hexadecimal, of the whole body.
    pub md5: String,
    /// Without quotes: the MD5, or `<hash of hashes>-<parts>`.
    pub e_tag: String,
    pub checksum: Option<Checksum>,
}

/// A checksum as S3 gives it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    /// `CRC32`, `CRC32C`, `CRC64NVME`, `SHA1` or `SHA256`.
    pub algorithm: String,
    /// Base64; of parts combined it ends in `-<parts>`.
    pub value: String,
    /// Of the checksums of parts, not of the whole.
    pub composite: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartSummary {
    pub number: u32,
    pub size: u64,
    pub checksum: Option<Checksum>,
}

/// The HTTP headers stored with an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Headers {
    pub content_type: Option<String>,
    pub cache_control: Option<String>,
    pub content_disposition: Option<String>,
    pub content_encoding: Option<String>,
    pub content_language: Option<String>,
    pub expires: Option<Timestamp>,
}

/// A multipart upload on its way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Upload {
    pub id: String,
    pub bucket: String,
    pub key: String,
    pub initiated: Timestamp,
    pub initiator: String,
    pub headers: Headers,
    pub metadata: BTreeMap<String, String>,
    pub tags: Vec<Tag>,
    pub encryption: Encryption,
    /// What the parts' checksums are made with, and whether the object's is made of theirs.
    pub checksum: Option<UploadChecksum>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadChecksum {
    pub algorithm: String,
    pub composite: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Part {
    pub upload: String,
    pub number: u32,
    pub body: StoredBody,
    pub modified: Timestamp,
}

impl Record for Bucket {
    const KIND: &'static str = "s3.bucket";

    fn key(&self) -> String {
        self.name.clone()
    }
}

impl Record for Version {
    const KIND: &'static str = "s3.version";
    const INDEXES: &'static [&'static str] = &["blob", "null"];

    fn key(&self) -> String {
        format!("{}/{}{END_OF_KEY}{}", self.bucket, self.key, self.sequence)
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        let mut indexes = Vec::new();
        if let Some(content) = &self.content {
            indexes.push(("blob", content.body.blob.clone()));
        }
        if self.version_id.is_none() {
            indexes.push(("null", format!("{}/{}", self.bucket, self.key)));
        }
        indexes
    }
}

impl Record for Upload {
    const KIND: &'static str = "s3.upload";

    fn key(&self) -> String {
        format!("{}/{}{END_OF_KEY}{}", self.bucket, self.key, self.id)
    }
}

impl Record for Part {
    const KIND: &'static str = "s3.part";
    const INDEXES: &'static [&'static str] = &["blob"];

    fn key(&self) -> String {
        format!("{}/{:05}", self.upload, self.number)
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        vec![("blob", self.body.blob.clone())]
    }
}

impl Bucket {
    /// The bucket of that name.
    pub fn load(cx: &Cx<'_>, name: &str) -> Result<Self, Error> {
        cx.get_global(name)?.ok_or_else(|| Error::NoSuchBucket(name.to_owned()))
    }
}

impl Version {
    /// The id as clients see it; `None` in buckets that never had versions.
    pub fn shown_id(&self, bucket: &Bucket) -> Option<String> {
        match (&self.version_id, bucket.versioning) {
            (Some(id), _) => Some(id.clone()),
            (None, Versioning::Off) => None,
            (None, _) => Some("null".to_owned()),
        }
    }
}

/// The ARN of a bucket.
pub fn bucket_arn(cx: &Cx<'_>, bucket: &str) -> String {
    format!("arn:{}:s3:::{bucket}", nbvend_wire::arn::partition(cx.region()))
}

/// The ARN of an object.
pub fn object_arn(cx: &Cx<'_>, bucket: &str, key: &str) -> String {
    format!("{}/{key}", bucket_arn(cx, bucket))
}
