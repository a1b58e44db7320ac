//! JupyterLab servers: one pinned environment, one server process a notebook, each on a unix socket of its own.
//!
//! `install` makes the environment once, from a lock file with hashes. `Supervisor` starts, stops, watches and adopts
//! servers. How a server's process comes to be is `launch`'s business: a fork of a zygote, a process that has loaded
//! JupyterLab (`zygote`, kept by the `nursery`), or, where there is none, running Python; both in a sandbox, if one is
//! wanted (`place`). What runs on the Python side lies in `python/`.
mod error;
mod forker;
mod install;
mod launch;
mod nursery;
mod packets;
mod pip;
mod place;
mod probe;
mod process;
mod python;
mod record;
mod script;
mod server;
mod settings;
mod watch;
mod zygote;

pub use error::{ExitReason, InstallError, StartError, StopError};
pub use install::{Environment, Step, prepare, prepared, usable_python};
pub use place::Isolation;
pub use probe::{Activity, Kernel, Terminal};
pub use record::work_folder;
pub use script::{Ran, Script, ScriptEnd};
pub use server::{Attempt, Limits, Supervisor};
pub use settings::{IDENTITY_HEADER, MAX_RUN_DIR, ServerSpec, identity};
pub use watch::{Exit, Running};
