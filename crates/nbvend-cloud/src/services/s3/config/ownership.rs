//! Object ownership and ACLs. One setting is served, the default of new buckets on AWS: `BucketOwnerEnforced`, under which
//! ACLs are off. The others would turn ACLs on and are refused by name.

use serde::{Deserialize, Serialize};

use super::change;
use crate::context::Cx;
use crate::operation::{Kind, Operation};
use crate::services::s3::error::Error;
use crate::services::s3::state::{Bucket, bucket_arn};

/// Says again that the owner of the bucket owns every object.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutBucketOwnershipControls {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    /// `BucketOwnerEnforced`.
    pub object_ownership: String,
}

impl Operation for PutBucketOwnershipControls {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "PutBucketOwnershipControls";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        match self.object_ownership.as_str() {
            ENFORCED => change(cx, &self.bucket, |bucket| bucket.ownership = true),
            "BucketOwnerPreferred" | "ObjectWriter" => Err(Error::NotImplemented(format!(
                "nbvend serves no ACLs, and so no object ownership but {ENFORCED}: {} was asked for",
                self.object_ownership
            ))),
            _ => Err(Error::MalformedXml),
        }
    }
}

/// The setting, unless it was deleted.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetBucketOwnershipControls {
    #[serde(rename = "BucketName")]
    pub bucket: String,
}

impl Operation for GetBucketOwnershipControls {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "GetBucketOwnershipControls";
    const KIND: Kind = Kind::Read;
    type Output = OwnershipView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let bucket = Bucket::load(cx, &self.bucket)?;
        if !bucket.ownership {
            return Err(Error::OwnershipControlsNotFound(bucket.name));
        }
        Ok(OwnershipView { object_ownership: ENFORCED })
    }
}

/// Takes the setting away; ACLs stay off.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteBucketOwnershipControls {
    #[serde(rename = "BucketName")]
    pub bucket: String,
}

impl Operation for DeleteBucketOwnershipControls {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "DeleteBucketOwnershipControls";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = Some("s3:PutBucketOwnershipControls");
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        change(cx, &self.bucket, |bucket| bucket.ownership = false)
    }
}

/// The ACL that every bucket has: its owner may do everything.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetBucketAcl {
    #[serde(rename = "BucketName")]
    pub bucket: String,
}

impl Operation for GetBucketAcl {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "GetBucketAcl";
    const KIND: Kind = Kind::Read;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        Bucket::load(cx, &self.bucket).map(|_| ())
    }
}

/// Says the ACL again that every bucket has; any other is refused before.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutBucketAcl {
    #[serde(rename = "BucketName")]
    pub bucket: String,
}

impl Operation for PutBucketAcl {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "PutBucketAcl";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        Bucket::load(cx, &self.bucket).map(|_| ())
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OwnershipView {
    pub object_ownership: &'static str,
}

/// The one setting that is served.
pub const ENFORCED: &str = "BucketOwnerEnforced";
