//! Versions, tags and attributes of objects on the wire.

use s3s::{S3Request, S3Response, dto};

use super::convert::{checksums, count, e_tag, owner, refusal, size, stamp, tag_set, tags};
use super::lists::{Encoding, PAGE, with_region};
use super::rewrite::with_bare_e_tag;
use super::{Answer, Call};
use crate::services::s3::error::Error;
use crate::services::s3::object_attributes::GetObjectAttributes;
use crate::services::s3::object_tagging::{DeleteObjectTagging, GetObjectTagging, PutObjectTagging};
use crate::services::s3::object_versions::ListObjectVersions;

pub(super) async fn list(
    call: &Call,
    request: S3Request<dto::ListObjectVersionsInput>,
) -> Answer<S3Response<dto::ListObjectVersionsOutput>> {
    let input = request.input;
    let encoding = Encoding::of(input.encoding_type.as_ref())?;
    let max_keys = count(input.max_keys, "max-keys", PAGE)?;
    let page = call
        .make(ListObjectVersions {
            bucket: input.bucket.clone(),
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().filter(|delimiter| !delimiter.is_empty()),
            key_marker: input.key_marker.clone().filter(|marker| !marker.is_empty()),
            version_id_marker: input.version_id_marker.clone().filter(|marker| !marker.is_empty()),
            max_keys,
        })
        .await?;
    let owner = owner(&call.engine.config().account);
    let (mut versions, mut markers) = (Vec::new(), Vec::new());
    for version in page.versions {
        let key = Some(encoding.write(version.key));
        let (last_modified, is_latest) = (Some(stamp(version.last_modified)), Some(version.is_latest));
        let (owner, version_id) = (Some(owner.clone()), Some(version.version_id));
        match version.body {
            None => markers.push(dto::DeleteMarkerEntry { is_latest, key, last_modified, owner, version_id }),
            Some(body) => versions.push(dto::ObjectVersion {
                checksum_type: checksums(body.checksum.as_ref()).kind,
                checksum_algorithm: body
                    .checksum
                    .map(|sum| vec![dto::ChecksumAlgorithm::from(sum.algorithm)]),
                e_tag: Some(e_tag(body.e_tag)),
                is_latest,
                key,
                last_modified,
                owner,
                size: Some(size(body.size)),
                storage_class: Some(dto::ObjectVersionStorageClass::from_static(
                    dto::ObjectVersionStorageClass::STANDARD,
                )),
                version_id,
                ..Default::default()
            }),
        }
    }
    let truncated = page.next.is_some();
    let (next_key, next_version) = page.next.unzip();
    let output = dto::ListObjectVersionsOutput {
        common_prefixes: encoding.prefixes(page.prefixes),
        delete_markers: Some(markers),
        delimiter: input.delimiter.map(|delimiter| encoding.write(delimiter)),
        encoding_type: input.encoding_type,
        is_truncated: Some(truncated),
        key_marker: Some(encoding.write(input.key_marker.unwrap_or_default())),
        max_keys: i32::try_from(max_keys).ok(),
        name: Some(input.bucket),
        next_key_marker: next_key.map(|key| encoding.write(key)),
        next_version_id_marker: next_version.filter(|version| !version.is_empty()),
        prefix: Some(encoding.write(input.prefix.unwrap_or_default())),
        version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
        versions: Some(versions),
        ..Default::default()
    };
    Ok(with_region(output, &page.bucket_region))
}

pub(super) async fn get_tagging(
    call: &Call,
    request: S3Request<dto::GetObjectTaggingInput>,
) -> Answer<S3Response<dto::GetObjectTaggingOutput>> {
    let input = request.input;
    let found = call
        .make(GetObjectTagging { bucket: input.bucket, key: input.key, version_id: input.version_id })
        .await?;
    Ok(S3Response::new(dto::GetObjectTaggingOutput {
        tag_set: tag_set(found.tags),
        version_id: found.version_id,
    }))
}

pub(super) async fn put_tagging(
    call: &Call,
    request: S3Request<dto::PutObjectTaggingInput>,
) -> Answer<S3Response<dto::PutObjectTaggingOutput>> {
    let input = request.input;
    let put = PutObjectTagging {
        bucket: input.bucket,
        key: input.key,
        version_id: input.version_id,
        tags: tags(input.tagging),
    };
    let done = call.make(put).await?;
    Ok(S3Response::new(dto::PutObjectTaggingOutput { version_id: done.version_id }))
}

pub(super) async fn delete_tagging(
    call: &Call,
    request: S3Request<dto::DeleteObjectTaggingInput>,
) -> Answer<S3Response<dto::DeleteObjectTaggingOutput>> {
    let input = request.input;
    let gone = call
        .make(DeleteObjectTagging { bucket: input.bucket, key: input.key, version_id: input.version_id })
        .await?;
    Ok(S3Response::new(dto::DeleteObjectTaggingOutput { version_id: gone.version_id }))
}

pub(super) async fn attributes(
    call: &Call,
    request: S3Request<dto::GetObjectAttributesInput>,
) -> Answer<S3Response<dto::GetObjectAttributesOutput>> {
    let input = request.input;
    // One header names them all, or several do.
    let asked: Vec<String> = input
        .object_attributes
        .iter()
        .flat_map(|names| names.as_str().split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>())
        .collect();
    let known = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];
    if let Some(unknown) = asked.iter().find(|name| !known.contains(&name.as_str())) {
        let message = "Invalid attribute name specified.".to_owned();
        let value = unknown.clone();
        return Err(refusal(Error::InvalidArgument { message, name: "x-amz-object-attributes", value }));
    }
    let wants = |name: &str| asked.iter().any(|asked| asked == name);
    let max_parts = count(input.max_parts, "max-parts", PAGE)?;
    let after = input
        .part_number_marker
        .as_ref()
        .and_then(|marker| marker.to_string().parse::<u32>().ok())
        .unwrap_or(0);
    let view = call
        .make(GetObjectAttributes { bucket: input.bucket, key: input.key, version_id: input.version_id })
        .await?;
    let sums = checksums(view.checksum.as_ref());
    let checksum = dto::Checksum {
        checksum_crc32: sums.crc32,
        checksum_crc32c: sums.crc32c,
        checksum_crc64nvme: sums.crc64nvme,
        checksum_sha1: sums.sha1,
        checksum_sha256: sums.sha256,
        checksum_type: sums.kind,
    };
    let total = i32::try_from(view.parts.len()).unwrap_or(i32::MAX);
    let rest: Vec<_> = view.parts.into_iter().filter(|part| part.number > after).collect();
    let more = rest.len() > max_parts;
    let parts: Vec<_> = rest
        .into_iter()
        .take(max_parts)
        .map(|part| {
            let sums = checksums(part.checksum.as_ref());
            dto::ObjectPart {
                checksum_crc32: sums.crc32,
                checksum_crc32c: sums.crc32c,
                checksum_crc64nvme: sums.crc64nvme,
                checksum_sha1: sums.sha1,
                checksum_sha256: sums.sha256,
                part_number: i32::try_from(part.number).ok(),
                size: Some(size(part.size)),
            }
        })
        .collect();
    let object_parts = dto::GetObjectAttributesParts {
        is_truncated: Some(more),
        max_parts: i32::try_from(max_parts).ok(),
        next_part_number_marker: parts.last().and_then(|part| part.part_number).filter(|_| more),
        part_number_marker: input.part_number_marker,
        parts: Some(parts),
        total_parts_count: Some(total),
    };
    Ok(with_bare_e_tag(dto::GetObjectAttributesOutput {
        checksum: (wants("Checksum") && view.checksum.is_some()).then_some(checksum),
        e_tag: wants("ETag").then(|| e_tag(view.e_tag)),
        last_modified: Some(stamp(view.last_modified)),
        object_parts: (wants("ObjectParts") && total > 0).then_some(object_parts),
        object_size: wants("ObjectSize").then(|| size(view.content_length)),
        storage_class: wants("StorageClass")
            .then(|| dto::StorageClass::from_static(dto::StorageClass::STANDARD)),
        version_id: view.version_id,
        ..Default::default()
    }))
}
