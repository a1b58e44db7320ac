//! Readers: a pool of read-only connections, each giving one snapshot at a time. They never take the writer.

use std::path::PathBuf;
use std::sync::Mutex;

use rusqlite::Connection;

use super::{Blobs, StoreError, Tx, schema};

/// Kept open between reads; more are opened under load and closed again.
const KEPT: usize = 8;

pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::new(Vec::new()) }
    }

    pub(super) fn with<T>(&self, blobs: &Blobs, work: impl FnOnce(&Tx<'_>) -> T) -> Result<T, StoreError> {
        let kept = self.idle.lock().expect("no reader panics while it holds the pool").pop();
        let connection = match kept {
            Some(connection) => connection,
            None => schema::open_reader(&self.path)?,
        };
        connection.execute_batch("BEGIN")?;
        let answer = work(&Tx::new(&connection, blobs, false));
        connection.execute_batch("COMMIT")?;
        let mut idle = self.idle.lock().expect("no reader panics while it holds the pool");
        if idle.len() < KEPT {
            idle.push(connection);
        }
        Ok(answer)
    }
}
