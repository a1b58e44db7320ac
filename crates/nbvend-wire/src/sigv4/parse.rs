//! Reading a signature from a request, and AWS's complaints about what it lacks.

use super::{ALGORITHM, MAX_EXPIRES, Signature, TERMINATOR, incomplete, mismatch};
use crate::error::WireError;
use crate::timestamp::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use sha2::{Digest, Sha256};

/// The signature a request carries, in its `Authorization` header or else in its query; `None` when it is unsigned.
/// The errors are in the query protocol's codes; see [`super::in_protocol`].
pub fn parse(
    _method: &str,
    _path: &str,
    query: &str,
    headers: &HeaderMap,
) -> Result<Option<Signature>, WireError> {
    if let Some(authorization) = headers.get(http::header::AUTHORIZATION) {
        let text = String::from_utf8_lossy(authorization.as_bytes());
        return from_header(&text, headers).map(Some);
    }
    let parameters: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let signed = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"];
    if parameters.iter().any(|(name, _)| signed.contains(&name.as_str())) {
        return from_query(&parameters, headers).map(Some);
    }
    Ok(None)
}

fn from_header(authorization: &str, headers: &HeaderMap) -> Result<Signature, WireError> {
    let hashed = || STANDARD.encode(Sha256::digest(authorization));
    let (mut credential, mut signature, mut signed_headers) = (None, None, None);
    if let Some(parts) = authorization.strip_prefix(ALGORITHM) {
        for part in parts.split([',', ' ']).map(str::trim).filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some(("Credential", value)) => credential = Some(value),
                Some(("Signature", value)) => signature = Some(value),
                Some(("SignedHeaders", value)) => signed_headers = Some(value),
                Some(_) => {}
                None => {
                    return Err(incomplete(format!(
                        "'{part}' not a valid key=value pair (missing equal-sign) in Authorization header \
                         (hashed with SHA-256 and encoded with Base64): '{}'.",
                        hashed()
                    )));
                }
            }
        }
    }
    let date = date_header(headers);
    let (Some(credential), Some(signature), Some(signed_headers), Some(date)) =
        (credential, signature, signed_headers, date.as_deref())
    else {
        let required =
            [("Credential", credential), ("Signature", signature), ("SignedHeaders", signed_headers)];
        let mut message = String::new();
        for (name, _) in required.into_iter().filter(|(_, value)| value.is_none()) {
            message += &format!("Authorization header requires '{name}' parameter. ");
        }
        if date.is_none() {
            message +=
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
        }
        message += &format!("(Hashed with SHA-256 and encoded with Base64) Authorization={}", hashed());
        return Err(incomplete(message));
    };
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Stated { credential, signature, signed_headers, date }.check(
        None,
        text("x-amz-security-token"),
        text("x-amz-content-sha256"),
        false,
    )
}

/// `X-Amz-Date`, or `Date` in either of its forms, as `20261122T140000Z` where it can be read.
fn date_header(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(date) = text("x-amz-date") {
        return Some(date.to_owned());
    }
    let date = text("date")?;
    let read = Timestamp::from_amz_date(date).or_else(|| Timestamp::parse(date));
    Some(read.map_or_else(|| date.to_owned(), Timestamp::amz_date))
}

fn from_query(parameters: &[(String, String)], headers: &HeaderMap) -> Result<Signature, WireError> {
    let get = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let required =
        ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"];
    let missing: Vec<&str> = required.into_iter().filter(|name| get(name).is_none()).collect();
    if !missing.is_empty() {
        let wants = missing.iter().map(|name| format!("AWS query-string parameters must include '{name}'. "));
        return Err(incomplete(wants.collect::<String>() + "Re-examine the query-string parameters."));
    }
    let [algorithm, credential, signature, signed_headers, date] =
        required.map(|name| get(name).unwrap_or_default());
    if algorithm != ALGORITHM {
        return Err(incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}'.")));
    }
    let expires = get("X-Amz-Expires").map(expires).transpose()?;
    let content_sha256 = get("X-Amz-Content-Sha256")
        .or_else(|| headers.get("x-amz-content-sha256").and_then(|value| value.to_str().ok()))
        .map(str::to_owned);
    let token = get("X-Amz-Security-Token").map(str::to_owned);
    Stated { credential, signature, signed_headers, date }.check(expires, token, content_sha256, true)
}

fn expires(text: &str) -> Result<u64, WireError> {
    let message = match text.parse::<i64>() {
        Ok(1..) => match text.parse::<u64>() {
            Ok(seconds) if seconds <= MAX_EXPIRES => return Ok(seconds),
            _ => {
                "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less \
                 than 604800 seconds"
            }
        },
        Ok(_) => "X-Amz-Expires must be non-negative",
        Err(_) => "X-Amz-Expires should be a number",
    };
    Err(WireError::new("AuthorizationQueryParametersError", 400, message))
}

/// The parts both forms state.
struct Stated<'a> {
    credential: &'a str,
    signature: &'a str,
    signed_headers: &'a str,
    date: &'a str,
}

impl Stated<'_> {
    fn check(
        self,
        expires: Option<u64>,
        security_token: Option<String>,
        content_sha256: Option<String>,
        query_form: bool,
    ) -> Result<Signature, WireError> {
        let parts: Vec<&str> = self.credential.split('/').collect();
        let [access_key_id, date, region, service, terminator] = parts[..] else {
            return Err(incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{}'",
                self.credential
            )));
        };
        if terminator != TERMINATOR {
            return Err(mismatch(format!(
                "Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{terminator}'."
            )));
        }
        let Some(timestamp) = Timestamp::from_amz_date(self.date) else {
            return Err(incomplete(format!(
                "Date must be in ISO-8601 'basic format'. Got '{}'. See http://en.wikipedia.org/wiki/ISO_8601",
                self.date
            )));
        };
        if Some(date) != self.date.get(..8) {
            return Err(mismatch(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
                 '{date}' != '{}', from '{}'.",
                self.date.get(..8).unwrap_or_default(),
                self.date
            )));
        }
        let signed_headers: Vec<String> =
            self.signed_headers.split(';').map(str::to_ascii_lowercase).collect();
        if !signed_headers.iter().any(|name| name == "host") {
            return Err(mismatch(
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
            ));
        }
        Ok(Signature {
            access_key_id: access_key_id.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            signed_headers,
            signature: self.signature.to_owned(),
            timestamp,
            expires,
            security_token,
            query_form,
            content_sha256,
        })
    }
}
