//! The engine's socket for processes of its own kind: one that wants to take over, and those that drain.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use nbvend_cloud::services::sagemaker::access::Visitor;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::gate::Successor;
use super::words::{self, Answer, Hello, Over, Report, Wish};
use crate::failure::Failure;
use crate::home::Home;
use crate::server::notebooks::{Place, Sessions};
use crate::server::{Origin, Site, dispatch};

/// How long whoever connects may take to say what it wants.
const FIRST_WORD: Duration = Duration::from_secs(5);
/// How long a connection may wait between a relayed request's bytes.
const HEAD: Duration = Duration::from_secs(30);

pub struct Door(UnixListener);

/// A process that wants to be the engine. There is one at a time.
pub struct Taker {
    pub stream: UnixStream,
    pub wish: Wish,
    pub _turn: OwnedSemaphorePermit,
}

impl Door {
    pub fn open(home: &Home) -> Result<Self, Failure> {
        words::listen(home.root())
            .map(Self)
            .map_err(|error| Failure::io("the socket for upgrades in", home.root(), &error))
    }

    /// Takes the socket away, while the data folder is still ours.
    pub fn remove(home: &Home) {
        words::remove(home.root());
    }

    /// Serves as long as the process lives: also what came just before another took the socket's place.
    pub async fn serve(self, site: Arc<Site>, takers: mpsc::Sender<Taker>) {
        let turn = Arc::new(Semaphore::new(1));
        loop {
            let Ok((stream, _)) = self.0.accept().await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            if !words::ours(&stream) {
                continue;
            }
            let (site, takers, turn) = (Arc::clone(&site), takers.clone(), Arc::clone(&turn));
            tokio::spawn(async move { greet(stream, site, &takers, turn).await });
        }
    }
}

async fn greet(mut stream: UnixStream, site: Arc<Site>, takers: &mpsc::Sender<Taker>, turn: Arc<Semaphore>) {
    match tokio::time::timeout(FIRST_WORD, words::receive(&mut stream)).await {
        Ok(Ok(Hello::Takeover(wish))) => {
            let Ok(turn) = turn.try_acquire_owned() else {
                let busy = "another process is taking over from this engine already".to_owned();
                let _ = words::send(&mut stream, &Answer::Refused(busy)).await;
                return;
            };
            // Nobody listens any more once the engine has moved.
            let _ = takers.send(Taker { stream, wish, _turn: turn }).await;
        }
        Ok(Ok(Hello::Relay(origin))) => relayed(stream, site, origin).await,
        Ok(Ok(Hello::Drainer)) => attend(stream, site).await,
        Ok(Err(error)) => tracing::debug!(%error, "the socket for upgrades"),
        Err(_) => {}
    }
}

async fn relayed(stream: UnixStream, site: Arc<Site>, origin: Origin) {
    let _held = Arc::clone(&site.lasting.held);
    let service = service_fn(move |request| {
        let answer = dispatch::dispatch(Arc::clone(&site), request, origin.clone());
        async move { Ok::<_, std::convert::Infallible>(answer.await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    if let Err(error) = served.await {
        tracing::debug!(%error, "a relayed connection");
    }
}

/// Hears what a process that drains still has, and tells it which sessions are over.
async fn attend(mut stream: UnixStream, site: Arc<Site>) {
    let Some(pid) = stream.peer_cred().ok().and_then(|peer| peer.pid()) else { return };
    let _here = site.lasting.drainers.enter(pid);
    while let Ok(report) = words::receive::<Report>(&mut stream).await {
        let mut site = Arc::clone(&site);
        while let Some(successor) = site.gate.successor() {
            match successor {
                Successor::Site(next) => site = next,
                // It finds the engine by itself.
                Successor::Process(_) => return,
            }
        }
        site.lasting.drainers.heard(pid, report.connections);
        let over = report.sessions.into_iter().filter(|open| {
            let place = Place { name: open.name.clone(), region: open.region.clone() };
            let visitor = Visitor { ip: open.ip, secure: open.secure };
            Sessions::admit(&site, &place, &open.cookie, visitor).is_err()
        });
        let over = Over(over.map(|open| open.cookie).collect());
        if words::send(&mut stream, &over).await.is_err() {
            return;
        }
    }
}

/// The processes that drain, and how many connections each still has.
#[derive(Default)]
pub struct Drainers(Mutex<BTreeMap<i32, usize>>);

struct Here {
    drainers: Arc<Drainers>,
    pid: i32,
}

impl Drainers {
    pub fn list(&self) -> BTreeMap<i32, usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn heard(&self, pid: i32, connections: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(pid, connections);
    }

    fn enter(self: &Arc<Self>, pid: i32) -> Here {
        self.heard(pid, 0);
        Here { drainers: Arc::clone(self), pid }
    }

    /// Ends them: the engine is being stopped, not replaced.
    pub fn end(&self) {
        for pid in self.list().into_keys() {
            // Listed as long as its connection is open, so the number is still its own.
            if let Some(process) =
                Pid::from_raw(pid).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok())
            {
                let _ = pidfd_send_signal(process, Signal::TERM);
            }
        }
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.drainers.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.pid);
    }
}
