//! `CompleteMultipartUpload`: the parts become one object.
//!
//! Before the commit the parts are read into one blob ([`plan`] says which); the commit looks at the parts once more and
//! refuses if they changed meanwhile.

use serde::{Deserialize, Serialize};

use super::bucket::end_upload;
use super::checksum;
use super::error::Error;
use super::object_put::check_conditions;
use super::state::{
    Bucket, Checksum, Content, Encryption, Part, PartSummary, StoredBody, Upload, object_arn,
};
use super::{upload, version};
use crate::context::Cx;
use crate::operation::{Kind, Operation};
use crate::store::GLOBAL;

/// All parts but the last are at least so large.
const SMALLEST_PART: u64 = 5 << 20;

/// The commit of a completed upload.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CompleteMultipartUpload {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    pub key: String,
    pub upload_id: String,
    pub parts: Vec<NamedPart>,
    /// The checksum the client states for the whole object, and what kind it takes it for.
    pub checksum: Option<Checksum>,
    pub checksum_type: Option<String>,
    pub object_size: Option<u64>,
    pub if_match: Option<String>,
    pub if_none_match: Option<String>,
    /// The parts in one blob; `None` while the call is only asked for.
    pub body: Option<StoredBody>,
}

/// A part as the client names it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct NamedPart {
    pub number: u32,
    #[serde(rename = "ETag")]
    pub e_tag: String,
    pub checksum: Option<Checksum>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CompleteMultipartUploadOutput {
    #[serde(rename = "ETag")]
    pub e_tag: String,
    pub version_id: Option<String>,
    pub encryption: Encryption,
    pub checksum: Option<Checksum>,
}

/// What is to be read into one blob.
pub struct Plan {
    /// Blob and size of each part, in order.
    pub blobs: Vec<(String, u64)>,
    /// The checksum to make of the whole.
    pub algorithm: String,
}

/// Checks the parts and says what to read. An upload that is no longer there may have been completed: see
/// [`CompleteMultipartUpload::run`].
pub fn plan(cx: &Cx<'_>, call: &CompleteMultipartUpload) -> Result<Option<Plan>, Error> {
    let bucket = Bucket::load(cx, &call.bucket)?;
    let upload = match upload::load(cx, &bucket.name, &call.key, &call.upload_id) {
        Ok(upload) => upload,
        Err(Error::NoSuchUpload(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let parts = chosen(cx, call, &upload)?;
    let algorithm =
        upload.checksum.as_ref().map_or(checksum::DEFAULT, |checksum| &checksum.algorithm).to_owned();
    Ok(Some(Plan {
        blobs: parts.into_iter().map(|part| (part.body.blob, part.body.size)).collect(),
        algorithm,
    }))
}

/// The stored parts that the client names, if they can be an object.
fn chosen(cx: &Cx<'_>, call: &CompleteMultipartUpload, upload: &Upload) -> Result<Vec<Part>, Error> {
    if call.parts.is_empty() {
        return Err(Error::InvalidRequest("You must specify at least one part".to_owned()));
    }
    if !call.parts.is_sorted_by(|a, b| a.number < b.number) {
        return Err(Error::InvalidPartOrder);
    }
    if let Some(given) = &call.checksum_type {
        let kind = match &upload.checksum {
            Some(checksum) if checksum.composite => "COMPOSITE",
            Some(_) => "FULL_OBJECT",
            None => "null",
        };
        if given != kind {
            return Err(Error::InvalidRequest(format!(
                "The upload was created using the {kind} checksum mode. The complete request must use the same checksum mode."
            )));
        }
    }
    let mut parts = Vec::with_capacity(call.parts.len());
    for (at, named) in call.parts.iter().enumerate() {
        let invalid = || Error::InvalidPart { upload: upload.id.clone(), number: named.number };
        let stored: Option<Part> = cx.tx.get(GLOBAL, &format!("{}/{:05}", upload.id, named.number))?;
        let part = stored.filter(|part| part.body.e_tag == named.e_tag).ok_or_else(invalid)?;
        compare(named, &part, upload)?;
        if at + 1 < call.parts.len() && part.body.size < SMALLEST_PART {
            return Err(Error::EntityTooSmall { proposed: part.body.size, number: named.number });
        }
        parts.push(part);
    }
    let size: u64 = parts.iter().map(|part| part.body.size).sum();
    if let Some(stated) = call.object_size.filter(|stated| *stated != size) {
        return Err(Error::InvalidRequest(format!(
            "The provided 'x-amz-mp-object-size' header value {stated} does not match what was computed: {size}"
        )));
    }
    Ok(parts)
}

fn compare(named: &NamedPart, part: &Part, upload: &Upload) -> Result<(), Error> {
    let number = named.number;
    match (&named.checksum, &upload.checksum) {
        (Some(given), _) if part.body.checksum.as_ref().is_some_and(|made| made.value != given.value) => {
            let algorithm = given.algorithm.to_ascii_lowercase();
            let text =
                format!("The {algorithm} you specified for part {number} did not match what we received.");
            Err(Error::BadDigest(text))
        }
        (None, Some(wanted)) if wanted.composite => {
            let algorithm = wanted.algorithm.to_ascii_lowercase();
            Err(Error::InvalidRequest(format!(
                "The upload was created using a {algorithm} checksum. The complete request must include the checksum for \
                 each part. It was missing for part {number} in the request."
            )))
        }
        _ => Ok(()),
    }
}

impl Operation for CompleteMultipartUpload {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "CompleteMultipartUpload";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = Some("s3:PutObject");
    const DATA: bool = true;
    type Output = CompleteMultipartUploadOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![object_arn(cx, &self.bucket, &self.key)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let bucket = Bucket::load(cx, &self.bucket)?;
        let upload = match upload::load(cx, &bucket.name, &self.key, &self.upload_id) {
            Ok(upload) => upload,
            // A client that did not get the answer asks again: the object it made is the answer.
            Err(error) => return again(cx, &bucket, &self).and_then(|done| done.ok_or(error)),
        };
        check_conditions(
            cx,
            &self.bucket,
            &self.key,
            self.if_match.as_deref(),
            self.if_none_match.as_deref(),
        )?;
        let parts = chosen(cx, &self, &upload)?;
        let body = self.body.ok_or(Error::IncompleteBody)?;
        if body.size != parts.iter().map(|part| part.body.size).sum::<u64>() {
            return Err(Error::InvalidPart { upload: upload.id, number: 1 });
        }
        let sums =
            parts.iter().map(|part| part.body.checksum.as_ref().map_or("", |checksum| &checksum.value));
        let checksum = match &upload.checksum {
            Some(wanted) if wanted.composite => Some(checksum::composite(&wanted.algorithm, sums)),
            _ => body.checksum.clone(),
        };
        if let (Some(stated), Some(made)) = (&self.checksum, &checksum)
            && stated.value.split('-').next() != made.value.split('-').next()
        {
            let algorithm = stated.algorithm.to_ascii_lowercase();
            let text = format!("The {algorithm} you specified did not match the calculated checksum.");
            return Err(Error::BadDigest(text));
        }
        let e_tag = checksum::e_tag_of_parts(parts.iter().map(|part| part.body.md5.as_str()));
        let content = Content {
            body: StoredBody { e_tag: e_tag.clone(), checksum: checksum.clone(), ..body },
            headers: upload.headers.clone(),
            metadata: upload.metadata.clone(),
            tags: upload.tags.clone(),
            encryption: upload.encryption.clone(),
            parts: parts
                .into_iter()
                .map(|part| PartSummary {
                    number: part.number,
                    size: part.body.size,
                    checksum: part.body.checksum,
                })
                .collect(),
            upload_id: Some(upload.id.clone()),
        };
        end_upload(cx, &upload)?;
        let version = version::put(cx, &bucket, &self.key, Some(content))?;
        let version_id = version.shown_id(&bucket);
        Ok(CompleteMultipartUploadOutput { e_tag, version_id, encryption: upload.encryption, checksum })
    }
}

/// The answer that the upload's completion had, while its object is the current one.
fn again(
    cx: &Cx<'_>,
    bucket: &Bucket,
    call: &CompleteMultipartUpload,
) -> Result<Option<CompleteMultipartUploadOutput>, Error> {
    let Some(version) = version::newest(cx, &bucket.name, &call.key)? else { return Ok(None) };
    let version_id = version.shown_id(bucket);
    let content = version.content.filter(|content| content.upload_id.as_ref() == Some(&call.upload_id));
    Ok(content.map(|content| CompleteMultipartUploadOutput {
        e_tag: content.body.e_tag,
        version_id,
        encryption: content.encryption,
        checksum: content.body.checksum,
    }))
}
