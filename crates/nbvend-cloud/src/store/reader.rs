//! Readers: a pool of read-only connections, each giving one snapshot at a time. They never take the writer.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};

use rusqlite::Connection;

use super::{Blobs, StoreError, Tx, schema};

/// Kept open between reads; more are opened under load and closed again.
const KEPT: usize = 8;

pub(super) struct Readers {
    path: PathBuf,
    /// None once the store is closed.
    idle: Mutex<Option<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::new(Some(Vec::new())) }
    }

    pub(super) fn with<T>(&self, blobs: &Blobs, work: impl FnOnce(&Tx<'_>) -> T) -> Result<T, StoreError> {
        let kept = self.idle().as_mut().ok_or(StoreError::Closed)?.pop();
        let connection = match kept {
            Some(connection) => connection,
            None => schema::open_reader(&self.path)?,
        };
        connection.execute_batch("BEGIN")?;
        let answer = work(&Tx::new(&connection, blobs, false));
        connection.execute_batch("COMMIT")?;
        if let Some(idle) = self.idle().as_mut()
            && idle.len() < KEPT
        {
            idle.push(connection);
        }
        Ok(answer)
    }

    /// No reads begin from now on.
    pub(super) fn close(&self) {
        *self.idle() = None;
    }

    fn idle(&self) -> MutexGuard<'_, Option<Vec<Connection>>> {
        self.idle.lock().expect("no reader panics while it holds the pool")
    }
}
