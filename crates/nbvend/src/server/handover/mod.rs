//! An engine handed over from one process to the next, without a request that fails.
//!
//! ```text
//!   new                                        old
//!    │── wish (version, account, address) ────►│  serves
//!    │◄── offer and the listening sockets ─────│
//!    │  opens all that can be beside it        │
//!    │── ready ───────────────────────────────►│  slow work rests, requests inside finish   ([`give`])
//!    │◄── yours ───────────────────────────────│  store closed, nobody accepts: clients wait in the kernel's queue
//!    │  opens the store, adopts the servers    │
//!    │── serving ─────────────────────────────►│  drains                                    ([`drain`])
//!    │  accepts                                │
//! ```
//!
//! Who falls silent or dies before `yours` has changed nothing. After it the old process opens the store again unless it
//! hears `serving`. A process that drains keeps the connections it has: websockets, transfers and tunnels go on, a further
//! request on a kept connection is sent on to the engine ([`relay`]), which says when a session is over.

mod door;
mod drain;
mod gate;
mod give;
mod relay;
mod take;
mod words;

pub use door::{Door, Drainers, Taker};
pub use drain::drain;
pub use gate::{Entered, Gate, Permit, Successor};
pub use give::{Given, give};
pub use relay::forward;
pub use take::{Miss, Owned, ask};
pub use words::Open;

/// Kills the process at the step that `NBVEND_KILL_AT_TAKEOVER` names: how the tests die in the middle of a hand-over. Unset
/// in ordinary life.
fn failpoint(step: &str) {
    if std::env::var_os("NBVEND_KILL_AT_TAKEOVER").is_some_and(|at| at == step) {
        std::process::abort();
    }
}
