//! Where a server runs: in a sandbox, or, without one, as the engine's own user with the machine's own view.
use std::fs::{DirBuilder, File};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use command_fds::{CommandFdExt, FdMapping};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::process::Process;
use super::{ExitReason, ServerSpec, StartError};
use crate::sandbox::{self, HOME, Level, Limits, RUN, Sandbox, Spawned, Volume, WORK};

/// The sandbox a server is to have.
#[derive(Debug, Clone)]
pub struct Isolation {
    pub level: Level,
    /// In `full` a user of the notebook's own.
    pub uid: u32,
    pub limits: Limits,
    /// Made inside its network, see [`Sandbox::listeners`].
    pub listeners: Vec<SocketAddr>,
    /// Read-only files inside.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// Enforces the size of the work folder.
    pub volume: Option<Volume>,
}

/// A notebook's folders as it sees them itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct View {
    pub(super) home: PathBuf,
    /// The root of what the notebook shows.
    pub(super) work: PathBuf,
    pub(super) run: PathBuf,
}

impl View {
    pub(super) fn of(spec: &ServerSpec) -> Self {
        match &spec.isolation {
            Some(isolation) if isolation.level.contained() => {
                Self { home: HOME.into(), work: WORK.into(), run: RUN.into() }
            }
            _ => Self { home: spec.home.clone(), work: spec.home.clone(), run: spec.run_dir.clone() },
        }
    }

    /// Where kernels are asked for.
    pub(super) fn kernels(&self) -> PathBuf {
        self.run.join("kernels.sock")
    }
}

/// The sandbox's control socket: beside the run folder, out of the notebook's sight.
pub(super) fn control(run_dir: &Path) -> PathBuf {
    run_dir.with_added_extension("ctl")
}

#[derive(Debug)]
pub(super) struct Place {
    view: View,
    sandbox: Option<Sandbox>,
}

/// A program to run in a place.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) argv: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    /// Takes what it writes.
    pub(super) output: OwnedFd,
    /// Further descriptors and their numbers in the program.
    pub(super) descriptors: Vec<(OwnedFd, i32)>,
    pub(super) limit: Option<Duration>,
}

/// A program that runs in a place, in a session of its own.
#[derive(Debug)]
pub(super) enum Job {
    Inside(Spawned),
    Bare(tokio::process::Child, Option<Duration>),
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Of(ExitReason),
    /// Killed when its time was up.
    Late,
}

impl Place {
    /// Makes the sandbox, if there is to be one.
    pub(super) async fn make(spec: &ServerSpec) -> Result<Self, StartError> {
        let mut place = Self { view: View::of(spec), sandbox: None };
        let Some(isolation) = spec.isolation.as_ref().filter(|isolation| isolation.level.contained()) else {
            return Ok(place);
        };
        let wanted = sandbox::Spec {
            id: spec.id.clone(),
            level: isolation.level,
            uid: isolation.uid,
            work: spec.home.clone(),
            run_dir: spec.run_dir.clone(),
            environment: spec.environment.root().to_owned(),
            interpreter_prefix: spec.environment.interpreter_prefix(),
            limits: isolation.limits,
            listeners: isolation.listeners.clone(),
            files: isolation.files.clone(),
            control: control(&spec.run_dir),
            volume: isolation.volume.clone(),
        };
        place.sandbox = Some(Sandbox::create(&wanted).await?);
        Ok(place)
    }

    /// What an earlier engine has left, if it still stands.
    pub(super) async fn adopt(view: View, record: Option<&sandbox::Record>) -> Option<Self> {
        let sandbox = match record {
            Some(record) => Some(Sandbox::adopt(record).await?),
            None => None,
        };
        Some(Self { view, sandbox })
    }

    pub(super) fn view(&self) -> &View {
        &self.view
    }

    pub(super) fn sandbox(&self) -> Option<&Sandbox> {
        self.sandbox.as_ref()
    }

    /// The limit of memory, where one holds.
    pub(super) fn memory(&self) -> Option<u64> {
        self.sandbox.as_ref().map(|sandbox| sandbox.record().limits.memory)
    }

    /// What a fork of the zygote does to get in, and the namespaces it enters for that.
    pub(super) async fn entry(&self) -> Result<(Value, Vec<OwnedFd>), String> {
        let Some(sandbox) = &self.sandbox else {
            let entry = json!({"level": "process", "cgroups": [], "namespaces": [], "rlimits": {}});
            return Ok((entry, Vec::new()));
        };
        let (entry, namespaces) = sandbox.entry().await.map_err(|error| error.to_string())?;
        Ok((serde_json::to_value(entry).map_err(|error| error.to_string())?, namespaces))
    }

    /// The file in which the kernel counts processes it ended for want of memory.
    pub(super) async fn memory_counts(&self) -> Option<OwnedFd> {
        let (entry, _) = self.sandbox.as_ref()?.entry().await.ok()?;
        let files = entry
            .cgroups
            .iter()
            .flat_map(|door| ["memory.events", "memory.oom_control"].map(|name| door.with_file_name(name)));
        files.filter_map(|file| File::open(file).ok()).next().map(OwnedFd::from)
    }

    /// Runs a program in the work folder.
    pub(super) async fn run(&self, program: Program) -> io::Result<Job> {
        let Some(sandbox) = &self.sandbox else { return self.bare(program) };
        let command = sandbox::Command {
            argv: program.argv,
            env: program.env,
            cwd: Some(self.view.work.clone()),
            stdin: None,
            stdout: Some(program.output.try_clone()?),
            stderr: Some(program.output),
            fds: program.descriptors,
            timeout: program.limit,
        };
        sandbox.spawn(command).await.map(Job::Inside)
    }

    fn bare(&self, program: Program) -> io::Result<Job> {
        let (name, arguments) =
            program.argv.split_first().ok_or_else(|| io::Error::other("a program without a name"))?;
        let mut command = std::process::Command::new(name);
        command.args(arguments).env_clear().envs(program.env).current_dir(&self.view.work);
        let mappings =
            program.descriptors.into_iter().map(|(parent_fd, child_fd)| FdMapping { parent_fd, child_fd });
        command.fd_mappings(mappings.collect()).map_err(|error| io::Error::other(error.to_string()))?;
        let mut command = tokio::process::Command::from(command);
        command
            .stdin(Stdio::null())
            .stdout(program.output.try_clone()?)
            .stderr(program.output)
            .kill_on_drop(false);
        // SAFETY: between fork and exec the closure makes two system calls, both async-signal-safe, and allocates
        // nothing.
        #[allow(unsafe_code)]
        unsafe {
            command.pre_exec(|| {
                rustix::process::setsid()?;
                rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
                Ok(())
            });
        }
        Ok(Job::Bare(command.spawn()?, program.limit))
    }

    /// The limit, when the kernel has ended processes here because they had reached it.
    pub(super) fn out_of_memory(&self) -> Option<u64> {
        self.sandbox.as_ref().filter(|sandbox| sandbox.oom_kills() > 0)?;
        self.memory()
    }
}

impl Job {
    /// Waits for its end.
    pub(super) async fn ended(self) -> io::Result<End> {
        match self {
            Self::Inside(spawned) => Ok(match spawned.ended().await? {
                sandbox::End { timed_out: true, .. } => End::Late,
                end => End::Of(reason(end)),
            }),
            Self::Bare(mut child, limit) => {
                let group =
                    child.id().and_then(|pid| rustix::process::Pid::from_raw(i32::try_from(pid).ok()?));
                let wait = tokio::time::timeout(limit.unwrap_or(Duration::MAX), child.wait());
                if let Ok(status) = wait.await {
                    use std::os::unix::process::ExitStatusExt;
                    return Ok(End::Of(super::process::reason(status?.into_raw())));
                }
                // It leads its group, and all that it began is in it.
                if let Some(group) = group {
                    let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
                }
                child.wait().await?;
                Ok(End::Late)
            }
        }
    }

    /// Watches it from now on by its pidfd.
    pub(super) fn watch(self) -> io::Result<Process> {
        match self {
            Self::Inside(spawned) => {
                let pidfd = spawned.pidfd.as_fd().try_clone_to_owned()?;
                Process::watch(pidfd, async move { spawned.ended().await.ok().map(reason) })
            }
            Self::Bare(child, _) => Process::of_child(child),
        }
    }
}

fn reason(end: sandbox::End) -> ExitReason {
    match (end.code, end.signal) {
        (Some(code), _) => ExitReason::Code(code),
        (None, Some(signal)) => ExitReason::Signal(signal),
        (None, None) => ExitReason::Unknown,
    }
}

/// A folder that nobody else may enter.
pub(super) fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}
