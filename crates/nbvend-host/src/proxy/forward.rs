//! Passes one request on, and its answer back.
use std::net::IpAddr;
use std::ops::Deref;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode, header};
use hyper::body::{Body as _, Incoming};
use tokio_util::sync::CancellationToken;

use super::body::{Body, Lease};
use super::connection::{Connection, NoAnswer};
use super::headers;
use super::page::Page;
use super::pool::ConnectError;
use super::target::Target;
use super::upload::{Moved, Upload};
use super::wire::{self, Head};
use super::{embedding_allowed, origin_allowed, outgoing, tunnel};

/// Who is at the other end of the engine's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    pub ip: IpAddr,
    pub https: bool,
}

/// A request that can be read in one way only.
pub struct Checked<B> {
    request: Request<B>,
    websocket: bool,
}

impl<B> Deref for Checked<B> {
    type Target = Request<B>;

    fn deref(&self) -> &Request<B> {
        &self.request
    }
}

/// Refuses a request that two servers could read in two ways, before anything of it is looked at.
pub fn check<B>(request: Request<B>) -> Result<Checked<B>, Page> {
    let websocket = headers::check(&request)?;
    Ok(Checked { request, websocket })
}

/// [`check`]s a request and [passes it on](Checked::forward).
pub async fn forward(
    request: Request<Incoming>,
    target: &Target,
    peer: Peer,
    until: &CancellationToken,
) -> Response<Body> {
    // Only what a page needs to know; the request is used up.
    let accept = request.headers().get(header::ACCEPT).cloned();
    let passed = match check(request) {
        Ok(request) => request.forward(target, peer, until).await,
        Err(page) => Err(page),
    };
    passed.unwrap_or_else(|page| page.answer(accept.as_ref()))
}

const BUSY: Page = Page::new(
    StatusCode::SERVICE_UNAVAILABLE,
    "This notebook is busy",
    "It has too many requests under way.",
    "Try again in a moment; close tabs that you do not need.",
);
const GONE: Page = Page::new(
    StatusCode::SERVICE_UNAVAILABLE,
    "This notebook is not running",
    "Its server does not run. Its files are kept.",
    "Start it, then open it with a fresh link:",
)
.command("nbvend start USER");
const LATE: Page = Page::new(
    StatusCode::GATEWAY_TIMEOUT,
    "This notebook does not answer",
    "Its server runs but says nothing. Its files are kept.",
    "Wait a little; if it stays so, stop it and start it again:",
)
.command("nbvend stop USER");
const BROKEN: Page = Page::new(
    StatusCode::BAD_GATEWAY,
    "This notebook broke off",
    "Its server ended the request without a proper answer.",
    "Try again; if it stays so, stop the notebook and start it again.",
);
const FOREIGN: Page = Page::new(
    StatusCode::FORBIDDEN,
    "Refused",
    "This request came from another page and was refused.",
    "Open the notebook in a window of its own.",
);
const OVER: Page = Page::new(
    StatusCode::FORBIDDEN,
    "Your session has ended",
    "A session ends after some hours, and when its notebook is stopped.",
    "Ask for a fresh link:",
)
.command("nbvend open USER");

impl Checked<Incoming> {
    /// Passes a request that the engine has let in on to the notebook, and returns its answer. `until` is the session's
    /// end: answers under way and open websockets are cut off when it is cancelled.
    ///
    /// The connection the request came on must be served with upgrades for websockets to work. Answers of the proxy's own:
    /// 400 and 405 for what cannot be passed on unambiguously, 403 by the origin rule or at the session's end, 502 when
    /// the notebook breaks off, 503 when it does not run or has too many requests under way, 504 when it does not answer.
    pub async fn forward(
        self,
        target: &Target,
        peer: Peer,
        until: &CancellationToken,
    ) -> Result<Response<Body>, Page> {
        let websocket = self.websocket;
        let (mut parts, body) = self.request.into_parts();
        let own =
            origin_allowed(&parts.method, &parts.headers, websocket) && embedding_allowed(&parts.headers);
        if !own {
            return Err(FOREIGN);
        }
        if until.is_cancelled() {
            return Err(OVER);
        }
        let place = target.place().ok_or(BUSY)?;
        let moved = Moved::now();
        let outward = Outward::new(&mut parts, body, target, peer, websocket);
        let (head, connection, upload) = tokio::select! {
            answered = exchange(outward, target, &moved) => answered?,
            () = moved.stopped(target.limits().head) => return Err(LATE),
            () = until.cancelled() => return Err(OVER),
        };
        let framing = wire::framing(&parts.method, &head).map_err(|error| broken(target, &error))?;
        let mut response = Response::new(Body::whole(Bytes::new()));
        *response.status_mut() = head.status;
        *response.headers_mut() = head.headers;
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            // The browser's side of the coming websocket.
            let browser = parts.extensions.remove::<hyper::upgrade::OnUpgrade>();
            let browser = browser.filter(|_| websocket).ok_or(BROKEN)?;
            tokio::spawn(tunnel::run(browser, connection, place, until.clone(), target.limits().stall));
            headers::incoming(response.headers_mut(), target, true);
            return Ok(response);
        }
        headers::incoming(response.headers_mut(), target, false);
        let lease = Lease { connection, upload, keeps: head.keeps, pool: target.pool().clone(), place };
        *response.body_mut() = Body::of(framing, lease, until).map_err(|error| broken(target, &error))?;
        Ok(response)
    }
}

/// A request as it goes out.
struct Outward {
    head: Vec<u8>,
    body: Option<Incoming>,
    chunked: bool,
    /// Whether a connection that was used before will do: a websocket takes its connection with it.
    pooled: bool,
    /// Whether it may be sent again when the notebook closed a kept connection without a word.
    repeatable: bool,
    /// The map of the request's headers, whose room its answer's take.
    spare: HeaderMap,
}

impl Outward {
    fn new(parts: &mut Parts, body: Incoming, target: &Target, peer: Peer, websocket: bool) -> Self {
        let body = (!body.is_end_stream()).then_some(body);
        let chunked = body.is_some() && !parts.headers.contains_key(header::CONTENT_LENGTH);
        let head = outgoing::head(parts, target, peer, websocket, chunked);
        let repeatable = body.is_none() && parts.method.is_idempotent();
        let spare = std::mem::take(&mut parts.headers);
        Self { head, body, chunked, pooled: !websocket, repeatable, spare }
    }
}

/// Sends the request on a kept connection, or on a new one if there is none or it closed before the request went out.
async fn exchange(
    mut request: Outward,
    target: &Target,
    moved: &Moved,
) -> Result<(Head, Connection, Option<Upload>), Page> {
    loop {
        let kept = request.pooled.then(|| target.pool().take()).flatten();
        let again = kept.is_some();
        let mut connection = match kept {
            Some(connection) => connection,
            None => connect(target).await?,
        };
        match connection.send(&request.head).await {
            Ok(()) => {}
            Err(_) if again => continue,
            Err(error) => return Err(broken(target, &error)),
        }
        let upload = match (request.body.take(), connection.write.is_some()) {
            (Some(body), true) => connection
                .write
                .take()
                .map(|half| Upload::begin(body, half, request.chunked, moved.clone(), target.limits().stall)),
            _ => None,
        };
        match connection.answer(&mut request.spare).await {
            Ok(head) => return Ok((head, connection, upload)),
            Err(NoAnswer::Silent) if again && request.repeatable => {}
            Err(error) => return Err(broken(target, &error)),
        }
    }
}

async fn connect(target: &Target) -> Result<Connection, Page> {
    target.pool().connect().await.map_err(|error| match error {
        ConnectError::Gone => GONE,
        ConnectError::Late => LATE,
        ConnectError::Failed(error) => {
            tracing::warn!(socket = %target.socket().display(), error, "cannot reach a notebook");
            GONE
        }
    })
}

fn broken(target: &Target, error: &dyn std::fmt::Display) -> Page {
    tracing::debug!(socket = %target.socket().display(), %error, "a notebook broke off a request");
    BROKEN
}
