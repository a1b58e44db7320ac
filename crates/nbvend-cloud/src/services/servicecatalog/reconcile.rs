//! Carries out what was asked of provisioned products, by a stack each.
//!
//! ```text
//!             begin: as the launch role (or who asked),            follow: DescribeStacks
//!             Create-, Update- or DeleteStack                      as the same
//!   CREATED ────────────────────────────────────► IN_PROGRESS ──────────────────────► SUCCEEDED
//!      │                                          │    ▲  │ it rolls back
//!      │ refused; or nothing to do                └────┘  ▼
//!      │ (no stack to delete): SUCCEEDED    not yet      IN_PROGRESS_IN_ERROR
//!      ▼                                                  │
//!    FAILED ◄─────────────────────────────────────────────┘ rolled back, or the stack's failure
//! ```
//!
//! The product is UNDER_CHANGE meanwhile; afterwards AVAILABLE, or gone; after a failure ERROR, or TAINTED where the
//! stack is back at what it was.
//!
//! A step is one transaction: CreateStack is in the same commit as the record's new state, and its token is the
//! record's id, so it happens once whatever is killed. Every record takes its step by itself: none waits for another.

use std::sync::Arc;

use futures_util::future::join_all;
use nbvend_wire::timestamp::Timestamp;

use super::follow::{self, Seen};
use super::launch;
use super::state::{LaunchRecord, RecordStatus};
use super::{PRINCIPAL, RECORDS};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::identity::Caller;
use crate::reconcile::{Next, Pass, Reconciler};
use crate::store::{Signal, StoreError};

/// Shortest and longest pause between two looks at a stack, in milliseconds; in between, a pause is an eighth of the time
/// since it was begun. CloudFormation rings when a stack comes to rest: these looks are for a bell that was lost.
const PAUSES: (i64, i64) = (500, 5_000);
/// A step that failed by the engine's own fault is tried again so much later.
const AGAIN_MS: i64 = 1_000;

pub struct Records;

pub fn reconcilers() -> Vec<Arc<dyn Reconciler>> {
    vec![Arc::new(Records)]
}

impl Reconciler for Records {
    fn signal(&self) -> Signal {
        RECORDS
    }

    fn pass<'a>(&'a self, engine: &'a Engine) -> Pass<'a> {
        Box::pin(async move {
            let unfinished = engine
                .store()
                .read(|tx| tx.find_everywhere::<LaunchRecord>("unfinished", "yes"))
                .and_then(|found| found)?;
            let steps = unfinished.into_iter().map(|(region, record)| step(engine, region, record));
            let mut next = Next::WhenWoken;
            for outcome in join_all(steps).await {
                next = next.or(outcome?);
            }
            Ok(next)
        })
    }
}

/// One step of one record. Only a store that closes ends the whole pass.
async fn step(engine: &Engine, region: String, record: LaunchRecord) -> Result<Next, EngineError> {
    let id = record.id.clone();
    let outcome = match record.status {
        RecordStatus::Created => begin(engine, &region, record).await,
        RecordStatus::InProgress | RecordStatus::InProgressInError => go_on(engine, &region, record).await,
        RecordStatus::Succeeded | RecordStatus::Failed => Ok(Next::WhenWoken),
    };
    match outcome {
        Err(EngineError::Store(StoreError::Closed)) => Err(StoreError::Closed.into()),
        Err(error) => {
            tracing::error!(record = id, %error, "a step of a launch failed; it is tried again");
            Ok(Next::At(Timestamp(engine.now().0 + AGAIN_MS)))
        }
        done => done,
    }
}

async fn begin(engine: &Engine, region: &str, record: LaunchRecord) -> Result<Next, EngineError> {
    let service = Caller::service(PRINCIPAL, region);
    let prepared = engine.view(service.clone(), |cx| Ok(launch::prepare(cx, &record)))?;
    engine.transact(service, move |cx| launch::begin(cx, &record.id, prepared)).await?;
    Ok(Next::Again)
}

async fn go_on(engine: &Engine, region: &str, mut record: LaunchRecord) -> Result<Next, EngineError> {
    let service = Caller::service(PRINCIPAL, region);
    if launch::needs_session(&record, engine.now()) {
        let id = record.id.clone();
        match engine.transact(service.clone(), move |cx| launch::renew(cx, &id)).await? {
            Some(renewed) => record = renewed,
            None => return Ok(Next::WhenWoken),
        }
    }
    let seen = engine.view(service.clone(), |cx| follow::look(cx, &record))?;
    let pause = Next::At(Timestamp(engine.now().0 + pause(&record, engine.now())));
    let next = match seen {
        Seen::NotYet => return Ok(pause),
        Seen::RollingBack if record.status == RecordStatus::InProgressInError => return Ok(pause),
        Seen::RollingBack => pause,
        Seen::Done(_) | Seen::Gone | Seen::Failed { .. } => Next::WhenWoken,
    };
    engine.transact(service, move |cx| follow::note(cx, &record.id, seen)).await?;
    Ok(next)
}

fn pause(record: &LaunchRecord, now: Timestamp) -> i64 {
    ((now.0 - record.updated.0) / 8).clamp(PAUSES.0, PAUSES.1)
}
