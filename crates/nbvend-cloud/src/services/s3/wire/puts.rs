//! Objects on the wire: written.

use s3s::{S3Request, S3Response, dto};

use super::convert::{self, algorithm, checksums, condition, e_tag, size};
use super::receive::Stated;
use super::{Answer, Call};
use crate::door;
use crate::operation::Operation;
use crate::services::s3::object_put::PutObject;
use crate::services::s3::state::Headers;

pub(super) async fn put(
    call: &Call,
    request: S3Request<dto::PutObjectInput>,
) -> Answer<S3Response<dto::PutObjectOutput>> {
    let stated = Stated::read(&request, None)?;
    let input = request.input;
    let mut put = PutObject {
        bucket: input.bucket,
        key: input.key,
        body: None,
        headers: Headers {
            content_type: Some(input.content_type.unwrap_or_else(|| "binary/octet-stream".to_owned())),
            cache_control: input.cache_control,
            content_disposition: input.content_disposition,
            content_encoding: stored_encoding(input.content_encoding),
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
        if_match: condition(input.if_match),
        if_none_match: condition(input.if_none_match),
    };
    call.admitted(&put).await?;
    let body = call.receive(input.body, stated).await?;
    let length = size(body.size);
    put.body = Some(body);
    let done = call.make(put).await?;
    let sums = checksums(done.checksum.as_ref());
    let output = dto::PutObjectOutput {
        bucket_key_enabled: done.encryption.bucket_key.then_some(true),
        checksum_crc32: sums.crc32,
        checksum_crc32c: sums.crc32c,
        checksum_crc64nvme: sums.crc64nvme,
        checksum_sha1: sums.sha1,
        checksum_sha256: sums.sha256,
        checksum_type: sums.kind,
        e_tag: Some(e_tag(done.e_tag)),
        server_side_encryption: Some(algorithm(&done.encryption)),
        size: None,
        ssekms_key_id: done.encryption.kms_key,
        version_id: done.version_id,
        ..Default::default()
    };
    tracing::trace!(length, "object put");
    Ok(S3Response::new(output))
}

impl Call {
    /// Refuses a call before its body is taken in; the denial is recorded as any other, by making the call.
    pub(super) async fn admitted<O: Operation + Clone>(&self, operation: &O) -> Answer<()> {
        match door::allowed(&self.engine, &self.caller, operation) {
            Ok(()) => Ok(()),
            Err(_) => self.make(operation.clone()).await.map(|_| ()),
        }
    }
}

/// `aws-chunked` says how the body travelled and is not stored, as on S3.
pub(super) fn stored_encoding(encoding: Option<String>) -> Option<String> {
    let kept: Vec<&str> =
        encoding.as_deref()?.split(',').map(str::trim).filter(|part| *part != "aws-chunked").collect();
    (!kept.is_empty() && kept != [""]).then(|| kept.join(","))
}
