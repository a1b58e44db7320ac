//! Who signed an S3 request. The same keys, sessions and clock as everywhere; S3's own codes and texts for what is
//! wrong. What comes out is safe to hand to the crate, which looks at the header form once more to check the body.

use http::request::Parts;
use nbvend_wire::error::WireError;
use nbvend_wire::sigv4::{self, Signature};
use serde_json::json;

use crate::Engine;
use crate::door::{self, Peer};
use crate::identity::Caller;
use crate::services::s3::location::endpoint;

const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const STREAMING: &[&str] = &[
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
];

/// The caller, and key id with secret where the request is signed in its headers. A signature in the query is taken out
/// of it once verified.
pub(super) fn authenticate(
    engine: &Engine,
    parts: &mut Parts,
    peer: &Peer,
    request_id: &str,
) -> Result<(Caller, Option<(String, String)>), WireError> {
    let query = parts.uri.query().unwrap_or_default();
    let stated = header(parts, "x-amz-content-sha256");
    one_mechanism(parts, query)?;
    let parsed = sigv4::parse(parts.method.as_str(), parts.uri.path(), query, &parts.headers).map_err(in_words)?;
    let user_agent = header(parts, "user-agent").unwrap_or_default();
    let Some(signature) = parsed else {
        refuse_streaming(stated.as_deref())?;
        let host = header(parts, "host").unwrap_or_default();
        let region = endpoint(engine.config(), &host).and_then(|endpoint| endpoint.region);
        let region = region.unwrap_or_else(|| "us-east-1".to_owned());
        return Ok((door::anonymous(&region, peer, &user_agent, request_id), None));
    };
    in_time(engine, &signature)?;
    let key = door::credential(engine, &signature).map_err(in_words)?.ok_or_else(|| unknown(&signature))?;
    all_signed(parts, &signature)?;
    verify(engine, parts, &signature, stated.as_deref(), &key.secret)?;
    let caller = Caller {
        principal: key.principal,
        access_key_id: Some(signature.access_key_id.clone()),
        session_issued: key.session.map(|session| session.issued),
        region: signature.region.clone(),
        source_ip: peer.ip.to_string(),
        user_agent,
        request_id: request_id.to_owned(),
        invoked_by: None,
        secure: peer.secure,
    };
    if signature.query_form {
        refuse_streaming(stated.as_deref())?;
        take_out_signature(parts);
        return Ok((caller, None));
    }
    Ok((caller, Some((signature.access_key_id, key.secret))))
}

/// Version 2 is refused, and a request that is signed twice: the crate might look at the other signature.
fn one_mechanism(parts: &Parts, query: &str) -> Result<(), WireError> {
    let has = |name: &str| form_names(query).any(|given| given == name);
    let authorization = header(parts, "authorization");
    if authorization.as_deref().is_some_and(|text| text.starts_with("AWS ")) || has("Signature") {
        let text = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
        return Err(WireError::new("InvalidRequest", 400, text));
    }
    let in_query = ["X-Amz-Algorithm", "X-Amz-Signature", "X-Amz-Credential"].iter().any(|name| has(name));
    let several = parts.headers.get_all("authorization").iter().count() > 1;
    if (authorization.is_some() && in_query) || several {
        let text = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
            parameter or the Authorization header should be specified";
        return Err(WireError::new("InvalidArgument", 400, text));
    }
    if authorization.as_deref().is_some_and(|text| !text.starts_with("AWS4-HMAC-SHA256")) {
        return Err(WireError::new("InvalidArgument", 400, "Unsupported Authorization Type"));
    }
    Ok(())
}

fn form_names(query: &str) -> impl Iterator<Item = String> {
    query.split('&').map(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned()
    })
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
        .filter(|name| name.starts_with("x-amz-") && !signature.signed_headers.iter().any(|signed| signed == name))
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
    signature.verify(method, path, query, &parts.headers, payload, &key, engine.now()).map_err(|error| {
        in_words(error).with("AWSAccessKeyId", json!(signature.access_key_id))
    })
}

fn unknown(signature: &Signature) -> WireError {
    if signature.security_token.is_some() {
        return WireError::new("InvalidToken", 400, "The provided token is malformed or otherwise invalid.");
    }
    WireError::new("InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records.")
        .with("AWSAccessKeyId", json!(signature.access_key_id))
}

/// The signature's errors in S3's codes.
fn in_words(mut error: WireError) -> WireError {
    let (code, status, text): (_, _, Option<&str>) = match &*error.code {
        "IncompleteSignature" => ("AuthorizationHeaderMalformed", 400, None),
        "ExpiredToken" => ("ExpiredToken", 400, Some("The provided token has expired.")),
        "SignatureDoesNotMatch" => (
            "SignatureDoesNotMatch",
            403,
            Some(
                "The request signature we calculated does not match the signature you provided. Check your key and \
                 signing method.",
            ),
        ),
        _ => return error,
    };
    error.code = code.into();
    error.status = status;
    if let Some(text) = text {
        text.clone_into(&mut error.message);
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

fn take_out_signature(parts: &mut Parts) {
    let path = parts.uri.path();
    let query = parts.uri.query().unwrap_or_default();
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| !form_names(pair).any(|name| name == "X-Amz-Signature"))
        .collect();
    let text = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
    // A part of a good URI is one.
    if let Ok(uri) = text.parse() {
        parts.uri = uri;
    }
}

fn header(parts: &Parts, name: &str) -> Option<String> {
    parts.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}
