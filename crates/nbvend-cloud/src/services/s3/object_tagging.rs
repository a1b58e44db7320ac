//! Tags of objects, which may be changed without a new version.

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::state::{Bucket, Tag, object_arn};
use super::{name, object, object_put, version};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// The tags of an object or a version of it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetObjectTagging {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    pub key: String,
    pub version_id: Option<String>,
}

/// Replaces them.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutObjectTagging {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    pub key: String,
    pub version_id: Option<String>,
    pub tags: Vec<Tag>,
}

/// Takes them away.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteObjectTagging {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    pub key: String,
    pub version_id: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ObjectTagsView {
    pub tags: Vec<Tag>,
    pub version_id: Option<String>,
}

fn replace(
    cx: &Cx<'_>,
    bucket: &str,
    key: &str,
    id: Option<&str>,
    tags: Vec<Tag>,
) -> Result<ObjectTagsView, Error> {
    let bucket = Bucket::load(cx, bucket)?;
    name::check_tags(cx, &tags, 10)?;
    let (mut found, mut content) = version::found(cx, &bucket.name, key, id)?;
    content.tags.clone_from(&tags);
    found.content = Some(content);
    cx.put_global(&found)?;
    Ok(ObjectTagsView { tags, version_id: found.shown_id(&bucket) })
}

impl Operation for GetObjectTagging {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "GetObjectTagging";
    const KIND: Kind = Kind::Read;
    const DATA: bool = true;
    type Output = ObjectTagsView;
    type Error = Error;

    fn action(&self) -> Option<&'static str> {
        Some(if self.version_id.is_some() { "s3:GetObjectVersionTagging" } else { "s3:GetObjectTagging" })
    }

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![object_arn(cx, &self.bucket, &self.key)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        object::existing_tag_keys(cx, &self.bucket, &self.key, self.version_id.as_deref(), keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ObjectTagsView, Error> {
        let bucket = Bucket::load(cx, &self.bucket)?;
        let (found, content) = version::found(cx, &bucket.name, &self.key, self.version_id.as_deref())?;
        Ok(ObjectTagsView { tags: content.tags, version_id: found.shown_id(&bucket) })
    }
}

impl Operation for PutObjectTagging {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "PutObjectTagging";
    const KIND: Kind = Kind::Write;
    const DATA: bool = true;
    type Output = ObjectTagsView;
    type Error = Error;

    fn action(&self) -> Option<&'static str> {
        Some(if self.version_id.is_some() { "s3:PutObjectVersionTagging" } else { "s3:PutObjectTagging" })
    }

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![object_arn(cx, &self.bucket, &self.key)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        object::existing_tag_keys(cx, &self.bucket, &self.key, self.version_id.as_deref(), keys);
        object_put::write_keys(&self.tags, None, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ObjectTagsView, Error> {
        replace(cx, &self.bucket, &self.key, self.version_id.as_deref(), self.tags)
    }
}

impl Operation for DeleteObjectTagging {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "DeleteObjectTagging";
    const KIND: Kind = Kind::Write;
    const DATA: bool = true;
    type Output = ObjectTagsView;
    type Error = Error;

    fn action(&self) -> Option<&'static str> {
        Some(if self.version_id.is_some() {
            "s3:DeleteObjectVersionTagging"
        } else {
            "s3:DeleteObjectTagging"
        })
    }

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![object_arn(cx, &self.bucket, &self.key)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        object::existing_tag_keys(cx, &self.bucket, &self.key, self.version_id.as_deref(), keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ObjectTagsView, Error> {
        replace(cx, &self.bucket, &self.key, self.version_id.as_deref(), Vec::new())
    }
}
