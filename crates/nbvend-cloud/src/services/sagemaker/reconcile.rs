//! Brings notebooks from the state they were asked into to the state that follows.
//!
//! ```text
//!   Create ──▶ Pending ──started──▶ InService ──Stop──▶ Stopping ──ended──▶ Stopped
//!                 │ ▲                   │                                  │  │   │
//!               failed └─machine────────┤                     Start────────┘  │ Delete
//!                 │      restarted        │ server died       (to Pending)  Update │
//!                 ▼                       ▼                                   │   │
//!              Failed ◀───────────────────┘   (Start: to Pending)             ▼   ▼
//!                 └──────Delete─────────────────────────────▶ Deleting ◀── Updating
//!                                                                │        (to Stopped)
//!                                                               gone
//! ```
//!
//! All notebooks on their way are worked on at the same time. What is done on the host is keyed by the notebook's id
//! and generation, so doing it again after a crash is harmless; the result is written only if the notebook is still in
//! the state and generation the work was begun for.

use std::collections::HashSet;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::event::{changed, tell};
use super::state::{Notebook, Status};
use super::{NOTEBOOKS, PRINCIPAL, credentials, failure, log, spec, watch};
use crate::context::Cx;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::identity::Caller;
use crate::ports::ScriptLog;
use crate::reconcile::{Next, Pass, Reconciler};
use crate::services::cloudformation::STACKS;
use crate::store::Signal;

pub struct Notebooks;

impl Reconciler for Notebooks {
    fn signal(&self) -> Signal {
        NOTEBOOKS
    }

    fn pass<'a>(&'a self, engine: &'a Engine) -> Pass<'a> {
        Box::pin(async move {
            adopt(engine).await?;
            let bell = engine.signals().bell(NOTEBOOKS);
            let mut in_hand = HashSet::new();
            let mut work = FuturesUnordered::new();
            loop {
                for (region, notebook) in on_their_way(engine)? {
                    let job = (notebook.id.clone(), notebook.status.name(), notebook.generation);
                    if in_hand.insert(job.clone()) {
                        work.push(async move { (job, step(engine, region, notebook).await) });
                    }
                }
                if work.is_empty() {
                    return Ok(Next::WhenWoken);
                }
                tokio::select! {
                    Some((job, done)) = work.next() => {
                        done?;
                        in_hand.remove(&job);
                    }
                    () = bell.notified() => {}
                    () = engine.stopping() => return Ok(Next::WhenWoken),
                }
            }
        })
    }
}

fn on_their_way(engine: &Engine) -> Result<Vec<(String, Notebook)>, EngineError> {
    Ok(engine.store().read(|tx| tx.find_everywhere::<Notebook>("on-its-way", "yes"))??)
}

async fn step(engine: &Engine, region: String, notebook: Notebook) -> Result<(), EngineError> {
    match notebook.status {
        Status::Pending => start(engine, region, notebook).await,
        Status::Stopping => {
            let outcome = engine.notebooks().stop(&notebook.id).await;
            settle(engine, region, notebook, outcome, Status::Stopped).await
        }
        Status::Updating => settle(engine, region, notebook, Ok(()), Status::Stopped).await,
        Status::Deleting => {
            let outcome = engine.notebooks().delete(&notebook.id).await;
            match outcome {
                Ok(()) => gone(engine, region, notebook).await,
                failed => settle(engine, region, notebook, failed, Status::Failed).await,
            }
        }
        Status::InService | Status::Stopped | Status::Failed => Ok(()),
    }
}

async fn start(engine: &Engine, region: String, notebook: Notebook) -> Result<(), EngineError> {
    let spec = spec::of(engine, &region, &notebook)?;
    let started = engine.notebooks().start(spec).await;
    log::write(engine, &region, &notebook, &started.logs).await;
    let outcome = match failure::of_start(&started, &notebook, &region, &engine.config().account) {
        None => Ok(()),
        Some(reason) => {
            // The host leaves nothing running; should it have, nobody would end it later.
            if let Err(error) = engine.notebooks().stop(&notebook.id).await {
                tracing::warn!(notebook = notebook.name, error, "the rest of a failed start does not end");
            }
            Err(reason)
        }
    };
    let id = notebook.id.clone();
    settle(engine, region, notebook, outcome, Status::InService).await?;
    // The record may have gone while the server started: all records do at a reset. Nobody else would end it.
    if engine.store().read(|tx| Notebook::by_id(tx, &id))??.is_none()
        && let Err(error) = engine.notebooks().delete(&id).await
    {
        tracing::warn!(id, error, "a notebook without a record does not end");
    }
    Ok(())
}

/// Writes how a step ended, if the notebook still waits for just that.
async fn settle(
    engine: &Engine,
    region: String,
    notebook: Notebook,
    outcome: Result<(), String>,
    good: Status,
) -> Result<(), EngineError> {
    let sagemaker = Caller::service(PRINCIPAL, &region);
    engine
        .transact(sagemaker, move |cx| {
            let Some(mut now) = unchanged(cx, &notebook)? else { return Ok(()) };
            match outcome {
                Ok(()) => {
                    now.status = good;
                    now.failure_reason = None;
                    now.created_once |= good == Status::InService;
                }
                Err(reason) => {
                    tracing::warn!(notebook = now.name, reason, "a notebook failed");
                    now.status = Status::Failed;
                    now.failure_reason = Some(failure::cut(&reason));
                }
            }
            if now.status != Status::InService {
                credentials::end(cx, &now.id)?;
            }
            Ok(changed(cx, &mut now)?)
        })
        .await
}

async fn gone(engine: &Engine, region: String, notebook: Notebook) -> Result<(), EngineError> {
    let sagemaker = Caller::service(PRINCIPAL, &region);
    engine
        .transact(sagemaker, move |cx| {
            if let Some(now) = unchanged(cx, &notebook)? {
                cx.delete::<Notebook>(&now.key_name())?;
                credentials::end(cx, &now.id)?;
                watch::forget(cx, &now.id)?;
                tell(cx, &now)?;
                cx.wake(STACKS);
            }
            Ok(())
        })
        .await
}

fn unchanged(cx: &Cx<'_>, then: &Notebook) -> Result<Option<Notebook>, EngineError> {
    let now = cx.get::<Notebook>(&then.key_name())?;
    Ok(now.filter(|now| now.id == then.id && now.generation == then.generation && now.status == then.status))
}

/// Notebooks that should be in service and whose server does not run (the machine was restarted) are started again.
/// Looked for once an engine.
async fn adopt(engine: &Engine) -> Result<(), EngineError> {
    let done = engine.cache::<std::sync::atomic::AtomicBool>();
    if done.load(std::sync::atomic::Ordering::SeqCst) {
        return Ok(());
    }
    let in_service = engine.store().read(|tx| tx.find_everywhere::<Notebook>("status", "InService"))??;
    for (region, notebook) in in_service {
        if !engine.notebooks().is_running(&notebook.id) {
            restart(engine, region, notebook).await?;
        }
    }
    // Only now: a pass that failed on the way is made again.
    done.store(true, std::sync::atomic::Ordering::SeqCst);
    Ok(())
}

/// A server died by itself: the notebook is `Failed` with the reason, and its person starts it again. What may be left of
/// it is ended first.
pub(super) async fn died(engine: &Engine, id: &str, reason: &str) -> Result<(), EngineError> {
    let Some((region, notebook)) = engine.store().read(|tx| Notebook::by_id(tx, id))?? else { return Ok(()) };
    if notebook.status != Status::InService {
        return Ok(());
    }
    if let Err(error) = engine.notebooks().stop(id).await {
        tracing::warn!(notebook = notebook.name, error, "the rest of a dead server does not end");
    }
    let reason = format!("The notebook's server ended by itself: {reason}. Start the notebook again.");
    settle(engine, region, notebook, Err(reason), Status::InService).await
}

/// The machine was restarted under a notebook: it is started as it was.
async fn restart(engine: &Engine, region: String, notebook: Notebook) -> Result<(), EngineError> {
    let sagemaker = Caller::service(PRINCIPAL, &region);
    engine
        .transact(sagemaker, move |cx| {
            let Some(mut now) = unchanged(cx, &notebook)? else { return Ok(()) };
            now.status = Status::Pending;
            now.generation += 1;
            credentials::begin(cx, &now)?;
            Ok(changed(cx, &mut now)?)
        })
        .await
}

/// For [`log`].
pub(super) type Logs<'a> = &'a [ScriptLog];
