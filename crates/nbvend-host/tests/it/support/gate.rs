//! A listener on loopback that forwards each request to one target, as the engine does after it has let it in.
use std::net::{Ipv4Addr, SocketAddr};

use nbvend_host::listen::{self, Crowd, Guarded, Limits};
use nbvend_host::proxy::{CancellationToken, Peer, Target, forward};
use tokio::net::TcpListener;

pub struct Gate {
    pub address: SocketAddr,
    /// The session that all requests belong to.
    pub session: CancellationToken,
    pub target: Target,
    pub crowd: Crowd,
    closed: CancellationToken,
}

impl Gate {
    pub async fn open(target: Target) -> Self {
        Self::with_limits(target, Limits::default()).await
    }

    pub async fn with_limits(target: Target, limits: Limits) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let gate = Self {
            address: listener.local_addr().unwrap(),
            session: CancellationToken::new(),
            target: target.clone(),
            crowd: Crowd::new(limits),
            closed: CancellationToken::new(),
        };
        let (session, closed, crowd) = (gate.session.clone(), gate.closed.clone(), gate.crowd.clone());
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = closed.cancelled() => return,
                };
                let (stream, from) = accepted.unwrap();
                let (target, session) = (target.clone(), session.clone());
                let service = hyper::service::service_fn(move |request| {
                    let (target, session) = (target.clone(), session.clone());
                    async move {
                        let peer = Peer { ip: from.ip(), https: false };
                        Ok::<_, std::convert::Infallible>(forward(request, &target, peer, &session).await)
                    }
                });
                let Some(seat) = crowd.enter(from.ip()) else {
                    listen::turn_away(&stream);
                    continue;
                };
                listen::prepare(&stream);
                tokio::spawn(async move {
                    let io = Guarded::new(stream, seat.clone(), limits.stall);
                    seat.unless_shed(listen::serve(io, &seat, &limits, service)).await;
                });
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
