//! An answer's body on its way: streamed, holding its place at the target, and cut off when the session ends.
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::connection::Connection;
use super::framing::Framing;
use super::pool::Pool;
use super::upload::Upload;
use super::wire::Invalid;

/// The body of every answer of the proxy.
pub struct Body(Kind);

enum Kind {
    /// One of the proxy's own pages, or nothing.
    Whole(Bytes),
    Streamed(Box<Streamed>),
}

#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("the session has ended")]
    SessionEnded,
    #[error("the notebook broke off: {0}")]
    Notebook(#[from] io::Error),
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

pub(super) struct Streamed {
    framing: Framing,
    lease: Option<Lease>,
    until: CancellationToken,
    /// Made when there is something to wait for.
    ended: Option<Pin<Box<dyn Future<Output = ()> + Send + Sync>>>,
    last: usize,
}

/// What a request holds: given back when its answer has been read to the end. Dropped earlier, the connection closes.
pub(super) struct Lease {
    pub(super) connection: Connection,
    pub(super) upload: Option<Upload>,
    /// Whether the notebook keeps the connection open.
    pub(super) keeps: bool,
    pub(super) pool: Arc<Pool>,
    pub(super) place: OwnedSemaphorePermit,
}

impl Lease {
    fn end(mut self) {
        if let Some(upload) = self.upload.take() {
            self.connection.write = upload.finish();
        }
        if self.keeps && self.connection.write.is_some() {
            self.pool.put(self.connection);
        }
        drop(self.place);
    }
}

impl Body {
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self(Kind::Whole(bytes))
    }

    /// A small answer came with its head and is whole; of others `lease` is kept until they are.
    pub(super) fn of(
        mut framing: Framing,
        mut lease: Lease,
        until: &CancellationToken,
    ) -> Result<Self, Invalid> {
        if framing.is_whole_in(&lease.connection.buffer) {
            let bytes = framing.take(&mut lease.connection.buffer)?.unwrap_or_default();
            lease.end();
            return Ok(Self::whole(bytes));
        }
        let until = until.clone();
        Ok(Self(Kind::Streamed(Box::new(Streamed {
            framing,
            lease: Some(lease),
            until,
            ended: None,
            last: 0,
        }))))
    }
}

impl Streamed {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        loop {
            let Some(lease) = &mut self.lease else { return Poll::Ready(None) };
            if let Some(piece) = self.framing.take(&mut lease.connection.buffer)? {
                if self.framing.is_done()
                    && let Some(lease) = self.lease.take()
                {
                    lease.end();
                }
                return Poll::Ready(Some(Ok(piece)));
            }
            if self.framing.is_done() {
                if let Some(lease) = self.lease.take() {
                    lease.end();
                }
                return Poll::Ready(None);
            }
            if self.until.is_cancelled() {
                return Poll::Ready(Some(Err(BodyError::SessionEnded)));
            }
            let connection = &mut lease.connection;
            connection.room_for(self.last);
            let read = Pin::new(&mut connection.read);
            let Poll::Ready(read) = tokio_util::io::poll_read_buf(read, cx, &mut connection.buffer) else {
                let ended = self.ended.get_or_insert_with(|| Box::pin(self.until.clone().cancelled_owned()));
                ready!(ended.as_mut().poll(cx));
                return Poll::Ready(Some(Err(BodyError::SessionEnded)));
            };
            self.last = read?;
            if self.last == 0 {
                let proper = self.framing.ends_with_connection();
                self.lease = None;
                return Poll::Ready(
                    (!proper).then(|| Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())),
                );
            }
        }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.0 {
            Kind::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Kind::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Kind::Streamed(streamed) => {
                let polled = ready!(streamed.poll(cx));
                if matches!(polled, Some(Err(_))) {
                    streamed.lease = None;
                }
                Poll::Ready(polled.map(|piece| piece.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Whole(bytes) => bytes.is_empty(),
            Kind::Streamed(streamed) => streamed.lease.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let left = match &self.0 {
            Kind::Whole(bytes) => Some(bytes.len() as u64),
            Kind::Streamed(streamed) => streamed.framing.exact(),
        };
        left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}
