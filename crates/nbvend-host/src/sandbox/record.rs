//! What the next engine must know of a sandbox to find it again.

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde::{Deserialize, Serialize};

use super::cgroup::Groups;
use super::spec::{Level, Limits, WORK};
use super::sys;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub id: String,
    pub level: Level,
    pub uid: u32,
    pub limits: Limits,
    pub control: PathBuf,
    /// Its work folder is a volume: of a size that holds, and in an image.
    #[serde(default)]
    pub volume: bool,
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
            volume: spec.volume.is_some(),
            pid,
            started: started(pid).ok_or_else(|| io::Error::other("the first process is gone"))?,
            boot: boot_id(),
            groups,
        })
    }

    /// The work folder as it is seen inside, to be read while the sandbox lives; `None` when it does not.
    pub fn work(&self) -> Option<OwnedFd> {
        let alive = self.find()?;
        let root = if self.level.contained() { format!("/proc/{}/root", self.pid) } else { return None };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = openat(CWD, root, flags, Mode::empty()).ok()?;
        // What stands on the way is ours: mounts, which a notebook can neither move nor replace.
        let mut folder = root;
        for name in Path::new(WORK).components().skip(1) {
            folder = openat(&folder, name.as_os_str(), flags | OFlags::NOFOLLOW, Mode::empty()).ok()?;
        }
        // Still the same process, so it was its root.
        let still = sys::poll(&[alive.as_raw_fd()], Some(std::time::Duration::ZERO));
        still.is_ok_and(|ended| !ended[0]).then_some(folder)
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
