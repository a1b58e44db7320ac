//! Readers: a pool of read-only connections, each giving one snapshot at a time. They never take the writer.

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard};

use rusqlite::Connection;

use super::{Blobs, StoreError, Tx, schema};

/// Kept open between reads; more are opened under load and closed again.
const KEPT: usize = 8;

pub(super) struct Readers {
    path: PathBuf,
    pool: Mutex<Pool>,
    returned: Condvar,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Connection>,
    reading: usize,
    closed: bool,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, pool: Mutex::default(), returned: Condvar::new() }
    }

    pub(super) fn with<T>(&self, blobs: &Blobs, work: impl FnOnce(&Tx<'_>) -> T) -> Result<T, StoreError> {
        let mut lent = self.lend()?;
        let connection = match lent.idle.take() {
            Some(connection) => connection,
            None => schema::open_reader(&self.path)?,
        };
        connection.execute_batch("BEGIN")?;
        let answer = work(&Tx::new(&connection, blobs, false));
        connection.execute_batch("COMMIT")?;
        lent.idle = Some(connection);
        Ok(answer)
    }

    fn lend(&self) -> Result<Lent<'_>, StoreError> {
        let mut pool = self.pool();
        if pool.closed {
            return Err(StoreError::Closed);
        }
        pool.reading += 1;
        Ok(Lent { idle: pool.idle.pop(), readers: self })
    }

    /// No reads begin from now on, and those under way have ended.
    pub(super) fn close(&self) {
        let mut pool = self.pool();
        pool.closed = true;
        pool.idle.clear();
        while pool.reading > 0 {
            pool = self.returned.wait(pool).expect(UNPOISONED);
        }
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().expect(UNPOISONED)
    }
}

const UNPOISONED: &str = "no reader panics while it holds the pool";

/// A read under way. What panics in it takes its connection along, not its place.
struct Lent<'a> {
    readers: &'a Readers,
    idle: Option<Connection>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut pool = self.readers.pool();
        match self.idle.take() {
            Some(connection) if !pool.closed && pool.idle.len() < KEPT => pool.idle.push(connection),
            // Closed before anybody is told.
            more => drop(more),
        }
        pool.reading -= 1;
        self.readers.returned.notify_all();
    }
}
