//! A listener on loopback that forwards each request to one target, as the engine does after it has let it in.
use std::net::{Ipv4Addr, SocketAddr};

use hyper_util::rt::TokioIo;
use nbvend_host::proxy::{CancellationToken, Peer, Target, forward};
use tokio::net::TcpListener;

pub struct Gate {
    pub address: SocketAddr,
    /// The session that all requests belong to.
    pub session: CancellationToken,
    pub target: Target,
    closed: CancellationToken,
}

impl Gate {
    pub async fn open(target: Target) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let gate = Self {
            address: listener.local_addr().unwrap(),
            session: CancellationToken::new(),
            target: target.clone(),
            closed: CancellationToken::new(),
        };
        let (session, closed) = (gate.session.clone(), gate.closed.clone());
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = closed.cancelled() => return,
                };
                let (stream, from) = accepted.unwrap();
                stream.set_nodelay(true).unwrap();
                let (target, session) = (target.clone(), session.clone());
                let service = hyper::service::service_fn(move |request| {
                    let (target, session) = (target.clone(), session.clone());
                    async move {
                        let peer = Peer { ip: from.ip(), https: false };
                        Ok::<_, std::convert::Infallible>(forward(request, &target, peer, &session).await)
                    }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .with_upgrades();
                tokio::spawn(connection);
            }
        });
        gate
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.closed.cancel();
    }
}
