//! Step 1: which service a request is for. By the SigV4 scope if there is one, else by target header, host or path.
//!
//! Nothing is refused here: a service that is not served is said so only after authentication.

use http::Request;

use super::Body;
use crate::operation::RawHandler;
use crate::services;

pub(super) enum Route {
    /// A service that reads its requests itself.
    Raw(RawHandler),
    /// A service with a model, by id; `None` if nothing tells.
    Modelled(Option<String>),
}

pub(super) fn route(request: &Request<Body>) -> Route {
    let host = host(request);
    let path = request.uri().path();
    if host.contains(".execute-api.") || is_user_request(path) {
        return Route::Raw(services::EXECUTE_API);
    }
    match scope(request) {
        Some(scope) if scope == "s3" => return Route::Raw(services::S3),
        Some(scope) => return Route::Modelled(Some(scope)),
        None => {}
    }
    if let Some(target) = request.headers().get("x-amz-target").and_then(|v| v.to_str().ok()) {
        return Route::Modelled(
            nbvend_wire::model::by_target(target).map(|(service, _)| service.id.to_owned()),
        );
    }
    // Unsigned and without a target: fixed prefixes first, a query service's POST, then S3's objects.
    if is_dated(path) {
        return Route::Modelled(Some("lambda".to_owned()));
    }
    // S3 has no PATCH; API Gateway's updates are.
    if path.starts_with("/restapis") || request.method() == http::Method::PATCH {
        return Route::Modelled(Some("apigateway".to_owned()));
    }
    let form = request
        .headers()
        .get("content-type")
        .is_some_and(|v| v.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    if path == "/" && (form || request.uri().query().is_some_and(|q| q.contains("Action="))) {
        return Route::Modelled(None);
    }
    Route::Raw(services::S3)
}

/// Lambda's paths begin with the date of an API version: `/2015-03-31/functions`.
fn is_dated(path: &str) -> bool {
    let date = path.as_bytes().get(1..12).unwrap_or_default();
    date.len() == 11
        && date.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            10 => *byte == b'/',
            _ => byte.is_ascii_digit(),
        })
}

/// `/restapis/<api>/<stage>/_user_request_/…`
fn is_user_request(path: &str) -> bool {
    let mut parts = path.trim_start_matches('/').split('/');
    parts.next() == Some("restapis") && parts.nth(2) == Some("_user_request_")
}

fn host(request: &Request<Body>) -> &str {
    let header = request.headers().get("host").and_then(|v| v.to_str().ok());
    header.or_else(|| request.uri().authority().map(http::uri::Authority::as_str)).unwrap_or_default()
}

/// The service of the credential scope, from the header or the query form.
fn scope(request: &Request<Body>) -> Option<String> {
    let header = request.headers().get("authorization").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let credential = match header.split_once("Credential=") {
        Some((_, rest)) => rest.split([',', ' ']).next()?.to_owned(),
        None => {
            let query = request.uri().query()?;
            let raw = query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
            percent_encoding::percent_decode_str(raw).decode_utf8().ok()?.into_owned()
        }
    };
    // key id / date / region / service / aws4_request
    credential.rsplit('/').nth(1).map(str::to_owned)
}
