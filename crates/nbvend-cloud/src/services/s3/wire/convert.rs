//! Small translations between the crate's types and ours.

use std::collections::BTreeMap;

use nbvend_wire::error::WireError;
use nbvend_wire::timestamp::Timestamp;
use s3s::dto;
use time::OffsetDateTime;

use super::Answer;
use crate::error::ServiceError;
use crate::services::s3::error::Error;
use crate::services::s3::state::{Checksum, Encryption, Tag};

pub(super) fn stamp(time: Timestamp) -> dto::Timestamp {
    let nanos = i128::from(time.0) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH).into()
}

pub(super) fn time(stamp: dto::Timestamp) -> Timestamp {
    let moment: OffsetDateTime = stamp.into();
    Timestamp(i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX))
}

pub(super) fn e_tag(value: impl Into<String>) -> dto::ETag {
    dto::ETag::Strong(value.into())
}

/// `*` or an ETag without quotes.
pub(super) fn condition(condition: Option<dto::ETagCondition>) -> Option<String> {
    condition.map(|condition| match condition {
        dto::ETagCondition::Any => "*".to_owned(),
        dto::ETagCondition::ETag(tag) => tag.into_value(),
    })
}

pub(super) fn size(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A count a client asks for: none below zero, none above what S3 gives at once.
pub(super) fn count(value: Option<i32>, name: &'static str, most: usize) -> Answer<usize> {
    match value.map(usize::try_from) {
        None => Ok(most),
        Some(Ok(value)) => Ok(value.min(most)),
        Some(Err(_)) => {
            let message = format!("Argument {name} must be an integer between 0 and 2147483647");
            Err(refusal(Error::InvalidArgument {
                message,
                name,
                value: value.unwrap_or_default().to_string(),
            }))
        }
    }
}

pub(super) fn refusal(error: Error) -> WireError {
    error.to_wire()
}

pub(super) fn algorithm(encryption: &Encryption) -> dto::ServerSideEncryption {
    encryption.algorithm.clone().into()
}

/// The encryption a request asks for; the bucket's if it asks for none.
pub(super) fn encryption(
    algorithm: Option<dto::ServerSideEncryption>,
    kms_key: Option<String>,
    bucket_key: Option<bool>,
) -> Answer<Option<Encryption>> {
    let Some(algorithm) = algorithm.map(|algorithm| algorithm.as_str().to_owned()) else {
        return match kms_key {
            None => Ok(None),
            Some(key) => Err(refusal(Error::InvalidArgument {
                message: "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms".to_owned(),
                name: "x-amz-server-side-encryption",
                value: key,
            })),
        };
    };
    known_algorithm(&algorithm)?;
    Ok(Some(Encryption { algorithm, kms_key, bucket_key: bucket_key.unwrap_or(false) }))
}

pub(super) fn known_algorithm(algorithm: &str) -> Answer<()> {
    if matches!(algorithm, "AES256" | "aws:kms" | "aws:kms:dsse") {
        return Ok(());
    }
    Err(refusal(Error::InvalidArgument {
        message: "The encryption method specified is not supported".to_owned(),
        name: "x-amz-server-side-encryption",
        value: algorithm.to_owned(),
    }))
}

/// Tags in the form of a query, as headers carry them.
pub(super) fn header_tags(text: Option<&str>) -> Answer<Vec<Tag>> {
    let mut tags = Vec::new();
    for pair in text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = |text: &str| {
            let text = text.replace('+', " ");
            percent_encoding::percent_decode_str(&text).decode_utf8().map(std::borrow::Cow::into_owned)
        };
        let (Ok(key), Ok(value)) = (decoded(key), decoded(value)) else {
            return Err(refusal(Error::InvalidArgument {
                message: "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.".to_owned(),
                name: "x-amz-tagging",
                value: pair.to_owned(),
            }));
        };
        tags.push(Tag { key, value });
    }
    Ok(tags)
}

pub(super) fn tags(tagging: dto::Tagging) -> Vec<Tag> {
    let text = |text: Option<String>| text.unwrap_or_default();
    tagging.tag_set.into_iter().map(|tag| Tag { key: text(tag.key), value: text(tag.value) }).collect()
}

pub(super) fn tag_set(tags: Vec<Tag>) -> dto::TagSet {
    tags.into_iter().map(|tag| dto::Tag { key: Some(tag.key), value: Some(tag.value) }).collect()
}

/// User metadata; names are not told apart by case.
pub(super) fn metadata(metadata: Option<dto::Metadata>) -> Answer<BTreeMap<String, String>> {
    let all: BTreeMap<_, _> = metadata
        .unwrap_or_default()
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect();
    let total: usize = all.iter().map(|(name, value)| name.len() + value.len()).sum();
    if total > 2048 {
        let text = "Your metadata headers exceed the maximum allowed metadata size";
        return Err(WireError::new("MetadataTooLarge", 400, text));
    }
    Ok(all)
}

/// The five headers or elements a checksum may stand in, one of them filled.
#[derive(Default)]
pub(super) struct Checksums {
    pub crc32: Option<String>,
    pub crc32c: Option<String>,
    pub crc64nvme: Option<String>,
    pub sha1: Option<String>,
    pub sha256: Option<String>,
    pub kind: Option<dto::ChecksumType>,
}

pub(super) fn checksums(checksum: Option<&Checksum>) -> Checksums {
    let mut filled = Checksums::default();
    let Some(checksum) = checksum else { return filled };
    let value = Some(checksum.value.clone());
    match checksum.algorithm.as_str() {
        "CRC32" => filled.crc32 = value,
        "CRC32C" => filled.crc32c = value,
        "CRC64NVME" => filled.crc64nvme = value,
        "SHA1" => filled.sha1 = value,
        _ => filled.sha256 = value,
    }
    let kind = if checksum.composite { dto::ChecksumType::COMPOSITE } else { dto::ChecksumType::FULL_OBJECT };
    filled.kind = Some(dto::ChecksumType::from_static(kind));
    filled
}

/// The name of the account as S3 shows it: a canonical id of 64 hexadecimal digits.
pub(super) fn owner(account: &str) -> dto::Owner {
    dto::Owner { id: Some(canonical_id(account)), display_name: None }
}

/// Who began an upload: an account is told as an owner is, anybody else by ARN.
pub(super) fn initiator(account: &str, arn: String) -> dto::Initiator {
    let root = arn == format!("arn:aws:iam::{account}:root");
    dto::Initiator { id: Some(if root { canonical_id(account) } else { arn }), display_name: None }
}

pub(super) fn canonical_id(account: &str) -> String {
    use sha2::Digest;
    hex::encode(sha2::Sha256::digest(format!("canonical user of {account}")))
}
