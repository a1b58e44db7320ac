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

/// Some of the records that are older than that, region by region, as their index has them. The order of writing would
/// not do: one record from a clock that was ahead would keep all behind it.
fn old(tx: &Tx<'_>, before: i64, limit: u32) -> Result<Vec<(i64, String)>, StoreError> {
    let mut found = Vec::new();
    let mut region = None::<String>;
    while let Some(next) = after(tx, region.as_deref())? {
        let left = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
        let mut statement = tx.connection().prepare_cached(
            "SELECT id, resources FROM trail WHERE region = ?1 AND time < ?2 ORDER BY time LIMIT ?3",
        )?;
        let rows = statement.query_map(params![next, before, left], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for row in rows {
            found.push(row?);
        }
        region = Some(next);
    }
    Ok(found)
}

/// The region that follows among those that have records.
fn after(tx: &Tx<'_>, region: Option<&str>) -> Result<Option<String>, StoreError> {
    let sql = match region {
        None => "SELECT min(region) FROM trail",
        Some(_) => "SELECT min(region) FROM trail WHERE region > ?1",
    };
    let mut statement = tx.connection().prepare_cached(sql)?;
    let next = statement.query_row(rusqlite::params_from_iter(region), |row| row.get(0))?;
    Ok(next)
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
