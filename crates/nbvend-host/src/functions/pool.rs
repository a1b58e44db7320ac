//! The warm processes: who gets one, how many there may be, when they go.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::code::{CodeCache, CodeError, UNPACKED_LIMIT, Unpacked};
use super::memory::{Memory, MemoryControl};
use super::python::{self, Interpreters};
use super::run;
use super::rundir::RunDir;
use super::spawn::{Spawner, Undertaker};
use super::worker::Worker;
use super::{FunctionSpec, Invocation, LogLine, Outcome};

/// The bounds of a pool.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Processes at a time, busy and idle together. A request that finds all busy waits.
    pub processes: usize,
    /// How long a process is kept without work.
    pub idle: Duration,
    /// How long a process may take to ask for its first request. One that takes longer is killed and gets, as on
    /// AWS, a second start that counts towards the function's own timeout.
    pub init: Duration,
    /// Largest unpacked package in bytes.
    pub unpacked: u64,
    /// Whether control groups may be used; without them memory is limited as [`MemoryControl::DataSegment`] says.
    pub cgroups: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            processes: 64,
            idle: Duration::from_secs(5 * 60),
            init: Duration::from_secs(10),
            unpacked: UNPACKED_LIMIT,
            cgroups: true,
        }
    }
}

/// Runs functions. Dropping it kills all processes; [`Pool::shutdown`] also waits for their end.
pub struct Pool(Arc<Inner>);

impl Pool {
    /// A pool that keeps unpacked code and scratch folders in a folder of its own below `dir`. Clears away what
    /// a pool left there that did not end well.
    ///
    /// # Errors
    /// If the folder cannot be made or no thread can be started.
    pub fn new(dir: &Path) -> io::Result<Self> {
        Self::with_limits(dir, Limits::default())
    }

    /// As [`Pool::new`].
    ///
    /// # Errors
    /// As [`Pool::new`].
    pub fn with_limits(dir: &Path, limits: Limits) -> io::Result<Self> {
        let run = Arc::new(RunDir::create(dir)?);
        python::install(&run.runtime())?;
        let shop = Shop {
            memory: Memory::detect(&run, limits.cgroups)?,
            codes: CodeCache::new(run.code(), limits.unpacked),
            keys: Mutex::default(),
            pythons: Interpreters::default(),
            serial: AtomicU64::new(0),
            spawner: Spawner::start()?,
            undertaker: Undertaker::start(Arc::clone(&run))?,
            run,
        };
        let roster = Arc::new(Roster {
            max: limits.processes.max(1),
            live: Mutex::default(),
            next: AtomicU64::new(0),
            changed: Notify::new(),
        });
        Ok(Self(Arc::new(Inner { shop, limits, roster, idle: Mutex::default(), reaper: Once::new() })))
    }

    /// Sends one request to a process of the function, a warm one if there is, and waits for its end.
    ///
    /// `env` is called when a process is started and gives the part of its environment that must be fresh, such as
    /// credentials; it wins over `spec.env`. `listener` hears each log line as it comes. Dropping the future kills
    /// the process that serves it.
    pub async fn invoke(
        &self,
        spec: &FunctionSpec,
        env: impl Fn() -> Vec<(String, String)> + Send + Sync,
        inv: Invocation,
        listener: impl Fn(&LogLine) + Send + Sync,
    ) -> Outcome {
        run::invoke(&self.0, spec, &env, inv, &listener).await
    }

    /// Ends the function's idle processes, lets busy ones finish their request and end, and forgets its code.
    pub async fn drop_function(&self, key: &str) {
        lock(&self.0.shop.keys).remove(key);
        self.0.roster.retire(key);
        let gone = lock(&self.0.idle).extract(|worker| worker.slot.live.key == key);
        drop(gone);
        self.0.shop.undertaker.flush().await;
    }

    /// The same for all functions.
    pub async fn drop_all(&self) {
        let keys: Vec<_> = lock(&self.0.shop.keys).keys().cloned().collect();
        for key in keys {
            self.drop_function(&key).await;
        }
    }

    /// Kills everything and waits until it is gone. Requests under way and later ones end with an error.
    pub async fn shutdown(&self) {
        let gone = {
            let mut idle = lock(&self.0.idle);
            idle.closed = true;
            idle.extract(|_| true)
        };
        drop(gone);
        self.0.roster.stop();
        self.0.roster.emptied().await;
        lock(&self.0.shop.keys).clear();
        self.0.shop.undertaker.flush().await;
        self.0.shop.run.remove();
    }

    /// How the memory of functions is limited here.
    #[must_use]
    pub fn memory_control(&self) -> MemoryControl {
        self.0.shop.memory.control()
    }

    /// Processes alive: busy, idle.
    #[must_use]
    pub fn processes(&self) -> (usize, usize) {
        let idle = lock(&self.0.idle).workers.len();
        (lock(&self.0.roster.live).len().saturating_sub(idle), idle)
    }
}

/// What is needed to make a process.
pub(super) struct Shop {
    pub(super) run: Arc<RunDir>,
    pub(super) memory: Memory,
    pub(super) pythons: Interpreters,
    /// Numbers the processes.
    pub(super) serial: AtomicU64,
    pub(super) spawner: Spawner,
    pub(super) undertaker: Undertaker,
    codes: CodeCache,
    /// Keeps a function's code unpacked between its processes.
    keys: Mutex<HashMap<String, Arc<Unpacked>>>,
}

impl Shop {
    pub(super) async fn code(&self, spec: &FunctionSpec) -> Result<Arc<Unpacked>, CodeError> {
        if let Some(code) = lock(&self.keys).get(&spec.key) {
            return Ok(Arc::clone(code));
        }
        let code = self.codes.get(&spec.code_id, &spec.code_zip).await?;
        lock(&self.keys).insert(spec.key.clone(), Arc::clone(&code));
        Ok(code)
    }
}

pub(super) struct Inner {
    pub(super) shop: Shop,
    pub(super) limits: Limits,
    roster: Arc<Roster>,
    idle: Mutex<Idle>,
    reaper: Once,
}

/// What a request is given to run in.
pub(super) enum Claim {
    Warm(Box<Worker>),
    Room(Slot),
}

/// The pool is going down.
pub(super) struct Closed;

impl Inner {
    /// A warm process of the function, or room for a new one; at the limit the process idle for longest makes room.
    pub(super) async fn claim(self: &Arc<Self>, key: &str) -> Result<Claim, Closed> {
        self.reaper.call_once(|| drop(tokio::spawn(reap(Arc::downgrade(self), self.limits.idle))));
        loop {
            let mut changed = std::pin::pin!(self.roster.changed.notified());
            changed.as_mut().enable();
            // Workers are dropped outside of the lock: their slot tells the roster.
            let evicted = {
                let mut idle = lock(&self.idle);
                if idle.closed {
                    return Err(Closed);
                }
                match idle.newest(key) {
                    Some(worker) if !worker.has_ended() => return Ok(Claim::Warm(Box::new(worker))),
                    Some(ended) => Some(ended),
                    None => match self.roster.enter(key) {
                        Some(slot) => return Ok(Claim::Room(slot)),
                        None => idle.oldest(),
                    },
                }
            };
            if evicted.is_none() {
                changed.await;
            }
        }
    }

    /// Takes a worker back that waits for its next request.
    pub(super) fn release(&self, mut worker: Worker) {
        worker.idle_since = Instant::now();
        let refused = {
            let mut idle = lock(&self.idle);
            if idle.closed || worker.slot.live.retired.load(Ordering::Acquire) {
                Some(worker)
            } else {
                idle.workers.push(worker);
                None
            }
        };
        drop(refused);
        self.roster.changed.notify_waiters();
    }
}

/// The workers without work, in the order they came back.
#[derive(Default)]
struct Idle {
    workers: Vec<Worker>,
    closed: bool,
}

impl Idle {
    /// The warmest one: the others then stay idle and are let go.
    fn newest(&mut self, key: &str) -> Option<Worker> {
        let at = self.workers.iter().rposition(|worker| worker.slot.live.key == key)?;
        Some(self.workers.remove(at))
    }

    fn oldest(&mut self) -> Option<Worker> {
        (!self.workers.is_empty()).then(|| self.workers.remove(0))
    }

    fn extract(&mut self, unwanted: impl Fn(&Worker) -> bool) -> Vec<Worker> {
        self.workers.extract_if(.., |worker| unwanted(worker)).collect()
    }
}

/// Lets processes go that are idle too long or have ended. Ends with the pool.
async fn reap(pool: Weak<Inner>, limit: Duration) {
    let pause = (limit / 4).clamp(Duration::from_millis(10), Duration::from_secs(15));
    loop {
        tokio::time::sleep(pause).await;
        let Some(pool) = pool.upgrade() else { return };
        let now = Instant::now();
        let gone = lock(&pool.idle).extract(|worker| now - worker.idle_since >= limit || worker.has_ended());
        drop(gone);
    }
}

/// All processes alive, each with its place.
pub(super) struct Roster {
    max: usize,
    live: Mutex<HashMap<u64, Arc<Live>>>,
    next: AtomicU64,
    /// A place became free or a process idle.
    changed: Notify,
}

pub(super) struct Live {
    key: String,
    /// It is not to be used again after its request.
    retired: AtomicBool,
    /// It is to be killed now.
    pub(super) stop: Notify,
}

/// A place in the roster, free again when dropped.
pub(super) struct Slot {
    id: u64,
    pub(super) live: Arc<Live>,
    roster: Arc<Roster>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        lock(&self.roster.live).remove(&self.id);
        self.roster.changed.notify_waiters();
    }
}

impl Roster {
    fn enter(self: &Arc<Self>, key: &str) -> Option<Slot> {
        let mut all = lock(&self.live);
        if all.len() >= self.max {
            return None;
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let live =
            Arc::new(Live { key: key.to_string(), retired: AtomicBool::new(false), stop: Notify::new() });
        all.insert(id, Arc::clone(&live));
        Some(Slot { id, live, roster: Arc::clone(self) })
    }

    fn retire(&self, key: &str) {
        for live in lock(&self.live).values().filter(|live| live.key == key) {
            live.retired.store(true, Ordering::Release);
        }
    }

    fn stop(&self) {
        for live in lock(&self.live).values() {
            live.stop.notify_one();
        }
        // Whoever waits for a place must look again.
        self.changed.notify_waiters();
    }

    async fn emptied(&self) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if lock(&self.live).is_empty() {
                return;
            }
            changed.await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
