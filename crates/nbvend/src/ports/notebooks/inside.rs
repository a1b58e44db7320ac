//! The engine's ends of a sandbox's network: the AWS APIs, the role's credentials, the way out. The listener a request
//! comes by says which notebook it is from; the engine's own addresses and other notebooks are not served there.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::service::service_fn;
use nbvend_cloud::Engine;
use nbvend_cloud::door::{self, Peer};
use nbvend_host::egress::Egress;
use nbvend_host::listen::{self, Crowd, Guarded, Limits, Seat};
use nbvend_host::sandbox::Sandbox;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::plan::{API, CREDENTIALS, EGRESS};
use crate::server::{boxed, serve_credentials};

/// Connections of one notebook to the engine at a time. What a notebook opens beyond takes the place of what has waited
/// longest: the engine's descriptors are for all.
const CONNECTIONS: usize = 256;

/// Serves sandboxes, each for as long as it lives.
#[derive(Default)]
pub struct Insides {
    engine: OnceLock<Engine>,
}

impl Insides {
    /// From now on there is an engine to serve.
    pub fn attach(&self, engine: Engine) {
        let _ = self.engine.set(engine);
    }

    /// Takes the sandbox's listeners and serves them until its end. Once for each sandbox.
    pub async fn enter(&self, id: &str, sandbox: &Sandbox) {
        let Some(engine) = self.engine.get() else { return };
        let listeners = match sandbox.listeners().await {
            Ok(listeners) => listeners,
            Err(error) => {
                tracing::error!(id, %error, "a sandbox did not hand over its listeners");
                return;
            }
        };
        let limits = Limits { connections: CONNECTIONS, ..Limits::default() };
        let notebook =
            Notebook { id: Arc::from(id), engine: engine.clone(), crowd: Crowd::new(limits), limits };
        let mut tasks = JoinSet::new();
        for (address, listener) in listeners {
            let ready = listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener));
            match ready {
                Ok(listener) if address == EGRESS => {
                    tasks.spawn(let_out(listener));
                }
                Ok(listener) => {
                    tasks.spawn(accept(listener, address, notebook.clone()));
                }
                Err(error) => tracing::error!(id, %address, %error, "a sandbox's listener cannot be served"),
            }
        }
        let sandbox = sandbox.clone();
        tokio::spawn(async move {
            sandbox.ended().await;
            // An open socket would keep the sandbox's network.
            tasks.shutdown().await;
        });
    }
}

/// The next connection. Out of descriptors, mostly, if there is none: the others get time to end.
async fn next(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn let_out(listener: TcpListener) {
    let egress = Egress::default();
    let mut open = JoinSet::new();
    loop {
        let stream = next(&listener).await;
        while open.try_join_next().is_some() {}
        let _ = stream.set_nodelay(true);
        let egress = egress.clone();
        open.spawn(async move { egress.serve(stream).await });
    }
}

/// Whom the engine serves.
#[derive(Clone)]
struct Notebook {
    id: Arc<str>,
    engine: Engine,
    crowd: Crowd,
    limits: Limits,
}

async fn accept(listener: TcpListener, address: SocketAddr, notebook: Notebook) {
    let mut open = JoinSet::new();
    loop {
        let stream = next(&listener).await;
        while open.try_join_next().is_some() {}
        match notebook.crowd.enter(IpAddr::V4(Ipv4Addr::LOCALHOST)) {
            Some(seat) => {
                listen::prepare(&stream);
                let notebook = notebook.clone();
                open.spawn(async move { seat.unless_shed(notebook.serve(stream, address, &seat)).await });
            }
            None => listen::turn_away(&stream),
        }
    }
}

impl Notebook {
    async fn serve(&self, stream: TcpStream, address: SocketAddr, seat: &Arc<Seat>) {
        let (engine, id) = (self.engine.clone(), Arc::clone(&self.id));
        let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let (engine, id) = (engine.clone(), Arc::clone(&id));
            async move {
                let request = request.map(|body| body.map_err(boxed).boxed_unsync());
                Ok::<_, std::convert::Infallible>(if address == CREDENTIALS {
                    serve_credentials(&engine, &id, request).await
                } else {
                    debug_assert_eq!(address, API, "the plan knows three listeners");
                    let peer = Peer { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), secure: false };
                    door::handle(&engine, request, peer).await
                })
            }
        });
        let guarded = Guarded::new(stream, Arc::clone(seat), self.limits.stall);
        listen::serve(guarded, seat, &self.limits, service).await;
    }
}
