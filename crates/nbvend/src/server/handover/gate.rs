//! Where each request asks whether this engine still answers it: at once, a little later, or by way of another.
//!
//! ```text
//!   open ──► shut (requests wait; those inside finish) ──► open again, when nothing came of the hand-over
//!                                                      └─► moved: whoever waits or comes is sent on
//! ```

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::server::Site;

/// The gate of one engine. Clones are the same gate.
#[derive(Clone, Default)]
pub struct Gate(Arc<Shared>);

#[derive(Default)]
struct Shared {
    books: Mutex<Books>,
    changed: Notify,
}

#[derive(Default)]
struct Books {
    state: State,
    /// When each request that is inside came.
    inside: HashMap<u64, Instant>,
    next: u64,
}

#[derive(Default)]
enum State {
    #[default]
    Open,
    Shut,
    Moved(Successor),
}

/// Who answers instead.
#[derive(Clone)]
pub enum Successor {
    /// This process again, after a hand-over that failed late.
    Site(Arc<Site>),
    /// The process that listens on this socket.
    Process(PathBuf),
}

/// What the gate says to a request.
pub enum Entered {
    Here(Permit),
    Elsewhere(Successor),
}

/// A request that is answered with the store; until dropped the store stays open, within bounds.
pub struct Permit {
    gate: Gate,
    number: u64,
}

impl Gate {
    /// Waits while the gate is shut.
    pub async fn enter(&self) -> Entered {
        loop {
            let changed = {
                let mut books = self.books();
                match &books.state {
                    State::Open => {
                        let number = books.next;
                        books.next += 1;
                        books.inside.insert(number, Instant::now());
                        return Entered::Here(Permit { gate: self.clone(), number });
                    }
                    State::Moved(successor) => return Entered::Elsewhere(successor.clone()),
                    // Made under the lock, so that no change is missed.
                    State::Shut => self.0.changed.notified(),
                }
            };
            changed.await;
        }
    }

    pub fn open(&self) {
        self.turn(State::Open);
    }

    pub fn shut(&self) {
        self.turn(State::Shut);
    }

    pub fn moved(&self, successor: Successor) {
        self.turn(State::Moved(successor));
    }

    /// Whoever answers instead, once there is one.
    pub fn successor(&self) -> Option<Successor> {
        match &self.books().state {
            State::Moved(successor) => Some(successor.clone()),
            State::Open | State::Shut => None,
        }
    }

    /// How many requests inside came longer ago than `age`.
    pub fn older_than(&self, age: Duration) -> usize {
        self.books().inside.values().filter(|came| came.elapsed() > age).count()
    }

    /// Waits until nobody is inside.
    pub async fn emptied(&self) {
        loop {
            let changed = self.0.changed.notified();
            if self.books().inside.is_empty() {
                return;
            }
            changed.await;
        }
    }

    fn turn(&self, state: State) {
        self.books().state = state;
        self.0.changed.notify_waiters();
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut books = self.gate.books();
        books.inside.remove(&self.number);
        let last = books.inside.is_empty() && matches!(books.state, State::Shut);
        drop(books);
        if last {
            self.gate.0.changed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(entered: Entered) -> Permit {
        match entered {
            Entered::Here(permit) => permit,
            Entered::Elsewhere(_) => panic!("sent elsewhere"),
        }
    }

    #[tokio::test]
    async fn a_shut_gate_lets_those_inside_finish_and_others_wait() {
        let gate = Gate::default();
        let first = here(gate.enter().await);
        assert_eq!((gate.older_than(Duration::ZERO), gate.older_than(Duration::from_secs(60))), (1, 0));
        gate.shut();
        let (other, emptied) = (gate.clone(), gate.clone());
        let second = tokio::spawn(async move { other.enter().await });
        let emptied = tokio::spawn(async move { emptied.emptied().await });
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!second.is_finished() && !emptied.is_finished());
        drop(first);
        emptied.await.unwrap();
        assert!(!second.is_finished());
        gate.open();
        drop(here(second.await.unwrap()));
        gate.emptied().await;
    }

    #[tokio::test]
    async fn whoever_waits_is_sent_on() {
        let gate = Gate::default();
        gate.shut();
        let other = gate.clone();
        let waiting = tokio::spawn(async move { other.enter().await });
        tokio::time::sleep(Duration::from_millis(20)).await;
        gate.moved(Successor::Process("/there".into()));
        for entered in [waiting.await.unwrap(), gate.enter().await] {
            assert!(matches!(entered, Entered::Elsewhere(Successor::Process(path)) if path == *"/there"));
        }
    }
}
