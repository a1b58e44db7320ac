//! The engine's ends of a sandbox's network: the AWS APIs, the role's credentials, the way out. The listener a request
//! comes by says which notebook it is from; the engine's own addresses and other notebooks are not served there.
//!
//! Connections are served on the process's own runtime and end with their notebook, not with the engine: a transfer goes on
//! while another process takes over.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use nbvend_host::egress::Egress;
use nbvend_host::proxy::CancellationToken;
use nbvend_host::sandbox::Sandbox;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::plan::{API, CREDENTIALS, EGRESS};
use crate::server::{Origin, Site, dispatch};

/// How long a client may take over the head of a request.
const HEAD: Duration = Duration::from_secs(30);

/// What is served in sandboxes now, by the notebooks' ids.
#[derive(Default)]
pub struct Insides {
    site: OnceLock<(Weak<Site>, Handle)>,
    serving: Mutex<HashMap<String, Serving>>,
}

#[derive(Default)]
struct Serving {
    accepting: JoinSet<()>,
    /// Ends the connections.
    until: CancellationToken,
}

impl Insides {
    /// From now on there is an engine to serve. To be called on the runtime that serves connections.
    pub fn attach(&self, site: &Arc<Site>) {
        let _ = self.site.set((Arc::downgrade(site), Handle::current()));
    }

    /// Takes the sandbox's listeners and serves them until [`Insides::leave`] or the sandbox's end.
    pub async fn enter(self: &Arc<Self>, id: &str, sandbox: &Sandbox) {
        let Some((site, runtime)) = self.site.get() else { return };
        let listeners = match sandbox.listeners().await {
            Ok(listeners) => listeners,
            Err(error) => {
                tracing::error!(id, %error, "a sandbox did not hand over its listeners");
                return;
            }
        };
        let mut all = self.serving();
        let serving = all.entry(id.to_owned()).or_default();
        for (address, listener) in listeners {
            let place = Place { address, id: id.to_owned(), until: serving.until.clone() };
            serving.accepting.spawn_on(accept(listener, place, Weak::clone(site)), runtime);
        }
    }

    pub fn leave(&self, id: &str) {
        if let Some(serving) = self.serving().remove(id) {
            serving.until.cancel();
        }
    }

    /// New connections wait in the kernel from now on; [`Insides::enter`] accepts them again, here or in another process.
    pub fn stop_accepting(&self) {
        for serving in self.serving().values_mut() {
            serving.accepting = JoinSet::new();
        }
    }

    fn serving(&self) -> MutexGuard<'_, HashMap<String, Serving>> {
        self.serving.lock().expect("nobody panics while holding the insides")
    }
}

/// One listener of one notebook.
struct Place {
    address: SocketAddr,
    id: String,
    until: CancellationToken,
}

async fn accept(listener: std::net::TcpListener, place: Place, site: Weak<Site>) {
    let ready = listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener));
    let listener = match ready {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(id = %place.id, address = %place.address, %error, "a sandbox's listener cannot be served");
            return;
        }
    };
    let egress = Egress::default();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, mostly: give the others time to end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let Some(site) = site.upgrade() else { return };
        let (egress, until) = (egress.clone(), place.until.clone());
        let (notebook, credentials) = (place.id.clone(), place.address == CREDENTIALS);
        let way_out = place.address == EGRESS;
        debug_assert!(way_out || credentials || place.address == API, "the plan knows three listeners");
        tokio::spawn(async move {
            let _held = Arc::clone(&site.lasting.held);
            let served = async {
                if way_out {
                    egress.serve(stream).await;
                } else {
                    serve(stream, Origin::Inside { notebook, credentials }, site).await;
                }
            };
            tokio::select! {
                () = served => {}
                () = until.cancelled() => {}
            }
        });
    }
}

async fn serve(stream: TcpStream, origin: Origin, site: Arc<Site>) {
    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let answer = dispatch(Arc::clone(&site), request, origin.clone());
        async move { Ok::<_, std::convert::Infallible>(answer.await) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD).half_close(true);
    // The notebook may go away at any time.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}
