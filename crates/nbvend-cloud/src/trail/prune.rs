//! Records leave the trail after 90 days, as CloudTrail's event history has it. Looked at once an hour, a batch a commit.

use rusqlite::params;

use super::resource_name;
use crate::engine::Engine;
use crate::reconcile::{Next, Pass, Reconciler};
use crate::store::{Signal, StoreError, Tx};

pub const DAYS: i64 = 90;
const PRUNE: Signal = Signal("trail-prune");
const HOUR_SECONDS: i64 = 3600;
/// Records removed in one transaction: a bound on how long others wait for the writer.
const BATCH: u32 = 500;

pub struct Prune;

impl Reconciler for Prune {
    fn signal(&self) -> Signal {
        PRUNE
    }

    fn pass<'a>(&'a self, engine: &'a Engine) -> Pass<'a> {
        Box::pin(async move {
            let now = engine.now();
            let before = now.plus_seconds(-DAYS * 86_400).0;
            if engine.store().read(|tx| old(tx, before, 1))??.is_empty() {
                return Ok(Next::At(now.plus_seconds(HOUR_SECONDS)));
            }
            engine.store().write(move |tx| remove(tx, before)).await??;
            Ok(Next::Again)
        })
    }
}

/// The oldest records, if they are older than that: places are given in the order of writing, which follows time to within
/// the fraction of a second that reads are queued.
fn old(tx: &Tx<'_>, before: i64, limit: u32) -> Result<Vec<(i64, String)>, StoreError> {
    let mut statement =
        tx.connection().prepare_cached("SELECT id, resources, time FROM trail ORDER BY id LIMIT ?1")?;
    let rows = statement.query_map([limit], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?)))?;
    let rows = rows.collect::<Result<Vec<(i64, String, i64)>, _>>()?;
    Ok(rows.into_iter().take_while(|row| row.2 < before).map(|(id, resources, _)| (id, resources)).collect())
}

fn remove(tx: &Tx<'_>, before: i64) -> Result<(), StoreError> {
    let connection = tx.connection();
    for (id, resources) in old(tx, before, BATCH)? {
        let resources: Vec<String> = serde_json::from_str(&resources).unwrap_or_default();
        for arn in &resources {
            connection
                .prepare_cached("DELETE FROM trail_resource WHERE name = ?1 AND trail_id = ?2")?
                .execute(params![resource_name(arn), id])?;
        }
        connection.prepare_cached("DELETE FROM trail WHERE id = ?1")?.execute([id])?;
    }
    Ok(())
}
