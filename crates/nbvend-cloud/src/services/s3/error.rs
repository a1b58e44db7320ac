//! S3's errors. Codes and texts as S3 writes them (its page "Error responses", and answers seen in issue logs).

use nbvend_wire::error::WireError;
use serde_json::Value;

use crate::error::{EngineError, ServiceError, carries_engine};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("The specified bucket does not exist")]
    NoSuchBucket(String),
    #[error("The specified key does not exist.")]
    NoSuchKey { key: String, delete_marker: Option<String> },
    #[error("The specified version does not exist.")]
    NoSuchVersion { key: String, version: String },
    /// A delete marker asked for by its own version id.
    #[error("The specified method is not allowed against this resource.")]
    DeleteMarker { version: String },
    #[error("Your previous request to create the named bucket succeeded and you already own it.")]
    BucketAlreadyOwnedByYou(String),
    #[error("The bucket you tried to delete is not empty{}", if *.versions { ". You must delete all versions in the bucket." } else { "" })]
    BucketNotEmpty { bucket: String, versions: bool },
    #[error("The specified bucket is not valid.")]
    InvalidBucketName(String),
    #[error(
        "The {0} location constraint is incompatible for the region specific endpoint this request was sent to."
    )]
    IllegalLocation(String),
    #[error("The specified location-constraint is not valid")]
    InvalidLocation(String),
    /// Which condition did not hold: `If-Match`, `If-None-Match` …
    #[error("At least one of the pre-conditions you specified did not hold")]
    PreconditionFailed(&'static str),
    #[error("Not Modified")]
    NotModified { e_tag: String },
    #[error("The requested range is not satisfiable")]
    InvalidRange { range: String, size: u64 },
    #[error("The requested partnumber is not satisfiable")]
    InvalidPartNumber,
    #[error(
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    )]
    NoSuchUpload(String),
    #[error(
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."
    )]
    InvalidPart { upload: String, number: u32 },
    #[error("The list of parts was not in ascending order. Parts must be ordered by part number.")]
    InvalidPartOrder,
    #[error("Your proposed upload is smaller than the minimum allowed size")]
    EntityTooSmall { proposed: u64, number: u32 },
    #[error("Your proposed upload exceeds the maximum allowed size")]
    EntityTooLarge,
    #[error("The XML you provided was not well-formed or did not validate against our published schema")]
    MalformedXml,
    #[error("{message}")]
    InvalidArgument { message: String, name: &'static str, value: String },
    #[error("{0}")]
    InvalidRequest(String),
    /// A checksum that was given is not the body's.
    #[error("{0}")]
    BadDigest(String),
    #[error("The Content-MD5 you specified was invalid.")]
    InvalidDigest,
    #[error("The provided 'x-amz-content-sha256' header does not match what was computed.")]
    ContentSha256,
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your key and signing method."
    )]
    ChunkSignature,
    #[error("You did not provide the number of bytes specified by the Content-Length HTTP header")]
    IncompleteBody,
    #[error("{0}")]
    InvalidTag(String),
    #[error("{0}")]
    MalformedPolicy(String),
    /// Block Public Access forbids a policy that lets everybody in.
    #[error(
        "User: {who} is not authorized to perform: s3:PutBucketPolicy on resource: \"{bucket}\" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access."
    )]
    PublicPolicyBlocked { who: String, bucket: String },
    #[error("The Versioning element must be specified")]
    VersioningMissing,
    #[error("The bucket policy does not exist")]
    NoSuchBucketPolicy(String),
    #[error("The TagSet does not exist")]
    NoSuchTagSet(String),
    #[error("The public access block configuration was not found")]
    NoSuchPublicAccessBlock(String),
    #[error("The bucket ownership controls were not found")]
    OwnershipControlsNotFound(String),
    #[error("The bucket does not allow ACLs")]
    AclNotSupported,
    #[error("{0}")]
    NotImplemented(String),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

carries_engine!(Error);

impl ServiceError for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::NoSuchBucket(_) => "NoSuchBucket",
            Self::NoSuchKey { .. } => "NoSuchKey",
            Self::NoSuchVersion { .. } => "NoSuchVersion",
            Self::DeleteMarker { .. } => "MethodNotAllowed",
            Self::BucketAlreadyOwnedByYou(_) => "BucketAlreadyOwnedByYou",
            Self::BucketNotEmpty { .. } => "BucketNotEmpty",
            Self::InvalidBucketName(_) => "InvalidBucketName",
            Self::IllegalLocation(_) => "IllegalLocationConstraintException",
            Self::InvalidLocation(_) => "InvalidLocationConstraint",
            Self::PreconditionFailed(_) => "PreconditionFailed",
            Self::NotModified { .. } => "NotModified",
            Self::InvalidRange { .. } => "InvalidRange",
            Self::InvalidPartNumber => "InvalidPartNumber",
            Self::NoSuchUpload(_) => "NoSuchUpload",
            Self::InvalidPart { .. } => "InvalidPart",
            Self::InvalidPartOrder => "InvalidPartOrder",
            Self::EntityTooSmall { .. } => "EntityTooSmall",
            Self::EntityTooLarge => "EntityTooLarge",
            Self::MalformedXml => "MalformedXML",
            Self::InvalidArgument { .. } => "InvalidArgument",
            Self::InvalidRequest(_) => "InvalidRequest",
            Self::BadDigest(_) => "BadDigest",
            Self::InvalidDigest => "InvalidDigest",
            Self::ContentSha256 => "XAmzContentSHA256Mismatch",
            Self::ChunkSignature => "SignatureDoesNotMatch",
            Self::IncompleteBody => "IncompleteBody",
            Self::InvalidTag(_) => "InvalidTag",
            Self::MalformedPolicy(_) => "MalformedPolicy",
            Self::PublicPolicyBlocked { .. } => "AccessDenied",
            Self::VersioningMissing => "IllegalVersioningConfigurationException",
            Self::NoSuchBucketPolicy(_) => "NoSuchBucketPolicy",
            Self::NoSuchTagSet(_) => "NoSuchTagSet",
            Self::NoSuchPublicAccessBlock(_) => "NoSuchPublicAccessBlockConfiguration",
            Self::OwnershipControlsNotFound(_) => "OwnershipControlsNotFoundError",
            Self::AclNotSupported => "AccessControlListNotSupported",
            Self::NotImplemented(_) => "NotImplemented",
            Self::Engine(error) => error.code(),
        }
    }

    fn status(&self) -> u16 {
        match self {
            Self::NoSuchBucket(_)
            | Self::NoSuchKey { .. }
            | Self::NoSuchVersion { .. }
            | Self::NoSuchUpload(_)
            | Self::NoSuchBucketPolicy(_)
            | Self::NoSuchTagSet(_)
            | Self::NoSuchPublicAccessBlock(_)
            | Self::OwnershipControlsNotFound(_) => 404,
            Self::DeleteMarker { .. } => 405,
            Self::BucketAlreadyOwnedByYou(_) | Self::BucketNotEmpty { .. } => 409,
            Self::PreconditionFailed(_) => 412,
            Self::NotModified { .. } => 304,
            Self::InvalidRange { .. } | Self::InvalidPartNumber => 416,
            Self::ChunkSignature | Self::PublicPolicyBlocked { .. } => 403,
            Self::NotImplemented(_) => 501,
            Self::Engine(error) => error.status(),
            Self::InvalidBucketName(_)
            | Self::IllegalLocation(_)
            | Self::InvalidLocation(_)
            | Self::InvalidPart { .. }
            | Self::InvalidPartOrder
            | Self::EntityTooSmall { .. }
            | Self::EntityTooLarge
            | Self::MalformedXml
            | Self::InvalidArgument { .. }
            | Self::InvalidRequest(_)
            | Self::BadDigest(_)
            | Self::InvalidDigest
            | Self::ContentSha256
            | Self::IncompleteBody
            | Self::InvalidTag(_)
            | Self::MalformedPolicy(_)
            | Self::VersioningMissing
            | Self::AclNotSupported => 400,
        }
    }

    /// With the elements S3 adds beside code and message. Members named `x-amz-…`, `etag` or `content-range` leave as
    /// headers.
    fn to_wire(&self) -> WireError {
        if let Self::Engine(error) = self {
            return error.to_wire();
        }
        let wire = WireError::new(self.code(), self.status(), self.to_string());
        let text = |text: &str| Value::String(text.to_owned());
        match self {
            Self::NoSuchBucket(bucket)
            | Self::BucketAlreadyOwnedByYou(bucket)
            | Self::BucketNotEmpty { bucket, .. }
            | Self::InvalidBucketName(bucket)
            | Self::NoSuchBucketPolicy(bucket)
            | Self::NoSuchTagSet(bucket)
            | Self::NoSuchPublicAccessBlock(bucket)
            | Self::OwnershipControlsNotFound(bucket) => wire.with("BucketName", text(bucket)),
            Self::NoSuchKey { key, delete_marker } => {
                let wire = wire.with("Key", text(key));
                match delete_marker {
                    Some(version) => {
                        wire.with("x-amz-delete-marker", text("true")).with("x-amz-version-id", text(version))
                    }
                    None => wire,
                }
            }
            Self::NoSuchVersion { key, version } => {
                wire.with("Key", text(key)).with("VersionId", text(version))
            }
            Self::DeleteMarker { version } => wire
                .with("Method", text("GET"))
                .with("ResourceType", text("DeleteMarker"))
                .with("x-amz-delete-marker", text("true"))
                .with("x-amz-version-id", text(version)),
            Self::InvalidLocation(location) => wire.with("LocationConstraint", text(location)),
            Self::PreconditionFailed(condition) => wire.with("Condition", text(condition)),
            Self::NotModified { e_tag } => wire.with("etag", text(&format!("\"{e_tag}\""))),
            Self::InvalidRange { range, size } => wire
                .with("RangeRequested", text(range))
                .with("ActualObjectSize", text(&size.to_string()))
                .with("content-range", text(&format!("bytes */{size}"))),
            Self::NoSuchUpload(upload) => wire.with("UploadId", text(upload)),
            Self::InvalidPart { upload, number } => {
                wire.with("UploadId", text(upload)).with("PartNumber", text(&number.to_string()))
            }
            Self::EntityTooSmall { proposed, number } => wire
                .with("ProposedSize", text(&proposed.to_string()))
                .with("MinSizeAllowed", text("5242880"))
                .with("PartNumber", text(&number.to_string())),
            Self::InvalidArgument { name, value, .. } => {
                wire.with("ArgumentName", text(name)).with("ArgumentValue", text(value))
            }
            _ => wire,
        }
    }
}
