//! Passes one request on, and its answer back.
use std::net::IpAddr;

use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::body::{Body, Lease, Streamed};
use super::headers::{self, Refusal};
use super::pool::ConnectError;
use super::target::Target;
use super::upload::Upload;
use super::{embedding_allowed, origin_allowed, page, tunnel};

/// Who is at the other end of the engine's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    pub ip: IpAddr,
    pub https: bool,
}

/// Passes a request that the engine has let in on to the notebook, and returns its answer. `until` is the session's
/// end: answers under way and open websockets are cut off when it is cancelled.
///
/// The connection the request came on must be served with upgrades for websockets to work. Answers of the proxy's own:
/// 400 and 405 for what cannot be passed on unambiguously, 403 by the origin rule or at the session's end, 502 when
/// the notebook does not run, 503 when it has too many requests under way, 504 when it does not answer.
pub async fn forward(
    request: Request<Incoming>,
    target: &Target,
    peer: Peer,
    until: &CancellationToken,
) -> Response<Body> {
    let html = wants_html(request.headers());
    match pass(request, target, peer, until).await {
        Ok(response) => response,
        Err(Refusal(status, reason)) => page(status, reason, html),
    }
}

const BUSY: Refusal = Refusal(
    StatusCode::SERVICE_UNAVAILABLE,
    "This notebook has too many requests under way. Try again in a moment.",
);
const GONE: Refusal = Refusal(
    StatusCode::BAD_GATEWAY,
    "This notebook is not running. Start it, then open it by a new link; its files are kept.",
);
const LATE: Refusal = Refusal(
    StatusCode::GATEWAY_TIMEOUT,
    "This notebook does not answer. Wait a little; if it stays so, stop it and start it again. Its files are kept.",
);
const BROKEN: Refusal = Refusal(StatusCode::BAD_GATEWAY, "This notebook broke off the request. Try again.");
const FOREIGN: Refusal =
    Refusal(StatusCode::FORBIDDEN, "This request came from another page and was refused.");
const OVER: Refusal =
    Refusal(StatusCode::FORBIDDEN, "Your session has ended. Ask for a new link to the notebook.");

async fn pass(
    request: Request<Incoming>,
    target: &Target,
    peer: Peer,
    until: &CancellationToken,
) -> Result<Response<Body>, Refusal> {
    let (mut parts, body) = request.into_parts();
    headers::check(&parts)?;
    let websocket = headers::asks_for_websocket(&parts);
    let own = origin_allowed(&parts.method, &parts.headers, websocket) && embedding_allowed(&parts.headers);
    if !own {
        return Err(FOREIGN);
    }
    if until.is_cancelled() {
        return Err(OVER);
    }
    let place = target.place().ok_or(BUSY)?;
    headers::outgoing(&mut parts, target, peer, websocket);
    // The browser's side of a coming upgrade stays with us; hyper's client must not see it.
    let browser = parts.extensions.remove::<hyper::upgrade::OnUpgrade>();
    let (body, moved) = Upload::new(body);
    let request = Request::from_parts(parts, body);
    let (response, connection) = tokio::select! {
        answered = send(request, target, websocket) => answered?,
        () = moved.stopped(target.limits().head) => return Err(LATE),
        () = until.cancelled() => return Err(OVER),
    };
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let browser = browser.filter(|_| websocket).ok_or(BROKEN)?;
        return Ok(upgrade(response, browser, place, target, until));
    }
    if response.status().is_informational() {
        return Err(BROKEN);
    }
    let (mut parts, body) = response.into_parts();
    headers::incoming(&mut parts.headers, target, false);
    let lease = Lease { connection, pool: target.pool().clone(), place };
    Ok(Response::from_parts(parts, Streamed::new(body, lease, until).boxed()))
}

fn upgrade(
    mut response: Response<Incoming>,
    browser: hyper::upgrade::OnUpgrade,
    place: OwnedSemaphorePermit,
    target: &Target,
    until: &CancellationToken,
) -> Response<Body> {
    let notebook = hyper::upgrade::on(&mut response);
    tokio::spawn(tunnel::run(browser, notebook, place, until.clone()));
    let (mut parts, _) = response.into_parts();
    headers::incoming(&mut parts.headers, target, true);
    Response::from_parts(parts, Empty::new().map_err(|never| match never {}).boxed())
}

/// Sends the request on a kept connection, or on a new one if there is none or it closed before the request went out.
async fn send(
    mut request: Request<Upload>,
    target: &Target,
    websocket: bool,
) -> Result<(Response<Incoming>, SendRequest<Upload>), Refusal> {
    let pool = target.pool();
    // A websocket takes its connection with it.
    while let Some(mut connection) = (!websocket).then(|| pool.take()).flatten() {
        match connection.try_send_request(request).await {
            Ok(response) => return Ok((response, connection)),
            Err(mut error) => request = error.take_message().ok_or(BROKEN)?,
        }
    }
    let mut connection = pool.connect(websocket).await.map_err(|error| match error {
        ConnectError::Gone => GONE,
        ConnectError::Late => LATE,
        ConnectError::Failed(error) => {
            tracing::warn!(socket = %pool.socket().display(), error, "cannot reach a notebook");
            GONE
        }
    })?;
    match connection.send_request(request).await {
        Ok(response) => Ok((response, connection)),
        Err(error) => {
            tracing::debug!(socket = %pool.socket().display(), %error, "a notebook broke off a request");
            Err(BROKEN)
        }
    }
}

fn wants_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}
