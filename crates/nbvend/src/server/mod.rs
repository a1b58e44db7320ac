//! The listener: one port, http and https alike, on 127.0.0.1 and [::1].

mod credentials;
mod dispatch;
mod handover;
mod internal;
mod life;
mod metrics;
mod notebooks;
mod run;
mod successor;
mod systemd;
pub mod tls;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use nbvend_host::listen::{self, Guarded, Limits, Seat};
use tokio::net::{TcpListener, TcpStream};

pub use credentials::{CREDENTIALS, serve_credentials};
pub use dispatch::{Origin, Site, boxed};
pub use handover::{Miss, Owned, ask};
pub use life::{Lasting, Plan, Prepared};
pub use notebooks::SESSION_COOKIES;
pub use run::run;

use crate::failure::Failure;

/// How long a client may take over the TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The sockets of one port, at least one.
pub struct Listeners(Vec<Arc<TcpListener>>);

impl Listeners {
    /// Binds `address`, and the other loopback address of the same port.
    pub async fn bind(address: SocketAddr) -> Result<Self, Failure> {
        let first = TcpListener::bind(address).await.map_err(|error| taken(address, &error))?;
        let port = first.local_addr().map_err(|error| taken(address, &error))?.port();
        let mut listeners = vec![Arc::new(first)];
        let twin = match address.ip() {
            ip if ip == IpAddr::V4(Ipv4Addr::LOCALHOST) => Some(IpAddr::V6(Ipv6Addr::LOCALHOST)),
            ip if ip == IpAddr::V6(Ipv6Addr::LOCALHOST) => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            _ => None,
        };
        if let Some(ip) = twin {
            match TcpListener::bind((ip, port)).await {
                Ok(listener) => listeners.push(Arc::new(listener)),
                // A machine without IPv6 has one loopback address only.
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                    return Err(taken(SocketAddr::new(ip, port), &error));
                }
                Err(error) => tracing::debug!(%ip, %error, "not listening"),
            }
        }
        Ok(Self(listeners))
    }

    /// Sockets that another process listens on.
    pub fn given(sockets: Vec<OwnedFd>) -> io::Result<Self> {
        let listeners = sockets.into_iter().map(|socket| {
            let socket = std::net::TcpListener::from(socket);
            socket.set_nonblocking(true)?;
            TcpListener::from_std(socket).map(Arc::new)
        });
        let listeners: Vec<_> = listeners.collect::<io::Result<_>>()?;
        if listeners.is_empty() {
            return Err(io::Error::other("no sockets came"));
        }
        Ok(Self(listeners))
    }

    pub fn sockets(&self) -> Vec<BorrowedFd<'_>> {
        self.0.iter().map(|listener| listener.as_fd()).collect()
    }

    /// The address that was asked for, with the port that was bound.
    pub fn address(&self) -> SocketAddr {
        let first = self.0.first().and_then(|listener| listener.local_addr().ok());
        first.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)))
    }

    fn all(&self) -> Vec<Arc<TcpListener>> {
        self.0.clone()
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

/// Accepts until it is dropped: then connections wait in the kernel.
async fn accept(listener: Arc<TcpListener>, site: Arc<Site>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => match site.lasting.crowd.enter(peer.ip()) {
                Some(seat) => {
                    listen::prepare(&stream);
                    let site = Arc::clone(&site);
                    tokio::spawn(async move {
                        let limits = site.lasting.limits;
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
        return serve(guarded, seat, limits, Origin::Outside { ip: peer.ip(), secure: false }, site).await;
    }
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, site.tls.accept(guarded)).await {
        Ok(Ok(stream)) => {
            serve(stream, seat, limits, Origin::Outside { ip: peer.ip(), secure: true }, site).await
        }
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake"),
        Err(_) => {}
    }
}

/// Serves what comes on one connection, at a seat of its own.
pub async fn serve<T>(io: T, seat: &Seat, limits: &Limits, origin: Origin, site: Arc<Site>)
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let answer = dispatch::dispatch(Arc::clone(&site), request, origin.clone());
        async move { Ok::<_, std::convert::Infallible>(answer.await) }
    });
    listen::serve(io, seat, limits, service).await;
}
