//! An engine: the store, the ports and the reconcilers, held together. Cheap to clone.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nbvend_wire::timestamp::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::Config;
use crate::context::Cx;
use crate::error::EngineError;
use crate::identity::Caller;
use crate::ports::{FunctionHost, Ids, NotebookHost, Ports};
use crate::reconcile::{self, Next, Reconciler, Signals};
use crate::services;
use crate::store::{Store, StoreError, Tx};
use crate::trail;

/// A running engine.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    config: Config,
    ports: Ports,
    store: Store,
    signals: Signals,
    stop: watch::Sender<bool>,
    caches: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    reconcilers: Vec<Arc<dyn Reconciler>>,
    /// The reconcilers that run.
    running: Mutex<JoinSet<()>>,
}

impl Engine {
    /// Opens the store of `config.data`. Nothing runs before [`Engine::start`].
    pub fn open(config: Config, ports: Ports) -> Result<Self, StoreError> {
        let signals = Signals::default();
        let store = Store::open(&config.data, signals.clone())?;
        let mut reconcilers = services::reconcilers();
        reconcilers.push(Arc::new(trail::Flush));
        Ok(Self(Arc::new(Inner {
            config,
            ports,
            store,
            signals,
            stop: watch::Sender::new(false),
            caches: Mutex::default(),
            reconcilers,
            running: Mutex::default(),
        })))
    }

    /// Starts the reconcilers: whatever an earlier engine left unfinished goes on.
    pub fn start(&self) {
        self.0.stop.send_replace(false);
        let mut running = self.running();
        for reconciler in &self.0.reconcilers {
            running.spawn(reconcile::run(self.clone(), Arc::clone(reconciler)));
        }
    }

    /// Ends the reconcilers: each finishes the pass it is in, unless that takes longer than `patience`; then it is cut off,
    /// as by a kill. Calls are served as before. [`Engine::start`] starts them again.
    pub async fn rest(&self, patience: Duration) {
        self.0.stop.send_replace(true);
        let mut running = std::mem::take(&mut *self.running());
        let ended = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, ended).await.is_err() {
            tracing::info!(left = running.len(), "slow work is cut off, to be begun anew");
            running.shutdown().await;
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, JoinSet<()>> {
        self.0.running.lock().expect("nobody panics while holding the reconcilers")
    }

    /// Ends the reconcilers and closes the store after what is queued was committed.
    pub async fn stop(&self) {
        self.0.stop.send_replace(true);
        if let Err(error) = trail::flush(self).await {
            tracing::warn!(%error, "the last read calls are missing from the trail");
        }
        self.0.store.close();
    }

    /// Completes when the engine is told to stop.
    pub async fn stopping(&self) {
        let mut stop = self.0.stop.subscribe();
        // An error means the sender is gone, and the engine with it.
        let _ = stop.wait_for(|stopping| *stopping).await;
    }

    pub fn config(&self) -> &Config {
        &self.0.config
    }

    pub fn now(&self) -> Timestamp {
        self.0.ports.clock.now()
    }

    pub fn ids(&self) -> &dyn Ids {
        self.0.ports.ids.as_ref()
    }

    pub fn notebooks(&self) -> &dyn NotebookHost {
        self.0.ports.notebooks.as_ref()
    }

    pub fn functions(&self) -> &dyn FunctionHost {
        self.0.ports.functions.as_ref()
    }

    pub fn store(&self) -> &Store {
        &self.0.store
    }

    pub fn signals(&self) -> &Signals {
        &self.0.signals
    }

    /// The engine-wide value of type `T`, made at first use: compiled rules, signing keys. Lost at a restart.
    pub fn cache<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut caches = self.0.caches.lock().expect("nobody panics while holding the caches");
        let entry = caches.entry(TypeId::of::<T>()).or_insert_with(|| Arc::<T>::default());
        Arc::clone(entry).downcast().expect("stored under its own type")
    }

    /// Drops every cached value: they are made anew from what the store holds.
    pub(crate) fn forget_caches(&self) {
        self.0.caches.lock().expect("nobody panics while holding the caches").clear();
    }

    /// A reconciler's transaction: `work` gets a context that acts as `caller`, and all it does is one commit or,
    /// if it fails, nothing.
    pub async fn transact<T: Send + 'static>(
        &self,
        caller: Caller,
        work: impl FnOnce(&mut Cx<'_>) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let engine = self.clone();
        let outcome =
            self.0.store.write(move |tx: &Tx<'_>| tx.savepoint(|| work(&mut Cx::new(&engine, tx, caller))));
        outcome.await??
    }

    /// A read on a snapshot, as `caller`.
    pub fn view<T>(
        &self,
        caller: Caller,
        work: impl FnOnce(&mut Cx<'_>) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        self.0.store.read(|tx| work(&mut Cx::new(self, tx, caller)))?
    }

    /// Runs every reconciler until none has anything to do now: for tests, instead of [`Engine::start`].
    pub async fn settle(&self) -> Result<(), EngineError> {
        loop {
            let rung = self.0.signals.rung();
            let mut again = false;
            for reconciler in &self.0.reconcilers {
                again |= match reconciler.pass(self).await? {
                    Next::Again => true,
                    Next::At(time) => time <= self.now(),
                    Next::WhenWoken => false,
                };
            }
            if !again && rung == self.0.signals.rung() {
                return Ok(());
            }
        }
    }
}
