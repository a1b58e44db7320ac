//! Connections to one notebook's socket: kept open between requests, closed when they have idled for a while.
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::time::Instant;

use super::connection::Connection;
use super::target::Limits;

/// How long a connection may idle.
const IDLE: Duration = Duration::from_secs(30);

pub(super) struct Pool {
    socket: PathBuf,
    limits: Limits,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum ConnectError {
    /// Nobody listens there.
    Gone,
    /// Somebody listens but does not accept.
    Late,
    Failed(String),
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("socket", &self.socket).field("idle", &self.idle().len()).finish()
    }
}

impl Pool {
    pub(super) fn new(socket: PathBuf, limits: Limits) -> Self {
        Self { socket, limits, idle: Mutex::default() }
    }

    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that is open and free, the one used last: the others may idle out.
    pub(super) fn take(&self) -> Option<Connection> {
        loop {
            let entry = self.idle().pop()?;
            if entry.connection.is_quiet() {
                return Some(entry.connection);
            }
        }
    }

    /// Keeps a connection for the next request.
    pub(super) fn put(self: &Arc<Self>, mut connection: Connection) {
        if !connection.is_quiet() {
            return;
        }
        connection.rest();
        let mut idle = self.idle();
        if idle.len() >= self.limits.idle {
            return;
        }
        if idle.is_empty() && idle.capacity() == 0 {
            tokio::spawn(expire(Arc::downgrade(self)));
        }
        idle.push(Idle { connection, since: Instant::now() });
    }

    /// A new connection.
    pub(super) async fn connect(&self) -> Result<Connection, ConnectError> {
        let connected = tokio::time::timeout(self.limits.connect, self.dial()).await;
        connected.unwrap_or(Err(ConnectError::Late)).map(Connection::new)
    }

    async fn dial(&self) -> Result<UnixStream, ConnectError> {
        loop {
            match UnixStream::connect(&self.socket).await {
                Ok(stream) => return Ok(stream),
                // A unix socket whose queue is full says so at once instead of letting us wait.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(error) => {
                    use io::ErrorKind::{ConnectionRefused, NotFound};
                    let gone = matches!(error.kind(), ConnectionRefused | NotFound);
                    return Err(if gone {
                        ConnectError::Gone
                    } else {
                        ConnectError::Failed(error.to_string())
                    });
                }
            }
        }
    }
}

/// Closes what has idled too long, for as long as the pool is there and something idles.
async fn expire(pool: Weak<Pool>) {
    loop {
        tokio::time::sleep(IDLE / 2).await;
        let Some(pool) = pool.upgrade() else { return };
        let mut idle = pool.idle();
        idle.retain(|entry| entry.since.elapsed() < IDLE && entry.connection.is_quiet());
        if idle.is_empty() {
            // Without capacity, as at first: the next one to be kept starts the next watch.
            *idle = Vec::new();
            return;
        }
    }
}
