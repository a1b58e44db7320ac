//! The engine's own addresses, `/_nbvend/…`: health for whoever waits for it, status for the CLI.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use nbvend_cloud::door::{Body, Peer, authenticate, full};
use nbvend_cloud::identity::Principal;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Site;

/// Whether a path is one of the engine's own.
pub fn owns(path: &str) -> bool {
    path == "/_nbvend" || path.starts_with("/_nbvend/")
}

/// `health` is for everybody on the machine; all else needs the root key's signature.
pub async fn serve(site: &Site, request: Request<Body>, peer: Peer) -> Response<Body> {
    let path = request.uri().path().to_owned();
    if path == "/_nbvend/health" && request.method() == Method::GET {
        return json_response(StatusCode::OK, &json!({"ready": true, "version": env!("CARGO_PKG_VERSION")}));
    }
    let open = match path.as_str() {
        "/_nbvend/reset" => site.allow_reset && same_origin(&request),
        "/_nbvend/metrics" => site.open_metrics && peer.ip.is_loopback(),
        _ => false,
    };
    let (parts, _body) = request.into_parts();
    let empty = hex::encode(Sha256::digest(b""));
    match authenticate(&site.engine, &parts, &empty, None, &peer) {
        _ if open => {}
        Ok(caller) if caller.principal == Principal::Root => {}
        Ok(_) => return refuse(StatusCode::FORBIDDEN, "only the root key may"),
        Err(error) => return refuse(StatusCode::FORBIDDEN, &error.message),
    }
    match (parts.method, path.as_str()) {
        (Method::GET, "/_nbvend/status") => json_response(StatusCode::OK, &site.status()),
        (Method::POST, path @ ("/_nbvend/stop" | "/_nbvend/stop-all")) => {
            site.ask_to_stop(path.ends_with("-all"));
            json_response(StatusCode::ACCEPTED, &json!({"stopping": true}))
        }
        (Method::GET, "/_nbvend/metrics") => match site.metrics() {
            Ok(page) => text_response(page),
            Err(failure) => refuse(StatusCode::INTERNAL_SERVER_ERROR, &failure.message),
        },
        (Method::POST, "/_nbvend/reset") => match site.reset().await {
            Ok(()) => json_response(StatusCode::OK, &json!({"reset": true})),
            Err(failure) => refuse(StatusCode::INTERNAL_SERVER_ERROR, &failure.message),
        },
        _ => refuse(StatusCode::NOT_FOUND, "there is no such address"),
    }
}

/// Whether a page of another origin did not make the request: a browser names the origin of whoever does.
fn same_origin(request: &Request<Body>) -> bool {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let site = header("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    let host = header("host").unwrap_or_default();
    site && header("origin")
        .is_none_or(|origin| origin.split_once("://").is_some_and(|(_, from)| from == host))
}

fn text_response(text: String) -> Response<Body> {
    let mut response = Response::new(full(Bytes::from(text)));
    let kind = http::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert("content-type", kind);
    response
}

fn refuse(status: StatusCode, message: &str) -> Response<Body> {
    json_response(status, &json!({"message": message}))
}

fn json_response(status: StatusCode, value: &Value) -> Response<Body> {
    let mut response = Response::new(full(Bytes::from(value.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    response
}
