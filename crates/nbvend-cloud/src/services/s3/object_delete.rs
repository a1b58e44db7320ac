//! `DeleteObject` and `DeleteObjects`.

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::state::{Bucket, Versioning, object_arn};
use super::{object, object_put, version};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// Deletes an object: for good where no versions are kept, or where a version is named; else behind a delete marker.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteObject {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    pub key: String,
    pub version_id: Option<String>,
    /// Only an object of this ETag.
    pub if_match: Option<String>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteObjectOutput {
    /// Whether what was made or removed is a delete marker.
    pub delete_marker: bool,
    pub version_id: Option<String>,
}

impl Operation for DeleteObject {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "DeleteObject";
    const KIND: Kind = Kind::Write;
    const DATA: bool = true;
    type Output = DeleteObjectOutput;
    type Error = Error;

    fn action(&self) -> Option<&'static str> {
        Some(if self.version_id.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" })
    }

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![object_arn(cx, &self.bucket, &self.key)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        object::existing_tag_keys(cx, &self.bucket, &self.key, self.version_id.as_deref(), keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let bucket = Bucket::load(cx, &self.bucket)?;
        object_put::check_conditions(cx, &self.bucket, &self.key, self.if_match.as_deref(), None)?;
        if let Some(id) = self.version_id {
            let gone = version::by_id(cx, &bucket.name, &self.key, &id)?;
            // A version that is not there is as good as deleted, as on AWS.
            let Some(gone) = gone else {
                return Ok(DeleteObjectOutput { delete_marker: false, version_id: Some(id) });
            };
            version::remove(cx, &gone)?;
            return Ok(DeleteObjectOutput { delete_marker: gone.content.is_none(), version_id: Some(id) });
        }
        if bucket.versioning == Versioning::Off {
            if let Some(gone) = version::newest(cx, &bucket.name, &self.key)? {
                version::remove(cx, &gone)?;
            }
            return Ok(DeleteObjectOutput::default());
        }
        let marker = version::put(cx, &bucket, &self.key, None)?;
        Ok(DeleteObjectOutput { delete_marker: true, version_id: marker.shown_id(&bucket) })
    }
}

/// Up to 1000 deletions in one call, each asked for by itself. AWS asks for `s3:DeleteObject` on every key; so does
/// this, by calling [`DeleteObject`] as the caller.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteObjects {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    pub objects: Vec<Target>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct Target {
    pub key: String,
    pub version_id: Option<String>,
    pub if_match: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteObjectsOutput {
    pub deleted: Vec<(Target, DeleteObjectOutput)>,
    pub errors: Vec<Refusal>,
}

/// Why one of the objects was not deleted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Refusal {
    pub target: Target,
    pub code: String,
    pub message: String,
}

impl Operation for DeleteObjects {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "DeleteObjects";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = Some("s3:DeleteObject");
    const DATA: bool = true;
    type Output = DeleteObjectsOutput;
    type Error = Error;

    /// None of its own: each deletion is asked for by itself, and one that is denied is only missing from the rest.
    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        Vec::new()
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        if self.objects.is_empty() || self.objects.len() > 1000 {
            return Err(Error::MalformedXml);
        }
        Bucket::load(cx, &self.bucket)?;
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for target in self.objects {
            let Target { key, version_id, if_match } = target.clone();
            match cx.call(DeleteObject { bucket: self.bucket.clone(), key, version_id, if_match }) {
                Ok(output) => deleted.push((target, output)),
                Err(error) => {
                    errors.push(Refusal { target, code: error.code.into_owned(), message: error.message })
                }
            }
        }
        Ok(DeleteObjectsOutput { deleted, errors })
    }
}
