//! Starts, stops, watches and adopts servers.
//!
//! ```text
//!   start:  record ──► process ──► answers 200 ──► running ──► (stop) TERM, KILL, sweep ──► record removed
//!             │            │             └ engine killed here or later: the next one adopts it
//!             │            └─ dies or is late: swept, record removed, StartError
//!             └ engine killed here: the record leads the next one to what there is of it, which is swept
//!   running ──► ends by itself ──► swept, record removed, told by `exited`
//! ```
//!
//! All calls for one id take their turn. A server outlives the engine: nothing here ends with the supervisor.
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::launch::{self, Launched};
use super::nursery::Nursery;
use super::place::{self, Place, View};
use super::process::{self, Process};
use super::record::Record;
use super::script::{self, Ran, Script, ScriptEnd};
use super::watch::{Exit, Running, Server};
use super::{Activity, Environment, ExitReason, ServerSpec, StartError, StopError, forker, probe, settings};
use crate::sandbox::{self, Sandbox};

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the start of the process to its first answer.
    pub start: Duration,
    /// From SIGTERM to SIGKILL. A server has no state of its own to save; it is given the time to finish writing a file.
    pub stop: Duration,
    /// For one question to a server.
    pub probe: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(90),
            stop: Duration::from_millis(150),
            probe: Duration::from_secs(10),
        }
    }
}

/// What a server's log may grow to.
const LOG: u64 = 8 << 20;
const SWEEP: Duration = Duration::from_secs(10);

/// What came of a start.
#[derive(Debug)]
pub struct Attempt {
    /// The scripts that ran, the last of which may be why there is no server.
    pub ran: Vec<Ran>,
    pub result: Result<Running, StartError>,
}

/// The servers of one state folder. One supervisor at a time may use a folder.
#[derive(Debug)]
pub struct Supervisor {
    inner: Arc<Inner>,
    exits: tokio::sync::Mutex<UnboundedReceiver<Exit>>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) folder: PathBuf,
    limits: Limits,
    running: Mutex<HashMap<String, Arc<Server>>>,
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    exits: UnboundedSender<Exit>,
    pub(super) nursery: Nursery,
    made: OnceLock<Made>,
}

/// Hears of every sandbox as soon as it is there, before anything runs in it.
struct Made(Box<Tell>);
type Tell = dyn Fn(&str, &Sandbox) + Send + Sync;

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Made")
    }
}

impl Supervisor {
    /// `state_dir` holds a small file for each running server.
    pub fn new(state_dir: &Path) -> Self {
        Self::with_limits(state_dir, Limits::default())
    }

    pub fn with_limits(state_dir: &Path, limits: Limits) -> Self {
        let (send, receive) = unbounded_channel();
        let inner = Inner {
            folder: state_dir.to_owned(),
            limits,
            running: Mutex::default(),
            turns: Mutex::default(),
            exits: send,
            nursery: Nursery::new(state_dir),
            made: OnceLock::new(),
        };
        Self { inner: Arc::new(inner), exits: tokio::sync::Mutex::new(receive) }
    }

    /// Tells of every sandbox by its server's id as soon as it is made, before scripts and server run in it: whoever serves
    /// its listeners begins then. To be called once.
    pub fn on_sandbox(&self, tell: impl Fn(&str, &Sandbox) + Send + Sync + 'static) {
        let _ = self.inner.made.set(Made(Box::new(tell)));
    }

    /// Loads JupyterLab of this environment in the background, so that the first start need not wait for it. Must be
    /// called in a runtime.
    pub fn warm(&self, environment: &Environment) {
        self.inner.nursery.warm(environment);
    }

    /// Returns when servers of this environment can start fast; in words why they cannot.
    pub async fn warmed(&self, environment: &Environment) -> Result<(), String> {
        self.inner.nursery.ready(environment).await.map(|_| ())
    }

    /// Returns when the server answers. The generation that runs already is returned as it is, one that an earlier
    /// engine left is adopted, an older one is stopped first. On an error nothing is left running.
    pub async fn start(&self, spec: ServerSpec) -> Result<Running, StartError> {
        self.start_after(spec, Vec::new()).await.result
    }

    /// Like [`Supervisor::start`], but runs scripts in the server's place first, one after the other; none of them if the
    /// server runs already. One that is required and fails ends the start.
    pub async fn start_after(&self, spec: ServerSpec, scripts: Vec<Script>) -> Attempt {
        // In a task of its own, so that a caller who goes away leaves no half-started server behind.
        let inner = self.inner.clone();
        let task = tokio::spawn(async move {
            let mut ran = Vec::new();
            let result = inner.start(spec, &scripts, &mut ran).await;
            Attempt { ran, result }
        });
        task.await.unwrap_or_else(|error| Attempt {
            ran: Vec::new(),
            result: Err(StartError::Abandoned(error.to_string())),
        })
    }

    /// The sandbox of a running server that has one.
    pub fn sandbox(&self, id: &str) -> Option<Sandbox> {
        self.inner.get(id)?.place.sandbox().cloned()
    }

    /// Ends the server and all of its processes. Succeeds when there is none.
    pub async fn stop(&self, id: &str) -> Result<(), StopError> {
        let (inner, id) = (self.inner.clone(), id.to_owned());
        let task = tokio::spawn(async move {
            let turn = inner.turn(&id);
            let _turn = turn.lock().await;
            inner.stop(&id).await
        });
        task.await.unwrap_or_else(|error| {
            Err(StopError::Io { path: self.inner.folder.clone(), source: error.into() })
        })
    }

    /// Takes over the servers an earlier engine left running and returns them; whether they answer is not asked. What is
    /// left of those that ended or were being started is cleared up, and processes that no record leads to are killed.
    pub async fn adopt(&self) -> Vec<Running> {
        let mut tasks = JoinSet::new();
        for id in Record::ids(&self.inner.folder) {
            let inner = self.inner.clone();
            tasks.spawn(async move {
                let turn = inner.turn(&id);
                let _turn = turn.lock().await;
                match inner.get(&id) {
                    Some(server) => Some(server.running.clone()),
                    None => inner.adopt(&id).await,
                }
            });
        }
        let adopted = tasks.join_all().await.into_iter().flatten().collect();
        self.inner.sweep_strays().await;
        adopted
    }

    /// Where the server listens, while it runs.
    pub fn socket(&self, id: &str) -> Option<PathBuf> {
        self.inner.get(id).map(|server| server.running.socket.clone())
    }

    pub fn running(&self) -> Vec<Running> {
        self.inner.books().values().map(|server| server.running.clone()).collect()
    }

    /// The ids of servers that run, and of those that are being started or stopped at this moment.
    pub fn known(&self) -> Vec<String> {
        let mut ids: BTreeSet<String> = self.inner.books().keys().cloned().collect();
        ids.extend(self.inner.turns().keys().cloned());
        ids.into_iter().collect()
    }

    /// Waits for the next server that ends although nobody stopped it. For one caller at a time.
    pub async fn exited(&self) -> Exit {
        let exit = self.exits.lock().await.recv().await;
        // The sender lives in `inner`, which lives as long as we do.
        exit.expect("the sender is in this supervisor")
    }

    /// Removes the logs of one that does not run any more and will not again.
    pub fn forget(&self, id: &str) {
        if settings::id_is_good(id) && self.inner.get(id).is_none() {
            launch::remove_logs(&self.inner.folder.join(format!("{id}.log")));
        }
    }

    /// Whether a running server has such a folder at the top of its files. `name` needs no escapes.
    pub async fn has_folder(&self, id: &str, name: &str) -> bool {
        let Some(socket) = self.socket(id) else { return false };
        probe::has_folder(&socket, name, self.inner.limits.probe).await
    }

    /// What the server does; none when it does not run or does not answer in time.
    pub async fn status(&self, id: &str) -> Option<Activity> {
        let running = self.inner.get(id)?.running.clone();
        probe::activity(&running.socket, self.inner.limits.probe).await
    }
}

impl Inner {
    fn books(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Server>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<Server>> {
        self.books().get(id).cloned()
    }

    pub(super) fn turn(&self, id: &str) -> Arc<tokio::sync::Mutex<()>> {
        self.turns().entry(id.to_owned()).or_default().clone()
    }

    /// Those that somebody has or waits for.
    fn turns(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<tokio::sync::Mutex<()>>>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        turns
    }

    async fn start(
        self: Arc<Self>,
        spec: ServerSpec,
        scripts: &[Script],
        ran: &mut Vec<Ran>,
    ) -> Result<Running, StartError> {
        if !settings::id_is_good(&spec.id) {
            return Err(StartError::BadId { id: spec.id });
        }
        if !settings::run_dir_fits(&spec.run_dir) {
            return Err(StartError::RunDirTooLong { dir: spec.run_dir });
        }
        let turn = self.turn(&spec.id);
        let _turn = turn.lock().await;
        if self.get(&spec.id).is_none() {
            self.adopt(&spec.id).await;
        }
        if let Some(server) = self.get(&spec.id)
            && server.process.exit().is_none()
        {
            let running = &server.running;
            if running.generation == spec.generation {
                return Ok(running.clone());
            }
            if running.generation > spec.generation {
                return Err(StartError::Superseded { running: running.generation });
            }
        }
        // An older generation, or what is left of one.
        self.stop(&spec.id).await?;
        self.begin(&spec, scripts, ran).await
    }

    async fn begin(
        self: &Arc<Self>,
        spec: &ServerSpec,
        scripts: &[Script],
        ran: &mut Vec<Ran>,
    ) -> Result<Running, StartError> {
        std::fs::create_dir_all(&self.folder).map_err(StartError::io(&self.folder))?;
        let log = self.folder.join(format!("{}.log", spec.id));
        launch::make_ready(spec, &log)?;
        let mut record = Record {
            id: spec.id.clone(),
            generation: spec.generation,
            leader: None,
            forker: None,
            ready: false,
            marker: process::mark(&self.folder).map_err(StartError::Abandoned)?,
            boot: process::boot_id(),
            socket: spec.socket(),
            log,
            home: spec.home.clone(),
            view: View::of(spec),
            control: place::control(&spec.run_dir),
            sandbox: None,
            environment: spec.environment.clone(),
        };
        record.write(&self.folder).map_err(StartError::io(&self.folder))?;
        match self.bring_up(spec, &mut record, scripts, ran).await {
            Ok((place, Launched { server, forker })) => {
                Ok(self.enter(Server::new(record, server, place, false), forker))
            }
            Err(error) => {
                self.clear_up(&record).await?;
                Err(error)
            }
        }
    }

    /// On an error the record leads to all that is left.
    async fn bring_up(
        &self,
        spec: &ServerSpec,
        record: &mut Record,
        scripts: &[Script],
        ran: &mut Vec<Ran>,
    ) -> Result<(Place, Launched), StartError> {
        let noted = |record: &Record| record.write(&self.folder).map_err(StartError::io(&self.folder));
        let place = Place::make(spec).await?;
        record.sandbox = place.sandbox().map(Sandbox::record);
        noted(record)?;
        if let (Some(sandbox), Some(Made(tell))) = (place.sandbox(), self.made.get()) {
            tell(&spec.id, sandbox);
        }
        for script in scripts {
            let done = script::run(spec, &place, &record.marker, script).await;
            ran.push(done.clone());
            if script.required && done.end != ScriptEnd::Done {
                return Err(StartError::Script(done));
            }
        }
        let listener = launch::bind(&record.socket)?;
        let launched = launch::launch(&self.nursery, spec, &place, record, listener).await?;
        record.leader = Some(launched.server.identity);
        record.forker = launched.forker.as_ref().map(|forker| forker.identity);
        noted(record)?;
        self.until_ready(record, &launched.server).await?;
        record.ready = true;
        noted(record)?;
        Ok((place, launched))
    }

    /// The socket listens already: a question waits in it until the server is up, so that one is enough.
    async fn until_ready(&self, record: &Record, process: &Process) -> Result<(), StartError> {
        let deadline = Instant::now() + self.limits.start;
        loop {
            if let Some(reason) = process.exit() {
                return Err(StartError::Died { reason, log: launch::log_tail(&record.log) });
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(StartError::Timeout {
                    after: self.limits.start,
                    log: launch::log_tail(&record.log),
                });
            }
            tokio::select! {
                answers = probe::answers(&record.socket, left) => if answers { return Ok(()) },
                _ = process.ended() => continue,
            }
            // It has refused or answered badly; it may be about to end.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Enters a server in the books and watches it.
    fn enter(self: &Arc<Self>, server: Server, forker: Option<Process>) -> Running {
        let running = server.running.clone();
        let server = Arc::new(server);
        self.books().insert(running.id.clone(), server.clone());
        forker::tend(self, server.clone(), forker);
        let inner = Arc::downgrade(self);
        tokio::spawn(async move {
            let reason = tokio::select! {
                reason = server.process.ended() => reason,
                never = launch::keep_short(&server.running.log, LOG) => match never {},
            };
            let Some(inner) = inner.upgrade() else { return };
            let id = &server.running.id;
            let turn = inner.turn(id);
            let _turn = turn.lock().await;
            // A stop or a newer start that had its turn before us has taken it out of the books.
            if !inner.get(id).is_some_and(|current| Arc::ptr_eq(&current, &server)) {
                return;
            }
            inner.books().remove(id);
            let log_tail = launch::log_tail(&server.running.log);
            let reason = match (reason, server.place.out_of_memory()) {
                (ExitReason::Signal(9) | ExitReason::Unknown, Some(limit)) => {
                    ExitReason::OutOfMemory { limit }
                }
                (reason, _) => reason,
            };
            if let Err(error) = inner.clear_up(&server.record).await {
                tracing::warn!(%error, "a server that ended has left processes behind");
            }
            let generation = server.running.generation;
            let _ = inner.exits.send(Exit { id: id.clone(), generation, reason, log_tail });
        });
        running
    }

    /// Looks for the process of a record and takes it over if it lives; clears up after one that is dead or was being
    /// started. The caller has the id's turn.
    async fn adopt(self: &Arc<Self>, id: &str) -> Option<Running> {
        let record = Record::read(&self.folder, id)?;
        let process = record.leader.filter(|_| record.ready).and_then(Process::adopt);
        let place = match &process {
            Some(_) => Place::adopt(record.view.clone(), record.sandbox.as_ref()).await,
            None => None,
        };
        let (Some(process), Some(place)) = (process, place) else {
            if let Err(error) = self.clear_up(&record).await {
                tracing::warn!(%error, "a server that ended has left processes behind");
            }
            return None;
        };
        let forker = record.forker.and_then(Process::adopt);
        Some(self.enter(Server::new(record, process, place, true), forker))
    }

    /// Kills what carries a mark of this folder that no record has: whatever an engine was killed between.
    async fn sweep_strays(&self) {
        // In this order: a start that is under way writes its record first.
        let marks = process::marks(&self.folder);
        let ids = Record::ids(&self.folder);
        let known: Vec<String> =
            ids.iter().filter_map(|id| Some(Record::read(&self.folder, id)?.marker)).collect();
        for marker in marks {
            if !known.contains(&marker) {
                let left = process::sweep(&marker, None, SWEEP).await;
                tracing::warn!(marker, ?left, "processes of a server that nothing is known of were ended");
            }
        }
    }

    /// Ends what runs or is left of a server. The caller has the id's turn.
    async fn stop(&self, id: &str) -> Result<(), StopError> {
        let server = self.books().remove(id);
        let (record, process) = match &server {
            Some(server) => (Some(server.record.clone()), Some(server.process.clone())),
            None => {
                let record = Record::read(&self.folder, id);
                let process = record.as_ref().and_then(|record| Process::adopt(record.leader?));
                (record, process)
            }
        };
        let Some(record) = record else {
            // A record of an earlier boot stands for nothing that runs.
            return Record::remove(&self.folder, id)
                .map_err(|source| StopError::Io { path: self.folder.clone(), source });
        };
        if let Some(process) = process {
            // Jupyter ends its kernels and terminals itself when asked; what it leaves is swept up below.
            process.terminate();
            let _ = tokio::time::timeout(self.limits.stop, process.ended()).await;
        }
        self.clear_up(&record).await
    }

    /// Kills what is left of a server, and forgets it once nothing is.
    async fn clear_up(&self, record: &Record) -> Result<(), StopError> {
        let failed = |source| StopError::Sandbox { id: record.id.clone(), source };
        if record.view.run == Path::new(sandbox::RUN) {
            sandbox::end(record.sandbox.as_ref(), &record.control).await.map_err(failed)?;
        }
        // In a sandbox all is over; without one, or where a fork has not yet come that far, marks are looked for.
        if record.sandbox.is_none() {
            let pids = process::sweep(&record.marker, record.leader, SWEEP).await;
            if !pids.is_empty() {
                return Err(StopError::Survived { id: record.id.clone(), pids });
            }
        }
        let _ = std::fs::remove_file(&record.socket);
        Record::remove(&self.folder, &record.id)
            .map_err(|source| StopError::Io { path: self.folder.clone(), source })
    }
}
