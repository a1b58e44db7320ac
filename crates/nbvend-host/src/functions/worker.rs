//! One function process with its listener: started, watched, read from.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt, Interest};
use tokio::net::unix::pipe;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::code::Unpacked;
use super::environment::{self, Place};
use super::exchange::{Exchange, View};
use super::failure::Failure;
use super::journal::{Journal, Splitter, stream_name};
use super::pool::{Shop, Slot};
use super::spawn::{self, Body, Order, SETUP_FAILED, Started};
use super::{FunctionSpec, Runtime, api};

/// How long the last words of a dead process may take through the loopback.
const LAST_WORDS: Duration = Duration::from_millis(100);

pub(super) struct Worker {
    pub(super) log_stream: String,
    pub(super) exchange: Arc<Exchange>,
    pub(super) idle_since: Instant,
    pub(super) memory_mb: u64,
    /// What runs it, for the log's first line.
    pub(super) about: String,
    body: Body,
    pid: Pid,
    ended: AsyncFd<OwnedFd>,
    output: pipe::Receiver,
    output_open: bool,
    buffer: Box<[u8]>,
    splitter: Splitter,
    _server: Server,
    _code: Arc<Unpacked>,
    /// Last, so that the place is free when all the rest has been let go.
    pub(super) slot: Slot,
}

/// What happened first while a worker was watched.
#[derive(Debug)]
pub(super) enum Event {
    /// The process asks for a request.
    Waiting,
    /// The process said it cannot start.
    InitFailed,
    /// The process is gone.
    Ended(Failure),
    TimedOut,
    /// The pool is going down.
    Stopped,
}

struct Server(JoinHandle<()>);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Worker {
    /// Executes the function in `slot`. The process is not awaited: watch it.
    pub(super) async fn start(
        shop: &Shop,
        spec: &FunctionSpec,
        fresh: Vec<(String, String)>,
        slot: Slot,
    ) -> Result<Self, Failure> {
        let code = shop.code(spec).await.map_err(|error| Failure::Sandbox(error.to_string()))?;
        let Program { path: program, args, shown, about } = program(shop, spec, &code).await?;
        let sandbox = |error: io::Error| Failure::Sandbox(format!("no process could be made: {error}"));

        let serial = shop.serial.fetch_add(1, Ordering::Relaxed);
        let scratch = shop.run.scratch().join(serial.to_string());
        std::fs::create_dir(&scratch).map_err(sandbox)?;
        let limit = match shop.memory.limit(serial, spec.memory_mb) {
            Ok(limit) => limit,
            Err(error) => {
                let _ = std::fs::remove_dir(&scratch);
                return Err(sandbox(error));
            }
        };
        let body = shop.undertaker.body(limit, scratch.clone());

        let listener = api::bind().await.map_err(sandbox)?;
        let address = listener.local_addr().map_err(sandbox)?.to_string();
        let log_stream = stream_name(environment::version(spec));
        let runtime_dir = shop.run.runtime();
        let place = Place {
            task_root: code.root(),
            runtime_dir: &runtime_dir,
            scratch: &scratch,
            runtime_api: &address,
            log_stream: &log_stream,
        };
        let env = environment::compose(spec, fresh, &place).map_err(Failure::Sandbox)?;
        let place = spec.confined.then(|| spawn::Place {
            uid: shop.run.uid(serial),
            memory: u64::from(spec.memory_mb) << 20,
            shown,
            scratch,
        });
        let order = Order {
            program,
            args,
            env,
            dir: code.root().to_path_buf(),
            place,
            file_limit: u64::from(spec.ephemeral_mb) << 20,
            body,
        };
        let Started { body, pid, ended, output } = match shop.spawner.spawn(order).await {
            Ok(started) => started,
            Err(error) => return Err(exec_failure(&error, &spec.runtime)),
        };
        let exchange = Arc::new(Exchange::new());
        let gate = Arc::new(api::Gate { leader: pid, limit: Arc::clone(body.limit()) });
        let server = Server(tokio::spawn(api::serve(listener, Arc::clone(&exchange), gate)));
        Ok(Self {
            log_stream,
            exchange,
            idle_since: Instant::now(),
            memory_mb: 0,
            about: format!("{about}\tMemory Limit: {}", shop.memory.control()),
            body,
            pid,
            ended: watchable(ended).map_err(sandbox)?,
            output: pipe::Receiver::from_owned_fd(output).map_err(sandbox)?,
            output_open: true,
            buffer: vec![0; 16 * 1024].into_boxed_slice(),
            splitter: Splitter::default(),
            _server: server,
            _code: code,
            slot,
        })
    }

    /// Reads the process's output until something happens. A process that timed out or was stopped is killed.
    pub(super) async fn watch(&mut self, until: Instant, journal: &mut Journal<'_>) -> Event {
        let event = self.first(until, journal).await;
        let event = match event {
            First::Seen(View::InitFailed) => Event::InitFailed,
            First::Seen(View::Waiting | View::Busy) => Event::Waiting,
            First::Ended => {
                // It may have answered just before; what it sent is in our sockets.
                let end = Instant::now() + LAST_WORDS;
                self.body.kill();
                while !self.exchange.is_quiet()
                    && timeout_at(end, self.exchange.changed.notified()).await.is_ok()
                {}
                match (self.body.reap(), self.exchange.view()) {
                    (_, View::InitFailed) => Event::InitFailed,
                    (Ok(status), _) => Event::Ended(self.cause(status)),
                    (Err(error), _) => Event::Ended(Failure::Sandbox(error.to_string())),
                }
            }
            First::TimedOut => {
                self.body.kill();
                Event::TimedOut
            }
            First::Stopped => {
                self.body.kill();
                Event::Stopped
            }
        };
        self.drain(journal);
        self.memory_mb = self.memory_mb.max(self.body.limit().peak_mb(self.pid));
        event
    }

    async fn first(&mut self, until: Instant, journal: &mut Journal<'_>) -> First {
        let deadline = sleep_until(until);
        tokio::pin!(deadline);
        loop {
            match self.exchange.view() {
                View::Busy => {}
                seen => return First::Seen(seen),
            }
            tokio::select! {
                () = self.exchange.changed.notified() => {}
                read = self.output.read(&mut self.buffer), if self.output_open => match read {
                    Ok(count) if count > 0 => self.splitter.push(&self.buffer[..count], journal),
                    _ => self.output_open = false,
                },
                _ = self.ended.readable() => return First::Ended,
                () = &mut deadline => return match self.exchange.view() {
                    View::Busy => First::TimedOut,
                    seen => First::Seen(seen),
                },
                () = self.slot.live.stop.notified() => return First::Stopped,
            }
        }
    }

    /// Takes what is in the pipe, past tokio's idea of it, which may not have heard of the last bytes yet. Somebody may go on
    /// writing: what he writes now is no part of what was said before.
    fn drain(&mut self, journal: &mut Journal<'_>) {
        // Four times what a pipe holds.
        for _ in 0..16 {
            if !self.output_open {
                break;
            }
            match rustix::io::read(self.output.as_fd(), &mut *self.buffer) {
                Ok(0) => self.output_open = false,
                Ok(count) => self.splitter.push(&self.buffer[..count], journal),
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => break,
            }
        }
        self.splitter.flush(journal);
    }

    fn cause(&self, status: ExitStatus) -> Failure {
        if self.body.limit().oom_kills() > 0 { Failure::OutOfMemory } else { Failure::Exited(status) }
    }

    /// Whether the process is gone already. It is left unreaped.
    pub(super) fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::PidFd(self.ended.get_ref().as_fd()), options), Ok(None))
    }

    pub(super) fn into_slot(self) -> Slot {
        self.slot
    }
}

fn watchable(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is an open descriptor that stays the same until it is dropped, and the `AsyncFd` owns it.
    #[allow(unsafe_code)]
    let watched = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) };
    watched.map_err(io::Error::from)
}

enum First {
    Seen(View),
    Ended,
    TimedOut,
    Stopped,
}

/// What to execute for a spec.
struct Program {
    path: PathBuf,
    args: Vec<PathBuf>,
    /// Folders it needs besides the code.
    shown: Vec<PathBuf>,
    /// A word about it.
    about: String,
}

async fn program(shop: &Shop, spec: &FunctionSpec, code: &Unpacked) -> Result<Program, Failure> {
    match &spec.runtime {
        Runtime::Provided => {
            let bootstrap = code.root().join("bootstrap");
            let Some(file) = bootstrap_of(code.root()) else {
                let text = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]";
                return Err(Failure::InvalidEntrypoint(text.into()));
            };
            if !is_for_this_machine(file) {
                return Err(Failure::InvalidEntrypoint(
                    "fork/exec /var/task/bootstrap: exec format error".into(),
                ));
            }
            Ok(Program { path: bootstrap, args: Vec::new(), shown: Vec::new(), about: "provided".into() })
        }
        Runtime::Python(version) => {
            let found = shop.pythons.find(version).await.map_err(Failure::InvalidEntrypoint)?;
            let runtime = shop.run.runtime();
            let script = runtime.join(super::python::BOOTSTRAP_NAME);
            let about =
                format!("python:{version}\tInterpreter: Python {} ({})", found.version, found.path.display());
            let shown = found.prefixes.iter().cloned().chain([runtime]).collect();
            Ok(Program { path: found.path.clone(), args: super::python::arguments(&script), shown, about })
        }
    }
}

/// The file `bootstrap` of a package. It may be a link, but only to a file of the same package: it is the engine that opens
/// it here, and the machine has files that only it may open, and some that are never read to an end.
fn bootstrap_of(root: &Path) -> Option<File> {
    use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat, openat2};
    let root = open(root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let inside = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let file = match openat2(&root, "bootstrap", flags, Mode::empty(), inside) {
        // An older kernel.
        Err(rustix::io::Errno::NOSYS) => openat(&root, "bootstrap", flags | OFlags::NOFOLLOW, Mode::empty()),
        opened => opened,
    };
    let file = File::from(file.ok()?);
    file.metadata().is_ok_and(|meta| meta.is_file()).then_some(file)
}

/// A script with its interpreter named, or a program for this processor. Looked at before, because the C library
/// gives what the kernel cannot execute to the shell, and the shell's complaint would be the function's error.
fn is_for_this_machine(program: File) -> bool {
    let head = |file: File| -> io::Result<[u8; 20]> {
        let mut bytes = [0; 20];
        let mut file = file.take(20);
        let mut filled = 0;
        while filled < bytes.len() {
            match file.read(&mut bytes[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        Ok(bytes)
    };
    // What cannot be read is left to the kernel to refuse.
    let (Ok(wanted), Ok(own)) = (head(program), File::open("/proc/self/exe").and_then(head)) else {
        return true;
    };
    // An ELF file's first six bytes are its magic number, word size and byte order; 18 and 19 are the processor.
    wanted.starts_with(b"#!") || (wanted[..6] == own[..6] && wanted[18..] == own[18..])
}

fn exec_failure(error: &io::Error, runtime: &Runtime) -> Failure {
    let what = match error.raw_os_error() {
        Some(SETUP_FAILED) => return Failure::Sandbox("the process's limits could not be set".into()),
        Some(code) if code == rustix::io::Errno::ACCESS.raw_os_error() => "permission denied",
        Some(code) if code == rustix::io::Errno::NOEXEC.raw_os_error() => "exec format error",
        // The file is there; what its first line or its loader asks for is not.
        Some(code) if code == rustix::io::Errno::NOENT.raw_os_error() => "no such file or directory",
        _ => return Failure::Sandbox(format!("no process could be made: {error}")),
    };
    match runtime {
        Runtime::Provided => Failure::InvalidEntrypoint(format!("fork/exec /var/task/bootstrap: {what}")),
        Runtime::Python(version) => {
            Failure::InvalidEntrypoint(format!("the interpreter for python{version}: {what}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bootstrap_is_a_file_of_its_package() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bootstrap");
        assert!(bootstrap_of(folder.path()).is_none());
        std::fs::write(folder.path().join("real"), "#!/bin/sh\n").unwrap();
        for (target, good) in [
            ("real", true),
            ("./real", true),
            ("/bin/sh", false),
            ("../../../../bin/sh", false),
            ("/proc/self/exe", false),
            ("/dev/zero", false),
            (".", false),
            ("nowhere", false),
        ] {
            std::os::unix::fs::symlink(target, &path).unwrap();
            assert_eq!(bootstrap_of(folder.path()).is_some(), good, "{target}");
            std::fs::remove_file(&path).unwrap();
        }
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o644.into(), 0).unwrap();
        assert!(bootstrap_of(folder.path()).is_none(), "and nobody waits for a writer");
    }
}
