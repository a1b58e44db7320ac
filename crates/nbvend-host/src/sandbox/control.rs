//! What the engine and a sandbox's first process say to each other.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::spec::{End, Spec};

/// The first message, over the socket that the first process finds as its standard input. With it comes the volume's
/// mount, if there is to be one.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) spec: Spec,
    /// Files of control groups to join before a command runs.
    pub(super) doors: Vec<PathBuf>,
    /// The user on the host whose requests count.
    pub(super) engine: u32,
}

/// The answer to it. With `Ready` comes a pidfd of the first process.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Outcome {
    Ready(Standing),
    Failed { step: String, reason: String },
}

/// What the first process has become, read back from the kernel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Standing {
    /// As it sees itself: 1 in a process namespace of its own.
    pub(super) pid: i32,
    pub(super) uids: Vec<u32>,
    pub(super) gids: Vec<u32>,
    pub(super) groups: Vec<u32>,
    /// Inherited, permitted, effective, bounding and ambient capabilities, together.
    pub(super) capabilities: u64,
    pub(super) no_new_privileges: bool,
    /// 2 is a filter.
    pub(super) seccomp: u32,
    /// Names of namespaces as the kernel writes them ("net:[4026532…]").
    pub(super) namespaces: Vec<String>,
    /// Entries of `/`.
    pub(super) root: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// Answered by `Here`.
    Ping,
    /// Answered by `Given`, with the listeners in the order of the specification.
    Listeners,
    /// Answered by `Given`, with the namespaces in the order of `namespaces::names`.
    Namespaces,
    /// Answered by `Started` with a pidfd, later by `Ended`; descriptors as `Start::fds` says.
    Start(Start),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Start {
    pub(super) argv: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    pub(super) cwd: PathBuf,
    /// The number in the command of each descriptor sent along.
    pub(super) fds: Vec<i32>,
    pub(super) timeout_ms: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    Here { id: String },
    Given,
    Started,
    Ended(End),
    Refused { reason: String },
}
