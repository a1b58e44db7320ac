//! Brings notebooks from the state they were asked into to the state that follows.
//!
//! ```text
//!   Create ──▶ Pending ──started──▶ InService ──Stop──▶ Stopping ──ended──▶ Stopped
//!                 │ ▲                   │                                  │  │   │
//!               failed └─server died────┘                     Start────────┘  │ Delete
//!                 ▼     (3 times: Failed)                     (to Pending)  Update │
//!              Failed ──Start──▶ Pending                                      ▼   ▼
//!                 └──────Delete─────────────────────────────▶ Deleting ◀── Updating
//!                                                                │        (to Stopped)
//!                                                               gone
//! ```
//!
//! All notebooks on their way are worked on at the same time. What is done on the host is keyed by the notebook's id
//! and generation, so doing it again after a crash is harmless; the result is written only if the notebook is still in
//! the state and generation the work was begun for.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::event::{changed, tell};
use super::state::{LifecycleConfig, Link, Notebook, Session, Status, hour};
use super::{NOTEBOOKS, PRINCIPAL, log};
use crate::context::Cx;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::identity::Caller;
use crate::ports::{NotebookSpec, ScriptLog};
use crate::reconcile::{Next, Pass, Reconciler};
use crate::store::Signal;

/// So often a server may die by itself before the notebook is `Failed`.
const DEATHS: u32 = 3;

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
    let scripts = scripts(engine, &region, &notebook)?;
    let spec = NotebookSpec {
        id: notebook.id.clone(),
        generation: notebook.generation,
        name: notebook.name.clone(),
        region: region.clone(),
        instance_type: notebook.instance_type.clone(),
        role_arn: notebook.role_arn.clone(),
        scripts,
    };
    let started = engine.notebooks().start(spec).await;
    log::write(engine, &region, &notebook, &started.logs).await;
    let outcome = started.failure.map_or(Ok(()), Err);
    settle(engine, region, notebook, outcome, Status::InService).await
}

/// The scripts of the notebook's lifecycle configuration that this start has to run.
fn scripts(
    engine: &Engine,
    region: &str,
    notebook: &Notebook,
) -> Result<Vec<(&'static str, Vec<u8>)>, EngineError> {
    let Some(name) = &notebook.lifecycle_config else { return Ok(Vec::new()) };
    let config = engine.store().read(|tx| tx.get::<LifecycleConfig>(region, name))??;
    let Some(config) = config else { return Ok(Vec::new()) };
    let create = config.on_create.filter(|_| !notebook.created_once);
    let all = [("OnCreate", create), ("OnStart", config.on_start)];
    // Checked to be base64 when the configuration was made.
    Ok(all.into_iter().filter_map(|(hook, text)| Some((hook, STANDARD.decode(text?).ok()?))).collect())
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
                    now.failure_reason = Some(reason.chars().take(1024).collect());
                }
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
                tell(cx, &now)?;
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
    if done.swap(true, std::sync::atomic::Ordering::SeqCst) {
        return Ok(());
    }
    prune(engine).await?;
    let in_service = engine.store().read(|tx| tx.find_everywhere::<Notebook>("status", "InService"))??;
    for (region, notebook) in in_service {
        if !engine.notebooks().is_running(&notebook.id) {
            restart(engine, region, notebook, None).await?;
        }
    }
    Ok(())
}

/// A server died by itself.
pub(super) async fn revive(engine: &Engine, id: &str, reason: &str) -> Result<(), EngineError> {
    let found = engine.store().read(|tx| tx.find_everywhere::<Notebook>("id", id))??;
    for (region, notebook) in found {
        if notebook.status == Status::InService {
            restart(engine, region, notebook, Some(reason.to_owned())).await?;
        }
    }
    engine.signals().wake(&[NOTEBOOKS]);
    Ok(())
}

async fn restart(
    engine: &Engine,
    region: String,
    notebook: Notebook,
    died: Option<String>,
) -> Result<(), EngineError> {
    let sagemaker = Caller::service(PRINCIPAL, &region);
    engine
        .transact(sagemaker, move |cx| {
            let Some(mut now) = unchanged(cx, &notebook)? else { return Ok(()) };
            now.deaths += u32::from(died.is_some());
            now.status = Status::Pending;
            now.generation += 1;
            if let Some(reason) = died.filter(|_| now.deaths >= DEATHS) {
                now.status = Status::Failed;
                now.failure_reason =
                    Some(format!("its server ended {DEATHS} times: {reason}").chars().take(1024).collect());
            }
            Ok(changed(cx, &mut now)?)
        })
        .await
}

/// Removes links and sessions that ended, up to two days back.
async fn prune(engine: &Engine) -> Result<(), EngineError> {
    let now = engine.now();
    let hours: Vec<String> = (1..48).map(|ago| hour(now.plus_seconds(-3600 * ago))).collect();
    engine
        .store()
        .write(move |tx| {
            for hour in &hours {
                for (region, link) in tx.find_everywhere::<Link>("hour", hour)? {
                    tx.delete::<Link>(&region, &link.digest)?;
                }
                for (region, session) in tx.find_everywhere::<Session>("hour", hour)? {
                    tx.delete::<Session>(&region, &session.digest)?;
                }
            }
            Ok::<_, EngineError>(())
        })
        .await?
}

/// For [`log`].
pub(super) type Logs<'a> = &'a [ScriptLog];
