//! The listener: one port, http and https alike, on 127.0.0.1 and [::1].

mod dispatch;
mod internal;
mod metrics;
mod notebooks;
pub mod tls;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use nbvend_cloud::door::Peer;
use tokio::net::{TcpListener, TcpStream};

pub use dispatch::Site;
pub use notebooks::SESSION_COOKIES;

use crate::failure::Failure;

/// A client that has not sent its whole request head by then is let go.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may take over the TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The sockets of one port.
pub struct Listeners(Vec<TcpListener>);

impl Listeners {
    /// Binds `address`, and the other loopback address of the same port.
    pub async fn bind(address: SocketAddr) -> Result<Self, Failure> {
        let first = TcpListener::bind(address).await.map_err(|error| taken(address, &error))?;
        let port = first.local_addr().map_err(|error| taken(address, &error))?.port();
        let mut listeners = vec![first];
        let twin = match address.ip() {
            ip if ip == IpAddr::V4(Ipv4Addr::LOCALHOST) => Some(IpAddr::V6(Ipv6Addr::LOCALHOST)),
            ip if ip == IpAddr::V6(Ipv6Addr::LOCALHOST) => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            _ => None,
        };
        if let Some(ip) = twin {
            match TcpListener::bind((ip, port)).await {
                Ok(listener) => listeners.push(listener),
                // A machine without IPv6 has one loopback address only.
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                    return Err(taken(SocketAddr::new(ip, port), &error));
                }
                Err(error) => tracing::debug!(%ip, %error, "not listening"),
            }
        }
        Ok(Self(listeners))
    }

    /// The port that was bound.
    pub fn port(&self) -> u16 {
        self.0.first().and_then(|l| l.local_addr().ok()).map_or(0, |address| address.port())
    }

    /// Accepts until the engine stops.
    pub async fn serve(self, site: Arc<Site>) {
        let mut tasks = tokio::task::JoinSet::new();
        for listener in self.0 {
            tasks.spawn(accept(listener, Arc::clone(&site)));
        }
        site.engine.stopping().await;
        tasks.shutdown().await;
    }
}

fn taken(address: SocketAddr, error: &std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::AddrInUse {
        return Failure::new(format!(
            "{address} is taken by another program; stop it (is an nbvend running already? `nbvend down`) or choose another port with --listen 127.0.0.1:PORT"
        ));
    }
    Failure::new(format!("{address} cannot be listened on: {error}"))
}

async fn accept(listener: TcpListener, site: Arc<Site>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are small and written whole: waiting to fill a packet only costs time.
                let _ = stream.set_nodelay(true);
                tokio::spawn(connection(stream, peer, Arc::clone(&site)));
            }
            Err(error) => {
                // Out of descriptors, mostly: give the others time to end.
                tracing::warn!(%error, "accept");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, site: Arc<Site>) {
    let mut first = [0u8; 1];
    let peeked = tokio::time::timeout(HEAD_TIMEOUT, stream.peek(&mut first)).await;
    let Ok(Ok(1)) = peeked else { return };
    // 0x16 begins a TLS handshake record (RFC 8446, 5.1); no HTTP method begins so.
    if first[0] != 0x16 {
        return serve(TokioIo::new(stream), Peer { ip: peer.ip(), secure: false }, site).await;
    }
    let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, site.tls.accept(stream)).await;
    match handshake {
        Ok(Ok(stream)) => serve(TokioIo::new(stream), Peer { ip: peer.ip(), secure: true }, site).await,
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake"),
        Err(_) => {}
    }
}

async fn serve<T>(io: TokioIo<T>, peer: Peer, site: Arc<Site>)
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let answer = dispatch::dispatch(Arc::clone(&site), request, peer.clone());
        async move { Ok::<_, std::convert::Infallible>(answer.await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(io, service)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "connection");
    }
}
