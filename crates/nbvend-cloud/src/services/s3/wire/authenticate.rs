//! Who signed an S3 request. The same keys, sessions and clock as everywhere; S3's own codes and texts for what is
//! wrong. What comes out is safe to hand to the crate, which looks at the header form once more to check the body.

use http::request::Parts;
use nbvend_wire::error::WireError;
use nbvend_wire::sigv4::{self, Signature};
use serde_json::json;

use super::query_v2::{Asked, QueryV2, pairs};
use crate::Engine;
use crate::door::{self, Peer};
use crate::identity::{AccessKey, Caller};
use crate::services::iam::last_used;
use crate::services::s3::location::endpoint;

const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const STREAMING: &[&str] = &[
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
];

/// What the signature of a request says of who sent it.
struct Proven {
    key: AccessKey,
    region: String,
    /// Whether the signature stands in the query.
    in_query: bool,
}

/// The caller, and key id with secret where the request is signed in its headers. A signature in the query is taken out
/// of it once verified.
pub(super) fn authenticate(
    engine: &Engine,
    parts: &mut Parts,
    peer: &Peer,
    request_id: &str,
) -> Result<(Caller, Option<(String, String)>), WireError> {
    let stated = header(parts, "x-amz-content-sha256");
    let host = header(parts, "host").unwrap_or_default();
    let user_agent = header(parts, "user-agent").unwrap_or_default();
    let endpoint = endpoint(engine.config(), &host);
    let region = endpoint.as_ref().and_then(|endpoint| endpoint.region.clone());
    let region = region.unwrap_or_else(|| "us-east-1".to_owned());
    one_mechanism(parts)?;
    let query = parts.uri.query().unwrap_or_default();
    let proven = match QueryV2::read(query)? {
        Some(signature) => {
            let bucket = endpoint.and_then(|endpoint| endpoint.bucket);
            let key = version_2(engine, parts, &signature, bucket.as_deref())?;
            Some(Proven { key, region: region.clone(), in_query: true })
        }
        None => version_4(engine, parts, stated.as_deref())?,
    };
    let Some(Proven { key, region, in_query }) = proven else {
        refuse_streaming(stated.as_deref())?;
        return Ok((door::anonymous(&region, peer, &user_agent, request_id), None));
    };
    last_used::note(engine, &key, "s3", &region);
    let caller = Caller {
        principal: key.principal,
        access_key_id: Some(key.id.clone()),
        session_issued: key.session.map(|session| session.issued),
        region,
        source_ip: peer.ip.to_string(),
        user_agent,
        request_id: request_id.to_owned(),
        invoked_by: None,
        secure: peer.secure,
    };
    if in_query {
        refuse_streaming(stated.as_deref())?;
        unfold(parts)?;
        return Ok((caller, None));
    }
    Ok((caller, Some((key.id, key.secret))))
}

fn version_4(engine: &Engine, parts: &Parts, stated: Option<&str>) -> Result<Option<Proven>, WireError> {
    let query = parts.uri.query().unwrap_or_default();
    let parsed =
        sigv4::parse(parts.method.as_str(), parts.uri.path(), query, &parts.headers).map_err(in_words)?;
    let Some(signature) = parsed else { return Ok(None) };
    if signature.service != "s3" {
        let text = format!(
            "The authorization header is malformed; incorrect service \"{}\". This endpoint belongs to \"s3\".",
            signature.service
        );
        return Err(WireError::new("AuthorizationHeaderMalformed", 400, text));
    }
    in_time(engine, &signature)?;
    let key = door::credential(engine, &signature).map_err(in_words)?.ok_or_else(|| unknown(&signature))?;
    all_signed(parts, &signature)?;
    verify(engine, parts, &signature, stated, &key.secret)?;
    Ok(Some(Proven { key, region: signature.region, in_query: signature.query_form }))
}

fn version_2(
    engine: &Engine,
    parts: &Parts,
    signature: &QueryV2,
    bucket: Option<&str>,
) -> Result<AccessKey, WireError> {
    signature.in_time(engine.now())?;
    QueryV2::covers(parts.uri.query().unwrap_or_default())?;
    // The door finds keys by what a signature of version 4 says; of that it needs these two.
    let named = Signature {
        access_key_id: signature.access_key_id.clone(),
        security_token: signature.security_token.clone(),
        date: String::new(),
        region: String::new(),
        service: "s3".to_owned(),
        signed_headers: Vec::new(),
        signature: String::new(),
        timestamp: engine.now(),
        expires: None,
        query_form: true,
        content_sha256: None,
    };
    let key = door::credential(engine, &named).map_err(in_words)?.ok_or_else(|| unknown(&named))?;
    let asked = Asked {
        method: parts.method.as_str(),
        bucket,
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
    };
    if signature.verify(&asked, &key.secret) { Ok(key) } else { Err(mismatch(&named)) }
}

/// Version 2 in the header is refused, and a request that is signed twice: the crate might look at the other signature.
fn one_mechanism(parts: &Parts) -> Result<(), WireError> {
    let query = parts.uri.query().unwrap_or_default();
    let has = |name: &str| pairs(query).any(|(given, _)| given == name);
    let authorization = header(parts, "authorization");
    if authorization.as_deref().is_some_and(|text| text.starts_with("AWS ")) {
        let text =
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
        return Err(WireError::new("InvalidRequest", 400, text));
    }
    let version_4 = ["X-Amz-Algorithm", "X-Amz-Signature", "X-Amz-Credential"].iter().any(|name| has(name));
    let version_2 = ["Signature", "AWSAccessKeyId"].iter().any(|name| has(name));
    let several = parts.headers.get_all("authorization").iter().count() > 1;
    if usize::from(authorization.is_some()) + usize::from(version_4) + usize::from(version_2) > 1 || several {
        let text = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
            parameter or the Authorization header should be specified";
        return Err(WireError::new("InvalidArgument", 400, text));
    }
    if authorization.as_deref().is_some_and(|text| !text.starts_with("AWS4-HMAC-SHA256")) {
        return Err(WireError::new("InvalidArgument", 400, "Unsupported Authorization Type"));
    }
    Ok(())
}

/// S3 says "skewed" and "expired" where other services say that the signature does not match.
fn in_time(engine: &Engine, signature: &Signature) -> Result<(), WireError> {
    let age = engine.now().seconds_since(signature.timestamp);
    if !signature.query_form {
        if age.abs() > sigv4::SKEW {
            let text = "The difference between the request time and the current time is too large.";
            let error = WireError::new("RequestTimeTooSkewed", 403, text)
                .with("RequestTime", json!(signature.timestamp.amz_date()))
                .with("ServerTime", json!(engine.now().iso8601()))
                .with("MaxAllowedSkewMilliseconds", json!("900000"));
            return Err(error);
        }
        return Ok(());
    }
    let Some(expires) = signature.expires else {
        let text = "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
            X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.";
        return Err(WireError::new("AuthorizationQueryParametersError", 400, text));
    };
    if age < -sigv4::SKEW {
        return Err(WireError::new("AccessDenied", 403, "Request is not valid yet"));
    }
    if age > i64::try_from(expires).unwrap_or(i64::MAX) {
        let error = WireError::new("AccessDenied", 403, "Request has expired")
            .with("X-Amz-Expires", json!(expires.to_string()))
            .with("ServerTime", json!(engine.now().iso8601()));
        return Err(error);
    }
    Ok(())
}

/// What an `x-amz-` header says must be what the signer wrote: one that was added on the way is refused.
fn all_signed(parts: &Parts, signature: &Signature) -> Result<(), WireError> {
    let missing: Vec<&str> = parts
        .headers
        .keys()
        .map(http::HeaderName::as_str)
        .filter(|name| {
            name.starts_with("x-amz-") && !signature.signed_headers.iter().any(|signed| signed == name)
        })
        // In the query form the body's hash is no part of what is signed.
        .filter(|name| !(signature.query_form && *name == "x-amz-content-sha256"))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let text = "There were headers present in the request which were not signed";
    Err(WireError::new("AccessDenied", 403, text).with("HeadersNotSigned", json!(missing.join(", "))))
}

fn verify(
    engine: &Engine,
    parts: &Parts,
    signature: &Signature,
    stated: Option<&str>,
    secret: &str,
) -> Result<(), WireError> {
    let payload = match (signature.query_form, stated) {
        (true, _) => UNSIGNED,
        (false, Some(stated)) => stated,
        (false, None) => {
            let text = "Missing required header for this request: x-amz-content-sha256";
            return Err(WireError::new("InvalidRequest", 400, text));
        }
    };
    let hash = payload.len() == 64 && payload.bytes().all(|b| b.is_ascii_hexdigit());
    if !hash && payload != UNSIGNED && !STREAMING.contains(&payload) {
        let text = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
            STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.";
        return Err(WireError::new("InvalidArgument", 400, text));
    }
    // The body is checked against the stated hash while it is received.
    let signature = Signature { content_sha256: Some(payload.to_owned()), ..signature.clone() };
    let key = door::signing_key(engine, &signature, secret);
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let query = parts.uri.query().unwrap_or_default();
    let verified = signature.verify(method, path, query, &parts.headers, payload, &key, engine.now());
    verified.map_err(|error| match &*error.code {
        "SignatureDoesNotMatch" => mismatch(&signature),
        _ => in_words(error),
    })
}

fn mismatch(signature: &Signature) -> WireError {
    let text = "The request signature we calculated does not match the signature you provided. Check your key and \
        signing method.";
    WireError::new("SignatureDoesNotMatch", 403, text).with("AWSAccessKeyId", json!(signature.access_key_id))
}

fn unknown(signature: &Signature) -> WireError {
    if signature.security_token.is_some() {
        return WireError::new("InvalidToken", 400, "The provided token is malformed or otherwise invalid.");
    }
    WireError::new(
        "InvalidAccessKeyId",
        403,
        "The AWS Access Key Id you provided does not exist in our records.",
    )
    .with("AWSAccessKeyId", json!(signature.access_key_id))
}

/// The signature's errors in S3's codes.
fn in_words(mut error: WireError) -> WireError {
    match &*error.code {
        "IncompleteSignature" => error.code = "AuthorizationHeaderMalformed".into(),
        "ExpiredToken" => return WireError::new("ExpiredToken", 400, "The provided token has expired."),
        _ => {}
    }
    error
}

/// Chunks need the signature that the crate no longer sees; AWS's own tools never send them in these forms.
fn refuse_streaming(stated: Option<&str>) -> Result<(), WireError> {
    if stated.is_some_and(|stated| stated.starts_with("STREAMING-")) {
        let text = "nbvend takes aws-chunked bodies only in requests signed in the Authorization header";
        return Err(WireError::new("NotImplemented", 501, text));
    }
    Ok(())
}

/// Takes a verified signature out of the query, and makes headers again of what was moved there to be signed.
fn unfold(parts: &mut Parts) -> Result<(), WireError> {
    let (mut kept, mut moved) = (Vec::new(), Vec::new());
    for pair in parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let Some((name, value)) = pairs(pair).next() else { continue };
        let lower = name.to_ascii_lowercase();
        if ["AWSAccessKeyId", "Signature", "Expires"].contains(&name.as_str())
            || AUTHENTICATION.contains(&&*lower)
        {
            continue;
        }
        // Checksums that were made when the URL was cannot be the body's.
        if lower.starts_with("x-amz-checksum-") || lower.starts_with("x-amz-sdk-checksum-") {
            continue;
        }
        if lower.starts_with("x-amz-") { moved.push((lower, value)) } else { kept.push(pair) }
    }
    let path = parts.uri.path();
    let text = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
    let bad = || WireError::new("InvalidURI", 400, "Couldn't parse the specified URI.");
    parts.uri = text.parse().map_err(|_| bad())?;
    for (name, value) in moved {
        let name = http::HeaderName::try_from(name).map_err(|_| bad())?;
        let value = http::HeaderValue::try_from(value).map_err(|_| bad())?;
        if !parts.headers.contains_key(&name) {
            parts.headers.insert(name, value);
        }
    }
    Ok(())
}

/// Parts of a query that are the signature.
const AUTHENTICATION: &[&str] = &[
    "x-amz-algorithm",
    "x-amz-content-sha256",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
];

fn header(parts: &Parts, name: &str) -> Option<String> {
    parts.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}
