//! Bodies of requests, held in memory until they are whole: how long each may be, how long its sender may pause, and how
//! much of the machine all of them may take together.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyExt;
use nbvend_wire::error::WireError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Body;

/// Up to this a body is anybody's.
pub(super) const SMALL: usize = 64 << 10;
/// An inline function package of 50 MB in base64, and some.
const PACKAGE: usize = 72 << 20;
/// An API's document, and more than any other operation takes.
const LARGE: usize = 8 << 20;

/// Bodies that are more than small, all together, in KiB.
const ROOM: u32 = 512 << 10;
/// So long one waits for room.
const PATIENCE: Duration = Duration::from_secs(5);
/// So long a sender may pause.
const STALL: Duration = Duration::from_secs(30);

/// The largest body that a service's operations take.
pub(super) fn largest(service: Option<&str>) -> usize {
    if service == Some("lambda") { PACKAGE } else { LARGE }
}

/// A body, and the room it takes while it is needed.
pub(super) struct Received {
    bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl std::ops::Deref for Received {
    type Target = Bytes;

    fn deref(&self) -> &Bytes {
        &self.bytes
    }
}

/// The whole body, once there is room for it.
pub(super) async fn receive(body: Body, headers: &HeaderMap, limit: usize) -> Result<Received, WireError> {
    let stated = headers.get(http::header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    let most = stated.unwrap_or(limit);
    if most > limit && stated.is_some() {
        return Err(too_large());
    }
    let _room = if most > SMALL { Some(room(most).await?) } else { None };
    Ok(Received { bytes: collect(body, limit).await?, _room })
}

async fn room(bytes: usize) -> Result<OwnedSemaphorePermit, WireError> {
    static ALL: std::sync::LazyLock<Arc<Semaphore>> =
        std::sync::LazyLock::new(|| Arc::new(Semaphore::new(ROOM as usize)));
    let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(ROOM).min(ROOM);
    match tokio::time::timeout(PATIENCE, Arc::clone(&ALL).acquire_many_owned(kib)).await {
        Ok(Ok(room)) => Ok(room),
        _ => Err(WireError::new("ServiceUnavailable", 503, "Please reduce your request rate.")),
    }
}

fn too_large() -> WireError {
    WireError::new("RequestEntityTooLargeException", 413, "Request size exceeded the limit")
}

/// The whole body, if it is no longer than `limit` bytes and its sender goes on sending.
pub async fn collect(mut body: Body, limit: usize) -> Result<Bytes, WireError> {
    let mut whole = BytesMut::new();
    let late = |reason: String| WireError::new("RequestTimeout", 400, reason);
    loop {
        let frame = tokio::time::timeout(STALL, body.frame()).await;
        let frame = frame.map_err(|_| {
            late(format!("Nothing of the body was received within {} seconds", STALL.as_secs()))
        })?;
        let Some(frame) = frame else { return Ok(whole.freeze()) };
        let frame = frame.map_err(|error| late(format!("The body ended early: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + data.len() > limit {
            return Err(too_large());
        }
        whole.extend_from_slice(&data);
    }
}
