//! The zygotes, one for each environment: warmed before they are needed, replaced when they end or when packages of
//! their environment change.
//!
//! ```text
//!   warm ──► loading ──► ready ──► (ends) ──► pause, doubled with each early end ──► loading
//!                          └──► (packages change) ──► a new one is loaded; this one lives while its servers do
//! ```
//!
//! Who asks for a zygote waits a little for one that is loading and otherwise gets none: the caller then starts the
//! server without it.
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::Environment;
use super::zygote::Zygote;

/// On a machine where loading takes long, a start without the zygote would take as long.
const WORTH_WAITING: Duration = Duration::from_secs(10);
/// One that ended within this time of being ready has something wrong.
const EARLY: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Nursery {
    /// For the zygotes' logs.
    folder: PathBuf,
    keepers: Mutex<HashMap<PathBuf, Keeper>>,
}

/// Keeps one environment's zygote alive.
#[derive(Debug)]
struct Keeper {
    stamp: Option<SystemTime>,
    ours: PathBuf,
    state: watch::Receiver<State>,
    task: JoinHandle<()>,
}

#[derive(Debug, Clone)]
enum State {
    Loading,
    Ready(Arc<Zygote>),
    /// Why there is none just now.
    Pausing(String),
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Nursery {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), keepers: Mutex::default() }
    }

    /// Begins to load the environment's zygote, if it is not there yet. Must be called in a runtime.
    pub(super) fn warm(&self, environment: &Environment) {
        let _ = self.keep(environment);
    }

    /// The environment's zygote, waited for only as long as a start without it would take; in words why there is none.
    pub(super) async fn zygote(&self, environment: &Environment) -> Result<Arc<Zygote>, String> {
        let ready = tokio::time::timeout(WORTH_WAITING, self.ready(environment)).await;
        ready.unwrap_or_else(|_| Err("the zygote is still loading".to_owned()))
    }

    /// The environment's zygote, once it is loaded or has failed to.
    pub(super) async fn ready(&self, environment: &Environment) -> Result<Arc<Zygote>, String> {
        let mut state = self.keep(environment);
        loop {
            match &*state.borrow_and_update() {
                State::Ready(zygote) if !zygote.is_gone() => return Ok(zygote.clone()),
                State::Ready(_) | State::Loading => {}
                State::Pausing(why) => return Err(why.clone()),
            }
            state.changed().await.map_err(|_| "the zygote's keeper has ended".to_owned())?;
        }
    }

    fn keep(&self, environment: &Environment) -> watch::Receiver<State> {
        let (stamp, ours) = (environment.stamp(), environment.ours());
        let mut keepers = self.keepers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keeper) = keepers.get(environment.root())
            && keeper.stamp == stamp
            && keeper.ours == ours
        {
            return keeper.state.clone();
        }
        let (send, state) = watch::channel(State::Loading);
        let name = environment.root().file_name().unwrap_or_default().to_string_lossy();
        let log = self.folder.join(format!("zygote-{name}.log"));
        let task = tokio::spawn(tend(environment.clone(), log, send));
        let keeper = Keeper { stamp, ours, state: state.clone(), task };
        if keepers.insert(environment.root().to_owned(), keeper).is_some() {
            tracing::info!(
                environment = name.as_ref(),
                "the environment has changed; its zygote is replaced"
            );
        }
        state
    }
}

async fn tend(environment: Environment, log: PathBuf, state: watch::Sender<State>) {
    let mut pause = FIRST_PAUSE;
    loop {
        state.send_replace(State::Loading);
        let begun = Instant::now();
        let why = match Zygote::start(&environment, &log).await {
            Ok(zygote) => {
                tracing::info!(pid = zygote.pid, after = ?begun.elapsed(), "the zygote is ready");
                let ready = Instant::now();
                state.send_replace(State::Ready(zygote.clone()));
                zygote.gone().await;
                if ready.elapsed() >= EARLY {
                    pause = FIRST_PAUSE;
                }
                "the zygote has ended".to_owned()
            }
            Err(error) => error,
        };
        tracing::warn!(why, ?pause, "servers start without a zygote for now");
        state.send_replace(State::Pausing(why));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
