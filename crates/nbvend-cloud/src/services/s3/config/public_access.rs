//! Block Public Access. The four settings are kept and told; `BlockPublicPolicy` is enforced when a policy is put. ACLs
//! are off in every bucket, so the settings about them hold by themselves.

use serde::{Deserialize, Serialize};

use super::change;
use crate::context::Cx;
use crate::operation::{Kind, Operation};
use crate::services::s3::error::Error;
use crate::services::s3::state::{Bucket, PublicAccess, bucket_arn};

/// Replaces the four settings.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutPublicAccessBlock {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    #[serde(rename = "PublicAccessBlockConfiguration")]
    pub settings: PublicAccess,
}

impl Operation for PutPublicAccessBlock {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "PutPublicAccessBlock";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = Some("s3:PutBucketPublicAccessBlock");
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        change(cx, &self.bucket, |bucket| bucket.public_access = Some(self.settings))
    }
}

/// The four settings.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetPublicAccessBlock {
    #[serde(rename = "BucketName")]
    pub bucket: String,
}

impl Operation for GetPublicAccessBlock {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "GetPublicAccessBlock";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = Some("s3:GetBucketPublicAccessBlock");
    type Output = PublicAccess;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let bucket = Bucket::load(cx, &self.bucket)?;
        bucket.public_access.ok_or(Error::NoSuchPublicAccessBlock(bucket.name))
    }
}

/// Takes the settings away.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeletePublicAccessBlock {
    #[serde(rename = "BucketName")]
    pub bucket: String,
}

impl Operation for DeletePublicAccessBlock {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "DeletePublicAccessBlock";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = Some("s3:PutBucketPublicAccessBlock");
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        change(cx, &self.bucket, |bucket| bucket.public_access = None)
    }
}
