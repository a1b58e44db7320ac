//! The engine's ends of a sandbox's network: the AWS APIs, the role's credentials, the way out. The listener a request
//! comes by says which notebook it is from; the engine's own addresses and other notebooks are not served there.
//!
//! Connections are served on the process's own runtime and end with their sandbox, not with the engine: a transfer goes on
//! while another process takes over.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};
use std::time::Duration;

use nbvend_host::egress::Egress;
use nbvend_host::listen::{self, Crowd, Guarded, Limits};
use nbvend_host::proxy::CancellationToken;
use nbvend_host::sandbox::Sandbox;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::plan::{API, CREDENTIALS, EGRESS};
use crate::server::{Origin, Site, serve};

/// Connections of one notebook to the engine at a time. What a notebook opens beyond takes the place of what has waited
/// longest: the engine's descriptors are for all.
const CONNECTIONS: usize = 256;

/// Serves sandboxes, each for as long as it lives.
#[derive(Default)]
pub struct Insides {
    site: OnceLock<(Weak<Site>, Handle)>,
    /// By the notebook's id and the number of the sandbox's first process.
    serving: Mutex<HashMap<(String, i32), Serving>>,
}

struct Serving {
    accepting: JoinSet<()>,
    crowd: Crowd,
    /// Ends the connections.
    until: CancellationToken,
}

fn limits() -> Limits {
    Limits { connections: CONNECTIONS, ..Limits::default() }
}

impl Insides {
    /// From now on there is an engine to serve. To be called on the runtime that serves connections.
    pub fn attach(&self, site: &Arc<Site>) {
        let _ = self.site.set((Arc::downgrade(site), Handle::current()));
    }

    /// Takes the sandbox's listeners and serves them until its end, or until [`Insides::stop_accepting`].
    pub async fn enter(self: &Arc<Self>, id: &str, sandbox: &Sandbox) {
        let Some((site, runtime)) = self.site.get() else { return };
        let listeners = match sandbox.listeners().await {
            Ok(listeners) => listeners,
            Err(error) => {
                tracing::error!(id, %error, "a sandbox did not hand over its listeners");
                return;
            }
        };
        let key = (id.to_owned(), sandbox.record().pid);
        let mut all = self.serving();
        let serving = all.entry(key.clone()).or_insert_with(|| {
            let (insides, sandbox) = (Arc::clone(self), sandbox.clone());
            runtime.spawn(async move {
                sandbox.ended().await;
                // An open socket would keep the sandbox's network.
                if let Some(serving) = insides.serving().remove(&key) {
                    serving.until.cancel();
                }
            });
            let (crowd, until) = (Crowd::new(limits()), CancellationToken::new());
            Serving { accepting: JoinSet::new(), crowd, until }
        });
        for (address, listener) in listeners {
            let (crowd, until) = (serving.crowd.clone(), serving.until.clone());
            let place = Place { address, id: id.to_owned(), crowd, until };
            serving.accepting.spawn_on(accept(listener, place, Weak::clone(site)), runtime);
        }
    }

    /// New connections wait in the kernel from now on; [`Insides::enter`] accepts them again, here or in another process.
    pub fn stop_accepting(&self) {
        for serving in self.serving().values_mut() {
            serving.accepting = JoinSet::new();
        }
    }

    fn serving(&self) -> MutexGuard<'_, HashMap<(String, i32), Serving>> {
        self.serving.lock().expect("nobody panics while holding the insides")
    }
}

/// One listener of one notebook.
struct Place {
    address: SocketAddr,
    id: String,
    crowd: Crowd,
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
        let Some(site) = site.upgrade() else { return };
        listen::prepare(&stream);
        if place.address == EGRESS {
            let egress = egress.clone();
            place.spawn(site, |_| async move { egress.serve(stream).await });
        } else {
            place.admit(stream, site);
        }
    }
}

impl Place {
    fn admit(&self, stream: TcpStream, site: Arc<Site>) {
        let Some(seat) = self.crowd.enter(IpAddr::V4(Ipv4Addr::LOCALHOST)) else {
            return listen::turn_away(&stream);
        };
        let credentials = self.address == CREDENTIALS;
        debug_assert!(credentials || self.address == API, "the plan knows three listeners");
        let origin = Origin::Inside { notebook: self.id.clone(), credentials };
        self.spawn(site, |site| async move {
            let limits = limits();
            let guarded = Guarded::new(stream, Arc::clone(&seat), limits.stall);
            seat.unless_shed(serve(guarded, &seat, &limits, origin, site)).await;
        });
    }

    /// Serves a connection until the sandbox's end.
    fn spawn<F>(&self, site: Arc<Site>, served: impl FnOnce(Arc<Site>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (held, until) = (Arc::clone(&site.lasting.held), self.until.clone());
        let served = served(site);
        tokio::spawn(async move {
            let _held = held;
            tokio::select! {
                () = served => {}
                () = until.cancelled() => {}
            }
        });
    }
}
