//! What the engine counts of itself, for whoever watches it. Counts live in memory: they begin anew with each engine, as
//! Prometheus expects.
//!
//! Calls are counted where they are recorded, so those of the data plane (objects, invocations, events put, APIs
//! called) are missing here unless they were denied, as in the trail; the listener counts all requests it answers.

use std::collections::BTreeMap;
use std::sync::Mutex;

use nbvend_wire::error::WireError;

use crate::engine::Engine;
use crate::store::{StoreError, Tx};

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Done,
    Denied,
    /// The caller's mistake.
    Refused,
    /// The engine's.
    Failed,
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Denied => "denied",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    fn of(error: Option<&WireError>) -> Self {
        match error {
            None => Self::Done,
            Some(error) if error.code.starts_with("AccessDenied") => Self::Denied,
            Some(error) if error.status >= 500 => Self::Failed,
            Some(_) => Self::Refused,
        }
    }
}

/// Calls by service, operation and outcome.
type Counts = BTreeMap<(&'static str, String, Outcome), u64>;

#[derive(Default)]
struct Calls(Mutex<Counts>);

/// Counts a call. Names come from requests that were recognised, so there are only so many.
pub(crate) fn count(engine: &Engine, service: &'static str, operation: &str, error: Option<&WireError>) {
    let calls = engine.cache::<Calls>();
    let mut counts = calls.0.lock().expect("nobody panics while counting");
    *counts.entry((service, operation.to_owned(), Outcome::of(error))).or_default() += 1;
}

/// A moment's figures.
pub struct Figures {
    pub calls: Counts,
    /// Notebook instances by AWS's status.
    pub notebooks: BTreeMap<String, i64>,
    /// Launches from the catalog by their record's status.
    pub vends: BTreeMap<String, i64>,
    /// Targets of rules that fail and are tried again.
    pub blocked_targets: usize,
    /// How long commits took.
    pub commits: crate::store::Latency,
}

/// Reads them.
pub fn figures(engine: &Engine) -> Result<Figures, StoreError> {
    let calls = engine.cache::<Calls>().0.lock().expect("nobody panics while counting").clone();
    engine.store().read(|tx| {
        Ok(Figures {
            calls,
            notebooks: by_status(tx, "sagemaker.notebook-instance", "")?,
            vends: by_status(tx, "servicecatalog.record", "AND json_extract(body, '$.kind') = 'Provision'")?,
            blocked_targets: crate::services::events::deliveries(tx)?.blocked_targets,
            commits: engine.store().latency(),
        })
    })?
}

/// Counts records of a kind by their `status` without reading them one by one.
fn by_status(tx: &Tx<'_>, kind: &str, only: &str) -> Result<BTreeMap<String, i64>, StoreError> {
    let sql = format!(
        "SELECT coalesce(json_extract(body, '$.status'), ''), count(*) FROM record WHERE kind = ?1 {only} GROUP BY 1"
    );
    let mut statement = tx.connection().prepare_cached(&sql)?;
    let rows = statement.query_map([kind], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
