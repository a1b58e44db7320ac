//! A transaction: what operations read and write through, and what must happen after its commit.

use std::cell::{Cell, RefCell};

use rusqlite::Connection;

use super::{Blobs, StoreError};

/// Names a reconciler to be woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signal(pub &'static str);

/// One transaction of the writer, or one snapshot of a reader.
pub struct Tx<'c> {
    pub(super) connection: &'c Connection,
    blobs: &'c Blobs,
    writable: bool,
    depth: Cell<u32>,
    wakes: RefCell<Vec<Signal>>,
}

impl<'c> Tx<'c> {
    pub(super) fn new(connection: &'c Connection, blobs: &'c Blobs, writable: bool) -> Self {
        Self { connection, blobs, writable, depth: Cell::new(0), wakes: RefCell::new(Vec::new()) }
    }

    /// Whether this is the writer's transaction.
    pub fn writable(&self) -> bool {
        self.writable
    }

    /// The content-addressed files.
    pub fn blobs(&self) -> &Blobs {
        self.blobs
    }

    /// Asks for a reconciler to be woken once this is committed. Asking twice is asking once.
    pub fn wake(&self, signal: Signal) {
        self.wakes.borrow_mut().push(signal);
    }

    pub(super) fn take_wakes(&self) -> Vec<Signal> {
        self.wakes.take()
    }

    /// Runs `work` so that its writes and wake-ups are undone if it fails.
    pub fn savepoint<T, E>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<Result<T, E>, StoreError> {
        if !self.writable {
            return Ok(work());
        }
        let depth = self.depth.get();
        let woken = self.wakes.borrow().len();
        self.run(&format!("SAVEPOINT s{depth}"))?;
        self.depth.set(depth + 1);
        let outcome = work();
        self.depth.set(depth);
        if outcome.is_err() {
            self.run(&format!("ROLLBACK TO s{depth}"))?;
            self.wakes.borrow_mut().truncate(woken);
        }
        self.run(&format!("RELEASE s{depth}"))?;
        Ok(outcome)
    }

    pub(crate) fn must_write(&self, what: &'static str) -> Result<(), StoreError> {
        if self.writable { Ok(()) } else { Err(StoreError::ReadOnly(what)) }
    }

    /// For the engine's own tables (trail, outbox), which are no records.
    pub(crate) fn connection(&self) -> &Connection {
        self.connection
    }

    fn run(&self, sql: &str) -> Result<(), StoreError> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}
