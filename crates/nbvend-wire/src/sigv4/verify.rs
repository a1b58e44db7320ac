//! Verifying a signature.

use super::canonical::{self, Canonical};
use super::{SKEW, Signature, SigningKey, UNSIGNED_PAYLOAD, mismatch};
use crate::error::WireError;
use crate::timestamp::Timestamp;
use http::HeaderMap;
use subtle::ConstantTimeEq;

const DOES_NOT_MATCH: &str = "The request signature we calculated does not match the signature you provided. Check \
    your AWS Secret Access Key and signing method. Consult the service documentation for details.";

impl Signature {
    /// Whether the request is the one that was signed, by the holder of the key, and recently enough.
    /// `body_sha256_hex` is the hash of the body as received; a hash the request states must be the same. Errors are
    /// in the query protocol's codes; see [`super::in_protocol`].
    #[allow(
        clippy::too_many_arguments,
        reason = "the parts of a request, which come apart from the HTTP library"
    )]
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
        self.in_time(now)?;
        let payload = self.payload(body_sha256_hex)?;
        let lines =
            canonical::headers(headers, &self.signed_headers).ok_or_else(|| mismatch(DOES_NOT_MATCH))?;
        let signed_headers = self.signed_headers.join(";");
        let amz_date = self.timestamp.amz_date();
        let queries = canonical::queries(query, self.query_form);
        for path in canonical::paths(path, &self.service) {
            for query in &queries {
                let request = Canonical {
                    method,
                    path: &path,
                    query,
                    headers: &lines,
                    signed_headers: &signed_headers,
                    payload,
                };
                let text = request.string_to_sign(&amz_date, &self.date, &self.region, &self.service);
                if bool::from(key.sign(&text).as_bytes().ct_eq(self.signature.as_bytes())) {
                    return Ok(());
                }
            }
        }
        Err(mismatch(DOES_NOT_MATCH))
    }

    /// A signature is good for a quarter of an hour either side; a presigned query from a quarter of an hour before
    /// it was made until it expires.
    fn in_time(&self, now: Timestamp) -> Result<(), WireError> {
        let (stated, current) = (self.timestamp.amz_date(), now.amz_date());
        let lives = self.expires.map_or(SKEW, |seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
        let earliest = now.plus_seconds(-lives);
        if self.timestamp < earliest {
            let minutes = lives / 60;
            return Err(mismatch(format!(
                "Signature expired: {stated} is now earlier than {} ({current} - {minutes} min.)",
                earliest.amz_date()
            )));
        }
        let latest = now.plus_seconds(SKEW);
        if self.timestamp > latest {
            return Err(mismatch(format!(
                "Signature not yet current: {stated} is still later than {} ({current} + {} min.)",
                latest.amz_date(),
                SKEW / 60
            )));
        }
        Ok(())
    }

    /// What stands for the body in the canonical request. Only S3 may leave it unsigned, and does in every presigned
    /// query that states nothing else.
    fn payload<'a>(&self, body: &'a str) -> Result<&'a str, WireError> {
        let s3 = self.service == "s3";
        match self.content_sha256.as_deref() {
            Some(UNSIGNED_PAYLOAD) if s3 => Ok(UNSIGNED_PAYLOAD),
            Some(stated) if stated.eq_ignore_ascii_case(body) => Ok(body),
            Some(_) if s3 => Err(WireError::new(
                "XAmzContentSHA256Mismatch",
                400,
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            )),
            Some(_) => Err(mismatch(DOES_NOT_MATCH)),
            None if s3 && self.query_form => Ok(UNSIGNED_PAYLOAD),
            None => Ok(body),
        }
    }
}
