//! From the outbox to the targets.
//!
//! Committed events are taken in their order. Which rules want them, and what each target gets, is worked out on a snapshot;
//! then one transaction makes the deliveries and takes the events out. Killed before that commit, all of it happens again;
//! killed after it, nothing does.

use nbvend_wire::timestamp::Timestamp;

use super::matching::Cache;
use super::state::{Delivery, Generation};
use super::{PRINCIPAL, deliver, forward};
use crate::engine::Engine;
use crate::identity::Caller;
use crate::outbox::{self, EVENTS};
use crate::reconcile::{Next, Pass, Reconciler};
use crate::store::{Signal, StoreError, Tx};

/// So many events share one transaction at the most: a bound on how long others wait for the writer.
const BATCH: u32 = 64;

pub struct Matcher;

impl Reconciler for Matcher {
    fn signal(&self) -> Signal {
        EVENTS
    }

    fn pass<'a>(&'a self, engine: &'a Engine) -> Pass<'a> {
        Box::pin(async move {
            let now = engine.now();
            let cache = engine.cache::<Cache>();
            let Some(plan) = engine.store().read(|tx| Plan::make(tx, &cache, now))?? else {
                return Ok(Next::WhenWoken);
            };
            let full = plan.full;
            let done = engine.transact(Caller::service(PRINCIPAL, ""), move |cx| {
                if plan.is_stale(cx.tx)? {
                    return Ok(false);
                }
                for delivery in plan.deliveries {
                    deliver::begin(cx, delivery)?;
                }
                outbox::remove_through(cx.tx, plan.last)?;
                Ok(true)
            });
            // Events that came meanwhile rang the bell.
            Ok(if done.await? && !full { Next::WhenWoken } else { Next::Again })
        })
    }
}

/// What the oldest events cause.
struct Plan {
    deliveries: Vec<Delivery>,
    /// The rules it was made from: region, bus, generation.
    from: Vec<(String, String, u64)>,
    /// The last event's place in the outbox.
    last: i64,
    full: bool,
}

impl Plan {
    fn make(tx: &Tx<'_>, cache: &Cache, now: Timestamp) -> Result<Option<Self>, StoreError> {
        let events = outbox::oldest(tx, BATCH)?;
        let Some(last) = events.last().map(|event| event.id) else { return Ok(None) };
        let full = events.len() >= BATCH as usize;
        let mut plan = Self { deliveries: Vec::new(), from: Vec::new(), last, full };
        for mut pending in events {
            let rules = cache.bus(tx, &pending.region, &pending.bus)?;
            if !plan.from.iter().any(|(region, bus, _)| *region == pending.region && *bus == pending.bus) {
                plan.from.push((pending.region.clone(), pending.bus.clone(), rules.generation));
            }
            let hops = forward::hops(&mut pending.event);
            plan.deliveries.extend(rules.deliveries(&pending.region, &pending.event, hops, now));
        }
        Ok(Some(plan))
    }

    /// Whether a rule changed since.
    fn is_stale(&self, tx: &Tx<'_>) -> Result<bool, StoreError> {
        for (region, bus, generation) in &self.from {
            if Generation::read(tx, region, bus)? != *generation {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
