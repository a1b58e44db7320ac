//! Where a process's runtime and the invocation that waits for it meet.
//!
//! ```text
//!             next                offer                 taken               answer
//! Starting ----------> Waiting ----------> Offered ----------> Running ----------> Answered
//!                         ^                                                            |
//!                         +---------------------------- next -------------------------+
//! ```
//! The process moves by its HTTP calls (`next`, `take`, `answer`, `fail_init`), the invocation by `offer`. Calls
//! out of turn are refused as AWS refuses them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::HeaderMap;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::FunctionError;

/// A request as the process will see it.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) id: String,
    pub(super) headers: HeaderMap,
    pub(super) payload: Bytes,
}

#[derive(Debug)]
pub(super) enum Answer {
    Response(Bytes),
    Error(FunctionError),
    TooLarge,
}

/// Why a call of the process is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    InvalidRequestId,
    InvalidState,
}

#[derive(Debug)]
enum Step {
    Starting,
    Waiting,
    Offered(Box<Request>),
    Running(String),
    Answered,
}

#[derive(Debug)]
struct State {
    step: Step,
    /// The answer and when it came.
    answer: Option<(Answer, Instant)>,
    init_error: Option<Bytes>,
    /// A runtime that lost its connection asks again; only the newest asker gets the request.
    asker: u64,
    connections: usize,
}

#[derive(Debug)]
pub(super) struct Exchange {
    state: Mutex<State>,
    /// Something the invocation waits for happened.
    pub(super) changed: Notify,
    offered: Notify,
}

/// What the invocation sees when it looks.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum View {
    /// The process has asked for its next request.
    Waiting,
    /// The process reported that it cannot start.
    InitFailed,
    Busy,
}

impl Exchange {
    pub(super) fn new() -> Self {
        let state = State { step: Step::Starting, answer: None, init_error: None, asker: 0, connections: 0 };
        Self { state: Mutex::new(state), changed: Notify::new(), offered: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // The invocation's side.

    pub(super) fn view(&self) -> View {
        let state = self.lock();
        match state.step {
            _ if state.init_error.is_some() => View::InitFailed,
            Step::Waiting => View::Waiting,
            Step::Starting | Step::Offered(_) | Step::Running(_) | Step::Answered => View::Busy,
        }
    }

    pub(super) fn offer(&self, request: Request) {
        self.lock().step = Step::Offered(Box::new(request));
        self.offered.notify_waiters();
    }

    /// Whether the process has taken what was offered.
    pub(super) fn taken(&self) -> bool {
        !matches!(self.lock().step, Step::Offered(_))
    }

    pub(super) fn answer_taken(&self) -> Option<(Answer, Instant)> {
        self.lock().answer.take()
    }

    pub(super) fn init_error(&self) -> Option<Bytes> {
        self.lock().init_error.take()
    }

    /// Whether no connection is open, so that nothing more can come from a process that is gone.
    pub(super) fn is_quiet(&self) -> bool {
        self.lock().connections == 0
    }

    // The process's side.

    /// Waits for the next request. Dropping the future loses nothing.
    pub(super) async fn next(&self) -> Result<Request, Refusal> {
        let mine = {
            let mut state = self.lock();
            match state.step {
                Step::Running(_) => return Err(Refusal::InvalidState),
                Step::Starting | Step::Answered => state.step = Step::Waiting,
                Step::Waiting | Step::Offered(_) => {}
            }
            state.asker += 1;
            state.asker
        };
        self.changed.notify_one();
        self.offered.notify_waiters();
        loop {
            let mut offered = std::pin::pin!(self.offered.notified());
            offered.as_mut().enable();
            if let Some(request) = self.take(mine)? {
                return Ok(request);
            }
            offered.await;
        }
    }

    fn take(&self, asker: u64) -> Result<Option<Request>, Refusal> {
        let mut state = self.lock();
        if state.asker != asker {
            return Err(Refusal::InvalidState);
        }
        let Step::Offered(request) = &state.step else { return Ok(None) };
        let request = (**request).clone();
        state.step = Step::Running(request.id.clone());
        Ok(Some(request))
    }

    /// Whether an answer to `id` would be accepted now; asked before its body is read.
    pub(super) fn accepts(&self, id: &str) -> Result<(), Refusal> {
        match &self.lock().step {
            Step::Running(running) if running == id => Ok(()),
            Step::Running(_) => Err(Refusal::InvalidRequestId),
            Step::Starting | Step::Waiting | Step::Offered(_) | Step::Answered => Err(Refusal::InvalidState),
        }
    }

    pub(super) fn answer(&self, id: &str, answer: Answer) -> Result<(), Refusal> {
        self.accepts(id)?;
        let mut state = self.lock();
        state.step = Step::Answered;
        state.answer = Some((answer, Instant::now()));
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    pub(super) fn fail_init(&self, payload: Bytes) -> Result<(), Refusal> {
        let mut state = self.lock();
        if !matches!(state.step, Step::Starting) || state.init_error.is_some() {
            return Err(Refusal::InvalidState);
        }
        state.init_error = Some(payload);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    pub(super) fn connected(&self) {
        self.lock().connections += 1;
    }

    pub(super) fn disconnected(&self) {
        self.lock().connections -= 1;
        self.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(id: &str) -> Request {
        Request { id: id.into(), headers: HeaderMap::new(), payload: Bytes::from_static(b"{}") }
    }

    fn ok() -> Answer {
        Answer::Response(Bytes::from_static(b"1"))
    }

    #[tokio::test]
    async fn one_round_and_every_call_out_of_turn() {
        let exchange = Exchange::new();
        assert_eq!(exchange.view(), View::Busy);
        assert_eq!(exchange.answer("a", ok()).unwrap_err(), Refusal::InvalidState);

        let (taken, ()) = tokio::join!(exchange.next(), async {
            exchange.changed.notified().await;
            assert_eq!(exchange.view(), View::Waiting);
            exchange.offer(request("a"));
        });
        assert_eq!(taken.unwrap().id, "a");
        assert!(exchange.taken());

        assert_eq!(exchange.next().await.unwrap_err(), Refusal::InvalidState);
        assert_eq!(exchange.answer("b", ok()).unwrap_err(), Refusal::InvalidRequestId);
        assert_eq!(exchange.fail_init(Bytes::new()).unwrap_err(), Refusal::InvalidState);
        exchange.answer("a", ok()).unwrap();
        assert_eq!(exchange.answer("a", ok()).unwrap_err(), Refusal::InvalidState);
        assert!(matches!(exchange.answer_taken(), Some((Answer::Response(_), _))));
        assert!(exchange.answer_taken().is_none());
        assert_eq!(exchange.view(), View::Busy, "it has not asked again");
    }

    #[tokio::test]
    async fn the_newest_asker_gets_the_request() {
        let exchange = Exchange::new();
        let mut old = Box::pin(exchange.next());
        assert!(futures_poll(&mut old).is_none());
        let mut new = Box::pin(exchange.next());
        assert!(futures_poll(&mut new).is_none());
        exchange.offer(request("a"));
        assert_eq!(old.await.unwrap_err(), Refusal::InvalidState);
        assert_eq!(new.await.unwrap().id, "a");
    }

    #[tokio::test]
    async fn a_failed_start_is_seen() {
        let exchange = Exchange::new();
        exchange.fail_init(Bytes::from_static(b"{}")).unwrap();
        assert_eq!(exchange.view(), View::InitFailed);
        assert!(exchange.fail_init(Bytes::new()).is_err());
        assert_eq!(exchange.init_error().unwrap(), "{}");
    }

    /// Polls once.
    fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::Pin::new(future).poll(&mut context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        }
    }
}
