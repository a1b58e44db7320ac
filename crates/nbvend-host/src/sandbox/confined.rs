//! A single process that is somebody else and sees little: how a function runs in the level `full`.
//!
//! No sandbox that is kept and entered, but a way into an `exec`: the engine's own program, run again, takes a view of its
//! own, gives up its rights and becomes the function. It stays the child that the engine forked, in the control group and
//! the session it was put in, and dies with the engine. Processes, network and host name are the host's.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Gid, Resource, Rlimit, Signal, Uid, getppid, setrlimit};
use serde::{Deserialize, Serialize};

use super::mounts::{self, View};
use super::{WORD, ids, init, packet, rights, sys};

/// The second argument that asks for this.
pub(super) const KIND: &str = "confined";

/// Processes and threads, as on AWS; counted for the user, who is the function's alone.
const PROCESSES: u64 = 1024;

/// A few milliseconds on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long another process may hold a new program open.
const BUSY: Duration = Duration::from_secs(2);

/// What to become.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Confined {
    /// A number that nobody else on the machine has.
    pub(crate) uid: u32,
    /// Bytes; what it writes to `/dev/shm` counts.
    pub(crate) memory: u64,
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<PathBuf>,
    pub(crate) env: BTreeMap<String, String>,
    /// The code, read-only, where it begins.
    pub(crate) code: PathBuf,
    /// What else it sees, read-only, at the same paths as on the host.
    pub(crate) shown: Vec<PathBuf>,
    /// The only folder it may write to; given to `uid`.
    pub(crate) scratch: PathBuf,
}

/// The message; the environment is part of it, because the one of a process that is still root may not be a stranger's.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    confined: Confined,
    engine: i32,
}

/// Sent if it failed; silence is success.
#[derive(Debug, Serialize, Deserialize)]
struct Failed {
    step: String,
    reason: String,
    /// Of the last step, `exec`.
    errno: Option<i32>,
}

/// The engine's end of the talk.
pub(crate) struct Birth(OwnedFd);

impl Birth {
    /// What is to be spawned, and then [`Birth::tell`]. Its output has to be set.
    pub(crate) fn command() -> io::Result<(Command, Self)> {
        let (socket, theirs) = packet::pair()?;
        // This very program, whatever has become of its file meanwhile.
        let mut command = Command::new("/proc/self/exe");
        command.args([WORD, KIND]).env_clear().stdin(theirs).current_dir("/");
        Ok((command, Self(socket)))
    }

    /// Says what to become and waits until it has. The command must have been dropped.
    ///
    /// # Errors
    /// The system's error where the program cannot be executed; of any other step, its name and reason.
    pub(crate) fn tell(self, confined: Confined) -> io::Result<()> {
        packet::patience(&self.0, PATIENCE)?;
        let order = Order { confined, engine: rustix::process::getpid().as_raw_nonzero().get() };
        packet::send(self.0.as_fd(), &order, &[])?;
        match packet::receive::<Failed>(self.0.as_fd()) {
            Ok((Failed { errno: Some(errno), .. }, _)) => Err(io::Error::from_raw_os_error(errno)),
            Ok((Failed { step, reason, .. }, _)) => Err(io::Error::other(format!("{step}: {reason}"))),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Executes a program that was written a moment ago. Whoever was forked meanwhile, by another thread, holds it open for
/// writing until he executes something else, and the kernel executes no such file.
pub(crate) fn when_free<T>(mut execute: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let begun = Instant::now();
    loop {
        match execute() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && begun.elapsed() < BUSY => {
                std::thread::sleep(Duration::from_millis(5));
            }
            done => return done,
        }
    }
}

type Failure = (&'static str, io::Error);

/// Does not return, unless it failed.
pub(super) fn main() {
    // Until it has a descriptor of its own, standard input is the socket.
    let Err((step, socket, error)) = begin() else { return };
    let errno = error.raw_os_error().filter(|_| step == EXEC);
    let failed = Failed { step: step.to_owned(), reason: error.to_string(), errno };
    let input = io::stdin();
    let _ = packet::send(socket.as_ref().map_or(input.as_fd(), AsFd::as_fd), &failed, &[]);
}

const EXEC: &str = "exec";

fn begin() -> Result<(), (&'static str, Option<OwnedFd>, io::Error)> {
    let early = |step| move |error: io::Error| (step, None, error);
    sys::close_others().map_err(early("closing what is not its own"))?;
    // Closed by the exec, which is how the engine hears of it.
    let socket = io::stdin().as_fd().try_clone_to_owned().map_err(early("the engine's socket"))?;
    let (order, _) = packet::receive::<Order>(socket.as_fd()).map_err(early("hearing what is wanted"))?;
    let (step, error) = become_it(&order);
    Err((step, Some(socket), error))
}

/// Returns only if it failed.
fn become_it(order: &Order) -> Failure {
    let Confined { program, args, env, code, .. } = &order.confined;
    match prepare(order) {
        Err(failure) => failure,
        Ok(()) => {
            let mut command = Command::new(program);
            command.args(args).env_clear().envs(env).current_dir(code);
            match when_free(|| Err::<Infallible, _>(command.exec())) {
                Err(error) => (EXEC, error),
                Ok(never) => match never {},
            }
        }
    }
}

fn prepare(Order { confined, engine }: &Order) -> Result<(), Failure> {
    let at = |step| move |error| (step, error);
    // So that it may be opened again by its name, `/dev/stdout`.
    let (uid, gid) = (Some(Uid::from_raw(confined.uid)), Some(Gid::from_raw(confined.uid)));
    rustix::fs::fchown(io::stdout(), uid, gid).map_err(|error| ("its output", error.into()))?;
    init::detach().map_err(at("standard input"))?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    ids::claim(&confined.scratch, Some(confined.uid)).map_err(at("the scratch folder"))?;
    sys::unshare(libc::CLONE_NEWNS | libc::CLONE_NEWIPC).map_err(at("namespaces"))?;
    let view = View {
        code: confined.code.clone(),
        shown: confined.shown.clone(),
        scratch: confined.scratch.clone(),
    };
    mounts::enter_function(&view, confined.uid, confined.memory).map_err(at("mounts"))?;
    let processes = Rlimit { current: Some(PROCESSES), maximum: Some(PROCESSES) };
    setrlimit(Resource::Nproc, processes).map_err(|error| ("limits", error.into()))?;
    rights::become_stranger(confined.uid, true).map_err(at("giving up rights"))?;
    // The kernel forgets it when the user changes.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| ("the engine's death", error.into()))?;
    if getppid().map(|parent| parent.as_raw_nonzero().get()) != Some(*engine) {
        return Err(("the engine's death", io::Error::other("it is dead already")));
    }
    rights::bar().map_err(at("the system call filter"))
}
