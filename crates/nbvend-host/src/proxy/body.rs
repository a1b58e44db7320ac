//! An answer's body on its way: streamed, holding its place at the target, and cut off when the session ends.
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::SendRequest;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::pool::Pool;
use super::upload::Upload;

/// The body of every answer of the proxy.
pub type Body = BoxBody<Bytes, BodyError>;

#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("the session has ended")]
    SessionEnded,
    #[error(transparent)]
    Notebook(#[from] hyper::Error),
}

pub(super) struct Streamed {
    inner: Incoming,
    lease: Option<Lease>,
    ended: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
}

/// What a request holds: given back when its answer has been read to the end. Dropped earlier, the connection closes.
pub(super) struct Lease {
    pub(super) connection: SendRequest<Upload>,
    pub(super) pool: Arc<Pool>,
    pub(super) place: OwnedSemaphorePermit,
}

impl Lease {
    fn end(self) {
        self.pool.put(self.connection);
        drop(self.place);
    }
}

impl Streamed {
    pub(super) fn new(inner: Incoming, lease: Lease, until: &CancellationToken) -> Self {
        let mut lease = Some(lease);
        if inner.is_end_stream()
            && let Some(lease) = lease.take()
        {
            lease.end();
        }
        Self { inner, lease, ended: Box::pin(until.clone().cancelled_owned()) }
    }
}

impl HttpBody for Streamed {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if this.lease.is_some() && this.ended.as_mut().poll(cx).is_ready() {
            this.lease = None;
            return Poll::Ready(Some(Err(BodyError::SessionEnded)));
        }
        let polled = Pin::new(&mut this.inner).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Err(_))) => this.lease = None,
            Poll::Ready(None) => {
                if let Some(lease) = this.lease.take() {
                    lease.end();
                }
            }
            Poll::Ready(Some(Ok(_))) if this.inner.is_end_stream() => {
                if let Some(lease) = this.lease.take() {
                    lease.end();
                }
            }
            _ => {}
        }
        polled.map_err(BodyError::from)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
