//! The engine's ends of a sandbox's network: the AWS APIs, the role's credentials, the way out. The listener a request
//! comes by says which notebook it is from; the engine's own addresses and other notebooks are not served there.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use nbvend_cloud::Engine;
use nbvend_cloud::door::{self, Peer};
use nbvend_host::egress::Egress;
use nbvend_host::sandbox::Sandbox;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::plan::{API, CREDENTIALS, EGRESS};
use crate::server::{boxed, serve_credentials};

/// How long a client may take over the head of a request.
const HEAD: Duration = Duration::from_secs(30);

/// What is served in sandboxes now, by the notebooks' ids.
#[derive(Default)]
pub struct Insides {
    engine: OnceLock<Engine>,
    serving: Mutex<HashMap<String, JoinSet<()>>>,
}

impl Insides {
    /// From now on there is an engine to serve.
    pub fn attach(&self, engine: Engine) {
        let _ = self.engine.set(engine);
    }

    /// Takes the sandbox's listeners and serves them until [`Insides::leave`] or the sandbox's end.
    pub async fn enter(self: &Arc<Self>, id: &str, sandbox: &Sandbox) {
        let Some(engine) = self.engine.get() else { return };
        let listeners = match sandbox.listeners().await {
            Ok(listeners) => listeners,
            Err(error) => {
                tracing::error!(id, %error, "a sandbox did not hand over its listeners");
                return;
            }
        };
        let mut tasks = JoinSet::new();
        for (address, listener) in listeners {
            let ready = listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener));
            match ready {
                Ok(listener) => {
                    tasks.spawn(accept(listener, address, engine.clone(), Arc::from(id)));
                }
                Err(error) => tracing::error!(id, %address, %error, "a sandbox's listener cannot be served"),
            }
        }
        self.serving.lock().expect("nobody panics while holding the insides").insert(id.to_owned(), tasks);
    }

    pub fn leave(&self, id: &str) {
        self.serving.lock().expect("nobody panics while holding the insides").remove(id);
    }
}

async fn accept(listener: TcpListener, address: SocketAddr, engine: Engine, id: Arc<str>) {
    let egress = Egress::default();
    let mut open = JoinSet::new();
    loop {
        while open.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, mostly: give the others time to end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        if address == EGRESS {
            let egress = egress.clone();
            open.spawn(async move { egress.serve(stream).await });
        } else {
            open.spawn(serve(stream, address, engine.clone(), Arc::clone(&id)));
        }
    }
}

async fn serve(stream: TcpStream, address: SocketAddr, engine: Engine, id: Arc<str>) {
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
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD).half_close(true);
    // The notebook may go away at any time.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}
