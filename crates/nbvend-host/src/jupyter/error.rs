//! What can go wrong, said so that a person knows what to do next.
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why the environment could not be made. Each message is one sentence on what is wrong and one on what to do.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    #[error(
        "JupyterLab needs CPython 3.11 to 3.14 and none was found ({tried}). Install one of them, with its venv module, and run this again."
    )]
    NoPython { tried: String },
    #[error("Python {version} at {} cannot make virtual environments: its venv or ensurepip module is missing. Install it (on Debian and Ubuntu: apt install python3-venv) and run this again.", python.display())]
    NoVenv { python: PathBuf, version: String },
    #[error(
        "The packages of JupyterLab could not be downloaded ({detail}). Check the network, or pip's proxy and index settings, and run this again."
    )]
    NoNetwork { detail: String },
    #[error(
        "The downloaded file of {package} is not the one that was pinned: its hash differs. Check which package index pip is set to use, and clear its cache with `pip cache purge`."
    )]
    HashMismatch { package: String },
    #[error(
        "The package index offers no file of {requirement} for this Python and machine. Use CPython 3.11 to 3.14 on Linux with glibc 2.28 or later (x86_64 or aarch64), and check which index pip is set to use."
    )]
    NotOffered { requirement: String },
    #[error("Not enough room for JupyterLab in {}: {have_mib} MiB are free and {need_mib} are needed. Free some space and run this again.", dir.display())]
    NoSpace { dir: PathBuf, need_mib: u64, have_mib: u64 },
    #[error("Cannot use {}: {source}. Check that the folder can be written.", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{what} failed: {tail}")]
    Failed { what: &'static str, tail: String },
}

impl InstallError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

/// Why a server did not come up. Nothing of it is left running when this is returned.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{id:?} is not a usable server id: 1 to 63 of a-z, 0-9 and '-' are")]
    BadId { id: String },
    #[error("The run folder {} is too long for unix sockets: {} characters at most", dir.display(), super::MAX_RUN_DIR)]
    RunDirTooLong { dir: PathBuf },
    #[error("A newer generation ({running}) of this server is running already")]
    Superseded { running: u64 },
    #[error("Cannot use {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("Cannot run {}: {source}", program.display())]
    Spawn { program: PathBuf, source: io::Error },
    #[error("JupyterLab ended while starting ({reason}): {}", last_line(log))]
    Died { reason: ExitReason, log: String },
    #[error("JupyterLab did not answer within {} s: {}", after.as_secs(), last_line(log))]
    Timeout { after: Duration, log: String },
    #[error(transparent)]
    Sandbox(#[from] crate::sandbox::SandboxError),
    #[error("{} failed: {}{}", .0.name, .0.end, .0.lines.last().map(|line| format!(": {line}")).unwrap_or_default())]
    Script(super::Ran),
    #[error("An earlier process of this server cannot be ended: {0}")]
    Stop(#[from] StopError),
    #[error("The start was abandoned: {0}")]
    Abandoned(String),
}

impl StartError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    /// The last lines the server wrote, where it came that far.
    pub fn log(&self) -> Option<&str> {
        match self {
            Self::Died { log, .. } | Self::Timeout { log, .. } => Some(log),
            _ => None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StopError {
    #[error("processes {pids:?} of {id} live on after SIGKILL (blocked in the kernel, or of another user)")]
    Survived { id: String, pids: Vec<i32> },
    #[error("cannot use {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("the sandbox of {id} does not end: {source}")]
    Sandbox { id: String, source: io::Error },
}

/// How a server's process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExitReason {
    #[error("exit code {0}")]
    Code(i32),
    #[error("killed by signal {0}{hint}", hint = if *.0 == 9 { ", perhaps for want of memory" } else { "" })]
    Signal(i32),
    #[error("killed because the notebook had reached its memory limit of {} MiB", .limit >> 20)]
    OutOfMemory { limit: u64 },
    /// An adopted server is not our child, so that the kernel does not tell us how it ended.
    #[error("ended, exit status unknown")]
    Unknown,
}

/// The line of a log that most likely says what is wrong: the last one that is not blank.
fn last_line(log: &str) -> &str {
    log.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("its log is empty")
}
