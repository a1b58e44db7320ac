//! The engine's part in making a sandbox: limits first, then the first process, then a look at what came of it.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};
use sha2::{Digest, Sha256};

use super::cgroup::{Groups, Place};
use super::control::{Order, Outcome};
use super::record::{Record, pid_of};
use super::{Level, SandboxError, Spec, WORD, packet, sys, volume};

/// Giving a large work folder to its user takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was made: the record and a pidfd of the first process.
pub(super) fn create(spec: &Spec) -> Result<(Record, OwnedFd), SandboxError> {
    check(spec)?;
    evict(&spec.control);
    let volume = match (spec.level, &spec.volume) {
        (Level::Full, Some(volume)) => Some(volume::open(volume, &spec.work, spec.uid)?),
        _ => None,
    };
    let groups =
        Place::of_this_machine().make(&group_name(spec), &spec.limits).map_err(SandboxError::Limit)?;
    let made = first_process(spec, &groups, volume.as_ref());
    if made.is_err() {
        let _ = groups.end(Duration::from_secs(1));
        let _ = fs::remove_file(&spec.control);
    }
    made
}

fn check(spec: &Spec) -> Result<(), SandboxError> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if spec.id.is_empty() || spec.id.len() > 128 || !spec.id.bytes().all(good) {
        return Err(SandboxError::Id(spec.id.clone()));
    }
    let refuse = |reason: &str| {
        Err(SandboxError::Step { step: "what is wanted".to_owned(), reason: reason.to_owned() })
    };
    if spec.level.contained() && spec.uid == 0 {
        return refuse("a notebook cannot be root");
    }
    if spec.level != Level::Full && spec.volume.is_some() {
        return refuse("a volume needs the level full");
    }
    if spec.limits.cpu <= 0.0 || spec.limits.memory < 1 << 20 || spec.limits.pids == 0 {
        return refuse("limits that nothing can live in");
    }
    Ok(())
}

/// Ids are unique for one engine only; its control socket's path is unique on the machine.
fn group_name(spec: &Spec) -> String {
    let hash = Sha256::digest(spec.control.as_os_str().as_encoded_bytes());
    format!("nbvend-{}-{}", spec.id, hex::encode(&hash[..4]))
}

/// Ends the first process that holds this control socket: a sandbox whose record was lost.
pub(super) fn evict(control: &Path) {
    let Ok(socket) = packet::connect(control) else { return };
    // The kernel remembers who listened.
    let Ok(peer) = rustix::net::sockopt::socket_peercred(&socket) else { return };
    if let Ok(pidfd) = pidfd_open(peer.pid, PidfdFlags::empty()) {
        tracing::warn!(pid = %peer.pid.as_raw_nonzero(), "a sandbox nobody knew of is ended");
        end_process(&pidfd, Duration::from_secs(2));
    }
}

/// Kills a process and waits until it is gone; in a process namespace all in it are gone then.
pub(super) fn end_process(pidfd: &OwnedFd, patience: Duration) -> bool {
    let _ = pidfd_send_signal(pidfd, Signal::KILL);
    let gone = sys::poll(&[std::os::fd::AsRawFd::as_raw_fd(pidfd)], Some(patience));
    gone.is_ok_and(|ready| ready[0])
}

fn first_process(
    spec: &Spec,
    groups: &Groups,
    volume: Option<&OwnedFd>,
) -> Result<(Record, OwnedFd), SandboxError> {
    let (ours, theirs) = packet::pair().map_err(SandboxError::Spawn)?;
    // This very program, whatever has become of its file meanwhile.
    let mut command = Command::new("/proc/self/exe");
    command.arg(WORD).env_clear().stdin(theirs).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
    let mut child = command.spawn().map_err(SandboxError::Spawn)?;
    // The command holds their end of the pair; while it does, their silence would not be heard.
    drop(command);
    let outcome = talk(&ours, spec, groups, volume);
    if outcome.is_err()
        && let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw)
    {
        // It leads a session in which the first process was forked.
        let _ = kill_process_group(group, Signal::KILL);
        let _ = child.kill();
    }
    let _ = child.wait();
    outcome
}

fn talk(
    engine: &OwnedFd,
    spec: &Spec,
    groups: &Groups,
    volume: Option<&OwnedFd>,
) -> Result<(Record, OwnedFd), SandboxError> {
    let said = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof => SandboxError::Silent,
        _ => SandboxError::Spawn(error),
    };
    packet::patience(engine, PATIENCE).map_err(said)?;
    let order =
        Order { spec: spec.clone(), doors: groups.doors(), engine: rustix::process::geteuid().as_raw() };
    let volume: Vec<_> = volume.iter().map(AsFd::as_fd).collect();
    packet::send(engine.as_fd(), &order, &volume).map_err(said)?;
    let (outcome, fds) = packet::receive::<Outcome>(engine.as_fd()).map_err(said)?;
    let standing = match outcome {
        Outcome::Ready(standing) => standing,
        Outcome::Failed { step, reason } => return Err(SandboxError::Step { step, reason }),
    };
    let pidfd = fds.into_iter().next().ok_or(SandboxError::Silent)?;
    let checked = match standing.fault(spec) {
        Some(fault) => Err(SandboxError::Standing(fault)),
        None => pid_of(&pidfd).and_then(|pid| Record::new(spec, pid, groups.clone())).map_err(said),
    };
    match checked {
        Ok(record) => Ok((record, pidfd)),
        Err(error) => {
            end_process(&pidfd, Duration::from_secs(2));
            Err(error)
        }
    }
}
