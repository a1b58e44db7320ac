//! Asks a server how it is, over its socket. Jupyter does not count these questions as activity.
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::UnixStream;

use super::settings;

/// What `/api/status` of a server says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Activity {
    /// Running kernels.
    pub kernels: u64,
    /// Open kernel connections: browser tabs, mostly.
    pub connections: u64,
    /// When somebody last did something; RFC 3339, UTC.
    pub last_activity: String,
    /// When the server started; RFC 3339, UTC.
    pub started: String,
}

/// None when the server does not answer with 200 in time.
pub(super) async fn activity(socket: &Path, patience: Duration) -> Option<Activity> {
    tokio::time::timeout(patience, ask(socket)).await.ok().flatten()
}

async fn ask(socket: &Path) -> Option<Activity> {
    let stream = UnixStream::connect(socket).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    let driver = tokio::spawn(connection);
    let (name, value) = settings::identity("nbvend");
    let request = http::Request::get("/api/status")
        .header(http::header::HOST, "localhost")
        .header(name, value)
        .body(Empty::<Bytes>::new())
        .ok()?;
    let response = sender.send_request(request).await.ok()?;
    let ok = response.status() == http::StatusCode::OK;
    let body = Limited::new(response.into_body(), 64 << 10).collect().await.ok()?.to_bytes();
    driver.abort();
    if ok { serde_json::from_slice(&body).ok() } else { None }
}
