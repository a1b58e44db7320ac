//! The one writer: a thread that takes queued work, runs each piece in a savepoint, and commits them together.
//!
//! Group commit: what queues up while a commit is on its way to the disk shares the next one. Answers and
//! wake-ups follow the commit, so nobody is told of a change that a crash could still undo.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::latency::Watch;
use super::{Blobs, StoreError, Tx};
use crate::reconcile::Signals;

/// So many pieces of work share one commit at the most: a bound on what one answer waits for.
const GROUP: usize = 64;
/// Frames in the write-ahead log before it is folded back into the database.
const CHECKPOINT_EVERY: u64 = 512;

type Answer = Box<dyn FnOnce(bool) + Send>;
type Work = Box<dyn FnOnce(&Tx<'_>) -> Answer + Send>;

#[derive(Clone)]
pub(super) struct Writer {
    queue: Sender<Message>,
    commits: Arc<AtomicU64>,
    pub(super) watch: Watch,
    /// After the commit of that number the writer is dead: nobody is answered, nothing more is written.
    #[cfg(test)]
    pub(super) dies_at: Arc<AtomicU64>,
    /// The same just before the commit of that number, which is lost.
    #[cfg(test)]
    pub(super) dies_before: Arc<AtomicU64>,
}

enum Message {
    Work(Work),
    Close(Sender<()>),
}

impl Writer {
    pub(super) fn start(connection: Connection, signals: Signals, blobs: Blobs) -> Self {
        let (queue, inbox) = channel();
        let commits = Arc::new(AtomicU64::new(0));
        let watch = Watch::default();
        let watched = watch.clone();
        let dies_at = Arc::new(AtomicU64::new(u64::MAX));
        let dies_before = Arc::new(AtomicU64::new(u64::MAX));
        let (counted, mortal, early) = (Arc::clone(&commits), Arc::clone(&dies_at), Arc::clone(&dies_before));
        std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || run(connection, &inbox, &signals, &blobs, &counted, &watched, &mortal, &early))
            .expect("a thread can be started");
        Self {
            queue,
            commits,
            watch,
            #[cfg(test)]
            dies_at,
            #[cfg(test)]
            dies_before,
        }
    }

    pub(super) async fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let boxed: Work = Box::new(move |tx| {
            let outcome = tx
                .savepoint(|| catch_unwind(AssertUnwindSafe(|| work(tx))).map_err(|_| StoreError::Panicked));
            let outcome = outcome.and_then(|inner| inner);
            Box::new(move |committed| {
                // A caller that went away needs no answer.
                let _ = sender.send(if committed { outcome } else { Err(StoreError::Closed) });
            })
        });
        self.queue.send(Message::Work(boxed)).map_err(|_| StoreError::Closed)?;
        receiver.await.map_err(|_| StoreError::Closed)?
    }

    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Acquire)
    }

    pub(super) fn close(&self) {
        let (done, wait) = channel();
        if self.queue.send(Message::Close(done)).is_ok() {
            let _ = wait.recv();
        }
        tracing::debug!(commits = self.commits.load(Ordering::Relaxed), "store closed");
    }
}

#[allow(clippy::too_many_arguments)]
fn run(
    connection: Connection,
    inbox: &Receiver<Message>,
    signals: &Signals,
    blobs: &Blobs,
    commits: &AtomicU64,
    watch: &Watch,
    dies_at: &AtomicU64,
    dies_before: &AtomicU64,
) {
    let mut since_checkpoint = 0;
    while let Ok(first) = inbox.recv() {
        let mut next = Some(first);
        let mut answers: Vec<Answer> = Vec::new();
        let mut closing = None;
        let tx = Tx::new(&connection, blobs, true);
        if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
            tracing::error!(%error, "no transaction could be begun");
            // Who wants to write hears that nothing was written; who wants to close is not kept.
            if let Some(Message::Close(done)) = next {
                return closed(connection, &done);
            }
            continue;
        }
        while let Some(message) = next.take() {
            match message {
                Message::Work(work) => answers.push(work(&tx)),
                Message::Close(done) => closing = Some(done),
            }
            if answers.len() < GROUP && closing.is_none() {
                next = inbox.try_recv().ok();
            }
        }
        let last = commits.load(Ordering::Relaxed) + 1 >= dies_before.load(Ordering::Relaxed);
        if last {
            let _ = connection.execute_batch("ROLLBACK");
            return;
        }
        let wakes = tx.take_wakes();
        let begun = std::time::Instant::now();
        let committed = match connection.execute_batch("COMMIT") {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "a commit failed");
                let _ = connection.execute_batch("ROLLBACK");
                false
            }
        };
        watch.took(begun.elapsed());
        let count = commits.fetch_add(1, Ordering::Release) + 1;
        failpoint(count);
        if count >= dies_at.load(Ordering::Relaxed) {
            return;
        }
        // Slow work first: whoever hears the answer finds it awake already.
        if committed {
            signals.wake(&wakes);
        }
        for answer in answers {
            answer(committed);
        }
        since_checkpoint += 1;
        if since_checkpoint >= CHECKPOINT_EVERY || closing.is_some() {
            since_checkpoint = 0;
            if let Err(error) = connection.execute_batch("PRAGMA wal_checkpoint(PASSIVE)") {
                tracing::warn!(%error, "checkpoint");
            }
        }
        if let Some(done) = closing {
            return closed(connection, &done);
        }
    }
}

/// Closing folds the log back and removes its file: whoever waits finds the folder at rest.
fn closed(connection: Connection, done: &Sender<()>) {
    drop(connection);
    let _ = done.send(());
}

/// Kills the process after the commit whose number `NBVEND_KILL_AT_COMMIT` gives, before anybody hears of it:
/// how the tests die at every commit point. Unset in ordinary life.
fn failpoint(commit: u64) {
    static AT: std::sync::OnceLock<Option<u64>> = std::sync::OnceLock::new();
    let at = AT.get_or_init(|| std::env::var("NBVEND_KILL_AT_COMMIT").ok()?.parse().ok());
    if *at == Some(commit) {
        std::process::abort();
    }
}
