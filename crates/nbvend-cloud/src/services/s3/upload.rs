//! Uploads in parts: begun, filled, ended. Completing is in [`super::upload_complete`].

use std::collections::BTreeMap;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::bucket::end_upload;
use super::error::Error;
use super::name;
use super::object_put::write_keys;
use super::state::{
    Bucket, Checksum, END_OF_KEY, Encryption, Headers, Part, StoredBody, Tag, Upload, UploadChecksum,
    object_arn,
};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// The upload of that id, of that object.
pub fn load(cx: &Cx<'_>, bucket: &str, key: &str, id: &str) -> Result<Upload, Error> {
    let found = cx.get_global::<Upload>(&format!("{bucket}/{key}{END_OF_KEY}{id}"))?;
    found.ok_or_else(|| Error::NoSuchUpload(id.to_owned()))
}

/// Begins an upload. What is said of the object is said here.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateMultipartUpload {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    pub key: String,
    pub headers: Headers,
    pub metadata: BTreeMap<String, String>,
    pub tags: Vec<Tag>,
    pub encryption: Option<Encryption>,
    pub checksum_algorithm: Option<String>,
    /// `COMPOSITE` or `FULL_OBJECT`.
    pub checksum_type: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateMultipartUploadOutput {
    pub upload_id: String,
    pub encryption: Encryption,
    pub checksum: Option<UploadChecksum>,
}

impl CreateMultipartUpload {
    fn checksum(&self) -> Result<Option<UploadChecksum>, Error> {
        let refuse = |text: String| Err(Error::InvalidRequest(text));
        let Some(algorithm) = self.checksum_algorithm.clone() else {
            return match self.checksum_type {
                None => Ok(None),
                Some(_) => refuse(
                    "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.".to_owned(),
                ),
            };
        };
        let algorithm = algorithm.to_ascii_uppercase();
        if !super::checksum::ALGORITHMS.contains(&algorithm.as_str()) {
            return refuse(
                "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, \
                 CRC32C, CRC64NVME, SHA1, SHA256]"
                    .to_owned(),
            );
        }
        let composite = match self.checksum_type.as_deref() {
            None => algorithm != "CRC64NVME",
            Some("COMPOSITE") => true,
            Some("FULL_OBJECT") => false,
            Some(_) => return refuse("Value for x-amz-checksum-type header is invalid.".to_owned()),
        };
        // Recorded: hashes cannot be joined, and the newest is never made of parts.
        let impossible = match (composite, algorithm.as_str()) {
            (true, "CRC64NVME") => Some("COMPOSITE"),
            (false, "SHA1" | "SHA256") => Some("FULL_OBJECT"),
            _ => None,
        };
        if let Some(kind) = impossible {
            let algorithm = algorithm.to_ascii_lowercase();
            return refuse(format!(
                "The {kind} checksum type cannot be used with the {algorithm} checksum algorithm."
            ));
        }
        Ok(Some(UploadChecksum { algorithm, composite }))
    }
}

impl Operation for CreateMultipartUpload {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "CreateMultipartUpload";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = Some("s3:PutObject");
    const DATA: bool = true;
    type Output = CreateMultipartUploadOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![object_arn(cx, &self.bucket, &self.key)]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        write_keys(&self.tags, self.encryption.as_ref(), keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let bucket = Bucket::load(cx, &self.bucket)?;
        name::check_key(&self.key)?;
        name::check_tags(cx, &self.tags, 10)?;
        let checksum = self.checksum()?;
        let upload = Upload {
            id: cx.ids().text(64, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._"),
            bucket: self.bucket,
            key: self.key,
            initiated: cx.now(),
            initiator: cx.caller.principal.arn(cx.account()),
            headers: self.headers,
            metadata: self.metadata,
            tags: self.tags,
            encryption: self.encryption.unwrap_or(bucket.encryption),
            checksum,
        };
        cx.put_global(&upload)?;
        Ok(CreateMultipartUploadOutput {
            upload_id: upload.id,
            encryption: upload.encryption,
            checksum: upload.checksum,
        })
    }
}

/// The commit of a part: its body is in a blob already. A part of the same number is replaced.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UploadPart {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    pub key: String,
    pub upload_id: String,
    pub part_number: i32,
    /// `None` only while the call is asked for before its body is received.
    pub body: Option<StoredBody>,
    /// Whether the sender stated the checksum, as an object's checksum made of its parts' wants it.
    pub stated: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UploadPartOutput {
    #[serde(rename = "ETag")]
    pub e_tag: String,
    pub encryption: Encryption,
    pub checksum: Option<Checksum>,
    pub last_modified: Timestamp,
}

impl Operation for UploadPart {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "UploadPart";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = Some("s3:PutObject");
    const DATA: bool = true;
    type Output = UploadPartOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![object_arn(cx, &self.bucket, &self.key)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        Bucket::load(cx, &self.bucket)?;
        let number = u32::try_from(self.part_number).ok().filter(|number| (1..=10_000).contains(number));
        let number = number.ok_or_else(|| Error::InvalidArgument {
            message: "Part number must be an integer between 1 and 10000, inclusive".to_owned(),
            name: "partNumber",
            value: self.part_number.to_string(),
        })?;
        let upload = load(cx, &self.bucket, &self.key, &self.upload_id)?;
        let body = self.body.ok_or(Error::IncompleteBody)?;
        let given = body.checksum.as_ref().map(|checksum| checksum.algorithm.as_str());
        if let (Some(wanted), Some(given)) = (&upload.checksum, given)
            && (wanted.algorithm != given || (wanted.composite && !self.stated))
        {
            let lower = str::to_ascii_lowercase;
            return Err(Error::InvalidRequest(format!(
                "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                lower(&wanted.algorithm),
                if self.stated { lower(given) } else { "null".to_owned() },
            )));
        }
        let part = Part { upload: upload.id, number, body, modified: cx.now() };
        cx.put_global(&part)?;
        Ok(UploadPartOutput {
            e_tag: part.body.e_tag,
            encryption: upload.encryption,
            checksum: part.body.checksum,
            last_modified: part.modified,
        })
    }
}

/// Ends an upload that is not to be completed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct AbortMultipartUpload {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    pub key: String,
    pub upload_id: String,
}

impl Operation for AbortMultipartUpload {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "AbortMultipartUpload";
    const KIND: Kind = Kind::Write;
    const DATA: bool = true;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![object_arn(cx, &self.bucket, &self.key)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        Bucket::load(cx, &self.bucket)?;
        end_upload(cx, &load(cx, &self.bucket, &self.key, &self.upload_id)?)
    }
}

/// The commit of a part that was read from another object; the wire reads it, as the caller.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UploadPartCopy(pub UploadPart);

impl Operation for UploadPartCopy {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "UploadPartCopy";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = Some("s3:PutObject");
    const DATA: bool = true;
    type Output = UploadPartOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        self.0.resources(cx)
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        self.0.run(cx)
    }
}
