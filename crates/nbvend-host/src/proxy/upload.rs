//! A request's body on its way to the notebook, beside the answer: some notebooks answer before they have read it all.
//! There is a note of when it last moved: a large upload may take as long as it takes, one that has stopped may not.
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::io::AsyncWriteExt;
use tokio::net::unix::OwnedWriteHalf;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A body being sent. Dropped, it stops, and the connection with it.
pub(super) struct Upload(JoinHandle<io::Result<OwnedWriteHalf>>);

/// When a body last moved.
#[derive(Clone)]
pub(super) struct Moved(Arc<Mutex<Instant>>);

impl Upload {
    /// `patience` is how long the browser or the notebook may hold it up.
    pub(super) fn begin(
        body: Incoming,
        to: OwnedWriteHalf,
        chunked: bool,
        moved: Moved,
        patience: Duration,
    ) -> Self {
        Self(tokio::spawn(send(body, to, chunked, moved, patience)))
    }

    /// The connection's writing half if the whole body has been sent.
    pub(super) fn finish(mut self) -> Option<OwnedWriteHalf> {
        let mut cx = Context::from_waker(Waker::noop());
        match Pin::new(&mut self.0).poll(&mut cx) {
            Poll::Ready(Ok(Ok(half))) => Some(half),
            _ => None,
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn send(
    mut body: Incoming,
    mut to: OwnedWriteHalf,
    chunked: bool,
    moved: Moved,
    patience: Duration,
) -> io::Result<OwnedWriteHalf> {
    let late = |_| io::Error::from(io::ErrorKind::TimedOut);
    while let Some(frame) = tokio::time::timeout(patience, body.frame()).await.map_err(late)? {
        let frame = frame.map_err(io::Error::other)?;
        moved.note();
        // Trailers are not passed on.
        let Ok(data) = frame.into_data() else { continue };
        if data.is_empty() {
            continue;
        }
        let writing = async {
            if chunked {
                to.write_all(format!("{:x}\r\n", data.len()).as_bytes()).await?;
            }
            to.write_all(&data).await?;
            if chunked { to.write_all(b"\r\n").await } else { Ok(()) }
        };
        tokio::time::timeout(patience, writing).await.map_err(late)??;
        moved.note();
    }
    if chunked {
        to.write_all(b"0\r\n\r\n").await?;
    }
    Ok(to)
}

impl Moved {
    pub(super) fn now() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when nothing has moved for as long as `patience`.
    pub(super) async fn stopped(&self, patience: Duration) {
        loop {
            let deadline = self.last() + patience;
            if deadline <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(deadline).await;
        }
    }
}
