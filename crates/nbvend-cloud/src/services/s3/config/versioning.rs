//! Whether a bucket keeps versions.

use serde::{Deserialize, Serialize};

use super::change;
use crate::context::Cx;
use crate::operation::{Kind, Operation};
use crate::services::s3::error::Error;
use crate::services::s3::state::{Bucket, Versioning, bucket_arn};

/// Begins or stops keeping versions. What was kept stays.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutBucketVersioning {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    /// `Enabled` or `Suspended`.
    pub status: Option<String>,
}

impl Operation for PutBucketVersioning {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "PutBucketVersioning";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let versioning = match self.status.as_deref() {
            Some("Enabled") => Versioning::Enabled,
            Some("Suspended") => Versioning::Suspended,
            None => return Err(Error::VersioningMissing),
            Some(_) => return Err(Error::MalformedXml),
        };
        change(cx, &self.bucket, |bucket| bucket.versioning = versioning)
    }
}

/// `Enabled`, `Suspended`, or nothing where versions were never kept.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetBucketVersioning {
    #[serde(rename = "BucketName")]
    pub bucket: String,
}

impl Operation for GetBucketVersioning {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "GetBucketVersioning";
    const KIND: Kind = Kind::Read;
    type Output = VersioningView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let status = match Bucket::load(cx, &self.bucket)?.versioning {
            Versioning::Off => None,
            Versioning::Enabled => Some("Enabled"),
            Versioning::Suspended => Some("Suspended"),
        };
        Ok(VersioningView { status })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VersioningView {
    pub status: Option<&'static str>,
}
