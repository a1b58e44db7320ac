//! One zygote: a process that has loaded JupyterLab and forks servers on demand (`python/nbvend_zygote.py`).
//!
//! It ends when its last handle goes or the engine does; the servers it forked live on. Handles are kept by the
//! watchers of its servers too, because it alone is told how they ended.
use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use command_fds::{CommandFdExt, FdMapping};
use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio::sync::{oneshot, watch};

use super::packets::Packets;
use super::process::{self, MARKER};
use super::{Environment, ExitReason, launch};

/// Loading takes 2 s of one core; a machine may be slow and busy.
const LOADING: Duration = Duration::from_secs(60);
/// From a request to the server inside its sandbox: 10 ms when nothing else is going on.
const ENTERING: Duration = Duration::from_secs(15);
/// How long the news of an end may be behind the end.
const NEWS: Duration = Duration::from_secs(10);
/// How long a zygote that was let go may take to end by itself.
const PARTING: Duration = Duration::from_secs(1);
/// Ends that nobody has asked for yet.
const KEPT: usize = 1024;
/// The zygote's children write their title over its arguments, which are made long for that.
const TITLE: usize = 120;

/// What a fork is to become. Serialised it is the one packet that the forked child reads.
#[derive(Debug, Serialize)]
pub(super) struct Request<'a> {
    pub(super) role: Role,
    /// How to enter the sandbox.
    pub(super) entry: &'a serde_json::Value,
    pub(super) argv: Vec<String>,
    pub(super) env: serde_json::Map<String, serde_json::Value>,
    pub(super) cwd: String,
    pub(super) title: String,
    /// Where the kernel forker listens; none for a server without one.
    pub(super) kernels: Option<String>,
    /// The limit in bytes, for people to read.
    pub(super) memory: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    Server,
    /// A kernel forker for a server whose own has ended.
    Kernels,
}

/// What came of a request.
#[derive(Debug)]
pub(super) struct Born {
    pub(super) process: OwnedFd,
    pub(super) forker: Option<OwnedFd>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Pid(serde::de::IgnoredAny),
    Entered(serde::de::IgnoredAny),
    Kernels(serde::de::IgnoredAny),
    Error(String),
}

#[derive(Debug, Deserialize)]
struct News {
    #[serde(default)]
    ready: bool,
    exited: Option<i32>,
    status: Option<i32>,
}

#[derive(Debug)]
pub(super) struct Zygote {
    packets: Arc<Packets>,
    shared: Arc<Shared>,
    gone: watch::Receiver<bool>,
    /// Dropped with the last handle, which is how the task below learns of it.
    _held: oneshot::Sender<()>,
    pub(super) pid: i32,
}

#[derive(Debug, Default)]
struct Shared {
    ends: Mutex<VecDeque<(i32, i32)>>,
    news: tokio::sync::Notify,
}

impl Zygote {
    /// Starts a zygote and returns once it can fork. `log` is begun anew.
    pub(super) async fn start(environment: &Environment, log: &Path) -> Result<Arc<Self>, String> {
        let words = |what: &'static str| move |error: std::io::Error| format!("{what}: {error}");
        let folder = log.parent().unwrap_or(Path::new("/"));
        std::fs::create_dir_all(folder).map_err(words("no folder for the zygote's log"))?;
        let (packets, theirs) = Packets::pair().map_err(words("no socket for the zygote"))?;
        let open = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(log);
        let output = open.map_err(words("the zygote's log cannot be opened"))?;
        let complaints = output.try_clone().map_err(words("the zygote's log cannot be opened"))?;

        let mut command = std::process::Command::new(environment.python());
        command
            .arg(environment.ours().join("nbvend_zygote.py"))
            .arg(" ".repeat(TITLE))
            .env_clear()
            // The home that notebooks see: some of what Jupyter works out at loading comes from it.
            .envs([("HOME", "/home/ec2-user"), ("LANG", "C.UTF-8"), ("PYTHONNOUSERSITE", "1")])
            .env("PATH", format!("{}:/usr/bin:/bin", environment.root().join("bin").display()))
            // Room for a mark of the length that each server has.
            .env(MARKER, "0".repeat(process::MARK))
            .current_dir("/");
        command
            .fd_mappings(vec![FdMapping { parent_fd: theirs, child_fd: 3 }])
            .map_err(|error| format!("the zygote cannot be given its socket: {error}"))?;
        let mut command = Command::from(command);
        command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(complaints)
            // A Ctrl-C for the engine in the foreground is not for the zygote.
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(words("the zygote cannot be run"))?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap_or_default();
        // The command holds the other end, which must be the zygote's alone.
        drop(command);

        let loading = tokio::time::timeout(LOADING, packets.receive()).await;
        match loading {
            Ok(Ok(Some((data, _)))) if serde_json::from_slice::<News>(&data).is_ok_and(|news| news.ready) => {
            }
            Ok(_) => {
                let _ = tokio::time::timeout(PARTING, child.wait()).await;
                return Err(format!("the zygote ended while loading: {}", launch::log_tail(log)));
            }
            Err(_) => {
                return Err(format!("the zygote has not loaded JupyterLab within {} s", LOADING.as_secs()));
            }
        }
        let (send, gone) = watch::channel(false);
        let (held, released) = oneshot::channel();
        let (packets, shared) = (Arc::new(packets), Arc::new(Shared::default()));
        let (listening, ends) = (packets.clone(), shared.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = listen(&listening, &ends) => {}
                _ = released => {}
                _ = child.wait() => {
                    // What it told before it ended.
                    let _ = tokio::time::timeout(PARTING, listen(&listening, &ends)).await;
                }
            }
            // With its socket closed it ends by itself, or is made to.
            drop(listening);
            if tokio::time::timeout(PARTING, child.wait()).await.is_err() {
                let _ = child.kill().await;
            }
            send.send_replace(true);
            ends.news.notify_waiters();
        });
        Ok(Arc::new(Self { packets, shared, gone, _held: held, pid }))
    }

    pub(super) fn is_gone(&self) -> bool {
        *self.gone.borrow()
    }

    /// Waits for its end.
    pub(super) async fn gone(&self) {
        let _ = self.gone.clone().wait_for(|gone| *gone).await;
    }

    /// Forks a process and follows it until it is inside its sandbox. `descriptors`: log, listening socket (for a
    /// server), and one for each namespace.
    pub(super) async fn fork(
        &self,
        request: &Request<'_>,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<Born, String> {
        let (ours, theirs) = Packets::pair().map_err(|error| format!("no socket for a fork: {error}"))?;
        let text = serde_json::to_vec(request).map_err(|error| error.to_string())?;
        let mut born = None;
        let conversation = async {
            // The request waits in its socket before the zygote hears of it: the child never waits for us.
            ours.send(&text, descriptors)
                .await
                .map_err(|error| format!("the request cannot be sent: {error}"))?;
            let asked = self.packets.send(b"F", &[theirs.as_fd()]).await;
            asked.map_err(|error| format!("the zygote does not listen: {error}"))?;
            drop(theirs);
            let (mut forker, mut entered) = (None, false);
            // The process in the middle and the one inside speak for themselves, in any order.
            while born.is_none() || !entered {
                let packet = ours.receive().await.map_err(|error| error.to_string())?;
                let Some((data, mut descriptors)) = packet else {
                    return Err("the fork ended before it was inside its sandbox".to_owned());
                };
                match serde_json::from_slice(&data)
                    .map_err(|error| format!("the fork speaks oddly: {error}"))?
                {
                    Word::Pid(_) => born = descriptors.pop(),
                    Word::Kernels(_) => forker = descriptors.pop(),
                    Word::Entered(_) => entered = true,
                    Word::Error(error) => return Err(error),
                }
            }
            Ok(forker)
        };
        let done = tokio::time::timeout(ENTERING, conversation).await.unwrap_or_else(|_| {
            Err(format!("the fork was not inside its sandbox within {} s", ENTERING.as_secs()))
        });
        match (done, born) {
            (Ok(forker), Some(process)) => Ok(Born { process, forker }),
            (Ok(_), None) => Err("the fork has no pidfd".to_owned()),
            (Err(error), process) => {
                if let Some(process) = process {
                    let _ = rustix::process::pidfd_send_signal(process, rustix::process::Signal::KILL);
                }
                Err(error)
            }
        }
    }

    /// How a process that it forked has ended; called once that is certain.
    pub(super) async fn how(&self, pid: i32) -> Option<ExitReason> {
        let wait = async {
            loop {
                let news = self.shared.news.notified();
                {
                    let mut ends = self.shared.ends.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(at) = ends.iter().position(|(ended, _)| *ended == pid) {
                        return ends.remove(at).map(|(_, status)| process::reason(status));
                    }
                }
                if self.is_gone() {
                    return None;
                }
                news.await;
            }
        };
        tokio::time::timeout(NEWS, wait).await.ok().flatten()
    }
}

/// Keeps the news of ends until it is asked for; returns when the zygote is gone.
async fn listen(packets: &Packets, shared: &Shared) {
    while let Ok(Some((data, _))) = packets.receive().await {
        let Ok(News { exited: Some(pid), status: Some(status), .. }) = serde_json::from_slice(&data) else {
            continue;
        };
        let mut ends = shared.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.push_back((pid, status));
        if ends.len() > KEPT {
            ends.pop_front();
        }
        drop(ends);
        shared.news.notify_waiters();
    }
}
