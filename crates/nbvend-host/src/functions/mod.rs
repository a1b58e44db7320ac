//! Functions as native processes behind the Lambda Runtime API (version 2018-06-01).
//!
//! A function is a zip with code. Here it becomes a process on this machine that asks a small HTTP server of
//! ours for its next request and posts the answer back: the protocol every runtime client already speaks, so
//! the same `bootstrap` runs here and on AWS. [`Pool`] keeps such processes warm, gives each one request at a
//! time, and enforces time and memory.
//!
//! How one request runs is told in `run`; the pieces, in the order they are met:
//! `pool` (warm processes and their number), `code` (zips unpacked once), `python` (which interpreter),
//! `environment`, `memory` and `cgroup` (the limit), `rundir`, `spawn` (fork, exec and burial; for confined ones by way of
//! `sandbox::confined`), `failure`, `worker` (a process with its
//! listener), `api` and `exchange` (the runtime's side of the talk), `peer` and `sockdiag` (who may talk), `journal` (log lines).
//!
//! What differs from AWS, and why:
//! - Between requests a process is not frozen. A thread left behind goes on running; what it prints shows up
//!   in the next request's log, as on AWS.
//! - Where functions are not confined there is no file system of their own: `LAMBDA_TASK_ROOT` is a folder of this
//!   machine, `TMPDIR` a folder of its own, `/tmp` everybody's. Confined ones have `/var/task` and `/tmp` too (in
//!   memory, where the data folder lies below the machine's `/tmp`). The size of `TMPDIR` is not
//!   limited, only that of each file in it. The network is the machine's.
//! - A `python3.x` function runs on that Python if the machine has it, else on the nearest; the log's first line
//!   says which. Packages come from the zip alone.

mod api;
mod cgroup;
mod code;
mod environment;
mod exchange;
mod failure;
mod journal;
mod memory;
mod peer;
mod pool;
mod python;
mod run;
mod rundir;
mod sockdiag;
mod spawn;
mod worker;

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;

pub use code::{CodeError, UNPACKED_LIMIT, check as check_code};
pub use journal::LogLine;
pub use memory::MemoryControl;
pub use pool::{Limits, Pool};
pub use rundir::sweep;

/// What to run: one version of a function with one configuration.
#[derive(Debug, Clone)]
pub struct FunctionSpec {
    /// Names this code *and* configuration; processes are shared by equal keys only, so whatever changes in
    /// the other members must change the key.
    pub key: String,
    pub name: String,
    /// The deployment package. Never changes under its path.
    pub code_zip: PathBuf,
    /// The package's SHA-256; equal ids are unpacked once.
    pub code_id: String,
    pub runtime: Runtime,
    /// `module.function` for Python; handed on as `_HANDLER` to the others.
    pub handler: String,
    pub memory_mb: u32,
    pub timeout: Duration,
    /// The environment the function sees, complete; see [`Pool::invoke`] for the part made anew at each spawn.
    pub env: Vec<(String, String)>,
    /// Largest file the function may write, in MiB.
    pub ephemeral_mb: u32,
    /// Whether its processes are users of their own that see the system, the code and a folder of their own, and nothing
    /// else of the machine's files. Needs what [`Level::Full`](crate::sandbox::Level) needs.
    pub confined: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runtime {
    /// The zip brings an executable `bootstrap`.
    Provided,
    /// A Python of this version ("3.9"), driven by the bootstrap of this crate.
    Python(String),
}

/// One request to a function.
#[derive(Debug, Clone)]
pub struct Invocation {
    pub request_id: String,
    pub payload: Bytes,
    pub function_arn: String,
    pub trace_id: String,
    /// JSON, already decoded from the caller's base64.
    pub client_context: Option<String>,
}

/// How a request ended, with everything a caller or a log wants to know of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub result: Result<Bytes, FunctionError>,
    /// All lines of this request in order: the start of the process if it was a new one, `START`, what the
    /// function printed, `END`, `REPORT`.
    pub log: Vec<LogLine>,
    /// `2026/01/31/[$LATEST]<32 hex digits>`: one stream a process.
    pub log_stream: String,
    /// Time the process took to ask for its first request; absent when a warm one was used.
    pub init_ms: Option<f64>,
    /// From the request being offered to the answer.
    pub duration_ms: f64,
    /// Start and duration, rounded up to a whole millisecond.
    pub billed_ms: u64,
    /// The most the process has held so far.
    pub max_memory_mb: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionError {
    pub kind: ErrorKind,
    /// `{"errorMessage": …, "errorType": …, "stackTrace": […]}`, or whatever the function's runtime posted.
    pub payload: Bytes,
}

/// The word of the `X-Amz-Function-Error` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    Handled,
    Unhandled,
}

impl ErrorKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorKind::Handled => "Handled",
            ErrorKind::Unhandled => "Unhandled",
        }
    }
}
