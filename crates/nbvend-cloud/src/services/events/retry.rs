//! Deliveries that wait: each blocked target is tried again when its time has come, the oldest delivery first; once one
//! succeeds, the others follow.

use super::state::{Blocked, Parked};
use super::{PRINCIPAL, RETRIES, deliver};
use crate::context::Cx;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::identity::Caller;
use crate::reconcile::{Next, Pass, Reconciler};
use crate::store::{GLOBAL, Signal};

/// So many deliveries of one lane share a transaction.
const BATCH: usize = 32;

pub struct Retries;

impl Reconciler for Retries {
    fn signal(&self) -> Signal {
        RETRIES
    }

    fn pass<'a>(&'a self, engine: &'a Engine) -> Pass<'a> {
        Box::pin(async move {
            let mut next = Next::WhenWoken;
            // As many as there are targets that fail.
            let all = engine.store().read(|tx| tx.list::<Blocked>(GLOBAL, "", None, usize::MAX))??;
            for blocked in all {
                if blocked.until > engine.now() {
                    next = next.or(Next::At(blocked.until));
                    continue;
                }
                let lane = blocked.lane;
                let one = engine.transact(Caller::service(PRINCIPAL, ""), move |cx| drain(cx, &lane));
                next = next.or(one.await?);
            }
            Ok(next)
        })
    }
}

fn drain(cx: &mut Cx<'_>, lane: &str) -> Result<Next, EngineError> {
    let Some(mut blocked) = cx.get_global::<Blocked>(lane)? else { return Ok(Next::WhenWoken) };
    let waiting = cx.tx.list::<Parked>(GLOBAL, &format!("{lane}|"), None, BATCH)?;
    if waiting.is_empty() {
        cx.tx.delete::<Blocked>(GLOBAL, lane)?;
        return Ok(Next::WhenWoken);
    }
    for parked in waiting {
        if !deliver::again(cx, &mut blocked, parked)? {
            return Ok(Next::At(blocked.until));
        }
    }
    Ok(Next::Again)
}
