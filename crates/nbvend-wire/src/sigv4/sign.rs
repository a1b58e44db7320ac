//! Making signatures: for calls the engine's own programs send, and for tests.

use super::canonical::{self, Canonical, collapse, encode_query};
use super::{ALGORITHM, SigningKey, TERMINATOR, UNSIGNED_PAYLOAD, sha256_hex, signing_key};
use crate::timestamp::Timestamp;

/// Headers a proxy or the HTTP library may change, which are therefore not signed.
const UNSIGNED: [&str; 6] =
    ["authorization", "connection", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id"];

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

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// The headers to add to the request: `X-Amz-Date`, `X-Amz-Security-Token` where there is one, for S3
/// `X-Amz-Content-Sha256`, and `Authorization`. Every header given is signed, but those a proxy may change.
pub fn sign(
    req: &ToSign<'_>,
    credentials: &Credentials,
    region: &str,
    service: &str,
    now: Timestamp,
) -> Vec<(String, String)> {
    let scope = Scope::new(credentials, region, service, now);
    let payload = sha256_hex(req.body);
    let mut added = vec![("X-Amz-Date".to_owned(), scope.amz_date.clone())];
    if let Some(token) = &credentials.session_token {
        added.push(("X-Amz-Security-Token".to_owned(), token.clone()));
    }
    let stated = req.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("x-amz-content-sha256"));
    if service == "s3" && !stated {
        added.push(("X-Amz-Content-Sha256".to_owned(), payload.clone()));
    }
    let (lines, signed_headers) = header_lines(req.headers.iter().chain(&added));
    let signature =
        scope.signature(req, &canonical::queries(req.query, false)[0], &lines, &signed_headers, &payload);
    let credential = scope.credential(credentials);
    let authorization =
        format!("{ALGORITHM} Credential={credential}, SignedHeaders={signed_headers}, Signature={signature}");
    added.push(("Authorization".to_owned(), authorization));
    added
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
    let scope = Scope::new(credentials, region, service, now);
    let (lines, signed_headers) = header_lines(req.headers.iter());
    let mut query = req.query.to_owned();
    let mut add = |name: &str, value: &str| {
        let and = if query.is_empty() { "" } else { "&" };
        query += &format!("{and}{name}={}", encode_query(value));
    };
    add("X-Amz-Algorithm", ALGORITHM);
    add("X-Amz-Credential", &scope.credential(credentials));
    add("X-Amz-Date", &scope.amz_date);
    add("X-Amz-Expires", &expires.to_string());
    add("X-Amz-SignedHeaders", &signed_headers);
    if let Some(token) = &credentials.session_token {
        add("X-Amz-Security-Token", token);
    }
    let payload = if service == "s3" { UNSIGNED_PAYLOAD.to_owned() } else { sha256_hex(req.body) };
    let signature =
        scope.signature(req, &canonical::queries(&query, true)[0], &lines, &signed_headers, &payload);
    format!("{query}&X-Amz-Signature={signature}")
}

/// Where and when a signature counts.
struct Scope<'a> {
    amz_date: String,
    region: &'a str,
    service: &'a str,
    key: SigningKey,
}

impl<'a> Scope<'a> {
    fn new(credentials: &Credentials, region: &'a str, service: &'a str, now: Timestamp) -> Self {
        let amz_date = now.amz_date();
        let key = signing_key(&credentials.secret_access_key, &amz_date[..8], region, service);
        Self { amz_date, region, service, key }
    }

    fn date(&self) -> &str {
        &self.amz_date[..8]
    }

    fn credential(&self, credentials: &Credentials) -> String {
        let Self { region, service, .. } = self;
        format!("{}/{}/{region}/{service}/{TERMINATOR}", credentials.access_key_id, self.date())
    }

    fn signature(
        &self,
        req: &ToSign<'_>,
        query: &str,
        headers: &str,
        signed_headers: &str,
        payload: &str,
    ) -> String {
        let path = canonical::paths(req.path, self.service).swap_remove(0);
        let request = Canonical { method: req.method, path: &path, query, headers, signed_headers, payload };
        self.key.sign(&request.string_to_sign(&self.amz_date, self.date(), self.region, self.service))
    }
}

/// The lines of the canonical headers, sorted, and their names joined by semicolons. Headers of one name are joined
/// in the order given.
fn header_lines<'a>(headers: impl Iterator<Item = &'a (String, String)>) -> (String, String) {
    let mut sorted: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        if !UNSIGNED.contains(&name.as_str()) {
            sorted.entry(name).or_default().push(collapse(value));
        }
    }
    let lines = sorted.iter().map(|(name, values)| format!("{name}:{}\n", values.join(","))).collect();
    (lines, sorted.keys().cloned().collect::<Vec<_>>().join(";"))
}
