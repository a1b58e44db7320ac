//! What the next engine must know of a sandbox to find it again.

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::PathBuf;

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde::{Deserialize, Serialize};

use super::cgroup::Groups;
use super::spec::{Level, Limits};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub id: String,
    pub level: Level,
    pub uid: u32,
    pub limits: Limits,
    pub control: PathBuf,
    /// The first process, as the host numbers it.
    pub pid: i32,
    /// When it began, in the kernel's ticks since the machine did: with it a number used again is told apart.
    started: u64,
    boot: String,
    pub(super) groups: Groups,
}

impl Record {
    pub(super) fn new(spec: &super::Spec, pid: i32, groups: Groups) -> io::Result<Self> {
        Ok(Self {
            id: spec.id.clone(),
            level: spec.level,
            uid: spec.uid,
            limits: spec.limits,
            control: spec.control.clone(),
            pid,
            started: started(pid).ok_or_else(|| io::Error::other("the first process is gone"))?,
            boot: boot_id(),
            groups,
        })
    }

    /// A descriptor of the first process, if it is still that one.
    pub(super) fn find(&self) -> Option<OwnedFd> {
        if self.boot != boot_id() {
            return None;
        }
        let pidfd = pidfd_open(Pid::from_raw(self.pid)?, PidfdFlags::empty()).ok()?;
        // Asked after opening: now the number cannot pass to another process unnoticed.
        (started(self.pid) == Some(self.started)).then_some(pidfd)
    }
}

/// The number of a process as this one's `/proc` has it.
pub(super) fn pid_of(pidfd: impl AsFd) -> io::Result<i32> {
    let text = fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_fd().as_raw_fd()))?;
    let pid = text.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok());
    pid.filter(|pid| *pid > 0).ok_or_else(|| io::Error::other("the process is gone"))
}

fn started(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold anything; behind its closing bracket this is the twentieth field.
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}
