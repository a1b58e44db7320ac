//! Names to addresses, as the system resolves them.
//!
//! The system's resolver holds a thread until it answers, which may be half a minute where a name server is silent. A
//! notebook has a few of them at a time and all notebooks together some more, so that names nobody knows take the threads
//! of nothing else.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use tokio::sync::Semaphore;

/// Lookups under way for one notebook, and for all.
const AT_ONCE: usize = 8;
const IN_ALL: usize = 64;

static ALL: Semaphore = Semaphore::const_new(IN_ALL);

pub(super) type Resolver = fn(&str, u16) -> io::Result<Vec<SocketAddr>>;

/// Looks names up for one notebook. Clones share its bound.
#[derive(Debug, Clone)]
pub(super) struct Lookup {
    resolver: Resolver,
    room: Arc<Semaphore>,
}

impl Default for Lookup {
    fn default() -> Self {
        Self::with(|host, port| Ok((host, port).to_socket_addrs()?.collect()))
    }
}

impl Lookup {
    fn with(resolver: Resolver) -> Self {
        Self { resolver, room: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// All addresses of a host; those of an address are itself. Waits for a thread as long as it takes.
    ///
    /// # Errors
    /// What the system says of a name it does not know.
    pub(super) async fn addresses(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![(address, port).into()]);
        }
        let own = Arc::clone(&self.room).acquire_owned().await.map_err(io::Error::other)?;
        let shared = ALL.acquire().await.map_err(io::Error::other)?;
        let (resolver, host) = (self.resolver, host.to_owned());
        // Who asked may have gone; the thread is taken until the system has answered.
        let thread = tokio::task::spawn_blocking(move || {
            let _held = (own, shared);
            resolver(&host, port)
        });
        thread.await?
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    static SPEAKS: AtomicBool = AtomicBool::new(false);
    static ASKED: AtomicUsize = AtomicUsize::new(0);

    /// However the test ends, no thread is left.
    struct Silence;

    impl Drop for Silence {
        fn drop(&mut self) {
            SPEAKS.store(true, Ordering::SeqCst);
        }
    }

    /// A name server that says nothing for long.
    fn silent(_: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        ASKED.fetch_add(1, Ordering::SeqCst);
        while !SPEAKS.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(vec![([192, 0, 2, 1], port).into()])
    }

    #[tokio::test]
    async fn one_notebooks_slow_names_keep_no_other_waiting() {
        let silence = Silence;
        let slow = Lookup::with(silent);
        for n in 0..100 {
            let asked = timeout(Duration::from_millis(1), slow.addresses(&format!("{n}.test"), 80)).await;
            assert!(asked.is_err(), "it gave up");
        }
        let other = Lookup::default();
        let found =
            timeout(Duration::from_secs(30), other.addresses("localhost", 443)).await.unwrap().unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback() && address.port() == 443), "{found:?}");
        let own = slow.addresses("::1", 80).await.unwrap();
        assert_eq!(own, ["[::1]:80".parse().unwrap()], "an address needs no thread");
        assert_eq!(ASKED.load(Ordering::SeqCst), AT_ONCE, "who gave up still holds its thread, and no more");
        drop(silence);
        assert!(slow.addresses("x.test", 80).await.is_ok(), "the threads are free again");
    }
}
