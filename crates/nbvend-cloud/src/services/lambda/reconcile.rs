//! Runs queued events.
//!
//! ```text
//!   queued ──due, room──▶ running ──answered────────────────────────▶ gone (OnSuccess is told)
//!     ▲                      │ ├───failed, tries left, young enough──┐
//!     │                      │ └───failed for good──▶ gone (OnFailure is told)
//!     │                      └─engine died─┐                        │
//!     └──────────────────at once───────────┴──after 1, then 2 minutes┘
//! ```
//!
//! Events run side by side: of one function at most [`A_FUNCTION`] and in all [`AT_ONCE`], so that neither a slow
//! function nor a flood keeps the others or the synchronous calls waiting.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use nbvend_wire::timestamp::Timestamp;

use super::attempt::{Attempted, attempt};
use super::queue::{self, Queued};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::reconcile::{Next, Pass, Reconciler};
use crate::store::Signal;

/// Wakes the runner of queued events.
pub const INVOCATIONS: Signal = Signal("lambda");
/// Wakes who ends processes of changed and deleted functions.
pub const CODE: Signal = Signal("lambda-code");

/// Events of one function that run at once, and of all.
const A_FUNCTION: usize = 20;
const AT_ONCE: usize = 60;

pub struct Events;

/// Events that run now, by id, with their lane.
type InHand = HashMap<String, String>;

impl Reconciler for Events {
    fn signal(&self) -> Signal {
        INVOCATIONS
    }

    fn pass<'a>(&'a self, engine: &'a Engine) -> Pass<'a> {
        Box::pin(async move {
            let bell = engine.signals().bell(INVOCATIONS);
            let mut in_hand = InHand::new();
            // Lanes whose function has no room: they hold nobody up, and are tried again when something changed.
            let mut blocked = HashSet::new();
            let mut work = FuturesUnordered::new();
            loop {
                let (ready, next) = due(engine, &in_hand, &blocked)?;
                for event in ready {
                    in_hand.insert(event.id.clone(), event.lane());
                    work.push(async move { (event.id.clone(), event.lane(), attempt(engine, event).await) });
                }
                if work.is_empty() {
                    return Ok(next.map_or(Next::WhenWoken, Next::At));
                }
                let wait = next.map_or(60_000, |next| (next.0 - engine.now().0).clamp(1, 60_000));
                tokio::select! {
                    Some((id, lane, done)) = work.next() => {
                        in_hand.remove(&id);
                        match done? {
                            Attempted::Settled => blocked.remove(&lane),
                            Attempted::NoRoom => blocked.insert(lane),
                        };
                    }
                    () = bell.notified() => blocked.clear(),
                    () = tokio::time::sleep(Duration::from_millis(wait.unsigned_abs())) => {}
                    () = engine.stopping() => return Ok(Next::WhenWoken),
                }
            }
        })
    }
}

/// Events to be begun now, one of each lane in turn, and when the next one will be due.
fn due(
    engine: &Engine,
    in_hand: &InHand,
    blocked: &HashSet<String>,
) -> Result<(Vec<Queued>, Option<Timestamp>), EngineError> {
    let now = engine.now();
    let mut room = AT_ONCE.saturating_sub(in_hand.len());
    let mut next: Option<Timestamp> = None;
    let mut waiting = engine.store().read(|tx| {
        let mut waiting = Vec::new();
        for (region, function) in queue::lanes(tx)? {
            let mut events = queue::first(tx, &region, &function, A_FUNCTION + 1)?;
            if let Some(later) = events.iter().find(|event| event.due > now) {
                next = Some(next.map_or(later.due, |next| next.min(later.due)));
            }
            let lane = events.first().map(Queued::lane).unwrap_or_default();
            if blocked.contains(&lane) {
                continue;
            }
            let running = in_hand.values().filter(|other| **other == lane).count();
            events.retain(|event| event.due <= now && !in_hand.contains_key(&event.id));
            events.truncate(A_FUNCTION.saturating_sub(running));
            waiting.push(events.into_iter());
        }
        Ok::<_, EngineError>(waiting)
    })??;
    let mut ready = Vec::new();
    while room > 0 {
        let before = ready.len();
        for lane in &mut waiting {
            ready.extend(lane.next().filter(|_| ready.len() - before < room));
        }
        room -= ready.len() - before;
        if ready.len() == before {
            break;
        }
    }
    Ok((ready, next))
}
