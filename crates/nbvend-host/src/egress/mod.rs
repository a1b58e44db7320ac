//! The way out of a sandbox: an HTTP proxy that a notebook reaches on a listener of its own, and that reaches public
//! hosts for it, on ports 443 and 80.
//!
//! A name is resolved once, every address it has is checked, and one of the checked is dialled: a name that points at
//! the machine itself, its neighbours or a cloud's metadata service is refused as a whole, so that nothing is gained by
//! a second answer of its DNS. `CONNECT` is tunnelled; a plain `http://` request is sent on as it came, once.

mod address;
mod lookup;
mod request;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

pub use address::is_public;
use request::{Ask, Fault};

/// How long a client may take for its request's head, and a host to answer the dial.
const PATIENCE: Duration = Duration::from_secs(15);
/// Connections that one notebook has open at a time.
const AT_ONCE: usize = 128;

/// What a notebook may reach. Cheap to clone; clones share the bound on connections.
#[derive(Debug, Clone)]
pub struct Egress {
    allowed: fn(IpAddr) -> bool,
    ports: &'static [u16],
    lookup: lookup::Lookup,
    room: Arc<Semaphore>,
}

impl Default for Egress {
    fn default() -> Self {
        Self::with(is_public, &[443, 80])
    }
}

impl Egress {
    /// Other rules than the usual ones.
    #[must_use]
    pub fn with(allowed: fn(IpAddr) -> bool, ports: &'static [u16]) -> Self {
        Self { allowed, ports, lookup: lookup::Lookup::default(), room: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Serves one connection of the notebook's to its end. What goes wrong on the way is told to the client.
    pub async fn serve(&self, mut client: impl AsyncRead + AsyncWrite + Unpin) {
        let Ok(_room) = self.room.try_acquire() else {
            return refuse(&mut client, &Fault::Busy).await;
        };
        let ask = match timeout(PATIENCE, request::read(&mut client)).await {
            Ok(Ok(ask)) => ask,
            Ok(Err(fault)) => return refuse(&mut client, &fault).await,
            Err(_) => return,
        };
        match self.dial(&ask).await {
            Ok(host) => {
                // Either side may go away at any time.
                let _ = pass(client, host, ask).await;
            }
            Err(fault) => {
                tracing::debug!(host = ask.host, port = ask.port, %fault, "egress refused");
                refuse(&mut client, &fault).await;
            }
        }
    }

    async fn dial(&self, ask: &Ask) -> Result<TcpStream, Fault> {
        if !self.ports.contains(&ask.port) {
            return Err(Fault::Port(ask.port));
        }
        let found = timeout(PATIENCE, self.lookup.addresses(&ask.host, ask.port)).await;
        let Ok(Ok(addresses)) = found else { return Err(Fault::Unknown) };
        if addresses.is_empty() {
            return Err(Fault::Unknown);
        }
        if !addresses.iter().all(|address| (self.allowed)(address.ip())) {
            return Err(Fault::Private);
        }
        for address in addresses {
            if let Ok(Ok(host)) = timeout(PATIENCE, TcpStream::connect(address)).await {
                let _ = host.set_nodelay(true);
                return Ok(host);
            }
        }
        Err(Fault::Unreachable)
    }
}

/// Passes bytes both ways until the host has said all it will; a client that says no more still hears the rest.
async fn pass(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    mut host: TcpStream,
    ask: Ask,
) -> io::Result<()> {
    if ask.tunnel {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    } else {
        host.write_all(&ask.head).await?;
    }
    host.write_all(&ask.rest).await?;
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let (mut from_host, mut to_host) = host.into_split();
    let up = async {
        let _ = copy(&mut from_client, &mut to_host).await;
        let _ = to_host.shutdown().await;
        std::future::pending::<()>().await;
    };
    let down = async {
        copy(&mut from_host, &mut to_client).await?;
        to_client.shutdown().await
    };
    tokio::select! {
        ended = down => ended,
        () = up => Ok(()),
    }
}

async fn refuse(client: &mut (impl AsyncWrite + Unpin), fault: &Fault) {
    let text = format!("{fault}\n");
    let answer = format!(
        "HTTP/1.1 {}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        fault.status(),
        text.len()
    );
    let _ = timeout(PATIENCE, client.write_all(answer.as_bytes())).await;
    let _ = timeout(PATIENCE, client.shutdown()).await;
}
