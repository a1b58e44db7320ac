//! Bodies of requests, held in memory until they are whole: how long each may be, how long its sender may take, and how
//! much of the machine all of them may take together.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::BodyExt;
use nbvend_wire::error::WireError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use super::Body;

/// Up to this a body is anybody's.
pub(super) const SMALL: usize = 64 << 10;
/// An inline function package of 50 MB in base64, and some.
const PACKAGE: usize = 72 << 20;
/// An API's document, and more than any other operation takes.
const LARGE: usize = 8 << 20;

/// Room for what bodies have beyond [`SMALL`], all together.
const ROOM: usize = 512 << 20;
/// It is taken in pieces of this, as bytes come: what was only announced takes none from others.
const PIECE: usize = 64 << 10;
/// So long one waits for room.
const PATIENCE: Duration = Duration::from_secs(5);
/// So long a sender may pause, and so long the whole may take.
const STALL: Duration = Duration::from_secs(30);
const WHOLE: Duration = Duration::from_secs(15 * 60);

/// The largest body that a service's operations take.
pub(super) fn largest(service: Option<&str>) -> usize {
    if service == Some("lambda") { PACKAGE } else { LARGE }
}

/// A body, and the room it takes while it is needed.
#[derive(Debug)]
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

/// The whole body, as far as there is room for it.
pub(super) async fn receive(body: Body, limit: usize) -> Result<Received, WireError> {
    static ALL: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(ROOM / PIECE)));
    receive_into(&ALL, body, limit).await
}

async fn receive_into(all: &Arc<Semaphore>, mut body: Body, limit: usize) -> Result<Received, WireError> {
    if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(too_large());
    }
    let (mut whole, mut room) = (BytesMut::new(), None::<OwnedSemaphorePermit>);
    let end = Instant::now() + WHOLE;
    while let Some(data) = next(&mut body, end).await? {
        let length = whole.len() + data.len();
        if length > limit {
            return Err(too_large());
        }
        let wanted = length.saturating_sub(SMALL).div_ceil(PIECE);
        let missing = wanted.saturating_sub(room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits));
        if missing > 0 {
            let more = take(all, missing).await?;
            match &mut room {
                Some(room) => room.merge(more),
                None => room = Some(more),
            }
        }
        whole.extend_from_slice(&data);
    }
    Ok(Received { bytes: whole.freeze(), _room: room })
}

async fn take(all: &Arc<Semaphore>, pieces: usize) -> Result<OwnedSemaphorePermit, WireError> {
    let pieces = u32::try_from(pieces).unwrap_or(u32::MAX);
    match timeout(PATIENCE, Arc::clone(all).acquire_many_owned(pieces)).await {
        Ok(Ok(room)) => Ok(room),
        _ => Err(WireError::new("ServiceUnavailable", 503, "Please reduce your request rate.")),
    }
}

fn too_large() -> WireError {
    WireError::new("RequestEntityTooLargeException", 413, "Request size exceeded the limit")
}

/// The next bytes; `None` at the end.
async fn next(body: &mut Body, end: Instant) -> Result<Option<Bytes>, WireError> {
    let late = |reason: String| WireError::new("RequestTimeout", 400, reason);
    loop {
        let Ok(frame) = timeout_at(end.min(Instant::now() + STALL), body.frame()).await else {
            return Err(late(if Instant::now() < end {
                format!("Nothing of the body was received within {} seconds", STALL.as_secs())
            } else {
                format!("The body was not whole within {} seconds", WHOLE.as_secs())
            }));
        };
        let Some(frame) = frame else { return Ok(None) };
        let frame = frame.map_err(|error| late(format!("The body ended early: {error}")))?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
}

/// The whole body, if it is no longer than `limit` bytes and its sender goes on sending.
pub async fn collect(mut body: Body, limit: usize) -> Result<Bytes, WireError> {
    let mut whole = BytesMut::new();
    let end = Instant::now() + WHOLE;
    while let Some(data) = next(&mut body, end).await? {
        if whole.len() + data.len() > limit {
            return Err(too_large());
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream::{self, Stream};
    use http_body::Frame;
    use http_body_util::StreamBody;

    use super::*;

    /// Pieces of that many bytes, each after a pause.
    fn pieces(count: usize, bytes: usize, pause: Duration) -> Body {
        let next = move |left: usize| async move {
            tokio::time::sleep(pause).await;
            let frame = Frame::data(Bytes::from(vec![b'x'; bytes]));
            (left > 0).then(|| (Ok::<_, Infallible>(frame), left - 1))
        };
        sent(stream::unfold(count, next))
    }

    fn sent(stream: impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + 'static) -> Body {
        StreamBody::new(stream).map_err(|never| match never {}).boxed_unsync()
    }

    fn room(pieces: usize) -> Arc<Semaphore> {
        Arc::new(Semaphore::new(pieces))
    }

    const NOW: Duration = Duration::ZERO;

    async fn fault(all: &Arc<Semaphore>, body: Body, limit: usize) -> (String, u16) {
        let error = receive_into(all, body, limit).await.unwrap_err();
        (error.code.into_owned(), error.status)
    }

    #[tokio::test(start_paused = true)]
    async fn small_bodies_need_no_room_and_large_ones_give_it_back() {
        let all = room(4);
        assert_eq!(receive_into(&room(0), pieces(1, SMALL, NOW), LARGE).await.unwrap().len(), SMALL);
        let first = receive_into(&all, pieces(4, PIECE, NOW), LARGE).await.unwrap();
        assert_eq!((first.len(), all.available_permits()), (4 * PIECE, 1));
        // It waits for room, and gives up.
        let begun = Instant::now();
        let busy = ("ServiceUnavailable".to_owned(), 503);
        assert_eq!(fault(&all, pieces(4, PIECE, NOW), LARGE).await, busy);
        assert_eq!(begun.elapsed(), PATIENCE);
        assert_eq!(all.available_permits(), 1, "what it had by then is free again");
        let waiting = receive_into(&all, pieces(4, PIECE, NOW), LARGE);
        let freed = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            drop(first);
        };
        let (second, ()) = tokio::join!(waiting, freed);
        assert_eq!(second.unwrap().len(), 4 * PIECE);
        assert_eq!(all.available_permits(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_only_announced_takes_no_room() {
        let all = room(4);
        let slow = pieces(1000, 100, Duration::from_secs(20));
        let slow = tokio::spawn({
            let all = Arc::clone(&all);
            async move { fault(&all, slow, PACKAGE).await }
        });
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(all.available_permits(), 4);
        // And it does not go on for ever.
        assert_eq!(slow.await.unwrap(), ("RequestTimeout".to_owned(), 400));
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_that_stall_or_are_too_long_are_refused() {
        let all = room(4);
        let begun = Instant::now();
        assert_eq!(fault(&all, sent(stream::pending()), LARGE).await, ("RequestTimeout".to_owned(), 400));
        assert_eq!(begun.elapsed(), STALL);
        let large = ("RequestEntityTooLargeException".to_owned(), 413);
        assert_eq!(fault(&all, pieces(2, SMALL, NOW), SMALL).await, large);
        assert_eq!(fault(&all, super::super::full(vec![0; SMALL + 1]), SMALL).await, large);
        assert_eq!(receive_into(&all, super::super::full(vec![0; SMALL]), SMALL).await.unwrap().len(), SMALL);
    }
}
