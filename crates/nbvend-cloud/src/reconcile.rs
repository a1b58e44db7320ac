//! Reconcilers: slow work that is finished whatever is killed meanwhile.
//!
//! A reconciler takes no input. Woken by a signal or by its own timer it reads the store for what is unfinished,
//! does a step, commits the step with its own record, and looks again. Doing a step twice is harmless.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nbvend_wire::timestamp::Timestamp;
use tokio::sync::Notify;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::store::Signal;

/// When a reconciler wants to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// At once: there may be more to do.
    Again,
    /// At that time at the latest.
    At(Timestamp),
    /// When something wakes it.
    WhenWoken,
}

impl Next {
    /// The earlier of two wishes.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Again, _) | (_, Self::Again) => Self::Again,
            (Self::At(a), Self::At(b)) => Self::At(a.min(b)),
            (Self::At(a), Self::WhenWoken) | (Self::WhenWoken, Self::At(a)) => Self::At(a),
            (Self::WhenWoken, Self::WhenWoken) => Self::WhenWoken,
        }
    }
}

/// A pass over what is unfinished.
pub type Pass<'a> = Pin<Box<dyn Future<Output = Result<Next, EngineError>> + Send + 'a>>;

/// Slow work of one kind.
pub trait Reconciler: Send + Sync + 'static {
    /// The signal that wakes it; its name in logs.
    fn signal(&self) -> Signal;
    /// One pass.
    fn pass<'a>(&'a self, engine: &'a Engine) -> Pass<'a>;
}

/// The bells of all reconcilers.
#[derive(Clone, Default)]
pub struct Signals {
    bells: Arc<Mutex<HashMap<Signal, Arc<Notify>>>>,
    rung: Arc<AtomicU64>,
}

impl Signals {
    /// The bell of one signal; the same for everybody who asks.
    pub fn bell(&self, signal: Signal) -> Arc<Notify> {
        let mut bells = self.bells.lock().expect("nobody panics while ringing");
        Arc::clone(bells.entry(signal).or_default())
    }

    /// How often any bell was rung.
    pub fn rung(&self) -> u64 {
        self.rung.load(Ordering::Relaxed)
    }

    pub fn wake(&self, signals: &[Signal]) {
        self.rung.fetch_add(signals.len() as u64, Ordering::Relaxed);
        for signal in signals {
            // A bell rung while nobody waits is remembered, once.
            self.bell(*signal).notify_one();
        }
    }
}

/// Runs one reconciler until the engine stops. A failing pass is tried again, later each time, up to 5 s apart.
pub(crate) async fn run(engine: Engine, reconciler: Arc<dyn Reconciler>) {
    let bell = engine.signals().bell(reconciler.signal());
    let mut failures: u32 = 0;
    loop {
        let wait = match reconciler.pass(&engine).await {
            Ok(Next::Again) => {
                failures = 0;
                tokio::task::yield_now().await;
                continue;
            }
            Ok(Next::WhenWoken) => {
                failures = 0;
                Duration::from_secs(60)
            }
            Ok(Next::At(time)) => {
                failures = 0;
                Duration::from_millis(u64::try_from(time.0 - engine.now().0).unwrap_or(0).clamp(1, 60_000))
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                tracing::error!(reconciler = reconciler.signal().0, %error, failures, "a pass failed");
                Duration::from_millis((100 << failures.min(6)).min(5_000))
            }
        };
        tokio::select! {
            () = bell.notified() => {}
            () = tokio::time::sleep(wait) => {}
            () = engine.stopping() => return,
        }
    }
}
