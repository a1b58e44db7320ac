//! Ended sessions are removed, so that the store does not grow with every role assumed.
//!
//! ```text
//! issued --(its time is over)--> expired: requests get ExpiredToken --(a day later)--> removed: the key is unknown
//! ```
//!
//! Sessions stand in an index by the hour they end in; the sweep remembers the first hour that may hold some.

use super::credentials::{Sweep, hour};
use crate::context::Cx;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::identity::{AccessKey, Caller};
use crate::reconcile::{Next, Pass, Reconciler};
use crate::store::{GLOBAL, Signal, Tx};

/// So long an ended session is told that it ended.
const KEPT_HOURS: i64 = 24;
/// So many are removed in one transaction.
const BATCH: usize = 100;

pub struct SweepSessions;

impl Reconciler for SweepSessions {
    fn signal(&self) -> Signal {
        Signal("sts-sweep")
    }

    fn pass<'a>(&'a self, engine: &'a Engine) -> Pass<'a> {
        Box::pin(async move {
            // Sessions of this hour and earlier ones have been over long enough.
            let due = hour(engine.now()) - KEPT_HOURS - 1;
            let sweep = engine.store().read(|tx: &Tx<'_>| tx.get::<Sweep>(GLOBAL, Sweep::KEY))??;
            if sweep.is_none_or(|sweep| sweep.next > due) {
                return Ok(Next::WhenWoken);
            }
            engine.transact(Caller::service("sts.amazonaws.com", ""), move |cx| sweep_some(cx, due)).await?;
            Ok(Next::Again)
        })
    }
}

fn sweep_some(cx: &Cx<'_>, due: i64) -> Result<(), EngineError> {
    let Some(mut sweep) = cx.get_global::<Sweep>(Sweep::KEY)? else { return Ok(()) };
    let mut room = BATCH;
    while sweep.next <= due && room > 0 {
        let ended: Vec<AccessKey> = cx.tx.find(GLOBAL, "session-hour", &sweep.next.to_string())?;
        for key in ended.iter().take(room) {
            AccessKey::delete(cx.tx, &key.id)?;
        }
        if ended.len() <= room {
            sweep.next += 1;
        }
        // An empty hour counts as one, so that a pass over years of sleep has an end too.
        room = room.saturating_sub(ended.len().max(1));
    }
    Ok(cx.put_global(&sweep)?)
}
