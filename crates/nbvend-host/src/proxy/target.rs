//! Where a notebook listens, who its user is, and how much of the engine its requests may hold.
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::pool::Pool;

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests and websockets at a time; more are answered with 503 at once.
    pub concurrent: usize,
    /// Connections kept open between requests.
    pub idle: usize,
    /// Until the notebook accepts a connection.
    pub connect: Duration,
    /// How long a request's body may not move at all, or the notebook not take a websocket's bytes.
    pub stall: Duration,
    /// From the last movement of the request's body to the head of the answer. Long, because a kernel's start answers
    /// late.
    pub head: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrent: 256,
            idle: 16,
            connect: Duration::from_secs(5),
            stall: Duration::from_secs(60),
            head: Duration::from_secs(120),
        }
    }
}

/// One notebook, as the proxy sees it. Clones share their connections; keep one as long as the notebook runs.
#[derive(Debug, Clone)]
pub struct Target {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    user_header: (HeaderName, HeaderValue),
    private_cookies: Vec<String>,
    limits: Limits,
    places: Arc<Semaphore>,
    pool: Arc<Pool>,
}

impl Target {
    /// The socket's path and the header that names the user (see [`crate::jupyter::identity`]).
    pub fn new(socket: PathBuf, user_header: (HeaderName, HeaderValue)) -> Self {
        Self::build(socket, user_header, Vec::new(), Limits::default())
    }

    /// The engine's own cookies, by name: the notebook neither hears of them nor sets them.
    #[must_use]
    pub fn hide_cookies<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        let names = names.into_iter().map(Into::into).collect();
        Self::build(self.socket().to_owned(), self.inner.user_header.clone(), names, self.inner.limits)
    }

    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        let inner = &self.inner;
        Self::build(
            self.socket().to_owned(),
            inner.user_header.clone(),
            inner.private_cookies.clone(),
            limits,
        )
    }

    fn build(
        socket: PathBuf,
        user_header: (HeaderName, HeaderValue),
        private_cookies: Vec<String>,
        limits: Limits,
    ) -> Self {
        let places = Arc::new(Semaphore::new(limits.concurrent));
        let pool = Arc::new(Pool::new(socket, limits));
        Self { inner: Arc::new(Inner { user_header, private_cookies, limits, places, pool }) }
    }

    pub fn socket(&self) -> &Path {
        self.inner.pool.socket()
    }

    /// Requests and websockets under way.
    pub fn in_use(&self) -> usize {
        self.inner.limits.concurrent - self.inner.places.available_permits()
    }

    pub(super) fn user_header(&self) -> &(HeaderName, HeaderValue) {
        &self.inner.user_header
    }

    pub(super) fn private_cookies(&self) -> &[String] {
        &self.inner.private_cookies
    }

    pub(super) fn limits(&self) -> Limits {
        self.inner.limits
    }

    pub(super) fn pool(&self) -> &Arc<Pool> {
        &self.inner.pool
    }

    /// A place for one request, if there is one.
    pub(super) fn place(&self) -> Option<OwnedSemaphorePermit> {
        self.inner.places.clone().try_acquire_owned().ok()
    }
}
