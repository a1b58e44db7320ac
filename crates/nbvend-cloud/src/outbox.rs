//! The outbox: events committed with the change that caused them, and taken from there by EventBridge's reconciler.

use nbvend_wire::timestamp::Timestamp;
use rusqlite::params;
use serde_json::{Value, json};

use crate::ports::Ids;
use crate::store::{Signal, StoreError, Tx};

/// Wakes whoever delivers events.
pub const EVENTS: Signal = Signal("events");

/// An event of an AWS service.
#[derive(Debug, Clone)]
pub struct Event {
    /// `aws.sagemaker`.
    pub source: String,
    pub detail_type: String,
    /// ARNs it is about.
    pub resources: Vec<String>,
    pub detail: Value,
}

/// An event waiting in the outbox, whole as EventBridge delivers it.
#[derive(Debug, Clone)]
pub struct Pending {
    pub id: i64,
    pub region: String,
    pub bus: String,
    pub event: Value,
}

/// Puts an event on the default bus.
pub fn push(
    tx: &Tx<'_>,
    region: &str,
    account: &str,
    now: Timestamp,
    ids: &dyn Ids,
    event: &Event,
) -> Result<(), StoreError> {
    let envelope = json!({
        "version": "0",
        "id": ids.uuid(),
        "detail-type": event.detail_type,
        "source": event.source,
        "account": account,
        "time": now.iso8601(),
        "region": region,
        "resources": event.resources,
        "detail": event.detail,
    });
    push_envelope(tx, region, "default", &envelope)
}

/// Puts a whole event on a bus, as `PutEvents` does.
pub fn push_envelope(tx: &Tx<'_>, region: &str, bus: &str, event: &Value) -> Result<(), StoreError> {
    tx.connection()
        .prepare_cached("INSERT INTO outbox (region, bus, body) VALUES (?1, ?2, ?3)")?
        .execute(params![region, bus, event.to_string()])?;
    tx.wake(EVENTS);
    Ok(())
}

/// The oldest events, in commit order.
pub fn oldest(tx: &Tx<'_>, limit: u32) -> Result<Vec<Pending>, StoreError> {
    let mut statement =
        tx.connection().prepare_cached("SELECT id, region, bus, body FROM outbox ORDER BY id LIMIT ?1")?;
    let rows = statement.query_map([limit], |row| {
        let body: String = row.get(3)?;
        Ok(Pending {
            id: row.get(0)?,
            region: row.get(1)?,
            bus: row.get(2)?,
            event: serde_json::from_str(&body).unwrap_or(Value::Null),
        })
    })?;
    rows.map(|row| row.map_err(StoreError::from)).collect()
}

/// Takes all events up to and with that one out, once their deliveries are written. Places are given in commit order, so
/// whoever read the oldest events read all of these.
pub fn remove_through(tx: &Tx<'_>, last: i64) -> Result<(), StoreError> {
    tx.connection().prepare_cached("DELETE FROM outbox WHERE id <= ?1")?.execute([last])?;
    Ok(())
}
