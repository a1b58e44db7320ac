//! Sandboxes: where notebooks live, and the view that functions have.
//!
//! The engine's own program, run again as the sandbox's first process ([`init_main`]), makes the sandbox from inside:
//! namespaces, a root of its own, a network of its own with the engine's listeners in it; then it gives up its rights.
//! A notebook's server comes in afterwards, forked by a preloaded process outside that follows [`Entry`], or executed by
//! the first process ([`Sandbox::spawn`]). Whoever comes in has the sandbox's user, control groups and system call
//! filter. The first process outlives the engine; the next one takes the sandbox over by its [`Record`].
//!
//! | level | keeps apart | does not |
//! |---|---|---|
//! | `full` | files, processes, network, IPC, users; limits of memory, CPU, processes, and disk where asked | disk and network throughput |
//! | `userns` | the same view from inside | users on the host: an escape reaches all notebooks; limits are per process |
//! | `process` | nothing; listeners and files of the specification are not made | |
//!
//! Pieces: `probe`, `create` (the engine's side), `init` (the first process: `namespaces`, `mounts` with `etc`, `ids`,
//! `rights` with `seccomp`, `children`), `control` and `packet` (how the two talk), `handle`, `record`, `cgroup`,
//! `rlimits`, `volume`, and `kin` for the level that has nothing better. Unsafe calls are in `sys`, but for
//! one each in `children`, `init` and `handle`. `confined` is for functions: one process with a view and a user of its own,
//! ended with the engine.

pub(crate) mod cgroup;
mod children;
pub(crate) mod confined;
mod control;
mod create;
mod error;
mod etc;
mod handle;
mod ids;
mod init;
mod kin;
mod mounts;
mod namespaces;
mod packet;
mod probe;
mod record;
mod rights;
mod rlimits;
mod seccomp;
mod spec;
mod sys;
mod volume;

pub use error::SandboxError;
pub use handle::{Sandbox, Spawned, basic_environment, end};
pub use init::init_main;
pub use probe::{Offer, attempt, probe};
pub use record::Record;
pub use spec::{Command, End, Entry, HOME, Level, Limits, RUN, Spec, USER, Usage, WORK};
pub use volume::{Shown, Volume, holes};

/// The first argument by which a program that is to be able to make sandboxes is asked for [`init_main`].
pub const WORD: &str = "__sandbox";
