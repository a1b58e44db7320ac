//! What a bucket says of the encryption of new objects. There is always an answer: `AES256` where nothing was put.

use serde::{Deserialize, Serialize};

use super::change;
use crate::context::Cx;
use crate::operation::{Kind, Operation};
use crate::services::s3::error::Error;
use crate::services::s3::state::{Bucket, Encryption, bucket_arn};

/// Sets what new objects say where their uploader says nothing.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutBucketEncryption {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    pub encryption: Encryption,
}

impl Operation for PutBucketEncryption {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "PutBucketEncryption";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = Some("s3:PutEncryptionConfiguration");
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        if self.encryption.algorithm == "AES256" && self.encryption.kms_key.is_some() {
            return Err(Error::InvalidArgument {
                message: "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse".to_owned(),
                name: "ApplyServerSideEncryptionByDefault",
                value: self.encryption.algorithm,
            });
        }
        change(cx, &self.bucket, |bucket| bucket.encryption = self.encryption)
    }
}

/// The rule for new objects.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetBucketEncryption {
    #[serde(rename = "BucketName")]
    pub bucket: String,
}

impl Operation for GetBucketEncryption {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "GetBucketEncryption";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = Some("s3:GetEncryptionConfiguration");
    type Output = Encryption;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        Ok(Bucket::load(cx, &self.bucket)?.encryption)
    }
}

/// Goes back to `AES256`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteBucketEncryption {
    #[serde(rename = "BucketName")]
    pub bucket: String,
}

impl Operation for DeleteBucketEncryption {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "DeleteBucketEncryption";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = Some("s3:PutEncryptionConfiguration");
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        change(cx, &self.bucket, |bucket| bucket.encryption = Encryption::default())
    }
}
