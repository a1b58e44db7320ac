//! What a sandbox is to be, and what is told about it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::volume::Volume;

/// The user name inside, as on SageMaker.
pub const USER: &str = "ec2-user";
/// The home folder inside: memory, gone with the sandbox.
pub const HOME: &str = "/home/ec2-user";
/// The work folder inside: the only thing that is kept.
pub const WORK: &str = "/home/ec2-user/SageMaker";
/// The run folder inside.
pub const RUN: &str = "/run/nb";

/// How much a sandbox keeps apart. The order is that of strength.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing but processes of the engine's own user.
    Process,
    /// A view of its own by an unprivileged user namespace; to the host all notebooks are one user.
    Userns,
    /// A view of its own, a user of its own, limits.
    Full,
}

impl Level {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Userns => "userns",
            Self::Process => "process",
        }
    }

    /// Has namespaces.
    #[must_use]
    pub fn contained(self) -> bool {
        self != Self::Process
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What one notebook may use.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Cores; 0.5 is half a core.
    pub cpu: f64,
    /// Bytes, what it writes to its home, `/tmp` and `/dev/shm` included.
    pub memory: u64,
    /// Processes and threads.
    pub pids: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Spec {
    /// Letters, digits and `-`; names control groups.
    pub id: String,
    pub level: Level,
    /// In `full` the notebook's own user and group on the host; in `userns` the number it sees inside.
    pub uid: u32,
    /// The folder on the host that is [`WORK`] inside; made and given to `uid` if need be.
    pub work: PathBuf,
    /// The folder on the host that is [`RUN`] inside.
    pub run_dir: PathBuf,
    /// The virtual environment: read-only, at the same path inside.
    pub environment: PathBuf,
    /// The interpreter's prefix: read-only, at the same path inside.
    pub interpreter_prefix: PathBuf,
    pub limits: Limits,
    /// Made inside the network namespace, on `lo`.
    pub listeners: Vec<SocketAddr>,
    /// Absolute path inside and content. Below [`HOME`] and `/tmp` the notebook could replace them.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// Path on the host of the first process's control socket; at most 107 bytes.
    pub control: PathBuf,
    /// A file system of its own for the work folder, `full` only.
    pub volume: Option<Volume>,
}

/// A command to run inside.
#[derive(Debug, Default)]
pub struct Command {
    /// The program (found by `PATH` of `env` if it has no slash) and its arguments.
    pub argv: Vec<String>,
    /// The whole environment.
    pub env: Vec<(String, String)>,
    /// Path inside; the work folder if absent.
    pub cwd: Option<PathBuf>,
    /// `/dev/null` where absent.
    pub stdin: Option<OwnedFd>,
    pub stdout: Option<OwnedFd>,
    pub stderr: Option<OwnedFd>,
    /// Further descriptors and their numbers in the command.
    pub fds: Vec<(OwnedFd, i32)>,
    /// After it the command's process group is killed.
    pub timeout: Option<Duration>,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub timed_out: bool,
}

impl End {
    #[must_use]
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }
}

/// What a process from outside must do to become part of the sandbox; the namespaces' descriptors come beside it, in
/// the order named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Files to write `0` to, first.
    pub cgroups: Vec<PathBuf>,
    pub namespaces: Vec<String>,
    pub uid: u32,
    pub gid: u32,
    /// Null where setgroups is barred.
    pub groups: Option<Vec<u32>>,
    /// base64 of an array of `struct sock_filter`; empty for none.
    pub seccomp: String,
    pub drop_bounding: bool,
    pub level: Level,
    /// Soft and hard, by the name without `RLIMIT_`; never to be raised, so the lesser of these and what is.
    pub rlimits: BTreeMap<String, [u64; 2]>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Bytes now; none where no control group counts.
    pub memory: Option<u64>,
    pub memory_peak: Option<u64>,
    pub cpu_seconds: Option<f64>,
    pub pids: Option<u64>,
    /// Processes that the kernel killed because the notebook was out of memory.
    pub oom_kills: u64,
    /// Forks refused because there were too many.
    pub forks_refused: u64,
}
