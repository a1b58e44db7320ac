//! Reading objects: `GetObject` and `HeadObject`. Both say what there is to know of an object and where its body lies;
//! whoever asked reads the body from the blob.

use std::collections::BTreeMap;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::state::{Bucket, Checksum, Encryption, Headers, PartSummary, Tag, Version, object_arn};
use super::version;
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// An object: what there is to know of it, and the blob with its bytes (`cx.tx.blobs().read(&blob)`).
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetObject {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    pub key: String,
    pub version_id: Option<String>,
}

/// The same without the intention to read the body.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct HeadObject {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    pub key: String,
    pub version_id: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ObjectView {
    /// The id of the blob that holds the body.
    pub blob: String,
    pub content_length: u64,
    /// Without quotes.
    #[serde(rename = "ETag")]
    pub e_tag: String,
    pub version_id: Option<String>,
    pub last_modified: Timestamp,
    /// Hexadecimal, of the whole body.
    pub md5: String,
    pub headers: Headers,
    pub metadata: BTreeMap<String, String>,
    pub tags: Vec<Tag>,
    pub encryption: Encryption,
    pub checksum: Option<Checksum>,
    pub parts: Vec<PartSummary>,
}

impl Operation for GetObject {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "GetObject";
    const KIND: Kind = Kind::Read;
    const DATA: bool = true;
    type Output = ObjectView;
    type Error = Error;

    fn action(&self) -> Option<&'static str> {
        read_action(self.version_id.as_deref())
    }

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![object_arn(cx, &self.bucket, &self.key)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        existing_tag_keys(cx, &self.bucket, &self.key, self.version_id.as_deref(), keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ObjectView, Error> {
        view(cx, &self.bucket, &self.key, self.version_id.as_deref())
    }
}

impl Operation for HeadObject {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "HeadObject";
    const KIND: Kind = Kind::Read;
    const DATA: bool = true;
    type Output = ObjectView;
    type Error = Error;

    fn action(&self) -> Option<&'static str> {
        read_action(self.version_id.as_deref())
    }

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![object_arn(cx, &self.bucket, &self.key)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        existing_tag_keys(cx, &self.bucket, &self.key, self.version_id.as_deref(), keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ObjectView, Error> {
        view(cx, &self.bucket, &self.key, self.version_id.as_deref())
    }
}

fn read_action(version: Option<&str>) -> Option<&'static str> {
    Some(if version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" })
}

/// `s3:ExistingObjectTag/<key>` and `s3:VersionId` of a call on an object.
pub(super) fn existing_tag_keys(
    cx: &Cx<'_>,
    bucket: &str,
    key: &str,
    version: Option<&str>,
    keys: &mut ContextKeys,
) {
    if let Some(version) = version {
        keys.insert("s3:VersionId".to_owned(), vec![version.to_owned()]);
    }
    if let Ok((_, content)) = version::found(cx, bucket, key, version) {
        for tag in content.tags {
            keys.insert(format!("s3:ExistingObjectTag/{}", tag.key), vec![tag.value]);
        }
    }
}

pub(super) fn view(cx: &Cx<'_>, bucket: &str, key: &str, id: Option<&str>) -> Result<ObjectView, Error> {
    let bucket = Bucket::load(cx, bucket)?;
    let (found, content) = version::found(cx, &bucket.name, key, id)?;
    Ok(ObjectView {
        version_id: Version::shown_id(&found, &bucket),
        last_modified: found.modified,
        blob: content.body.blob,
        content_length: content.body.size,
        e_tag: content.body.e_tag,
        md5: content.body.md5,
        checksum: content.body.checksum,
        headers: content.headers,
        metadata: content.metadata,
        tags: content.tags,
        encryption: content.encryption,
        parts: content.parts,
    })
}
