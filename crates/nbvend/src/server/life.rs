//! One life of an engine in this process: from the opened store to the closed one. A process has a second one only when
//! it closed the store for a successor that did not take it.
//!
//! What only one process may do (slow work, watching servers, forking them) runs on a runtime of its own and ends with it;
//! connections are served on the process's runtime and may outlive the engine.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, atomic};
use std::time::{Duration, Instant};

use nbvend_cloud::ports::Ports;
use nbvend_cloud::{Config, Engine};
use nbvend_host::listen::{Crowd, Limits};
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::handover::{Drainers, Gate};
use super::notebooks::Sessions;
use super::{Listeners, Site, accept, metrics};
use crate::failure::Failure;
use crate::home::Home;
use crate::ports::functions::Functions;
use crate::ports::notebooks::{Notebooks, Shared};
use crate::ports::{SystemClock, SystemIds};

/// How long requests may take to finish before they are cut off at a hand-over. The engine serves meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);
/// A request that has been inside for longer is waited for with the gate open.
const LONG: Duration = Duration::from_millis(100);
/// How long the gate is shut at a time while requests inside finish, and at the last time.
const BRIEF: Duration = Duration::from_millis(150);
const LAST: Duration = Duration::from_secs(5);
/// How long slow work may take to come to the end of a step.
const STEP: Duration = Duration::from_secs(2);
/// How long what a runtime has begun on threads may take to end.
const THREADS: Duration = Duration::from_secs(5);

/// What is the same in all lives of an engine.
pub struct Plan {
    pub home: Home,
    pub config: Config,
    pub tls: TlsAcceptor,
    /// Whether anybody may reset, not the root key alone.
    pub allow_reset: bool,
    /// Whether this machine's programs may read the metrics unsigned.
    pub open_metrics: bool,
    pub lasting: Arc<Lasting>,
    /// What the hand-over it begins with came to, in words.
    pub began: Option<String>,
}

/// What connections and requests of all lives share.
pub struct Lasting {
    pub sessions: Arc<Sessions>,
    pub stop: Arc<Notify>,
    /// Set when the one who stops the engine wants the notebooks' servers ended too.
    pub stop_notebooks: Arc<AtomicBool>,
    pub answered: Arc<metrics::Answered>,
    pub drainers: Arc<Drainers>,
    pub crowd: Crowd,
    pub limits: Limits,
    /// Cloned by every connection that has no seat in the crowd.
    pub held: Arc<()>,
}

impl Default for Lasting {
    fn default() -> Self {
        let limits = Limits::of_this_process();
        Self {
            sessions: Arc::default(),
            stop: Arc::default(),
            stop_notebooks: Arc::default(),
            answered: Arc::default(),
            drainers: Arc::default(),
            crowd: Crowd::new(limits),
            limits,
            held: Arc::default(),
        }
    }
}

/// What can be made ready while another engine still runs on the folder.
pub struct Prepared {
    runtime: Own,
    pub notebooks: Arc<Notebooks>,
    functions: Functions,
}

/// A runtime that may be dropped where tasks run.
struct Own(Option<Runtime>);

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Prepared {
    pub fn make(plan: &Plan) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread().thread_name("engine").enable_all().build();
        let runtime = runtime.map_err(|error| Failure::new(format!("no threads can be started: {error}")))?;
        let notebooks = {
            let _inside = runtime.enter();
            Notebooks::open(&plan.home, &plan.config.endpoint)?
        };
        let apart = Arc::clone(&notebooks);
        let functions = Functions::open(&plan.home.path("functions"), move || apart.confines_functions())?;
        Ok(Self { runtime: Own(Some(runtime)), notebooks, functions })
    }
}

pub struct Life {
    pub site: Arc<Site>,
    pub listeners: Arc<Listeners>,
    runtime: Own,
    accepting: JoinSet<()>,
    watching: JoinSet<()>,
    /// Since when the gate has been shut, if it was.
    pub shut: Option<Instant>,
}

impl Life {
    /// Opens the store, finds the servers that run, goes on with what was begun. Nobody is served before
    /// [`Life::accept`].
    pub async fn begin(plan: &Plan, prepared: Prepared, listeners: Arc<Listeners>) -> Result<Self, Failure> {
        let Prepared { runtime, notebooks, functions } = prepared;
        let ports = Ports {
            clock: Box::new(SystemClock),
            ids: Box::new(SystemIds),
            notebooks: Box::new(Shared(Arc::clone(&notebooks))),
            functions: Box::new(functions.clone()),
        };
        let engine = Engine::open(plan.config.clone(), ports)?;
        let site = Arc::new(Site {
            engine: engine.clone(),
            notebooks: Arc::clone(&notebooks),
            functions,
            gate: Gate::default(),
            tls: plan.tls.clone(),
            url_suffix: plan.config.url_suffix.clone(),
            allow_reset: plan.allow_reset,
            open_metrics: plan.open_metrics,
            lasting: Arc::clone(&plan.lasting),
        });
        notebooks.attach(&site);
        plan.lasting.sessions.look_again();
        let mut watching = JoinSet::new();
        watching.spawn(Sessions::watch(Arc::clone(&site)));
        if let Some(own) = &runtime.0 {
            let begun = Arc::clone(&notebooks);
            let begun = own.spawn(async move {
                begun.adopt().await;
                begun.enter_all().await;
                engine.start();
                engine
            });
            let engine = begun.await.map_err(|error| Failure::new(format!("the engine broke: {error}")))?;
            watching.spawn_on(notebooks.watch(engine), own.handle());
        }
        Ok(Self { site, listeners, runtime, accepting: JoinSet::new(), watching, shut: None })
    }

    pub fn accept(&mut self) {
        for listener in self.listeners.all() {
            self.accepting.spawn(accept(listener, Arc::clone(&self.site)));
        }
    }

    /// Comes to a point where nothing is under way that needs the store. The engine serves until then; from then on
    /// connections wait in the kernel, and requests on those that are open at the gate. May be given up at any time,
    /// with [`Life::resume`].
    pub async fn settle(&mut self) {
        let begun = Instant::now();
        loop {
            let gate = &self.site.gate;
            while gate.older_than(LONG) > 0 && begun.elapsed() < PATIENCE {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            self.site.engine.rest(STEP).await;
            self.accepting.shutdown().await;
            self.site.notebooks.stop_accepting();
            self.site.gate.shut();
            self.shut = Some(Instant::now());
            let last = begun.elapsed() >= PATIENCE;
            let bound = if last { LAST } else { BRIEF };
            let emptied = tokio::time::timeout(bound, self.site.gate.emptied()).await.is_ok();
            if emptied || last {
                let left = self.site.gate.older_than(Duration::ZERO);
                if left > 0 {
                    tracing::warn!(left, "requests that take too long are cut off");
                }
                return;
            }
            self.resume().await;
        }
    }

    /// Serves again as before [`Life::settle`].
    pub async fn resume(&mut self) {
        self.site.engine.rest(Duration::ZERO).await;
        if let Some(runtime) = &self.runtime.0 {
            let _inside = runtime.enter();
            self.site.engine.start();
        }
        self.site.notebooks.stop_accepting();
        self.site.notebooks.enter_all().await;
        self.site.gate.open();
        self.accepting.shutdown().await;
        self.accept();
    }

    /// Lets go of all that only one process may have: the store, the servers, processes that fork them. Open connections
    /// stay.
    pub async fn close(&mut self) {
        self.accepting.shutdown().await;
        self.watching.shutdown().await;
        self.site.engine.stop().await;
        self.site.notebooks.stop_accepting();
        self.site.functions.stop().await;
        if let Some(runtime) = self.runtime.0.take() {
            let ended = tokio::task::spawn_blocking(move || runtime.shutdown_timeout(THREADS));
            let _ = ended.await;
        }
    }

    /// Stops the engine for good.
    pub async fn end(mut self) {
        self.accepting.shutdown().await;
        self.watching.shutdown().await;
        // Nothing begins to start while servers are ended.
        self.site.engine.rest(STEP).await;
        self.site.engine.stop().await;
        self.site.functions.stop().await;
        if self.site.lasting.stop_notebooks.load(atomic::Ordering::SeqCst) {
            self.site.notebooks.stop_all().await;
        }
        self.site.lasting.drainers.end();
    }
}
