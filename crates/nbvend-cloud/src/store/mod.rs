//! The store: one SQLite file with one writer and many readers.
//!
//! Everything an accepted call changes, its trail record and its outgoing events are in one commit. Writers are
//! queued to one thread ([`writer`]) that commits them in groups; readers ([`reader`]) never wait for it. Records
//! ([`table`]) are JSON, so that `sqlite3` shows a person what is there. Bodies of objects and packages are
//! content-addressed files ([`blobs`]) beside the database.

mod blobs;
mod copy;
mod latency;
mod reader;
mod schema;
mod table;
#[cfg(test)]
mod tests;
mod tx;
mod writer;

use std::path::Path;
use std::sync::Arc;

pub use blobs::{BlobWriter, Blobs};
pub use copy::{copy, schema_known};
pub use latency::Latency;
pub use table::{GLOBAL, Record, Version};
pub use tx::{Signal, Tx};

use crate::reconcile::Signals;

/// What can go wrong below an operation: the disk, the database, a record of another version.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("database: {0}")]
    Database(#[from] rusqlite::Error),
    #[error("record {kind} {key}: {error}")]
    Record { kind: &'static str, key: String, error: String },
    #[error("{path}: {error}")]
    File { path: String, error: std::io::Error },
    #[error(
        "the data folder {0} is in use by another engine; stop it with `nbvend down`, or choose another --data"
    )]
    InUse(String),
    #[error(
        "the data folder was written by a newer nbvend (schema {found}, this one knows {known}); install that version or choose another --data"
    )]
    Newer { found: i64, known: i64 },
    #[error("the engine is shutting down")]
    Closed,
    #[error("a write was tried in a read-only transaction: {0}")]
    ReadOnly(&'static str),
    #[error("an operation panicked")]
    Panicked,
}

/// An open store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    writer: writer::Writer,
    readers: Arc<reader::Readers>,
    blobs: Blobs,
    /// Held as long as the store is open: one engine a data folder.
    lock: Arc<std::fs::File>,
}

impl Store {
    /// Opens (or makes) the store in `folder`, migrating the schema. Fails if another engine holds it.
    pub fn open(folder: &Path, signals: Signals) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder).map_err(|e| file_error(folder, e))?;
        let lock = lock(folder)?;
        let path = folder.join("nbvend.db");
        let connection = schema::open_writer(&path)?;
        let readers = Arc::new(reader::Readers::new(path));
        let blobs = Blobs::open(&folder.join("blobs"))?;
        let writer = writer::Writer::start(connection, signals, blobs.clone());
        Ok(Self { writer, readers, blobs, lock: Arc::new(lock) })
    }

    /// Runs `work` in the writer's next transaction; answers after its commit.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.submit(work).await
    }

    /// Runs `work` on a snapshot of what is committed.
    pub fn read<T>(&self, work: impl FnOnce(&Tx<'_>) -> T) -> Result<T, StoreError> {
        self.readers.with(&self.blobs, work)
    }

    /// The content-addressed files.
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// How long commits took since the store was opened.
    pub fn latency(&self) -> Latency {
        self.writer.watch.read()
    }

    /// Dies after `commits` more commits, as a killed engine does: what was committed stays, nobody hears of it.
    #[cfg(test)]
    pub fn die_after(&self, commits: u64) {
        let at = self.writer.commits() + commits;
        self.writer.dies_at.store(at, std::sync::atomic::Ordering::Relaxed);
    }

    /// Dies just before the commit after `commits` more: that one is lost.
    #[cfg(test)]
    pub fn die_before(&self, commits: u64) {
        let at = self.writer.commits() + commits;
        self.writer.dies_before.store(at, std::sync::atomic::Ordering::Relaxed);
    }

    /// Commits since it was opened: what was read while this figure stood still is still so. It rises before anybody
    /// hears of the commit.
    pub fn commits(&self) -> u64 {
        self.writer.commits()
    }

    /// Commits what is queued, ends the writer and lets go of the folder: another may open it, though clones of this one
    /// live on. They answer that the engine is shutting down.
    pub fn close(&self) {
        // Readers first: the connection that closes last has to be one that may put the log away.
        self.readers.close();
        self.writer.close();
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(%error, "the data folder's lock stays until this process ends");
        }
    }
}

/// Whether this program knows the schema of the store in `folder`; asked beside an engine that runs on it.
pub fn check(folder: &Path) -> Result<(), StoreError> {
    schema::check(&schema::open_reader(&folder.join("nbvend.db"))?).map(drop)
}

/// Takes a folder for oneself alone, as an engine does, for as long as the answer lives.
pub fn lock(folder: &Path) -> Result<std::fs::File, StoreError> {
    let path = folder.join("lock");
    let file = std::fs::File::create(&path).map_err(|e| file_error(&path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse(folder.display().to_string())),
        Err(std::fs::TryLockError::Error(error)) => Err(file_error(&path, error)),
    }
}

fn file_error(path: &Path, error: std::io::Error) -> StoreError {
    StoreError::File { path: path.display().to_string(), error }
}
