//! What the supervisor knows of a running server, and the news of those that ended by themselves.
use std::path::PathBuf;

use super::ExitReason;
use super::place::Place;
use super::process::Process;
use super::record::Record;

/// A server that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    pub id: String,
    pub generation: u64,
    /// Of the server's own process.
    pub pid: i32,
    /// Where it listens.
    pub socket: PathBuf,
    pub home: PathBuf,
    pub log: PathBuf,
    /// Started by an earlier engine.
    pub adopted: bool,
}

/// A server that ended although nobody stopped it. Its left-over processes are gone when this is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    pub id: String,
    pub generation: u64,
    pub reason: ExitReason,
    /// The last lines it wrote.
    pub log_tail: String,
}

/// A server in the supervisor's books.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) running: Running,
    pub(super) process: Process,
    pub(super) record: Record,
    pub(super) place: Place,
}

impl Server {
    pub(super) fn new(record: Record, process: Process, place: Place, adopted: bool) -> Self {
        let running = Running {
            id: record.id.clone(),
            generation: record.generation,
            pid: process.identity.pid,
            socket: record.socket.clone(),
            home: record.home.clone(),
            log: record.log.clone(),
            adopted,
        };
        Self { running, process, record, place }
    }
}
