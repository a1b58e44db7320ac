//! Commands that the first process forks: each in the control groups, a session of its own and with a time limit.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group};

use super::control::Start;
use super::rlimits;
use super::spec::{End, Spec};
use super::sys;

/// A command that runs, and who wants to know its end.
pub(super) struct Child {
    pub(super) pid: i32,
    pub(super) client: Option<OwnedFd>,
    deadline: Option<Instant>,
    timed_out: bool,
}

impl Child {
    /// How long until its time is up.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        self.deadline.filter(|_| !self.timed_out).map(|deadline| deadline.saturating_duration_since(now))
    }

    /// Kills it and what it started, as far as that stayed in its group, if its time is up.
    pub(super) fn enforce(&mut self, now: Instant) {
        if self.left(now).is_some_and(|left| left.is_zero()) {
            self.timed_out = true;
            if let Some(pid) = Pid::from_raw(self.pid) {
                let _ = kill_process_group(pid, Signal::KILL);
            }
        }
    }

    pub(super) fn end(&self, status: i32) -> End {
        let code = libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status));
        let signal = libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status));
        End { code, signal, timed_out: self.timed_out }
    }
}

/// Forks and executes a command. `doors` are files of control groups, open for writing.
pub(super) fn start(spec: &Spec, doors: &[File], order: &Start, fds: Vec<OwnedFd>) -> io::Result<Child> {
    let (program, arguments) =
        order.argv.split_first().ok_or_else(|| io::Error::other("a command without a program"))?;
    if fds.len() != order.fds.len() || order.fds.iter().any(|number| *number < 0) {
        return Err(io::Error::other("descriptors and their numbers do not match"));
    }
    let targets: Vec<(RawFd, RawFd)> =
        fds.iter().map(AsRawFd::as_raw_fd).zip(order.fds.iter().copied()).collect();
    // Above all that are wanted, so that no descriptor is overwritten before it was put in its place.
    let clear = targets.iter().flat_map(|(from, to)| [*from, *to]).max().unwrap_or(2) + 1;
    let doors: Vec<RawFd> = doors.iter().map(AsRawFd::as_raw_fd).collect();
    let limits: Vec<(Resource, Rlimit)> =
        rlimits::of(spec.level, &spec.limits).iter().map(rlimits::ResourceLimit::clamped).collect();
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(order.env.iter().map(|(name, value)| (name, value)));
    command.current_dir(&order.cwd).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let setup = move || -> io::Result<()> {
        for door in &doors {
            sys::write_zero(*door)?;
        }
        rustix::process::setsid()?;
        for (resource, limit) in &limits {
            rustix::process::setrlimit(*resource, *limit)?;
        }
        for (index, (from, _)) in (0..).zip(&targets) {
            sys::duplicate(*from, clear + index)?;
        }
        for (index, (_, to)) in (0..).zip(&targets) {
            sys::duplicate(clear + index, *to)?;
        }
        for (index, _) in (0..).zip(&targets) {
            sys::close(clear + index);
        }
        sys::unblock_signals()
    };
    // SAFETY: this process has one thread, so its child may do whatever it could.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(setup);
    }
    let child = command.spawn()?;
    let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
    let deadline = order.timeout_ms.map(|millis| Instant::now() + Duration::from_millis(millis));
    Ok(Child { pid, client: None, deadline, timed_out: false })
}
