//! Which of the houses behind the one port a request is for: the engine's own addresses, a notebook, or AWS's APIs.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use nbvend_cloud::Engine;
use nbvend_cloud::door::{self, Body, Peer};
use nbvend_cloud::ports::NotebookHost as _;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use super::{internal, metrics, notebooks};
use crate::failure::Failure;
use crate::ports::functions::Functions;
use crate::ports::notebooks::Notebooks;

/// What every connection shares.
pub struct Site {
    pub engine: Engine,
    pub notebooks: Arc<Notebooks>,
    pub sessions: notebooks::Sessions,
    pub tls: TlsAcceptor,
    /// `localhost:4566`: notebooks' hosts end in `.sagemaker.` and this.
    pub url_suffix: String,
    pub stop: Arc<Notify>,
    /// Set when the one who stops the engine wants the notebooks' servers ended too.
    pub stop_notebooks: AtomicBool,
    pub functions: Functions,
    pub answered: metrics::Answered,
    /// Whether anybody may reset, not the root key alone.
    pub allow_reset: bool,
    /// Whether this machine's programs may read the metrics unsigned.
    pub open_metrics: bool,
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
        })
    }

    /// What `/_nbvend/metrics` shows.
    pub fn metrics(&self) -> Result<String, Failure> {
        let figures = nbvend_cloud::metrics::figures(&self.engine)?;
        Ok(metrics::page(&figures, &self.answered, self.notebooks.running()))
    }

    /// Empties the account: the store first, then what it stood for on this machine.
    pub async fn reset(&self) -> Result<(), Failure> {
        self.engine.reset().await.map_err(|error| Failure::new(error.to_string()))?;
        self.sessions.clear();
        self.functions.forget_all().await;
        self.notebooks.delete_all().await
    }

    pub fn ask_to_stop(&self, notebooks: bool) {
        self.stop_notebooks.store(notebooks, Ordering::SeqCst);
        self.stop.notify_one();
    }
}

/// Serves one request. Boxed, so that a connection's future stays small.
pub fn dispatch(site: Arc<Site>, request: Request<Incoming>, peer: Peer) -> Answer {
    Box::pin(async move { answer(&site, request, peer).await })
}

/// An answer on its way.
pub type Answer = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

async fn answer(site: &Arc<Site>, request: Request<Incoming>, peer: Peer) -> Response<Body> {
    let host = host(&request);
    if let Some(place) = notebooks::Place::of_host(&host, &site.url_suffix) {
        return notebooks::serve(site, place, request, peer).await;
    }
    let request = request.map(|body| body.map_err(boxed).boxed_unsync());
    if internal::owns(request.uri().path()) {
        return internal::serve(site, request, peer).await;
    }
    let answer = door::handle(&site.engine, request, peer).await;
    site.answered.count(answer.status());
    answer
}

fn host(request: &Request<Incoming>) -> String {
    let header = request.headers().get("host").and_then(|v| v.to_str().ok());
    let authority = header.or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
    authority.unwrap_or_default().to_ascii_lowercase()
}

/// An error as bodies carry it.
pub fn boxed(
    error: impl std::error::Error + Send + Sync + 'static,
) -> Box<dyn std::error::Error + Send + Sync> {
    Box::new(error)
}
