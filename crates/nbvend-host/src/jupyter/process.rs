//! A server's processes: known beyond doubt by pid and start time, watched by pidfd, ended without remainder.
//!
//! Kernels and terminals have sessions of their own and a user may detach more, so that neither the process group nor
//! a walk from parent to child finds them all. Every process of a server inherits a marker in its environment; that
//! marker, the session and the parent together are what is swept up. (A sandbox will do this with its namespace.)
use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::fd::OwnedFd;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal};
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;

use super::ExitReason;

/// The environment variable every process of a server inherits.
pub(super) const MARKER: &str = "NBVEND_SERVER";

/// A process that cannot be mistaken for a later one with the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Identity {
    pub(super) pid: i32,
    /// Field 22 of /proc/PID/stat, in clock ticks since boot.
    pub(super) started: u64,
}

/// A watched process.
#[derive(Debug, Clone)]
pub(super) struct Process {
    pub(super) identity: Identity,
    ended: watch::Receiver<Option<ExitReason>>,
}

impl Process {
    /// Watches a child just started; must be called before anything waits for it.
    pub(super) fn of_child(mut child: tokio::process::Child) -> std::io::Result<Self> {
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap_or(-1);
        let stat = Stat::of(pid).ok_or_else(|| std::io::Error::other("the process is not in /proc"))?;
        let (send, ended) = watch::channel(None);
        tokio::spawn(async move {
            let reason = child.wait().await.map_or(ExitReason::Unknown, reason);
            send.send_replace(Some(reason));
        });
        Ok(Self { identity: Identity { pid, started: stat.started }, ended })
    }

    /// Watches a process that an earlier engine started, if it still lives.
    pub(super) fn adopt(identity: Identity) -> Option<Self> {
        let pidfd = open(identity.pid)?;
        // Read after the pidfd is open: what is checked is what is watched.
        let stat = Stat::of(identity.pid)?;
        if stat.started != identity.started || stat.dead {
            return None;
        }
        // SAFETY: the descriptor is owned by the OwnedFd inside, which nobody takes out or replaces.
        #[allow(unsafe_code)]
        let pidfd = unsafe { AsyncFd::register(pidfd) }.ok()?;
        let (send, ended) = watch::channel(None);
        tokio::spawn(async move {
            // A pidfd becomes readable when the process ends.
            let _ = pidfd.readable().await;
            send.send_replace(Some(ExitReason::Unknown));
        });
        Some(Self { identity, ended })
    }

    pub(super) fn exit(&self) -> Option<ExitReason> {
        *self.ended.borrow()
    }

    /// Waits for the end.
    pub(super) async fn ended(&self) -> ExitReason {
        let mut ended = self.ended.clone();
        let seen = ended.wait_for(Option::is_some).await;
        seen.ok().and_then(|reason| *reason).unwrap_or(ExitReason::Unknown)
    }

    /// Asks it to end. The kernel never reuses the number of a process that is not yet waited for, and an adopted one
    /// is checked again, so that nobody else is hit.
    pub(super) fn terminate(&self) {
        let Some(pidfd) = open(self.identity.pid) else { return };
        if self.exit().is_none()
            && Stat::of(self.identity.pid).is_some_and(|s| s.started == self.identity.started)
        {
            let _ = rustix::process::pidfd_send_signal(pidfd, Signal::TERM);
        }
    }
}

fn reason(status: ExitStatus) -> ExitReason {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => ExitReason::Code(code),
        (None, Some(signal)) => ExitReason::Signal(signal),
        (None, None) => ExitReason::Unknown,
    }
}

fn open(pid: i32) -> Option<OwnedFd> {
    rustix::process::pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()
}

/// What /proc/PID/stat tells.
struct Stat {
    parent: i32,
    session: i32,
    started: u64,
    dead: bool,
}

impl Stat {
    fn of(pid: i32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The second field is the program's name in parentheses and may hold anything, parentheses and spaces too.
    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |at: usize| fields.get(at - 3)?.parse::<u64>().ok();
        Some(Self {
            dead: matches!(*fields.first()?, "Z" | "X" | "x"),
            parent: i32::try_from(number(4)?).ok()?,
            session: i32::try_from(number(6)?).ok()?,
            started: number(22)?,
        })
    }
}

/// Which boot of the machine this is: process numbers of an earlier one mean nothing.
pub(super) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// Kills every process of a server; returns the numbers of those that live on after `patience`.
pub(super) async fn sweep(marker: &str, leader: Option<Identity>, patience: Duration) -> Vec<i32> {
    let deadline = tokio::time::Instant::now() + patience;
    let mut pause = Duration::from_millis(2);
    loop {
        let marker = marker.to_owned();
        let left = tokio::task::spawn_blocking(move || kill_all(&marker, leader)).await.unwrap_or_default();
        if left.is_empty() || tokio::time::Instant::now() >= deadline {
            return left;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

/// One round: finds the members, kills them, and returns those it found alive.
fn kill_all(marker: &str, leader: Option<Identity>) -> Vec<i32> {
    let mut alive = Vec::new();
    for Identity { pid, started } in members(marker, leader) {
        let Some(pidfd) = open(pid) else { continue };
        // The number may have passed to another process since it was listed; the pidfd holds whom we check now.
        if Stat::of(pid).is_some_and(|stat| !stat.dead && stat.started == started) {
            let _ = rustix::process::pidfd_send_signal(pidfd, Signal::KILL);
            alive.push(pid);
        }
    }
    alive
}

/// The living processes that carry the marker, are in the leader's session while the leader lives, or descend from
/// one of these.
fn members(marker: &str, leader: Option<Identity>) -> Vec<Identity> {
    let mut all = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        if let Some(stat) = Stat::of(pid).filter(|stat| !stat.dead) {
            all.insert(pid, stat);
        }
    }
    let leader =
        leader.filter(|leader| all.get(&leader.pid).is_some_and(|stat| stat.started == leader.started));
    let variable = format!("{MARKER}={marker}");
    let marked = |pid: i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes())
    };
    let own = |pid: &i32, stat: &Stat| {
        leader.is_some_and(|leader| leader.pid == *pid || leader.pid == stat.session) || marked(*pid)
    };
    let mut found: HashSet<i32> =
        all.iter().filter(|(pid, stat)| own(pid, stat)).map(|(pid, _)| *pid).collect();
    loop {
        let children = all.iter().filter(|(pid, stat)| found.contains(&stat.parent) && !found.contains(pid));
        let children: Vec<i32> = children.map(|(pid, _)| *pid).collect();
        if children.is_empty() {
            break;
        }
        found.extend(children);
    }
    found.into_iter().filter_map(|pid| Some(Identity { pid, started: all.get(&pid)?.started })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_may_be_named_anything() {
        let stat =
            Stat::parse("77 (a) b (c 1 2) S 5 77 78 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 424242 9 9\n")
                .unwrap();
        assert_eq!((stat.parent, stat.session, stat.started, stat.dead), (5, 78, 424_242, false));
        let zombie = Stat::parse("1 (x) Z 5 7 8 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 9 0").unwrap();
        assert!(zombie.dead);
        assert!(Stat::parse("nonsense").is_none());
    }

    /// The leader ends, a detached descendant without the marker's session lives on: the sweep finds it all the same.
    #[tokio::test]
    async fn detached_processes_are_swept_up() {
        let marker = format!("sweep-test-{}", std::process::id());
        let mut command = tokio::process::Command::new("sh");
        command.args(["-c", "setsid sleep 600 >/dev/null 2>&1 & exec sleep 600"]).env(MARKER, &marker);
        let process = Process::of_child(command.spawn().unwrap()).unwrap();
        let leader = process.identity;
        while members(&marker, None).len() < 2 {
            tokio::task::yield_now().await;
        }
        process.terminate();
        assert_eq!(process.ended().await, ExitReason::Signal(15));
        assert!(Process::adopt(leader).is_none(), "a dead process is not adopted");
        assert_eq!(members(&marker, Some(leader)).len(), 1);
        assert_eq!(sweep(&marker, Some(leader), Duration::from_secs(10)).await, Vec::<i32>::new());
        assert!(members(&marker, None).is_empty());
    }

    #[tokio::test]
    async fn another_process_with_the_number_is_not_adopted() {
        let own = i32::try_from(std::process::id()).unwrap();
        let started = Stat::of(own).unwrap().started;
        assert!(Process::adopt(Identity { pid: own, started: started - 1 }).is_none());
        assert!(Process::adopt(Identity { pid: own, started }).is_some());
    }
}
