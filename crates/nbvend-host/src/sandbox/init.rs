//! The sandbox's first process: the engine's own program, run again.
//!
//! It makes the sandbox from inside, gives up its rights, says what it has become, and then serves: it reaps whatever
//! ends, keeps the listeners, hands them and the namespaces to whichever engine asks, and forks commands. It lives until
//! it is killed, and in a process namespace everything else dies with it. One thread, no runtime, no heap to speak of.

use std::fs::{File, OpenOptions};
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use rustix::net::{SocketFlags, accept_with};
use rustix::process::{PidfdFlags, getpid, pidfd_open};

use super::children::{self, Child};
use super::control::{Order, Outcome, Reply, Request};
use super::spec::{Level, Spec};
use super::{confined, ids, mounts, namespaces, packet, rights, sys};

/// A client must say what it wants at once: while one is waited for, nobody else is served.
const PATIENCE: Duration = Duration::from_secs(2);

/// A failed step and why.
type Failure = (&'static str, io::Error);

trait Step<T> {
    fn step(self, name: &'static str) -> Result<T, Failure>;
}

impl<T> Step<T> for io::Result<T> {
    fn step(self, name: &'static str) -> Result<T, Failure> {
        self.map_err(|error| (name, error))
    }
}

/// What the engine's program does when its first argument is [`super::WORD`].
pub fn init_main() -> ! {
    if std::env::args_os().nth(2).is_some_and(|kind| kind == confined::KIND) {
        confined::main();
        sys::exit(1);
    }
    let engine = std::io::stdin();
    let result = make(engine.as_fd());
    if let Err((step, reason)) = result {
        let outcome = Outcome::Failed { step: step.to_owned(), reason: reason.to_string() };
        let _ = packet::send(engine.as_fd(), &outcome, &[]);
        sys::exit(1);
    }
    sys::exit(0);
}

/// Returns in the process that only led here; the one it forked serves and does not return.
fn make(engine: BorrowedFd<'_>) -> Result<(), Failure> {
    sys::close_others().step("closing what is not its own")?;
    let (order, volume) = packet::receive::<Order>(engine).step("hearing what is wanted")?;
    let spec = &order.spec;
    rustix::process::setsid().map_err(io::Error::from).step("a session")?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let doors = order.doors.iter().map(|path| OpenOptions::new().write(true).open(path));
    let doors: Vec<File> = doors.collect::<io::Result<_>>().step("control groups")?;
    let control = packet::bind(&spec.control).step("the control socket")?;
    let owner = (spec.level == Level::Full).then_some(spec.uid);
    ids::claim(&spec.work, owner.filter(|_| spec.volume.is_none())).step("the work folder")?;
    ids::claim(&spec.run_dir, owner).step("the run folder")?;
    // From here on folders are those of the sandbox, which its user must be able to pass.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    namespaces::make(spec).step("namespaces")?;
    if sys::fork().step("the first process")?.is_some() {
        return Ok(());
    }
    let served = inside(engine, &order, volume.into_iter().next(), doors, control);
    if let Err((step, reason)) = &served {
        let outcome = Outcome::Failed { step: (*step).to_owned(), reason: reason.to_string() };
        let _ = packet::send(engine, &outcome, &[]);
    }
    sys::exit(1);
}

fn inside(
    engine: BorrowedFd<'_>,
    order: &Order,
    volume: Option<OwnedFd>,
    doors: Vec<File>,
    control: OwnedFd,
) -> Result<(), Failure> {
    let spec = &order.spec;
    sys::set_title(c"nbvend-init");
    let mut listeners = Vec::new();
    if spec.level.contained() {
        sys::set_host_name("notebook").step("the host name")?;
        namespaces::loopback(&spec.listeners).step("the loopback interface")?;
        listeners = namespaces::listen(&spec.listeners).step("listeners")?;
        mounts::enter(spec, volume).step("mounts")?;
    } else {
        sys::become_subreaper().step("reaping")?;
    }
    // Whoever listens is who the engine sees at the other end: this process, not the one that led here.
    rustix::net::listen(&control, 64).map_err(io::Error::from).step("the control socket")?;
    let signals = sys::child_signals().step("signals")?;
    rights::give_up(spec).step("giving up rights")?;
    let standing = rights::standing(spec.level).step("reading back")?;
    let own = pidfd_open(getpid(), PidfdFlags::empty()).map_err(io::Error::from).step("reading back")?;
    let uid = if spec.level.contained() { peer_uid(spec, order.engine) } else { order.engine };
    let mut init =
        Init { spec: spec.clone(), engine: uid, doors, control, signals, listeners, children: Vec::new() };
    init.spec.files.clear();
    packet::send(engine, &Outcome::Ready(standing), &[own.as_fd()]).step("saying that it is ready")?;
    drop(own);
    detach().step("letting go of the engine")?;
    init.serve()
}

/// The engine's user as it is seen in here.
fn peer_uid(spec: &Spec, engine: u32) -> u32 {
    if spec.level == Level::Userns { spec.uid } else { engine }
}

/// Standard input was the socket to the engine.
pub(super) fn detach() -> io::Result<()> {
    let null = OpenOptions::new().read(true).open("/dev/null")?;
    sys::duplicate(null.as_raw_fd(), 0)
}

struct Init {
    spec: Spec,
    engine: u32,
    doors: Vec<File>,
    control: OwnedFd,
    signals: OwnedFd,
    listeners: Vec<TcpListener>,
    children: Vec<Child>,
}

impl Init {
    fn serve(&mut self) -> ! {
        loop {
            let now = Instant::now();
            let patience = self.children.iter().filter_map(|child| child.left(now)).min();
            // Rounded up: a wait of no time would spin until the deadline.
            let patience = patience.map(|time| time + Duration::from_millis(1));
            let fds: [RawFd; 2] = [self.control.as_raw_fd(), self.signals.as_raw_fd()];
            let Ok(ready) = sys::poll(&fds, patience) else { continue };
            if ready[1] {
                self.reap();
            }
            let now = Instant::now();
            self.children.iter_mut().for_each(|child| child.enforce(now));
            if ready[0] {
                self.answer();
            }
        }
    }

    fn reap(&mut self) {
        let mut signal = [0u8; 128];
        while rustix::io::read(&self.signals, &mut signal).is_ok_and(|read| read > 0) {}
        while let Some((pid, status)) = sys::reap_any() {
            // Most are orphans that nobody asks for.
            if let Some(index) = self.children.iter().position(|child| child.pid == pid) {
                let child = self.children.swap_remove(index);
                if let Some(client) = &child.client {
                    let _ = packet::send(client, &Reply::Ended(child.end(status)), &[]);
                }
            }
        }
    }

    fn answer(&mut self) {
        let Ok(client) = accept_with(&self.control, SocketFlags::CLOEXEC) else { return };
        if !self.is_engine(&client) || packet::patience(&client, PATIENCE).is_err() {
            return;
        }
        let Ok((request, fds)) = packet::receive::<Request>(&client) else { return };
        let sent = match request {
            Request::Ping => packet::send(&client, &Reply::Here { id: self.spec.id.clone() }, &[]),
            Request::Listeners => give(&client, self.listeners.iter().map(AsFd::as_fd)),
            Request::Namespaces => match namespaces::open_own(self.spec.level) {
                Ok(own) => give(&client, own.iter().map(AsFd::as_fd)),
                Err(error) => refuse(&client, &error),
            },
            Request::Start(start) => match children::start(&self.spec, &self.doors, &start, fds) {
                Ok(child) => self.started(child, client),
                Err(error) => refuse(&client, &error),
            },
        };
        // A client that is gone has no need of an answer.
        drop(sent);
    }

    fn started(&mut self, mut child: Child, client: OwnedFd) -> io::Result<()> {
        let pid = rustix::process::Pid::from_raw(child.pid).ok_or(io::ErrorKind::InvalidData)?;
        let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
        let sent = packet::send(&client, &Reply::Started, &[pidfd.as_fd()]);
        // It runs, so its end is watched whether or not the answer arrived.
        child.client = sent.is_ok().then_some(client);
        self.children.push(child);
        sent
    }

    /// The engine's user, and where processes can be told apart, somebody from outside: to a process namespace such a
    /// peer has no number.
    fn is_engine(&self, client: &OwnedFd) -> bool {
        let Ok(peer) = peer(client) else { return false };
        let outside = !self.spec.level.contained() || peer.pid == 0;
        peer.uid == self.engine && outside
    }
}

/// `SO_PEERCRED` as the kernel gives it: rustix has no word for the process number 0.
fn peer(client: &OwnedFd) -> io::Result<libc::ucred> {
    let mut peer = libc::ucred { pid: -1, uid: u32::MAX, gid: u32::MAX };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes, the size of what it is given.
    #[allow(unsafe_code)]
    let result = unsafe {
        libc::getsockopt(
            client.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut peer).cast(),
            &raw mut length,
        )
    };
    if result == 0 { Ok(peer) } else { Err(io::Error::last_os_error()) }
}

fn give<'a>(client: &OwnedFd, fds: impl Iterator<Item = BorrowedFd<'a>>) -> io::Result<()> {
    packet::send(client, &Reply::Given, &fds.collect::<Vec<_>>())
}

fn refuse(client: &OwnedFd, error: &io::Error) -> io::Result<()> {
    packet::send(client, &Reply::Refused { reason: error.to_string() }, &[])
}
