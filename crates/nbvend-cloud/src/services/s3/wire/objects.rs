//! Objects on the wire: read and deleted.

use s3s::dto::{self, StreamingBlob};
use s3s::{S3Request, S3Response};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::convert::{self, algorithm, checksums, condition, e_tag, refusal, size, stamp};
use super::{Answer, Call, with_status};
use crate::services::s3::condition::{Conditions, Wanted, range};
use crate::services::s3::error::Error;
use crate::services::s3::object::{GetObject, HeadObject, ObjectView};
use crate::services::s3::object_delete::{DeleteObject, DeleteObjects, Target};

/// So much of a body is read from the disk at once.
const READ: usize = 128 << 10;

pub(super) async fn get(
    call: &Call,
    request: S3Request<dto::GetObjectInput>,
) -> Answer<S3Response<dto::GetObjectOutput>> {
    let input = request.input;
    let view =
        call.make(GetObject { bucket: input.bucket, key: input.key, version_id: input.version_id }).await?;
    Conditions {
        if_match: condition(input.if_match),
        if_none_match: condition(input.if_none_match),
        if_modified_since: input.if_modified_since.map(convert::time),
        if_unmodified_since: input.if_unmodified_since.map(convert::time),
    }
    .check(&view.e_tag, view.last_modified)
    .map_err(refusal)?;
    let wanted = Wanted { range: input.range.map(|range| range.to_header_string()), part: input.part_number };
    let span = range(&wanted, &view).map_err(refusal)?;
    let body = open(call, &view, span.from, span.length).await?;
    let sums = checksums(view.checksum.as_ref().filter(|_| input.checksum_mode.is_some() && span.whole));
    let output = dto::GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        body: Some(body),
        bucket_key_enabled: view.encryption.bucket_key.then_some(true),
        cache_control: view.headers.cache_control,
        checksum_crc32: sums.crc32,
        checksum_crc32c: sums.crc32c,
        checksum_crc64nvme: sums.crc64nvme,
        checksum_sha1: sums.sha1,
        checksum_sha256: sums.sha256,
        checksum_type: sums.kind,
        content_disposition: view.headers.content_disposition,
        content_encoding: view.headers.content_encoding,
        content_language: view.headers.content_language,
        content_length: Some(size(span.length)),
        content_range: span.content_range,
        content_type: view.headers.content_type,
        e_tag: Some(e_tag(view.e_tag)),
        expires: view.headers.expires.map(stamp),
        last_modified: Some(stamp(view.last_modified)),
        metadata: Some(view.metadata.into_iter().collect()),
        parts_count: input.part_number.and(i32::try_from(view.parts.len()).ok()).filter(|count| *count > 0),
        server_side_encryption: Some(algorithm(&view.encryption)),
        ssekms_key_id: view.encryption.kms_key,
        tag_count: i32::try_from(view.tags.len()).ok().filter(|count| *count > 0),
        version_id: view.version_id,
        ..Default::default()
    };
    Ok(S3Response::new(output))
}

pub(super) async fn head(
    call: &Call,
    request: S3Request<dto::HeadObjectInput>,
) -> Answer<S3Response<dto::HeadObjectOutput>> {
    let input = request.input;
    let view =
        call.make(HeadObject { bucket: input.bucket, key: input.key, version_id: input.version_id }).await?;
    Conditions {
        if_match: condition(input.if_match),
        if_none_match: condition(input.if_none_match),
        if_modified_since: input.if_modified_since.map(convert::time),
        if_unmodified_since: input.if_unmodified_since.map(convert::time),
    }
    .check(&view.e_tag, view.last_modified)
    .map_err(refusal)?;
    let wanted = Wanted { range: input.range.map(|range| range.to_header_string()), part: input.part_number };
    let span = range(&wanted, &view).map_err(refusal)?;
    let sums = checksums(view.checksum.as_ref().filter(|_| input.checksum_mode.is_some() && span.whole));
    let status = span.content_range.is_some().then_some(http::StatusCode::PARTIAL_CONTENT);
    let headers = view.headers;
    let output = dto::HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        bucket_key_enabled: view.encryption.bucket_key.then_some(true),
        cache_control: input.response_cache_control.or(headers.cache_control),
        checksum_crc32: sums.crc32,
        checksum_crc32c: sums.crc32c,
        checksum_crc64nvme: sums.crc64nvme,
        checksum_sha1: sums.sha1,
        checksum_sha256: sums.sha256,
        checksum_type: sums.kind,
        content_disposition: input.response_content_disposition.or(headers.content_disposition),
        content_encoding: input.response_content_encoding.or(headers.content_encoding),
        content_language: input.response_content_language.or(headers.content_language),
        content_length: Some(size(span.length)),
        content_range: span.content_range,
        content_type: input.response_content_type.or(headers.content_type),
        e_tag: Some(e_tag(view.e_tag)),
        expires: input.response_expires.or(headers.expires.map(stamp)),
        last_modified: Some(stamp(view.last_modified)),
        metadata: Some(view.metadata.into_iter().collect()),
        parts_count: input.part_number.and(i32::try_from(view.parts.len()).ok()).filter(|count| *count > 0),
        server_side_encryption: Some(algorithm(&view.encryption)),
        ssekms_key_id: view.encryption.kms_key,
        version_id: view.version_id,
        ..Default::default()
    };
    Ok(match status {
        Some(status) => with_status(output, status),
        None => S3Response::new(output),
    })
}

/// The bytes of a blob from one place on, read as the client takes them.
async fn open(call: &Call, view: &ObjectView, from: u64, length: u64) -> Answer<StreamingBlob> {
    let path = call.engine.store().blobs().path(&view.blob);
    let opened = async {
        let mut file = tokio::fs::File::open(&path).await?;
        file.seek(std::io::SeekFrom::Start(from)).await?;
        Ok::<_, std::io::Error>(file.take(length))
    };
    match opened.await {
        Ok(file) => Ok(StreamingBlob::wrap(ReaderStream::with_capacity(file, READ))),
        Err(error) => {
            tracing::error!(%error, path = %path.display(), "a blob could not be opened");
            let text = "We encountered an internal error. Please try again.";
            Err(nbvend_wire::error::WireError::new("InternalError", 500, text))
        }
    }
}

pub(super) async fn delete(
    call: &Call,
    request: S3Request<dto::DeleteObjectInput>,
) -> Answer<S3Response<dto::DeleteObjectOutput>> {
    let input = request.input;
    if input.if_match_last_modified_time.is_some() || input.if_match_size.is_some() {
        let text = "nbvend serves deletions on condition of the ETag alone";
        return Err(refusal(Error::NotImplemented(text.to_owned())));
    }
    let if_match = condition(input.if_match);
    let gone = call
        .make(DeleteObject { bucket: input.bucket, key: input.key, version_id: input.version_id, if_match })
        .await?;
    Ok(S3Response::new(dto::DeleteObjectOutput {
        delete_marker: gone.delete_marker.then_some(true),
        version_id: gone.version_id,
        ..Default::default()
    }))
}

pub(super) async fn delete_many(
    call: &Call,
    request: S3Request<dto::DeleteObjectsInput>,
) -> Answer<S3Response<dto::DeleteObjectsOutput>> {
    let input = request.input;
    let mut objects = Vec::new();
    for object in input.delete.objects {
        if object.last_modified_time.is_some() || object.size.is_some() {
            let text = "nbvend serves deletions on condition of the ETag alone";
            return Err(refusal(Error::NotImplemented(text.to_owned())));
        }
        let if_match = object.e_tag.map(dto::ETag::into_value);
        objects.push(Target { key: object.key, version_id: object.version_id, if_match });
    }
    let quiet = input.delete.quiet.unwrap_or(false);
    let done = call.make(DeleteObjects { bucket: input.bucket, objects }).await?;
    let deleted = done.deleted.into_iter().map(|(target, gone)| dto::DeletedObject {
        key: Some(target.key),
        delete_marker: gone.delete_marker.then_some(true),
        delete_marker_version_id: gone.version_id.filter(|_| gone.delete_marker),
        version_id: target.version_id,
    });
    let errors = done.errors.into_iter().map(|refusal| dto::Error {
        code: Some(if refusal.code == "AccessDeniedException" {
            "AccessDenied".to_owned()
        } else {
            refusal.code
        }),
        key: Some(refusal.target.key),
        message: Some(refusal.message),
        version_id: refusal.target.version_id,
    });
    Ok(S3Response::new(dto::DeleteObjectsOutput {
        deleted: (!quiet).then(|| deleted.collect()),
        errors: Some(errors.collect()),
        ..Default::default()
    }))
}
