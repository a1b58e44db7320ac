//! JupyterLab servers: one pinned environment, one server process a notebook, each on a unix socket of its own.
//!
//! `install` makes the environment once, from a lock file with hashes. `Supervisor` starts, stops, watches and adopts
//! servers. How a server's process comes to be is `launch`'s business alone: today a plain exec, later a fork of a
//! preloaded process inside a sandbox, behind the same calls.
mod error;
mod install;
mod launch;
mod pip;
mod probe;
mod process;
mod python;
mod record;
mod server;
mod settings;
mod watch;

pub use error::{ExitReason, InstallError, StartError, StopError};
pub use install::{Environment, Step, prepare, prepared, usable_python};
pub use probe::Activity;
pub use server::{Limits, Supervisor};
pub use settings::{IDENTITY_HEADER, MAX_RUN_DIR, ServerSpec, identity};
pub use watch::{Exit, Running};
