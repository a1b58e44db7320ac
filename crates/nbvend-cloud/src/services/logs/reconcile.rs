//! Removes what is no longer to be read, a few rows a transaction:
//!
//! ```text
//!   event ──older than the group's retention──▶ gone
//!   stream or group ──deleted──▶ debris ──its rows removed──▶ gone
//! ```

use nbvend_wire::timestamp::Timestamp;

use super::state::Group;
use super::table::{self, Among};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::identity::Caller;
use crate::reconcile::{Next, Pass, Reconciler};
use crate::store::Signal;

/// Wakes the sweeper.
pub const LOGS: Signal = Signal("logs");
/// Rows a transaction.
const PIECE: i64 = 200;
/// How often retention is looked after. AWS takes up to three days.
const EVERY_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;

pub struct Sweeper;

impl Reconciler for Sweeper {
    fn signal(&self) -> Signal {
        LOGS
    }

    fn pass<'a>(&'a self, engine: &'a Engine) -> Pass<'a> {
        Box::pin(async move {
            while transact(engine, |tx| table::sweep(tx, PIECE)).await? {}
            let limited = engine.store().read(|tx| tx.find_everywhere::<Group>("retention", "yes"))??;
            for (_, group) in &limited {
                let (id, days) = (group.id, group.retention_days.unwrap_or_default());
                let oldest = engine.now().0 - days * DAY_MS;
                while transact(engine, move |tx| {
                    table::remove_before(tx, id, Among::Group(id), oldest, PIECE)
                })
                .await?
                {}
            }
            if limited.is_empty() {
                return Ok(Next::WhenWoken);
            }
            Ok(Next::At(Timestamp(engine.now().0 + EVERY_MS)))
        })
    }
}

async fn transact(
    engine: &Engine,
    step: impl FnOnce(&crate::store::Tx<'_>) -> Result<bool, crate::store::StoreError> + Send + 'static,
) -> Result<bool, EngineError> {
    // The region matters to nothing here: rows are found by number.
    let caller = Caller::service("logs.amazonaws.com", "");
    engine.transact(caller, move |cx| Ok(step(cx.tx)?)).await
}
