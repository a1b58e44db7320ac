//! Which of the houses behind the one port a request is for: the engine's own addresses, a notebook, or AWS's APIs.

use std::borrow::Cow;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::header::HOST;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use nbvend_cloud::Engine;
use nbvend_cloud::door::{self, Body, Peer};
use nbvend_cloud::ports::NotebookHost as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_rustls::TlsAcceptor;

use super::handover::{self, Entered, Gate, Permit, Successor};
use super::life::Lasting;
use super::{internal, metrics, notebooks, serve_credentials};
use crate::failure::Failure;
use crate::ports::functions::Functions;
use crate::ports::notebooks::Notebooks;

/// What every connection shares.
pub struct Site {
    pub engine: Engine,
    pub notebooks: Arc<Notebooks>,
    pub functions: Functions,
    pub gate: Gate,
    pub tls: TlsAcceptor,
    /// `localhost:4566`: notebooks' hosts end in `.sagemaker.` and this.
    pub url_suffix: String,
    /// Whether anybody may reset, not the root key alone.
    pub allow_reset: bool,
    /// Whether this machine's programs may read the metrics unsigned.
    pub open_metrics: bool,
    pub lasting: Arc<Lasting>,
}

/// Where a request comes from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Origin {
    /// The engine's port.
    Outside { ip: IpAddr, secure: bool },
    /// A listener in a notebook's sandbox: the AWS APIs, or the role's credentials.
    Inside { notebook: String, credentials: bool },
}

impl Site {
    /// What `nbvend status --json` prints.
    pub fn status(&self) -> Value {
        let no_volumes = self.notebooks.offer().no_volumes.as_deref();
        json!({
            "ready": true,
            "endpoint": format!("http://{}", self.url_suffix),
            "version": env!("CARGO_PKG_VERSION"),
            "isolation": self.notebooks.isolation(),
            "volume": if no_volumes.is_none() { "enforced" } else { "not-enforced" },
            "volume_reason": no_volumes,
            "notebooks": {"in_service": self.notebooks.running()},
            "draining": self.lasting.drainers.list().into_iter()
                .map(|(pid, connections)| json!({"pid": pid, "connections": connections}))
                .collect::<Vec<_>>(),
        })
    }

    /// What `/_nbvend/metrics` shows.
    pub fn metrics(&self) -> Result<String, Failure> {
        let figures = nbvend_cloud::metrics::figures(&self.engine)?;
        Ok(metrics::page(&figures, &self.lasting.answered, self.notebooks.running()))
    }

    /// Empties the account: the store first, then what it stood for on this machine.
    pub async fn reset(&self) -> Result<(), Failure> {
        self.engine.reset().await.map_err(|error| Failure::new(error.to_string()))?;
        self.lasting.sessions.clear();
        self.functions.forget_all().await;
        self.notebooks.delete_all().await
    }

    /// Open connections of every kind.
    pub fn connections(&self) -> usize {
        self.lasting.crowd.len() + Arc::strong_count(&self.lasting.held) - 1
    }

    pub fn ask_to_stop(&self, notebooks: bool) {
        self.lasting.stop_notebooks.store(notebooks, Ordering::SeqCst);
        self.lasting.stop.notify_one();
    }
}

/// Serves one request. Boxed, so that a connection's future stays small.
pub fn dispatch(site: Arc<Site>, request: Request<Incoming>, origin: Origin) -> Answer {
    Box::pin(async move { enter(site, request, origin).await })
}

/// An answer on its way.
pub type Answer = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

/// Answers where the engine is now.
async fn enter(mut site: Arc<Site>, request: Request<Incoming>, origin: Origin) -> Response<Body> {
    loop {
        let successor = match site.gate.enter().await {
            Entered::Here(permit) => return answer(&site, request, origin, permit).await,
            Entered::Elsewhere(successor) => successor,
        };
        match successor {
            Successor::Site(next) => site = next,
            Successor::Process(folder) => return handover::forward(&folder, &origin, request).await,
        }
    }
}

async fn answer(
    site: &Arc<Site>,
    request: Request<Incoming>,
    origin: Origin,
    permit: Permit,
) -> Response<Body> {
    let peer = match origin {
        Origin::Outside { ip, secure } => Peer { ip, secure },
        Origin::Inside { notebook, credentials } => {
            let request = request.map(|body| body.map_err(boxed).boxed_unsync());
            if credentials {
                return serve_credentials(&site.engine, &notebook, request).await;
            }
            let peer = Peer { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), secure: false };
            return door::handle(&site.engine, request, peer).await;
        }
    };
    let place = notebooks::Place::of_host(&host(&request), &site.url_suffix);
    if let Some(place) = place {
        return notebooks::serve(site, place, request, peer, permit).await;
    }
    let request = request.map(|body| body.map_err(boxed).boxed_unsync());
    if internal::owns(request.uri().path()) {
        return internal::serve(site, request, peer).await;
    }
    let answer = door::handle(&site.engine, request, peer).await;
    site.lasting.answered.count(answer.status());
    answer
}

/// In lower case.
fn host(request: &Request<Incoming>) -> Cow<'_, str> {
    let header = request.headers().get(HOST).and_then(|v| v.to_str().ok());
    let authority = header.or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
    let host = authority.unwrap_or_default();
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Owned(host.to_ascii_lowercase());
    }
    Cow::Borrowed(host)
}

/// An error as bodies carry it.
pub fn boxed(
    error: impl std::error::Error + Send + Sync + 'static,
) -> Box<dyn std::error::Error + Send + Sync> {
    Box::new(error)
}
