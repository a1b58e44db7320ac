//! A sandbox as the engine holds it.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use rustix::process::{WaitId, WaitIdOptions, waitid};
use tokio::io::unix::AsyncFd;
use tokio::task::spawn_blocking;

use super::control::{Reply, Request, Start};
use super::record::{Record, pid_of};
use super::spec::{Command, End, Entry, HOME, Level, Spec, Usage, WORK};
use super::{SandboxError, create, kin, namespaces, packet, rlimits, seccomp, sys};

/// How long the end of everything inside may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long one that lives may take to answer whoever adopts it, asked so often.
const ANSWER: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_millis(200);

/// A handle; dropping it ends nothing.
#[derive(Debug, Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    record: Record,
    pidfd: OwnedFd,
}

/// A command that runs inside.
#[derive(Debug)]
pub struct Spawned {
    /// As the host numbers it.
    pub pid: i32,
    pub pidfd: OwnedFd,
    connection: AsyncFd<OwnedFd>,
}

impl Sandbox {
    /// Returns when the first process is ready. A former sandbox with the same control socket or id is ended first.
    pub async fn create(spec: &Spec) -> Result<Self, SandboxError> {
        let spec = spec.clone();
        let made = spawn_blocking(move || create::create(&spec)).await;
        let (record, pidfd) = made.map_err(|error| SandboxError::Spawn(io::Error::other(error)))??;
        Ok(Self::watched(record, pidfd))
    }

    /// The sandbox of a record, if it still lives: the same process, and it answers by that name.
    pub async fn adopt(record: &Record) -> Option<Self> {
        let pidfd = record.find()?;
        let record = record.clone();
        let socket = packet::connect(&record.control).ok()?;
        let peer = rustix::net::sockopt::socket_peercred(&socket).ok()?;
        if peer.pid.as_raw_nonzero().get() != record.pid {
            return None;
        }
        // The first process serves one connection after the other, and this one asks for nothing.
        drop(socket);
        let sandbox = Self::watched(record, pidfd);
        let begun = Instant::now();
        loop {
            match sandbox.call(Request::Ping, Vec::new()).await {
                Ok((Reply::Here { id }, ..)) => return (id == sandbox.inner.record.id).then_some(sandbox),
                // On a busy machine it may be slow to answer; taken for dead, a living notebook would be ended.
                Err(error) if begun.elapsed() < ANSWER && !sandbox.inner.has_ended() => {
                    tracing::debug!(id = sandbox.inner.record.id, %error, "a sandbox does not answer yet");
                    tokio::time::sleep(AGAIN).await;
                }
                _ => return None,
            }
        }
    }

    fn watched(record: Record, pidfd: OwnedFd) -> Self {
        let sandbox = Self { inner: Arc::new(Inner { record, pidfd }) };
        // Where the engine is who takes over orphans it must reap this one; elsewhere the call finds no child.
        if let Ok(pidfd) = sandbox.inner.pidfd.try_clone().and_then(watchable) {
            tokio::spawn(async move {
                if pidfd.readable().await.is_ok() {
                    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
                    let _ = waitid(WaitId::PidFd(pidfd.get_ref().as_fd()), options);
                }
            });
        }
        sandbox
    }

    #[must_use]
    pub fn record(&self) -> Record {
        self.inner.record.clone()
    }

    #[must_use]
    pub fn level(&self) -> Level {
        self.inner.record.level
    }

    /// Duplicates of the listeners inside, as often as asked. None in the level `process`.
    pub async fn listeners(&self) -> io::Result<Vec<(SocketAddr, TcpListener)>> {
        let fds = self.given(Request::Listeners).await?;
        let named = |fd| {
            let listener = TcpListener::from(fd);
            Ok((listener.local_addr()?, listener))
        };
        fds.into_iter().map(named).collect()
    }

    /// What a process from outside needs to come in: the rules, and the namespaces they name.
    pub async fn entry(&self) -> io::Result<(Entry, Vec<OwnedFd>)> {
        let record = &self.inner.record;
        let fds = self.given(Request::Namespaces).await?;
        let contained = record.level.contained();
        let (uid, gid) = if contained {
            (record.uid, record.uid)
        } else {
            (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
        };
        let limits = rlimits::of(record.level, &record.limits);
        let entry = Entry {
            cgroups: record.groups.doors(),
            namespaces: namespaces::names(record.level).iter().map(ToString::to_string).collect(),
            uid,
            gid,
            groups: (record.level == Level::Full).then(Vec::new),
            seccomp: if contained {
                base64::engine::general_purpose::STANDARD.encode(seccomp::bytes())
            } else {
                String::new()
            },
            drop_bounding: contained,
            level: record.level,
            rlimits: limits.iter().map(|limit| (limit.name.to_owned(), [limit.value; 2])).collect(),
        };
        if fds.len() == entry.namespaces.len() {
            Ok((entry, fds))
        } else {
            Err(io::Error::other("namespaces are missing"))
        }
    }

    /// Starts a command inside, with user, filter and limits in force.
    pub async fn spawn(&self, command: Command) -> io::Result<Spawned> {
        let cwd =
            command.cwd.unwrap_or_else(|| PathBuf::from(if self.level().contained() { WORK } else { "/" }));
        let standard = [(command.stdin, 0), (command.stdout, 1), (command.stderr, 2)];
        let standard = standard.into_iter().filter_map(|(fd, number)| Some((fd?, number)));
        let (fds, numbers) = standard.chain(command.fds).unzip::<_, _, Vec<_>, Vec<_>>();
        let timeout_ms = command.timeout.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        let start = Start { argv: command.argv, env: command.env, cwd, fds: numbers, timeout_ms };
        match self.call(Request::Start(start), fds).await? {
            (Reply::Started, connection, fds) => {
                let pidfd =
                    fds.into_iter().next().ok_or_else(|| io::Error::other("no process was handed over"))?;
                // What has ended already has no number any more.
                let pid = pid_of(&pidfd).unwrap_or(0);
                rustix::io::ioctl_fionbio(&connection, true)?;
                Ok(Spawned { pid, pidfd, connection: watchable(connection)? })
            }
            (reply, ..) => Err(refusal(reply)),
        }
    }

    /// Runs a command inside to its end.
    pub async fn run(&self, command: Command) -> io::Result<End> {
        self.spawn(command).await?.ended().await
    }

    /// Ends everything inside, whether or not the first process still lives, and removes what the host kept for it. An
    /// error means that something is left.
    pub async fn kill(&self) -> io::Result<()> {
        let this = self.clone();
        spawn_blocking(move || this.inner.kill()).await.map_err(io::Error::other)?
    }

    /// Until the first process has ended, by whatever cause.
    pub async fn ended(&self) {
        let Ok(pidfd) = self.inner.pidfd.try_clone().and_then(watchable) else { return };
        let _ = pidfd.readable().await;
    }

    #[must_use]
    pub fn usage(&self) -> Usage {
        self.inner.record.groups.usage()
    }

    /// How many processes the kernel killed because the notebook was out of memory.
    #[must_use]
    pub fn oom_kills(&self) -> u64 {
        self.usage().oom_kills
    }

    async fn given(&self, request: Request) -> io::Result<Vec<OwnedFd>> {
        match self.call(request, Vec::new()).await? {
            (Reply::Given, _, fds) => Ok(fds),
            (reply, ..) => Err(refusal(reply)),
        }
    }

    /// A request on a connection of its own, and its first answer.
    async fn call(&self, request: Request, fds: Vec<OwnedFd>) -> io::Result<(Reply, OwnedFd, Vec<OwnedFd>)> {
        let control = self.inner.record.control.clone();
        let talk = move || {
            let connection = packet::connect(&control)?;
            packet::send(&connection, &request, &fds.iter().map(AsFd::as_fd).collect::<Vec<_>>())?;
            let (reply, fds) = packet::receive(&connection)?;
            Ok((reply, connection, fds))
        };
        spawn_blocking(talk).await.map_err(io::Error::other)?
    }
}

impl Spawned {
    /// How it ended. An error when the sandbox ended with it.
    pub async fn ended(&self) -> io::Result<End> {
        loop {
            let mut ready = self.connection.readable().await?;
            match ready.try_io(|connection| packet::receive::<Reply>(connection.get_ref())) {
                Ok(Ok((Reply::Ended(end), _))) => return Ok(end),
                Ok(Ok((reply, _))) => return Err(refusal(reply)),
                Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(io::Error::other("the sandbox has ended"));
                }
                Ok(Err(error)) => return Err(error),
                Err(_) => {}
            }
        }
    }
}

impl Inner {
    fn has_ended(&self) -> bool {
        sys::poll(&[self.pidfd.as_raw_fd()], Some(Duration::ZERO)).is_ok_and(|ready| ready[0])
    }

    fn kill(&self) -> io::Result<()> {
        if !self.record.level.contained() {
            kin::kill_descendants(self.record.pid, PATIENCE);
        }
        self.record.groups.kill();
        let gone = create::end_process(&self.pidfd, PATIENCE);
        let left = self.record.groups.end(PATIENCE);
        if !gone {
            return Err(io::Error::other("the sandbox's first process does not end"));
        }
        // Unless it is a newer sandbox's already.
        if packet::connect(&self.record.control).is_err() {
            let _ = std::fs::remove_file(&self.record.control);
        }
        left.map_err(io::Error::other)
    }
}

/// Ends what is left of a sandbox, whether or not its first process still lives: by its record, or, where there is none
/// yet, by its control socket. An error means that something is left.
pub async fn end(record: Option<&Record>, control: &Path) -> io::Result<()> {
    let (record, control) = (record.cloned(), control.to_owned());
    let end = move || match record {
        None => {
            create::evict(&control);
            Ok(())
        }
        Some(record) => match record.find() {
            Some(pidfd) => Inner { record, pidfd }.kill(),
            None => {
                record.groups.kill();
                record.groups.end(PATIENCE).map_err(io::Error::other)
            }
        },
    };
    spawn_blocking(end).await.map_err(io::Error::other)?
}

fn watchable(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is an open descriptor that stays the same until it is dropped, and the `AsyncFd` owns it.
    #[allow(unsafe_code)]
    unsafe {
        AsyncFd::register(fd).map_err(Into::into)
    }
}

fn refusal(reply: Reply) -> io::Error {
    match reply {
        Reply::Refused { reason } => io::Error::other(reason),
        other => io::Error::other(format!("not an answer: {other:?}")),
    }
}

/// The environment every command inside should have, on which others build.
#[must_use]
pub fn basic_environment() -> Vec<(String, String)> {
    let pairs = [
        ("HOME", HOME),
        ("USER", super::spec::USER),
        ("LOGNAME", super::spec::USER),
        ("SHELL", "/bin/bash"),
        ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ("LANG", "C.UTF-8"),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}
