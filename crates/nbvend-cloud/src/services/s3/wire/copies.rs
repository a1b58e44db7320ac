//! Copies on the wire: of objects, and of stretches of objects into parts.

use s3s::dto::{self, CopySource};
use s3s::{S3Request, S3Response};

use super::convert::{self, algorithm, checksums, condition, e_tag, refusal, stamp};
use super::receive::{blocking, copy_blobs};
use super::rewrite::with_namespace;
use super::{Answer, Call};
use crate::services::s3::checksum;
use crate::services::s3::condition::Conditions;
use crate::services::s3::error::Error;
use crate::services::s3::object::GetObject;
use crate::services::s3::object_copy::{CopyObject, Said, Source, check_source};
use crate::services::s3::state::Headers;
use crate::services::s3::upload::{self, UploadPart, UploadPartCopy};

fn source(source: CopySource) -> Answer<Source> {
    match source {
        CopySource::Bucket { bucket, key, version_id } => {
            Ok(Source { bucket: bucket.into(), key: key.into(), version_id: version_id.map(Into::into) })
        }
        _ => Err(refusal(Error::NotImplemented("nbvend does not serve access points".to_owned()))),
    }
}

/// `COPY` or `REPLACE`.
fn replaces(directive: Option<&str>, name: &'static str) -> Answer<bool> {
    match directive {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(other) => {
            let message = format!("Unknown {name}.");
            Err(refusal(Error::InvalidArgument { message, name, value: other.to_owned() }))
        }
    }
}

pub(super) async fn copy(
    call: &Call,
    request: S3Request<dto::CopyObjectInput>,
) -> Answer<S3Response<dto::CopyObjectOutput>> {
    // Newer than the crate: conditions on what the copy replaces.
    let header = |name: &str| {
        let value = request.headers.get(name).and_then(|value| value.to_str().ok());
        value.map(|value| value.trim_matches('"').to_owned())
    };
    let (if_match, if_none_match) = (header("if-match"), header("if-none-match"));
    let input = request.input;
    if input.checksum_algorithm.is_some() {
        let text =
            "nbvend copies an object's checksum and makes no other: x-amz-checksum-algorithm of CopyObject";
        return Err(refusal(Error::NotImplemented(text.to_owned())));
    }
    let said = Said {
        headers: Headers {
            content_type: Some(input.content_type.unwrap_or_else(|| "binary/octet-stream".to_owned())),
            cache_control: input.cache_control,
            content_disposition: input.content_disposition,
            content_encoding: super::puts::stored_encoding(input.content_encoding),
            content_language: input.content_language,
            expires: input.expires.map(convert::time),
        },
        metadata: convert::metadata(input.metadata)?,
    };
    let metadata = input.metadata_directive.as_ref().map(dto::MetadataDirective::as_str);
    let tagging = input.tagging_directive.as_ref().map(dto::TaggingDirective::as_str);
    let tags = match replaces(tagging, "x-amz-tagging-directive")? {
        true => Some(convert::header_tags(input.tagging.as_deref())?),
        false => None,
    };
    let done = call
        .make(CopyObject {
            bucket: input.bucket,
            key: input.key,
            source: source(input.copy_source)?,
            source_if_match: condition(input.copy_source_if_match),
            source_if_none_match: condition(input.copy_source_if_none_match),
            source_if_modified_since: input.copy_source_if_modified_since.map(convert::time),
            source_if_unmodified_since: input.copy_source_if_unmodified_since.map(convert::time),
            replace: replaces(metadata, "x-amz-metadata-directive")?.then_some(said),
            tags,
            encryption: convert::encryption(
                input.server_side_encryption,
                input.ssekms_key_id,
                input.bucket_key_enabled,
            )?,
            if_match,
            if_none_match,
        })
        .await?;
    let sums = checksums(done.checksum.as_ref());
    let result = dto::CopyObjectResult {
        checksum_crc32: sums.crc32,
        checksum_crc32c: sums.crc32c,
        checksum_crc64nvme: sums.crc64nvme,
        checksum_sha1: sums.sha1,
        checksum_sha256: sums.sha256,
        checksum_type: sums.kind,
        e_tag: Some(e_tag(done.e_tag)),
        last_modified: Some(stamp(done.last_modified)),
    };
    Ok(with_namespace(dto::CopyObjectOutput {
        bucket_key_enabled: done.encryption.bucket_key.then_some(true),
        copy_object_result: Some(result),
        copy_source_version_id: done.source_version_id,
        server_side_encryption: Some(algorithm(&done.encryption)),
        ssekms_key_id: done.encryption.kms_key,
        version_id: done.version_id,
        ..Default::default()
    }))
}

pub(super) async fn copy_part(
    call: &Call,
    request: S3Request<dto::UploadPartCopyInput>,
) -> Answer<S3Response<dto::UploadPartCopyOutput>> {
    let input = request.input;
    let part = UploadPart {
        bucket: input.bucket,
        key: input.key,
        upload_id: input.upload_id,
        part_number: input.part_number,
        body: None,
        stated: true,
    };
    let mut part = UploadPartCopy(part);
    call.admitted(&part).await?;
    let Source { bucket, key, version_id } = source(input.copy_source)?;
    let from = call.make(GetObject { bucket, key, version_id }).await?;
    let conditions = Conditions {
        if_match: condition(input.copy_source_if_match),
        if_none_match: condition(input.copy_source_if_none_match),
        if_modified_since: input.copy_source_if_modified_since.map(convert::time),
        if_unmodified_since: input.copy_source_if_unmodified_since.map(convert::time),
    };
    check_source(&conditions, &from.e_tag, from.last_modified).map_err(refusal)?;
    let (start, length) =
        stretch(input.copy_source_range.as_deref(), from.content_length).map_err(refusal)?;
    let algorithm_of_upload = call.upload_algorithm(&part.0)?;

    let (engine, blob) = (call.engine.clone(), from.blob);
    let made = algorithm_of_upload.unwrap_or_else(|| checksum::DEFAULT.to_owned());
    part.0.body = Some(blocking(move || copy_blobs(&engine, &[(blob, start, length)], &made)).await??);
    let done = call.make(part).await?;
    let sums = checksums(done.checksum.as_ref());
    let result = dto::CopyPartResult {
        checksum_crc32: sums.crc32,
        checksum_crc32c: sums.crc32c,
        checksum_crc64nvme: sums.crc64nvme,
        checksum_sha1: sums.sha1,
        checksum_sha256: sums.sha256,
        e_tag: Some(e_tag(done.e_tag)),
        last_modified: Some(stamp(done.last_modified)),
    };
    Ok(with_namespace(dto::UploadPartCopyOutput {
        bucket_key_enabled: done.encryption.bucket_key.then_some(true),
        copy_part_result: Some(result),
        copy_source_version_id: from.version_id,
        server_side_encryption: Some(algorithm(&done.encryption)),
        ssekms_key_id: done.encryption.kms_key,
        ..Default::default()
    }))
}

/// `bytes=first-last`, both given and within the source. The texts are recorded ones.
fn stretch(range: Option<&str>, size: u64) -> Result<(u64, u64), Error> {
    let Some(range) = range else { return Ok((0, size)) };
    let bounds = range.strip_prefix("bytes=").and_then(|bounds| bounds.split_once('-'));
    let bounds =
        bounds.and_then(|(first, last)| Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?)));
    let argument = |message: String| Error::InvalidArgument {
        message,
        name: "x-amz-copy-source-range",
        value: range.to_owned(),
    };
    let Some((first, last)) = bounds.filter(|(first, last)| first <= last) else {
        return Err(argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
             zero-based offsets of the first and last bytes to copy"
                .to_owned(),
        ));
    };
    if first >= size {
        let text = "The specified copy range is invalid for the source object size";
        return Err(Error::InvalidRequest(text.to_owned()));
    }
    if last >= size {
        return Err(argument(format!("Range specified is not valid for source object of size: {size}")));
    }
    Ok((first, last - first + 1))
}

impl Call {
    /// The checksum an upload makes of its parts, if it was told one.
    pub(super) fn upload_algorithm(&self, part: &UploadPart) -> Answer<Option<String>> {
        let found = self.engine.view(self.caller.clone(), |cx| {
            Ok(upload::load(cx, &part.bucket, &part.key, &part.upload_id)
                .ok()
                .and_then(|upload| upload.checksum))
        });
        let checksum = found.map_err(|error| refusal(Error::Engine(error)))?;
        Ok(checksum.map(|checksum| checksum.algorithm))
    }
}
