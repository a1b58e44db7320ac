//! Links and sessions that ended are removed, so that the store does not grow with every link made.
//!
//! ```text
//! made --(its time is over)--> ended: refused --(its hour is over)--> removed: unknown, and refused all the same
//! ```

use super::PRINCIPAL;
use super::state::{Link, Session, hour};
use crate::context::Cx;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::identity::Caller;
use crate::reconcile::{Next, Pass, Reconciler};
use crate::store::{Record, Signal, StoreError};

/// So many of each are removed in one transaction.
const BATCH: u32 = 100;
const HOUR_SECONDS: i64 = 3600;

pub struct Prune;

impl Reconciler for Prune {
    fn signal(&self) -> Signal {
        Signal("sagemaker-prune")
    }

    fn pass<'a>(&'a self, engine: &'a Engine) -> Pass<'a> {
        Box::pin(async move {
            let this_hour = hour(engine.now());
            let waiting = engine.store().read(|tx| {
                Ok::<_, StoreError>(
                    !tx.find_below::<Link>("hour", &this_hour, 1)?.is_empty()
                        || !tx.find_below::<Session>("hour", &this_hour, 1)?.is_empty(),
                )
            })??;
            if !waiting {
                return Ok(Next::At(engine.now().plus_seconds(HOUR_SECONDS)));
            }
            let work = move |cx: &mut Cx<'_>| {
                remove::<Link>(cx, &this_hour)?;
                remove::<Session>(cx, &this_hour)?;
                Ok(())
            };
            engine.transact(Caller::service(PRINCIPAL, ""), work).await?;
            Ok(Next::Again)
        })
    }
}

/// Hours are numbers of six digits until the year 2084: their order is that of their text.
fn remove<R: Record>(cx: &mut Cx<'_>, hour: &str) -> Result<(), EngineError> {
    for (region, ended) in cx.tx.find_below::<R>("hour", hour, BATCH)? {
        cx.tx.delete::<R>(&region, &ended.key())?;
    }
    Ok(())
}
