//! AWS Signature Version 4: reading, verifying and making signatures, in the header and in the query.
//!
//! The specification is AWS's "Create a signed AWS API request". S3's chunk signatures are not here: the S3 crate
//! verifies those itself.

mod canonical;
mod parse;
mod sign;
mod verify;

pub use parse::parse;
pub use sign::{Credentials, ToSign, presign, sign};

use crate::error::WireError;
use crate::model::ProtocolKind;
use crate::timestamp::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const TERMINATOR: &str = "aws4_request";
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// Seconds a signature may be older or newer than now.
pub const SKEW: i64 = 15 * 60;

/// The longest a presigned query may be valid, in seconds: a week.
pub const MAX_EXPIRES: u64 = 604_800;

/// A signature as a request states it, not yet verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Signature {
    pub access_key_id: String,
    /// The date of the credential's scope, `20261122`.
    pub date: String,
    pub region: String,
    pub service: String,
    /// Lower case, in the order stated.
    pub signed_headers: Vec<String>,
    /// Hexadecimal.
    pub signature: String,
    /// When it was signed.
    pub timestamp: Timestamp,
    /// Seconds it is valid for; the query form only, and there `None` means the usual quarter of an hour.
    pub expires: Option<u64>,
    /// The session token. It is the caller's duty to check that it belongs to the key.
    pub security_token: Option<String>,
    pub query_form: bool,
    /// The stated `x-amz-content-sha256`.
    pub content_sha256: Option<String>,
}

/// A secret key bound to a date, a region and a service. Cheap to clone and to keep; it prints as nothing.
#[derive(Clone)]
pub struct SigningKey([u8; 32]);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

/// Derives the key that signs for a scope.
pub fn signing_key(secret: &str, date: &str, region: &str, service: &str) -> SigningKey {
    let key = hmac(format!("AWS4{secret}").as_bytes(), date);
    let key = hmac(&key, region);
    let key = hmac(&key, service);
    SigningKey(hmac(&key, TERMINATOR))
}

impl SigningKey {
    /// The signature of a string to sign, in hexadecimal.
    fn sign(&self, text: &str) -> String {
        hex::encode(hmac(&self.0, text))
    }
}

fn hmac(key: &[u8], text: &str) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

/// The SHA-256 of a body in hexadecimal, as [`Signature::verify`] takes it.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The access key is not known.
pub fn unknown_key(protocol: ProtocolKind) -> WireError {
    let error =
        WireError::new("InvalidClientTokenId", 403, "The security token included in the request is invalid.");
    in_protocol(error, protocol)
}

/// The request is not signed and its operation wants it to be.
pub fn missing_token(protocol: ProtocolKind) -> WireError {
    in_protocol(WireError::new("MissingAuthenticationToken", 403, "Missing Authentication Token"), protocol)
}

/// The session the token stands for has ended.
pub fn expired_token(protocol: ProtocolKind) -> WireError {
    let message = "The security token included in the request is expired";
    in_protocol(WireError::new("ExpiredToken", 403, message), protocol)
}

/// The error of a signature in the words of a protocol: [`parse()`] and [`Signature::verify`] use the query
/// protocol's codes; the JSON protocols have others for the same, and JSON services answer them with 400.
pub fn in_protocol(mut error: WireError, protocol: ProtocolKind) -> WireError {
    if protocol == ProtocolKind::Query {
        return error;
    }
    let code = match &*error.code {
        "SignatureDoesNotMatch" => "InvalidSignatureException",
        "InvalidClientTokenId" => "UnrecognizedClientException",
        "IncompleteSignature" => "IncompleteSignatureException",
        "MissingAuthenticationToken" => "MissingAuthenticationTokenException",
        "ExpiredToken" => "ExpiredTokenException",
        _ => return error,
    };
    error.code = code.into();
    if let ProtocolKind::Json(_) = protocol {
        error.status = 400;
    }
    error
}

fn mismatch(message: impl Into<String>) -> WireError {
    WireError::new("SignatureDoesNotMatch", 403, message)
}

fn incomplete(message: impl Into<String>) -> WireError {
    WireError::new("IncompleteSignature", 400, message)
}
