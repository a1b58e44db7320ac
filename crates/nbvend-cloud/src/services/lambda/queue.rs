//! The queue of asynchronous invocations. An event is written in the transaction that asked for it and stays until it
//! was run (or given up): at least once, also over a kill.
//!
//! A function's events are a lane of their own: keys begin with region and function, then come time and id. So one
//! function's backlog is never in the way of another's, and finding the next event costs the same however many wait.

use bytes::Bytes;
use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::name::Named;
use super::reconcile::INVOCATIONS;
use crate::context::Cx;
use crate::store::{GLOBAL, Record, StoreError, Tx};

/// An event that waits for its function.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Queued {
    /// The request id: the same however often it is tried.
    pub id: String,
    pub region: String,
    pub function: String,
    pub qualifier: Option<String>,
    pub client_context: Option<String>,
    pub accepted: Timestamp,
    /// Not before this.
    pub due: Timestamp,
    /// How often the function ran and failed.
    pub attempts: u32,
    /// How often it could not be run at all.
    pub stumbles: u32,
}

impl Queued {
    pub fn lane(&self) -> String {
        lane(&self.region, &self.function)
    }
}

fn lane(region: &str, function: &str) -> String {
    format!("{region}/{function}/")
}

/// Stored under no region: the queue is one.
impl Record for Queued {
    const KIND: &'static str = "lambda.event";

    fn key(&self) -> String {
        format!("{}{:015}/{}", self.lane(), self.due.0, self.id)
    }
}

/// An event's payload, apart, so that looking through the queue does not read it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Payload {
    pub id: String,
    /// JSON text.
    pub text: String,
}

impl Record for Payload {
    const KIND: &'static str = "lambda.event-payload";

    fn key(&self) -> String {
        self.id.clone()
    }
}

/// Queues an event for now.
pub fn push(
    cx: &Cx<'_>,
    named: &Named,
    request_id: String,
    payload: &Bytes,
    client_context: Option<String>,
) -> Result<(), Error> {
    let text = String::from_utf8(payload.to_vec()).map_err(|error| Error::NotJson(error.to_string()))?;
    // A caller inside the engine may send several events under one request.
    let id = match cx.get_global::<Payload>(&request_id)? {
        Some(_) => cx.ids().uuid(),
        None => request_id,
    };
    cx.put_global(&Payload { id: id.clone(), text })?;
    cx.put_global(&Queued {
        id,
        region: cx.region().to_owned(),
        function: named.name.clone(),
        qualifier: named.qualifier.clone(),
        client_context,
        accepted: cx.now(),
        due: cx.now(),
        attempts: 0,
        stumbles: 0,
    })?;
    cx.wake(INVOCATIONS);
    Ok(())
}

/// Takes an event out.
pub fn remove(cx: &Cx<'_>, event: &Queued) -> Result<(), StoreError> {
    cx.tx.delete::<Queued>(GLOBAL, &event.key())?;
    cx.tx.delete::<Payload>(GLOBAL, &event.id)?;
    Ok(())
}

/// Puts an event off.
pub fn later(cx: &Cx<'_>, event: &Queued, changed: &Queued) -> Result<(), StoreError> {
    cx.tx.delete::<Queued>(GLOBAL, &event.key())?;
    cx.put_global(changed)
}

/// The lanes that hold anything, each with its region and function.
pub fn lanes(tx: &Tx<'_>) -> Result<Vec<(String, String)>, StoreError> {
    let mut lanes = Vec::new();
    let mut after: Option<String> = None;
    while let Some(first) = tx.list::<Queued>(GLOBAL, "", after.as_deref(), 1)?.pop() {
        after = Some(format!("{}\u{10FFFF}", first.lane()));
        lanes.push((first.region, first.function));
    }
    Ok(lanes)
}

/// The first events of a lane, the earliest due first.
pub fn first(tx: &Tx<'_>, region: &str, function: &str, limit: usize) -> Result<Vec<Queued>, StoreError> {
    tx.list::<Queued>(GLOBAL, &lane(region, function), None, limit)
}
