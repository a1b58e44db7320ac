//! Uploads in parts, on the wire.

use s3s::{S3Request, S3Response, dto};

use super::convert::{
    self, algorithm, checksums, condition, count, e_tag, initiator, owner, refusal, size, stamp,
};
use super::lists::{Encoding, PAGE};
use super::receive::{Stated, blocking, copy_blobs};
use super::{Answer, Call};
use crate::error::{EngineError, ServiceError};
use crate::services::s3::error::Error;
use crate::services::s3::state::{Checksum, Headers, UploadChecksum};
use crate::services::s3::upload::{AbortMultipartUpload, CreateMultipartUpload, UploadPart};
use crate::services::s3::upload_complete::{CompleteMultipartUpload, NamedPart, plan};
use crate::services::s3::upload_list::{ListMultipartUploads, ListParts};

pub(super) async fn create(
    call: &Call,
    request: S3Request<dto::CreateMultipartUploadInput>,
) -> Answer<S3Response<dto::CreateMultipartUploadOutput>> {
    let input = request.input;
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let made = call
        .make(CreateMultipartUpload {
            bucket: input.bucket,
            key: input.key,
            headers: Headers {
                content_type: Some(input.content_type.unwrap_or_else(|| "binary/octet-stream".to_owned())),
                cache_control: input.cache_control,
                content_disposition: input.content_disposition,
                content_encoding: super::puts::stored_encoding(input.content_encoding),
                content_language: input.content_language,
                expires: input.expires.map(convert::time),
            },
            metadata: convert::metadata(input.metadata)?,
            tags: convert::header_tags(input.tagging.as_deref())?,
            encryption: convert::encryption(
                input.server_side_encryption,
                input.ssekms_key_id,
                input.bucket_key_enabled,
            )?,
            checksum_algorithm: input.checksum_algorithm.map(|algorithm| algorithm.as_str().to_owned()),
            checksum_type: input.checksum_type.map(|kind| kind.as_str().to_owned()),
        })
        .await?;
    Ok(S3Response::new(dto::CreateMultipartUploadOutput {
        bucket: Some(bucket),
        bucket_key_enabled: made.encryption.bucket_key.then_some(true),
        checksum_type: made.checksum.as_ref().map(kind),
        checksum_algorithm: made.checksum.map(|checksum| checksum.algorithm.into()),
        key: Some(key),
        server_side_encryption: Some(algorithm(&made.encryption)),
        ssekms_key_id: made.encryption.kms_key,
        upload_id: Some(made.upload_id),
        ..Default::default()
    }))
}

fn kind(checksum: &UploadChecksum) -> dto::ChecksumType {
    let composite = checksum.composite;
    dto::ChecksumType::from_static(if composite {
        dto::ChecksumType::COMPOSITE
    } else {
        dto::ChecksumType::FULL_OBJECT
    })
}

pub(super) async fn part(
    call: &Call,
    request: S3Request<dto::UploadPartInput>,
) -> Answer<S3Response<dto::UploadPartOutput>> {
    let mut part = UploadPart {
        bucket: request.input.bucket.clone(),
        key: request.input.key.clone(),
        upload_id: request.input.upload_id.clone(),
        part_number: request.input.part_number,
        body: None,
        stated: false,
    };
    call.admitted(&part).await?;
    let stated = Stated::read(&request, call.upload_algorithm(&part)?.as_deref())?;
    part.stated = stated.states_checksum();
    part.body = Some(call.receive(request.input.body, stated).await?);
    let done = call.make(part).await?;
    let sums = checksums(done.checksum.as_ref());
    Ok(S3Response::new(dto::UploadPartOutput {
        bucket_key_enabled: done.encryption.bucket_key.then_some(true),
        checksum_crc32: sums.crc32,
        checksum_crc32c: sums.crc32c,
        checksum_crc64nvme: sums.crc64nvme,
        checksum_sha1: sums.sha1,
        checksum_sha256: sums.sha256,
        e_tag: Some(e_tag(done.e_tag)),
        server_side_encryption: Some(algorithm(&done.encryption)),
        ssekms_key_id: done.encryption.kms_key,
        ..Default::default()
    }))
}

/// The one of five that is filled.
fn stated(values: [(&str, Option<String>); 5]) -> Option<Checksum> {
    let mut filled = values.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let (algorithm, value) = filled.next()?;
    let composite = value.contains("=-");
    Some(Checksum { algorithm: algorithm.to_owned(), value, composite })
}

pub(super) async fn complete(
    call: &Call,
    request: S3Request<dto::CompleteMultipartUploadInput>,
) -> Answer<S3Response<dto::CompleteMultipartUploadOutput>> {
    let input = request.input;
    let mut parts = Vec::new();
    for part in input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default() {
        let number = part.part_number.and_then(|number| u32::try_from(number).ok());
        let (Some(number), Some(tag)) = (number, part.e_tag) else {
            return Err(refusal(Error::MalformedXml));
        };
        let checksum = stated([
            ("CRC32", part.checksum_crc32),
            ("CRC32C", part.checksum_crc32c),
            ("CRC64NVME", part.checksum_crc64nvme),
            ("SHA1", part.checksum_sha1),
            ("SHA256", part.checksum_sha256),
        ]);
        parts.push(NamedPart { number, e_tag: tag.into_value(), checksum });
    }
    let mut complete = CompleteMultipartUpload {
        bucket: input.bucket.clone(),
        key: input.key.clone(),
        upload_id: input.upload_id,
        parts,
        checksum: stated([
            ("CRC32", input.checksum_crc32),
            ("CRC32C", input.checksum_crc32c),
            ("CRC64NVME", input.checksum_crc64nvme),
            ("SHA1", input.checksum_sha1),
            ("SHA256", input.checksum_sha256),
        ]),
        checksum_type: input.checksum_type.map(|kind| kind.as_str().to_owned()),
        object_size: input.mpu_object_size.and_then(|size| u64::try_from(size).ok()),
        if_match: condition(input.if_match),
        if_none_match: condition(input.if_none_match),
        body: None,
    };
    call.admitted(&complete).await?;
    let planned = call.engine.view(call.caller.clone(), |cx| {
        plan(cx, &complete).map_err(|error| EngineError::Called(error.to_wire()))
    });
    if let Some(plan) = planned.map_err(|error| error.to_wire())? {
        let engine = call.engine.clone();
        let sources: Vec<_> = plan.blobs.into_iter().map(|(blob, size)| (blob, 0, size)).collect();
        complete.body = Some(blocking(move || copy_blobs(&engine, &sources, &plan.algorithm)).await??);
    }
    let done = call.make(complete).await?;
    let sums = checksums(done.checksum.as_ref());
    let location = format!(
        "{}/{}/{}",
        call.engine.config().endpoint,
        input.bucket,
        Encoding::URL.write(input.key.clone())
    );
    Ok(S3Response::new(dto::CompleteMultipartUploadOutput {
        bucket: Some(input.bucket),
        bucket_key_enabled: done.encryption.bucket_key.then_some(true),
        checksum_crc32: sums.crc32,
        checksum_crc32c: sums.crc32c,
        checksum_crc64nvme: sums.crc64nvme,
        checksum_sha1: sums.sha1,
        checksum_sha256: sums.sha256,
        checksum_type: sums.kind,
        e_tag: Some(e_tag(done.e_tag)),
        key: Some(input.key),
        location: Some(location),
        server_side_encryption: Some(algorithm(&done.encryption)),
        ssekms_key_id: done.encryption.kms_key,
        version_id: done.version_id,
        ..Default::default()
    }))
}

pub(super) async fn abort(
    call: &Call,
    request: S3Request<dto::AbortMultipartUploadInput>,
) -> Answer<S3Response<dto::AbortMultipartUploadOutput>> {
    let input = request.input;
    if input.if_match_initiated_time.is_some() {
        let text = "nbvend does not serve x-amz-if-match-initiated-time";
        return Err(refusal(Error::NotImplemented(text.to_owned())));
    }
    call.make(AbortMultipartUpload { bucket: input.bucket, key: input.key, upload_id: input.upload_id })
        .await?;
    Ok(S3Response::new(dto::AbortMultipartUploadOutput::default()))
}

pub(super) async fn parts(
    call: &Call,
    request: S3Request<dto::ListPartsInput>,
) -> Answer<S3Response<dto::ListPartsOutput>> {
    let input = request.input;
    let max_parts = count(input.max_parts, "max-parts", PAGE)?;
    let after = input.part_number_marker.as_ref().map_or(Ok(0), |marker| marker.to_string().parse());
    let after = after.map_err(|_| {
        let message = "Argument part-number-marker must be an integer between 0 and 2147483647".to_owned();
        refusal(Error::InvalidArgument { message, name: "part-number-marker", value: String::new() })
    })?;
    let page = call
        .make(ListParts {
            bucket: input.bucket.clone(),
            key: input.key.clone(),
            upload_id: input.upload_id.clone(),
            after,
            max_parts,
        })
        .await?;
    let last = page.parts.last().map_or(0, |part| part.number);
    let parts = page.parts.into_iter().map(|part| {
        let sums = checksums(part.checksum.as_ref());
        dto::Part {
            checksum_crc32: sums.crc32,
            checksum_crc32c: sums.crc32c,
            checksum_crc64nvme: sums.crc64nvme,
            checksum_sha1: sums.sha1,
            checksum_sha256: sums.sha256,
            e_tag: Some(e_tag(part.e_tag)),
            last_modified: Some(stamp(part.last_modified)),
            part_number: i32::try_from(part.number).ok(),
            size: Some(size(part.size)),
        }
    });
    let account = &call.engine.config().account;
    Ok(S3Response::new(dto::ListPartsOutput {
        bucket: Some(input.bucket),
        checksum_type: page.checksum.as_ref().map(kind),
        checksum_algorithm: page.checksum.map(|checksum| checksum.algorithm.into()),
        initiator: Some(initiator(account, page.initiator)),
        is_truncated: Some(page.more),
        key: Some(input.key),
        max_parts: i32::try_from(max_parts).ok(),
        next_part_number_marker: i32::try_from(last).ok().filter(|_| page.more),
        owner: Some(owner(account)),
        part_number_marker: input.part_number_marker,
        parts: Some(parts.collect()),
        storage_class: Some(dto::StorageClass::from_static(dto::StorageClass::STANDARD)),
        upload_id: Some(input.upload_id),
        ..Default::default()
    }))
}

pub(super) async fn list(
    call: &Call,
    request: S3Request<dto::ListMultipartUploadsInput>,
) -> Answer<S3Response<dto::ListMultipartUploadsOutput>> {
    let input = request.input;
    let encoding = Encoding::of(input.encoding_type.as_ref())?;
    let max_uploads = count(input.max_uploads, "max-uploads", PAGE)?;
    let page = call
        .make(ListMultipartUploads {
            bucket: input.bucket.clone(),
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().filter(|delimiter| !delimiter.is_empty()),
            key_marker: input.key_marker.clone().filter(|marker| !marker.is_empty()),
            upload_id_marker: input.upload_id_marker.clone().filter(|marker| !marker.is_empty()),
            max_uploads,
        })
        .await?;
    let account = &call.engine.config().account;
    let uploads = page.uploads.into_iter().map(|upload| dto::MultipartUpload {
        checksum_type: upload.checksum.as_ref().map(kind),
        checksum_algorithm: upload.checksum.map(|checksum| checksum.algorithm.into()),
        initiated: Some(stamp(upload.initiated)),
        initiator: Some(initiator(account, upload.initiator)),
        key: Some(encoding.write(upload.key)),
        owner: Some(owner(account)),
        storage_class: Some(dto::StorageClass::from_static(dto::StorageClass::STANDARD)),
        upload_id: Some(upload.upload_id),
    });
    let truncated = page.next.is_some();
    let (next_key, next_upload) = page.next.unzip();
    Ok(S3Response::new(dto::ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        common_prefixes: encoding.prefixes(page.prefixes),
        delimiter: input.delimiter.map(|delimiter| encoding.write(delimiter)),
        encoding_type: input.encoding_type,
        is_truncated: Some(truncated),
        key_marker: Some(encoding.write(input.key_marker.unwrap_or_default())),
        max_uploads: i32::try_from(max_uploads).ok(),
        next_key_marker: next_key.map(|key| encoding.write(key)),
        next_upload_id_marker: next_upload,
        prefix: input.prefix.map(|prefix| encoding.write(prefix)),
        upload_id_marker: Some(input.upload_id_marker.unwrap_or_default()),
        uploads: Some(uploads.collect()),
        ..Default::default()
    }))
}
