//! The listener: one port, http and https alike, on 127.0.0.1 and [::1].

mod dispatch;
mod internal;
mod metrics;
mod notebooks;
pub mod tls;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use nbvend_cloud::door::Peer;
use nbvend_host::listen::{self, Crowd, Guarded, Limits, Seat};
use tokio::net::{TcpListener, TcpStream};

pub use dispatch::Site;
pub use notebooks::SESSION_COOKIES;

use crate::failure::Failure;

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
        let limits = Limits::of_this_process();
        let crowd = Crowd::new(limits);
        for listener in self.0 {
            tasks.spawn(accept(listener, Arc::clone(&site), crowd.clone(), limits));
        }
        tasks.spawn(notebooks::Sessions::watch(Arc::clone(&site)));
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

async fn accept(listener: TcpListener, site: Arc<Site>, crowd: Crowd, limits: Limits) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => match crowd.enter(peer.ip()) {
                Some(seat) => {
                    listen::prepare(&stream);
                    let site = Arc::clone(&site);
                    tokio::spawn(async move {
                        seat.unless_shed(connection(stream, peer, site, &seat, &limits)).await;
                    });
                }
                None => listen::turn_away(&stream),
            },
            Err(error) => {
                // Out of descriptors, mostly: give the others time to end.
                tracing::warn!(%error, "accept");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, site: Arc<Site>, seat: &Arc<Seat>, limits: &Limits) {
    let mut first = [0u8; 1];
    let peeked = tokio::time::timeout(limits.head, stream.peek(&mut first)).await;
    let Ok(Ok(1)) = peeked else { return };
    let guarded = Guarded::new(stream, Arc::clone(seat), limits.stall);
    // 0x16 begins a TLS handshake record (RFC 8446, 5.1); no HTTP method begins so.
    if first[0] != 0x16 {
        return serve(guarded, seat, limits, Peer { ip: peer.ip(), secure: false }, site).await;
    }
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, site.tls.accept(guarded)).await {
        Ok(Ok(stream)) => serve(stream, seat, limits, Peer { ip: peer.ip(), secure: true }, site).await,
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake"),
        Err(_) => {}
    }
}

async fn serve<T>(io: T, seat: &Seat, limits: &Limits, peer: Peer, site: Arc<Site>)
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let answer = dispatch::dispatch(Arc::clone(&site), request, peer.clone());
        async move { Ok::<_, std::convert::Infallible>(answer.await) }
    });
    listen::serve(io, seat, limits, service).await;
}
