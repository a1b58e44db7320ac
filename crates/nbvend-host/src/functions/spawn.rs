//! Birth and burial of function processes, each on a thread of its own.
//!
//! A process asks the kernel to be killed when its parent dies, and to the kernel the parent is the *thread* that
//! forked. So all forks are made by one thread that lives as long as the pool; a thread of tokio's blocking pool
//! would take its children along when it is retired after ten idle seconds.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;

use rustix::process::{
    Pid, PidfdFlags, Resource, Rlimit, Signal, getpid, getppid, kill_process_group, pidfd_open,
    set_parent_process_death_signal, setrlimit, setsid,
};
use tokio::sync::oneshot;

use super::memory::Limit;
use super::rundir::RunDir;
use crate::sandbox::confined::{Birth, Confined, when_free};

/// The errno that means "a limit could not be set", which exec itself never returns.
pub(super) const SETUP_FAILED: i32 = rustix::io::Errno::PROTO.raw_os_error();

/// AWS's limit on open files.
const OPEN_FILES: u64 = 1024;

/// What a process leaves behind: itself, its memory group, its scratch folder. Buried when dropped.
#[derive(Debug)]
pub(super) struct Body {
    child: Option<Child>,
    pid: Option<Pid>,
    limit: Arc<Limit>,
    scratch: PathBuf,
    undertaker: mpsc::Sender<Burial>,
}

impl Body {
    pub(super) fn limit(&self) -> &Arc<Limit> {
        &self.limit
    }

    /// Kills the process, its group and all that is in its memory group.
    pub(super) fn kill(&self) {
        kill(self.pid, &self.limit);
    }

    /// The status of a process that is known to have ended; what is left of its group is killed first, as long as
    /// the unreaped process keeps the group's number from being used again.
    pub(super) fn reap(&mut self) -> io::Result<ExitStatus> {
        self.kill();
        let mut child = self.child.take().ok_or_else(|| io::Error::other("already reaped"))?;
        self.pid = None;
        child.wait()
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        let body = Burial::Body {
            child: self.child.take(),
            pid: self.pid,
            limit: Arc::clone(&self.limit),
            scratch: std::mem::take(&mut self.scratch),
        };
        // The undertaker outlives every sender.
        let _ = self.undertaker.send(body);
    }
}

fn kill(pid: Option<Pid>, limit: &Limit) {
    if let Some(pid) = pid {
        let _ = kill_process_group(pid, Signal::KILL);
    }
    if let Some(group) = limit.group() {
        group.kill();
    }
}

enum Burial {
    Body {
        child: Option<Child>,
        pid: Option<Pid>,
        limit: Arc<Limit>,
        scratch: PathBuf,
    },
    /// Answered when all before it are done.
    Flush(oneshot::Sender<()>),
}

/// Kills, reaps and clears away.
#[derive(Debug, Clone)]
pub(super) struct Undertaker(mpsc::Sender<Burial>);

impl Undertaker {
    /// The run's folder is held until the last burial.
    pub(super) fn start(run: Arc<RunDir>) -> io::Result<Self> {
        let (sender, orders) = mpsc::channel();
        thread::Builder::new().name("fn-undertaker".into()).spawn(move || {
            for order in orders {
                bury(order);
            }
            drop(run);
        })?;
        Ok(Self(sender))
    }

    /// Something to be filled with a process.
    pub(super) fn body(&self, limit: Limit, scratch: PathBuf) -> Body {
        Body { child: None, pid: None, limit: Arc::new(limit), scratch, undertaker: self.0.clone() }
    }

    pub(super) async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        if self.0.send(Burial::Flush(done)).is_ok() {
            let _ = wait.await;
        }
    }
}

fn bury(order: Burial) {
    match order {
        Burial::Body { child, pid, limit, scratch } => {
            kill(pid, &limit);
            if let Some(mut child) = child {
                let _ = child.wait();
            }
            if let Some(group) = limit.group() {
                group.remove();
            }
            if let Err(error) = crate::remove_tree(&scratch) {
                tracing::debug!(scratch = %scratch.display(), %error, "a scratch folder stays");
            }
        }
        Burial::Flush(done) => {
            let _ = done.send(());
        }
    }
}

/// What to execute.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) program: PathBuf,
    pub(super) args: Vec<PathBuf>,
    pub(super) env: BTreeMap<String, String>,
    /// The code, where it begins.
    pub(super) dir: PathBuf,
    /// Whom it is to run as and what it is to see; as the engine and what the engine sees where absent.
    pub(super) place: Option<Place>,
    /// Largest file it may write, in bytes.
    pub(super) file_limit: u64,
    pub(super) body: Body,
}

/// See [`Confined`].
#[derive(Debug)]
pub(super) struct Place {
    pub(super) uid: u32,
    pub(super) memory: u64,
    pub(super) shown: Vec<PathBuf>,
    pub(super) scratch: PathBuf,
}

/// A process that has been executed.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) body: Body,
    pub(super) pid: Pid,
    /// Readable when the process has ended.
    pub(super) ended: OwnedFd,
    /// Its standard output and error, one pipe so that their order is kept.
    pub(super) output: OwnedFd,
}

type Job = (Order, oneshot::Sender<io::Result<Started>>);

/// Forks and executes.
#[derive(Debug)]
pub(super) struct Spawner(mpsc::Sender<Job>);

impl Spawner {
    pub(super) fn start() -> io::Result<Self> {
        let (sender, jobs) = mpsc::channel::<Job>();
        thread::Builder::new().name("fn-spawner".into()).spawn(move || {
            for (order, reply) in jobs {
                // If nobody waits any more, dropping the reply buries the process.
                let _ = reply.send(execute(order));
            }
        })?;
        Ok(Self(sender))
    }

    pub(super) async fn spawn(&self, order: Order) -> io::Result<Started> {
        let (reply, wait) = oneshot::channel();
        self.0.send((order, reply)).map_err(|_| io::Error::other("the spawning thread is gone"))?;
        wait.await.map_err(|_| io::Error::other("the spawning thread is gone"))?
    }
}

fn execute(order: Order) -> io::Result<Started> {
    let Order { program, args, env, dir, place, file_limit, mut body } = order;
    let (output, writer) = io::pipe()?;
    let (mut command, birth) = match place {
        None => {
            let mut command = Command::new(program);
            command.args(args).env_clear().envs(env).current_dir(dir).stdin(Stdio::null());
            (command, None)
        }
        Some(Place { uid, memory, shown, scratch }) => {
            let (command, birth) = Birth::command()?;
            (command, Some((birth, Confined { uid, memory, program, args, env, code: dir, shown, scratch })))
        }
    };
    command.stdout(writer.try_clone()?).stderr(writer);
    let setup = Setup {
        engine: getpid(),
        data: match &*body.limit {
            Limit::Data(bytes) => Some(*bytes),
            Limit::Group(_) => None,
        },
        door: body.limit.group().map(super::cgroup::Group::door).transpose()?,
        file_limit,
    };
    // SAFETY: between fork and exec only system calls are made, on values prepared before the fork; nothing
    // allocates or takes a lock.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(move || setup.apply().map_err(|_| io::Error::from_raw_os_error(SETUP_FAILED)));
    }
    let child = when_free(|| command.spawn()).map_err(|error| match error.raw_os_error() {
        // It is our own program that cannot be executed, not the function's.
        code if birth.is_some() && code != Some(SETUP_FAILED) => io::Error::other(error),
        _ => error,
    })?;
    let pid = Pid::from_child(&child);
    body.child = Some(child);
    body.pid = Some(pid);
    // It holds our copies of what the process has.
    drop(command);
    if let Some((birth, confined)) = birth {
        birth.tell(confined)?;
    }
    let ended = pidfd_open(pid, PidfdFlags::empty())?;
    Ok(Started { body, pid, ended, output: output.into() })
}

/// What the child does to itself before it becomes the function.
struct Setup {
    engine: Pid,
    data: Option<u64>,
    door: Option<File>,
    file_limit: u64,
}

impl Setup {
    fn apply(&self) -> Result<(), rustix::io::Errno> {
        // A session of its own is also a process group of its own, without a terminal.
        setsid()?;
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // The engine may have died before the line above took effect.
        if getppid() != Some(self.engine) {
            return Err(rustix::io::Errno::SRCH);
        }
        if let Some(door) = &self.door {
            rustix::io::write(door, b"0")?;
        }
        let both = |value: u64| Rlimit { current: Some(value), maximum: Some(value) };
        if let Some(bytes) = self.data {
            setrlimit(Resource::Data, both(bytes))?;
        }
        setrlimit(Resource::Fsize, both(self.file_limit))?;
        setrlimit(Resource::Nofile, both(OPEN_FILES))?;
        setrlimit(Resource::Core, both(0))
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_program_that_somebody_still_has_open_is_executed_a_moment_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bootstrap");
        std::fs::copy("/bin/true", &path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let writer = File::options().append(true).open(&path).unwrap();
        let plain = Command::new(&path).spawn().unwrap_err();
        assert_eq!(plain.kind(), ErrorKind::ExecutableFileBusy);
        let closing = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            drop(writer);
        });
        assert!(when_free(|| Command::new(&path).spawn()).unwrap().wait().unwrap().success());
        closing.join().unwrap();
        // Another error is told at once.
        let none = when_free(|| Command::new(folder.path().join("none")).spawn()).unwrap_err();
        assert_eq!(none.kind(), ErrorKind::NotFound);
    }
}
