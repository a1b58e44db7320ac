//! Listings on the wire.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::{S3Request, S3Response, dto};

use super::convert::{checksums, count, e_tag, owner, refusal, size, stamp};
use super::{Answer, Call};
use crate::services::s3::error::Error;
use crate::services::s3::object_list::{ListObjects, ListObjectsOutput, ObjectSummary};

/// A page at most.
pub(super) const PAGE: usize = 1000;

/// What `encoding-type=url` leaves as it is.
const KEPT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/').remove(b'*');

/// Writes keys as the client asked for them.
#[derive(Clone, Copy)]
pub(super) struct Encoding(bool);

impl Encoding {
    pub(super) const URL: Self = Self(true);

    pub(super) fn of(asked: Option<&dto::EncodingType>) -> Answer<Self> {
        match asked.map(dto::EncodingType::as_str) {
            None => Ok(Self(false)),
            Some("url") => Ok(Self(true)),
            Some(other) => Err(refusal(Error::InvalidArgument {
                message: "Invalid Encoding Method specified in Request".to_owned(),
                name: "encoding-type",
                value: other.to_owned(),
            })),
        }
    }

    pub(super) fn write(self, text: String) -> String {
        if self.0 { utf8_percent_encode(&text, KEPT).to_string() } else { text }
    }

    pub(super) fn prefixes(self, prefixes: Vec<String>) -> Option<dto::CommonPrefixList> {
        let each = |prefix| dto::CommonPrefix { prefix: Some(self.write(prefix)) };
        (!prefixes.is_empty()).then(|| prefixes.into_iter().map(each).collect())
    }
}

fn contents(
    objects: Vec<ObjectSummary>,
    encoding: Encoding,
    owner: Option<&dto::Owner>,
) -> Option<dto::ObjectList> {
    let each = |object: ObjectSummary| dto::Object {
        key: Some(encoding.write(object.key)),
        last_modified: Some(stamp(object.last_modified)),
        e_tag: Some(e_tag(object.e_tag)),
        checksum_type: checksums(object.checksum.as_ref()).kind,
        checksum_algorithm: object.checksum.map(|sum| vec![dto::ChecksumAlgorithm::from(sum.algorithm)]),
        size: Some(size(object.size)),
        storage_class: Some(dto::ObjectStorageClass::from_static(dto::ObjectStorageClass::STANDARD)),
        owner: owner.cloned(),
        ..Default::default()
    };
    (!objects.is_empty()).then(|| objects.into_iter().map(each).collect())
}

/// Every listing tells the bucket's region.
pub(super) fn with_region<T>(output: T, region: &str) -> S3Response<T> {
    let mut response = S3Response::new(output);
    if let Ok(value) = region.parse() {
        response.headers.insert("x-amz-bucket-region", value);
    }
    response
}

pub(super) async fn list(
    call: &Call,
    request: S3Request<dto::ListObjectsInput>,
) -> Answer<S3Response<dto::ListObjectsOutput>> {
    let input = request.input;
    let encoding = Encoding::of(input.encoding_type.as_ref())?;
    let max_keys = count(input.max_keys, "max-keys", PAGE)?;
    let page = call
        .make(ListObjects {
            bucket: input.bucket.clone(),
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().filter(|delimiter| !delimiter.is_empty()),
            after: input.marker.clone().filter(|marker| !marker.is_empty()),
            max_keys,
        })
        .await?;
    let owner = owner(&call.engine.config().account);
    let ListObjectsOutput { bucket_region, objects, prefixes, next } = page;
    // Without a delimiter the client goes on after the last key, and S3 says no more.
    let next_marker = next.clone().filter(|_| input.delimiter.is_some()).map(|next| encoding.write(next));
    let output = dto::ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(encoding.write(input.prefix.unwrap_or_default())),
        marker: Some(encoding.write(input.marker.unwrap_or_default())),
        max_keys: i32::try_from(max_keys).ok(),
        is_truncated: Some(next.is_some()),
        contents: contents(objects, encoding, Some(&owner)),
        common_prefixes: encoding.prefixes(prefixes),
        delimiter: input.delimiter.map(|delimiter| encoding.write(delimiter)),
        next_marker,
        encoding_type: input.encoding_type,
        request_charged: None,
    };
    Ok(with_region(output, &bucket_region))
}

pub(super) async fn list_v2(
    call: &Call,
    request: S3Request<dto::ListObjectsV2Input>,
) -> Answer<S3Response<dto::ListObjectsV2Output>> {
    let input = request.input;
    let encoding = Encoding::of(input.encoding_type.as_ref())?;
    let max_keys = count(input.max_keys, "max-keys", PAGE)?;
    let after = match &input.continuation_token {
        Some(token) => Some(read_token(token)?),
        None => input.start_after.clone().filter(|after| !after.is_empty()),
    };
    let page = call
        .make(ListObjects {
            bucket: input.bucket.clone(),
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().filter(|delimiter| !delimiter.is_empty()),
            after,
            max_keys,
        })
        .await?;
    let owner = owner(&call.engine.config().account);
    let ListObjectsOutput { bucket_region, objects, prefixes, next } = page;
    let output = dto::ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(encoding.write(input.prefix.unwrap_or_default())),
        max_keys: i32::try_from(max_keys).ok(),
        key_count: i32::try_from(objects.len() + prefixes.len()).ok(),
        continuation_token: input.continuation_token,
        is_truncated: Some(next.is_some()),
        next_continuation_token: next.map(|next| URL_SAFE_NO_PAD.encode(next)),
        contents: contents(objects, encoding, Some(&owner).filter(|_| input.fetch_owner == Some(true))),
        common_prefixes: encoding.prefixes(prefixes),
        delimiter: input.delimiter.map(|delimiter| encoding.write(delimiter)),
        encoding_type: input.encoding_type,
        start_after: input.start_after.map(|after| encoding.write(after)),
        request_charged: None,
    };
    Ok(with_region(output, &bucket_region))
}

fn read_token(token: &str) -> Answer<String> {
    let read = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    read.ok_or_else(|| {
        refusal(Error::InvalidArgument {
            message: "The continuation token provided is incorrect".to_owned(),
            name: "continuation-token",
            value: token.to_owned(),
        })
    })
}
