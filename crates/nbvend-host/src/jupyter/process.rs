//! A server's processes: known beyond doubt by pid and start time, watched by pidfd, ended without remainder.
//!
//! Kernels and terminals have sessions of their own and a user may detach more, so that neither the process group nor
//! a walk from parent to child finds them all. Every process of a server inherits a marker in its environment; that
//! marker, the session and the parent together are what is swept up. (A sandbox will do this with its namespace.)
use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;

use super::ExitReason;
use super::zygote::Zygote;

/// The environment variable every process of a server inherits.
pub(super) const MARKER: &str = "NBVEND_SERVER";

/// A process that cannot be mistaken for a later one with the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub(super) struct Identity {
    pub(super) pid: i32,
    /// Field 22 of /proc/PID/stat, in clock ticks since boot.
    pub(super) started: u64,
}

/// Characters of a server's mark, the value of [`MARKER`].
pub(super) const MARK: usize = 32;
/// Of these, the ones that stand for the state folder.
const FOLDER: usize = 12;

/// A watched process. Whose child it is does not matter: it is known by a pidfd.
#[derive(Debug, Clone)]
pub(super) struct Process {
    pub(super) identity: Identity,
    pidfd: Arc<AsyncFd<OwnedFd>>,
    ended: watch::Receiver<Option<ExitReason>>,
}

impl Process {
    /// Watches the process behind a pidfd. `how` is asked once it has ended; where it knows nothing the kernel is.
    pub(super) fn watch(
        pidfd: OwnedFd,
        how: impl Future<Output = Option<ExitReason>> + Send + 'static,
    ) -> io::Result<Self> {
        let pid = pid_of(&pidfd)?;
        // Read while the pidfd is open: a process that was not yet waited for keeps its number.
        let stat = Stat::of(pid).ok_or_else(|| io::Error::other("the process has ended"))?;
        Self::of(pidfd, Identity { pid, started: stat.started }, how)
    }

    /// Watches a child just started; must be called before anything waits for it.
    pub(super) fn of_child(mut child: tokio::process::Child) -> io::Result<Self> {
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap_or(-1);
        let pidfd = open(pid).ok_or_else(|| io::Error::other("the process has ended"))?;
        Self::watch(pidfd, async move { child.wait().await.ok().map(|status| reason(status.into_raw())) })
    }

    /// Watches a process that a zygote forked; the zygote is kept for as long as that lives.
    pub(super) fn of_fork(pidfd: OwnedFd, zygote: Arc<Zygote>) -> io::Result<Self> {
        let pid = pid_of(&pidfd)?;
        Self::watch(pidfd, async move { zygote.how(pid).await })
    }

    /// Watches a process that an earlier engine started, if it still lives.
    pub(super) fn adopt(identity: Identity) -> Option<Self> {
        let pidfd = open(identity.pid)?;
        // Read after the pidfd is open: what is checked is what is watched.
        let stat = Stat::of(identity.pid)?;
        if stat.started != identity.started || stat.dead {
            return None;
        }
        Self::of(pidfd, identity, async { None }).ok()
    }

    fn of(
        pidfd: OwnedFd,
        identity: Identity,
        how: impl Future<Output = Option<ExitReason>> + Send + 'static,
    ) -> io::Result<Self> {
        // SAFETY: the descriptor is owned by the OwnedFd inside, which nobody takes out or replaces.
        #[allow(unsafe_code)]
        let pidfd = Arc::new(unsafe { AsyncFd::register(pidfd) }?);
        let (send, ended) = watch::channel(None);
        let watched = pidfd.clone();
        tokio::spawn(async move {
            // A pidfd becomes readable when the process ends.
            let _ = watched.readable().await;
            let reason = how.await.or_else(|| reap(watched.get_ref())).unwrap_or(ExitReason::Unknown);
            send.send_replace(Some(reason));
        });
        Ok(Self { identity, pidfd, ended })
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

    /// Asks it to end; the pidfd sees to it that nobody else is hit.
    pub(super) fn terminate(&self) {
        let _ = rustix::process::pidfd_send_signal(self.pidfd.get_ref(), Signal::TERM);
    }
}

/// What a status of waitpid says.
pub(super) fn reason(status: i32) -> ExitReason {
    let status = ExitStatus::from_raw(status);
    match (status.code(), status.signal()) {
        (Some(code), _) => ExitReason::Code(code),
        (None, Some(signal)) => ExitReason::Signal(signal),
        (None, None) => ExitReason::Unknown,
    }
}

/// Waits for an ended process that has become our child because its parent is gone; none if it is another's.
fn reap(pidfd: &OwnedFd) -> Option<ExitReason> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    let status = rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), options).ok()??;
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Some(ExitReason::Code(code)),
        (None, signal) => signal.map(ExitReason::Signal),
    }
}

/// The number of the process behind a pidfd, as this process counts.
fn pid_of(pidfd: &OwnedFd) -> io::Result<i32> {
    let text = fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd()))?;
    let pid = text.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok());
    pid.filter(|pid| *pid > 0).ok_or_else(|| io::Error::other("the process has ended"))
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

/// A new mark: which state folder a process belongs to, and chance.
pub(super) fn mark(folder: &Path) -> Result<String, String> {
    let mut chance = [0; MARK / 2 - FOLDER / 2];
    getrandom::fill(&mut chance).map_err(|error| error.to_string())?;
    Ok(format!("{}{}", folder_mark(folder), hex::encode(chance)))
}

/// The marks of this folder that living processes carry.
pub(super) fn marks(folder: &Path) -> HashSet<String> {
    let begin = format!("{MARKER}={}", folder_mark(folder));
    let mut found = HashSet::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().starts_with(|first: char| first.is_ascii_digit()) {
            continue;
        }
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        let marked = environment.split(|byte| *byte == 0).find(|entry| entry.starts_with(begin.as_bytes()));
        if let Some(marked) = marked.and_then(|entry| entry.get(MARKER.len() + 1..)) {
            found.insert(String::from_utf8_lossy(marked).into_owned());
        }
    }
    found
}

fn folder_mark(folder: &Path) -> String {
    use sha2::{Digest, Sha256};
    let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    hex::encode(Sha256::digest(folder.as_os_str().as_encoded_bytes()))[..FOLDER].to_owned()
}

/// Which boot of the machine this is: process numbers of an earlier one mean nothing.
pub(super) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// Kills every process of a server; returns the numbers of those that live on after `patience`.
pub(super) async fn sweep(marker: &str, leader: Option<Identity>, patience: Duration) -> Vec<i32> {
    let deadline = tokio::time::Instant::now() + patience;
    let mut pause = Duration::from_millis(2);
    let mut found = HashSet::new();
    loop {
        let marker = marker.to_owned();
        let round = move || {
            // One that is ending shows its mark no longer, but is not gone before it is dead.
            found.extend(members(&marker, leader));
            found.retain(|member| kill(*member));
            found
        };
        found = tokio::task::spawn_blocking(round).await.unwrap_or_default();
        if found.is_empty() || tokio::time::Instant::now() >= deadline {
            return found.into_iter().map(|member| member.pid).collect();
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

/// Kills one process if it lives; false if it does not.
fn kill(process: Identity) -> bool {
    let Some(pidfd) = open(process.pid) else { return false };
    // The number may have passed to another process since it was listed; the pidfd holds whom we check now.
    let lives = Stat::of(process.pid).is_some_and(|stat| !stat.dead && stat.started == process.started);
    if lives {
        let _ = rustix::process::pidfd_send_signal(pidfd, Signal::KILL);
    }
    lives
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
