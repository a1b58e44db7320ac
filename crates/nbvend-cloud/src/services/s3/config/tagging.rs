//! Tags of buckets. Those that the engine stamped (`aws:`) are told but not changed by callers.

use serde::{Deserialize, Serialize};

use super::change;
use crate::context::Cx;
use crate::operation::{Kind, Operation};
use crate::services::s3::error::Error;
use crate::services::s3::name;
use crate::services::s3::state::{Bucket, Tag, bucket_arn};

/// Replaces the caller's tags.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutBucketTagging {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    pub tags: Vec<Tag>,
}

impl Operation for PutBucketTagging {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "PutBucketTagging";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        name::check_tags(cx, &self.tags, 50)?;
        let internal = cx.caller.invoked_by.is_some();
        change(cx, &self.bucket, |bucket| replace(bucket, self.tags, internal))
    }
}

/// The tags.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetBucketTagging {
    #[serde(rename = "BucketName")]
    pub bucket: String,
}

impl Operation for GetBucketTagging {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "GetBucketTagging";
    const KIND: Kind = Kind::Read;
    type Output = TagsView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let bucket = Bucket::load(cx, &self.bucket)?;
        if bucket.tags.is_empty() {
            return Err(Error::NoSuchTagSet(bucket.name));
        }
        Ok(TagsView { tags: bucket.tags })
    }
}

/// Takes the caller's tags away.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteBucketTagging {
    #[serde(rename = "BucketName")]
    pub bucket: String,
}

impl Operation for DeleteBucketTagging {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "DeleteBucketTagging";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = Some("s3:PutBucketTagging");
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        change(cx, &self.bucket, |bucket| replace(bucket, Vec::new(), false))
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagsView {
    pub tags: Vec<Tag>,
}

/// An internal caller gives all tags; others all but the engine's.
fn replace(bucket: &mut Bucket, tags: Vec<Tag>, internal: bool) {
    bucket.tags.retain(|tag| !internal && tag.key.starts_with("aws:"));
    bucket.tags.extend(tags);
}
