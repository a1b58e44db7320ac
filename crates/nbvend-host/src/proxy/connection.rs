//! One connection to a notebook's socket, taken by one request at a time.
use std::io;

use bytes::BytesMut;
use http::HeaderMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::wire::{self, Head, Invalid};

/// What is read at once: enough for a small answer, and more when much comes.
const SMALL: usize = 8 << 10;
const LARGE: usize = 64 << 10;
/// Informational answers (100, 103) in a row; they are not passed on.
const MAX_INTERIM: usize = 8;

pub(super) struct Connection {
    pub(super) read: OwnedReadHalf,
    /// With the request's body while that is on its way.
    pub(super) write: Option<OwnedWriteHalf>,
    /// Read, but not taken yet.
    pub(super) buffer: BytesMut,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    /// The notebook closed the connection before it said anything: it may never have heard the request.
    #[error("it closed the connection")]
    Silent,
    #[error(transparent)]
    Broken(#[from] io::Error),
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

impl Connection {
    pub(super) fn new(stream: UnixStream) -> Self {
        let (read, write) = stream.into_split();
        Self { read, write: Some(write), buffer: BytesMut::new() }
    }

    /// Whether nothing has been heard since the last answer: no end, and nothing that nobody asked for.
    pub(super) fn is_quiet(&self) -> bool {
        let unread = self.read.try_read(&mut [0]);
        self.buffer.is_empty() && matches!(unread, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.write {
            Some(write) => write.write_all(bytes).await,
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// The head of the answer to what was sent. See [`wire::response`] for `spare`.
    pub(super) async fn answer(&mut self, spare: &mut HeaderMap) -> Result<Head, NoAnswer> {
        let (mut heard, mut interim) = (false, 0);
        loop {
            if !self.buffer.is_empty()
                && let Some(head) = wire::response(&mut self.buffer, spare)?
            {
                let passing = head.status.is_informational() && head.status.as_u16() != 101;
                if !passing {
                    return Ok(head);
                }
                interim += 1;
                if interim > MAX_INTERIM {
                    return Err(Invalid("it keeps announcing").into());
                }
                continue;
            }
            self.make_room(SMALL);
            match self.read.read_buf(&mut self.buffer).await {
                Ok(0) if !heard => return Err(NoAnswer::Silent),
                Ok(0) => return Err(Invalid("it ends in its head").into()),
                Err(error) if !heard && error.kind() == io::ErrorKind::ConnectionReset => {
                    return Err(NoAnswer::Silent);
                }
                Err(error) => return Err(error.into()),
                Ok(_) => heard = true,
            }
        }
    }

    /// Room for the next read of a body: little while little comes.
    pub(super) fn room_for(&mut self, last: usize) {
        self.make_room(if last >= SMALL { LARGE } else { SMALL });
    }

    fn make_room(&mut self, room: usize) {
        if self.buffer.capacity() - self.buffer.len() < room / 4 {
            self.buffer.reserve(room);
        }
    }

    /// Lets go of a large buffer before the connection idles.
    pub(super) fn rest(&mut self) {
        if self.buffer.capacity() > 2 * SMALL {
            self.buffer = BytesMut::new();
        }
    }
}
