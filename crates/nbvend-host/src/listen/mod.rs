//! Who may hold a connection, and for how long: what every connection from outside goes through before a request is
//! looked at.
//!
//! ```text
//!   accepted ──► a seat in the crowd (bounded in all and for each peer; the idlest of the heaviest peer makes room)
//!                  └─► head within its time and size ──► requests ──► a client that does not read is let go
//! ```
mod crowd;
mod guard;

use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::net::sockopt;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::TcpStream;

pub use crowd::{Crowd, Seat};
pub use guard::Guarded;

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Of these, from one address (IPv6: from one /64) that is not this machine's own.
    pub per_peer: usize,
    /// Until a request's head is whole, and between requests.
    pub head: Duration,
    /// Bytes of a request's head that wait for its end, its first line included.
    pub head_bytes: usize,
    /// Headers of a request.
    pub headers: usize,
    /// How long a client may leave what it was sent unread.
    pub stall: Duration,
}

/// How many headers hyper takes unless told otherwise.
const HYPERS_HEADERS: usize = 100;

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            per_peer: 1024,
            head: Duration::from_secs(30),
            head_bytes: 64 << 10,
            headers: HYPERS_HEADERS,
            stall: Duration::from_secs(60),
        }
    }
}

impl Limits {
    /// The default, less where this process may not open that many descriptors. Raises its own limit first as far as it
    /// may: a connection takes two, and sandboxes set their own.
    pub fn of_this_process() -> Self {
        let mut allowed = getrlimit(Resource::Nofile);
        let raised = rustix::process::Rlimit { current: allowed.maximum, maximum: allowed.maximum };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            allowed = raised;
        }
        let descriptors = allowed.current.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
        let room = (descriptors.saturating_sub(256) / 3).max(16);
        let limits = Self::default();
        Self { connections: limits.connections.min(room), per_peer: limits.per_peer.min(room), ..limits }
    }
}

/// Small answers leave at once, and a peer that has vanished is noticed within two minutes.
pub fn prepare(stream: &TcpStream) {
    let prepared = || -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        sockopt::set_tcp_keepidle(stream, Duration::from_secs(60))?;
        sockopt::set_tcp_keepintvl(stream, Duration::from_secs(15))?;
        sockopt::set_tcp_keepcnt(stream, 4)?;
        sockopt::set_socket_keepalive(stream, true)?;
        sockopt::set_tcp_user_timeout(stream, 120_000)?;
        Ok(())
    };
    if let Err(error) = prepared() {
        tracing::debug!(%error, "a connection's options");
    }
}

/// Tells a client that there is no seat.
pub fn turn_away(stream: &TcpStream) {
    const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Type: application/json\r\n\
        Content-Length: 59\r\nConnection: close\r\n\r\n{\"message\": \"Too many connections; try again in a moment.\"}";
    // A new connection takes this much at once. If it does not, closing it says enough.
    let _ = stream.try_write(FULL);
}

/// Serves the requests of one connection, websockets included. `io` is, or lies on, the [`Guarded`] connection of this
/// seat; the caller ends it by [`Seat::unless_shed`].
pub async fn serve<T, S, B>(io: T, seat: &Seat, limits: &Limits, service: S)
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    S: hyper::service::Service<
            http::Request<hyper::body::Incoming>,
            Response = http::Response<B>,
            Error = std::convert::Infallible,
        >,
    B: hyper::body::Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let noting = hyper::service::service_fn(|request| {
        seat.busy();
        let answer = service.call(request);
        async {
            let answer = answer.await;
            seat.idle();
            answer
        }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(limits.head_bytes)
        .max_header_size(limits.head_bytes);
    // Told the number it has by itself, hyper fills room for so many headers with every request.
    if limits.headers != HYPERS_HEADERS {
        builder.max_headers(limits.headers);
    }
    let served = builder.serve_connection(TokioIo::new(io), noting).with_upgrades();
    if let Err(error) = served.await {
        tracing::debug!(%error, "connection");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_vanished_peer_will_be_noticed() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        assert!(!sockopt::socket_keepalive(&stream).unwrap());
        prepare(&stream);
        assert!(sockopt::socket_keepalive(&stream).unwrap() && stream.nodelay().unwrap());
        let seconds = sockopt::tcp_keepidle(&stream).unwrap()
            + sockopt::tcp_keepintvl(&stream).unwrap() * sockopt::tcp_keepcnt(&stream).unwrap();
        assert_eq!(seconds, Duration::from_secs(120));
        assert_eq!(sockopt::tcp_user_timeout(&stream).unwrap(), 120_000);
    }

    #[test]
    fn there_are_descriptors_for_all_connections() {
        let limits = Limits::of_this_process();
        let most = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        assert!(limits.connections as u64 * 2 <= most || limits.connections == 16);
    }
}
