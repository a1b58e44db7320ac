//! AWS Signature Version 4: reading, verifying and making signatures, in the header and in the query.

use crate::error::WireError;
use crate::model::ProtocolKind;
use crate::timestamp::Timestamp;
use http::HeaderMap;

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
    /// Seconds it is valid for; the query form only.
    pub expires: Option<u64>,
    pub security_token: Option<String>,
    pub query_form: bool,
    /// The stated `x-amz-content-sha256`.
    pub content_sha256: Option<String>,
}

/// A secret key bound to a date, a region and a service. Cheap to clone and to keep.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey([u8; 32]);

pub fn signing_key(secret: &str, date: &str, region: &str, service: &str) -> SigningKey {
    let _ = (secret, date, region, service);
    SigningKey([0; 32])
}

/// The signature a request carries; `None` when it is unsigned.
pub fn parse(
    method: &str,
    path: &str,
    query: &str,
    headers: &HeaderMap,
) -> Result<Option<Signature>, WireError> {
    let _ = (method, path, query, headers);
    Ok(None)
}

impl Signature {
    /// Whether the request is the one that was signed, by the holder of the key, and recently enough.
    #[allow(clippy::too_many_arguments)]
    pub fn verify(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: &HeaderMap,
        body_sha256_hex: &str,
        key: &SigningKey,
        now: Timestamp,
    ) -> Result<(), WireError> {
        let _ = (method, path, query, headers, body_sha256_hex, key, now);
        Err(WireError::new("SignatureDoesNotMatch", 403, ""))
    }
}

/// The access key is not known.
pub fn unknown_key(protocol: ProtocolKind) -> WireError {
    let (code, status) = match protocol {
        ProtocolKind::Query => ("InvalidClientTokenId", 403),
        ProtocolKind::Json(_) => ("UnrecognizedClientException", 400),
        ProtocolKind::RestJson => ("UnrecognizedClientException", 403),
    };
    WireError::new(code, status, "The security token included in the request is invalid.")
}

/// A request to be signed.
#[derive(Debug, Clone, Copy)]
pub struct ToSign<'a> {
    pub method: &'a str,
    /// Percent-encoded.
    pub path: &'a str,
    /// Percent-encoded, without the question mark.
    pub query: &'a str,
    /// `host` must be among them.
    pub headers: &'a [(String, String)],
    pub body: &'a [u8],
}

/// An access key.
#[derive(Clone)]
pub struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: Option<String>,
}

/// The headers to add to the request: `X-Amz-Date`, `X-Amz-Security-Token` where there is one, `Authorization`.
pub fn sign(
    req: &ToSign<'_>,
    credentials: &Credentials,
    region: &str,
    service: &str,
    now: Timestamp,
) -> Vec<(String, String)> {
    let _ = (req, credentials, region, service, now);
    Vec::new()
}

/// The query to send instead of the request's own, valid for `expires` seconds.
pub fn presign(
    req: &ToSign<'_>,
    credentials: &Credentials,
    region: &str,
    service: &str,
    now: Timestamp,
    expires: u64,
) -> String {
    let _ = (req, credentials, region, service, now, expires);
    String::new()
}
