//! The proxy alone: a listener that passes every request to one target.
use std::net::Ipv4Addr;
use std::path::Path;

use nbvend_host::jupyter::identity;
use nbvend_host::listen::{self, Crowd, Guarded, Limits};
use nbvend_host::proxy::{CancellationToken, Peer, Target, forward};
use tokio::net::TcpListener;

pub fn run(socket: &Path) {
    let target = Target::new(socket.to_owned(), identity("Demo-User")).hide_cookies(["nbvend-session"]);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        let limits = Limits::of_this_process();
        let crowd = Crowd::new(limits);
        let session = CancellationToken::new();
        loop {
            let (stream, from) = listener.accept().await.unwrap();
            listen::prepare(&stream);
            let (target, session) = (target.clone(), session.clone());
            let Some(seat) = crowd.enter(from.ip()) else {
                listen::turn_away(&stream);
                continue;
            };
            let service = hyper::service::service_fn(move |request| {
                let (target, session) = (target.clone(), session.clone());
                async move {
                    let peer = Peer { ip: from.ip(), https: false };
                    Ok::<_, std::convert::Infallible>(forward(request, &target, peer, &session).await)
                }
            });
            tokio::spawn(async move {
                let io = Guarded::new(stream, seat.clone(), limits.stall);
                seat.unless_shed(listen::serve(io, &seat, &limits, service)).await;
            });
        }
    });
}
