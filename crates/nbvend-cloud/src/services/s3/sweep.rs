//! Removes blobs that nothing points to: bodies of objects and versions that were deleted or overwritten, of uploads that
//! were aborted, and of requests that died before their commit.
//!
//! ```text
//! start --> sweep --> an hour --> sweep --> …
//! ```
//!
//! Blobs younger than an hour are spared (their commit may be on its way), so a pass in between would find nothing.

use std::sync::Mutex;

use nbvend_wire::timestamp::Timestamp;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::reconcile::{Next, Pass, Reconciler};
use crate::services;
use crate::store::Signal;

const EVERY_SECONDS: i64 = 3600;

#[derive(Default)]
pub struct Sweep {
    /// When to sweep next; at once after a start.
    next: Mutex<Option<Timestamp>>,
}

impl Reconciler for Sweep {
    fn signal(&self) -> Signal {
        Signal("s3-sweep")
    }

    fn pass<'a>(&'a self, engine: &'a Engine) -> Pass<'a> {
        Box::pin(async move {
            let due = *self.next.lock().expect("nobody panics while noting a time");
            if let Some(due) = due.filter(|due| *due > engine.now()) {
                return Ok(Next::At(due));
            }
            let sweeping = engine.clone();
            let swept = tokio::task::spawn_blocking(move || {
                sweeping.store().blobs().sweep(&|id| {
                    let known = sweeping.store().read(|tx| services::blob_referenced(tx, id));
                    // What could not be looked up is kept.
                    known.and_then(|inner| inner).unwrap_or(true)
                })
            });
            match swept.await {
                Ok(gone) => tracing::debug!(gone = gone.map_err(EngineError::from)?, "blobs swept"),
                Err(error) => tracing::error!(%error, "the sweep of blobs died"),
            }
            let next = engine.now().plus_seconds(EVERY_SECONDS);
            *self.next.lock().expect("nobody panics while noting a time") = Some(next);
            Ok(Next::At(next))
        })
    }
}
