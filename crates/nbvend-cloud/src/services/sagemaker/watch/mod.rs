//! Stops notebooks nobody works with, and those that are too old, where somebody asked for it.
//!
//! ```text
//!   InService ──no work for a while──▶ warned (an event, `nbvend list`) ──still none──▶ looked at once more ──▶ Stopping
//!       ▲                                │                                    │
//!       └───────────── work ─────────────┴────────────────────────────────────┘
//! ```
//!
//! Off unless a tag or a setting says otherwise ([`limits`]). What counts as work is in [`verdict`]; the evidence is read
//! every half minute. The last work seen is written down, so that a restart of the engine or the host forgets at most a
//! minute of it. Only the evidence of the very moment stops a notebook, and a computation never is.

pub mod limits;
mod sample;
pub mod verdict;
pub mod view;

use futures_util::future::join_all;
use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::limits::Limits;
use self::sample::Samples;
use self::verdict::{Memory, Verdict, judge};
use super::event::changed;
use super::state::{Notebook, Status};
use super::{NOTEBOOKS, PRINCIPAL, WATCH};
use crate::context::Cx;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::identity::Caller;
use crate::outbox::Event;
use crate::ports::Activity;
use crate::reconcile::{Next, Pass, Reconciler};
use crate::store::{GLOBAL, Record, Signal, StoreError};

/// Between two looks at a notebook.
const LOOK_SECONDS: i64 = 30;
/// Work that is seen later than what is written down by this much is written down.
const WRITE_SECONDS: i64 = 60;

pub struct Watch;

/// What is remembered of a notebook under watch.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Watched {
    notebook_id: String,
    generation: u64,
    last_active: Timestamp,
    /// For which stop its people were warned.
    warned: Option<Timestamp>,
}

/// Stored under no region: ids are unique.
impl Record for Watched {
    const KIND: &'static str = "sagemaker.watched";

    fn key(&self) -> String {
        self.notebook_id.clone()
    }
}

/// Forgets a notebook that is gone.
pub fn forget(cx: &Cx<'_>, notebook_id: &str) -> Result<(), StoreError> {
    cx.tx.delete::<Watched>(GLOBAL, notebook_id).map(|_| ())
}

impl Reconciler for Watch {
    fn signal(&self) -> Signal {
        WATCH
    }

    fn pass<'a>(&'a self, engine: &'a Engine) -> Pass<'a> {
        Box::pin(async move {
            let running =
                engine.store().read(|tx| tx.find_everywhere::<Notebook>("status", "InService"))??;
            let settings = &engine.config().notebooks;
            let watched = running.into_iter().filter_map(|(region, notebook)| {
                let limits = Limits::of(&notebook, settings);
                limits.any().then(|| look(engine, region, notebook, limits))
            });
            let mut next = Next::WhenWoken;
            for outcome in join_all(watched).await {
                next = next.or(outcome?);
            }
            Ok(next)
        })
    }
}

async fn look(
    engine: &Engine,
    region: String,
    notebook: Notebook,
    limits: Limits,
) -> Result<Next, EngineError> {
    let later = |now: Timestamp| Next::At(now.plus_seconds(LOOK_SECONDS));
    let Some((seen, verdict)) = examine(engine, &notebook, limits).await? else {
        return Ok(later(engine.now()));
    };
    let now = engine.now();
    remember(engine, &region, &notebook, &verdict).await?;
    if !verdict.due(now) {
        let first = verdict.stops_at.filter(|time| *time > now);
        return Ok(first.map_or(later(now), |time| later(now).or(Next::At(time))));
    }
    // A first look cannot tell whether the CPU was used since.
    let measured = seen.cpu_seconds.is_none() || Samples::share(engine, &notebook).is_some();
    // The look above may be a while ago: other notebooks were looked at, the warning was written.
    let again = if measured { examine(engine, &notebook, limits).await? } else { None };
    match again {
        Some((_, verdict)) if verdict.due(engine.now()) => {
            stop(engine, region, notebook, verdict).await?;
            Ok(Next::WhenWoken)
        }
        _ => Ok(later(now)),
    }
}

/// What the host sees now, and what that means; `None` if it cannot tell.
async fn examine(
    engine: &Engine,
    notebook: &Notebook,
    limits: Limits,
) -> Result<Option<(Activity, Verdict)>, EngineError> {
    let Some(seen) = engine.notebooks().activity(&notebook.id).await else { return Ok(None) };
    let known = engine.store().read(|tx| tx.get::<Watched>(GLOBAL, &notebook.id))??;
    let known = known.filter(|known| known.generation == notebook.generation);
    Samples::take(engine, notebook, &seen);
    let memory = Memory {
        last_active: known.map(|known| known.last_active),
        cpu_share: Samples::share(engine, notebook),
    };
    let verdict = judge(limits, &seen, memory, engine.now());
    Ok(Some((seen, verdict)))
}

/// Writes down work that is new, and warns.
async fn remember(
    engine: &Engine,
    region: &str,
    notebook: &Notebook,
    verdict: &Verdict,
) -> Result<(), EngineError> {
    let known = engine.store().read(|tx| tx.get::<Watched>(GLOBAL, &notebook.id))??;
    let known = known.filter(|known| known.generation == notebook.generation);
    let newer = known
        .as_ref()
        .is_none_or(|known| verdict.last_active.seconds_since(known.last_active) >= WRITE_SECONDS);
    let warned = known.as_ref().and_then(|known| known.warned);
    let warn = verdict.warning && verdict.busy.is_none() && warned != verdict.stops_at;
    if !newer && !warn {
        return Ok(());
    }
    let watched = Watched {
        notebook_id: notebook.id.clone(),
        generation: notebook.generation,
        last_active: verdict.last_active,
        warned: if warn { verdict.stops_at } else { warned },
    };
    let (notebook, verdict) = (notebook.clone(), verdict.clone());
    let work = move |cx: &mut Cx<'_>| {
        if warn {
            tell(cx, &notebook, &verdict)?;
        }
        Ok(cx.put_global(&watched)?)
    };
    engine.transact(Caller::service(PRINCIPAL, region), work).await
}

/// An event of nbvend's own: rules can send it to whoever should know.
fn tell(cx: &Cx<'_>, notebook: &Notebook, verdict: &Verdict) -> Result<(), StoreError> {
    cx.emit(&Event {
        source: "nbvend.notebooks".to_owned(),
        detail_type: "Notebook Stop Warning".to_owned(),
        resources: vec![notebook.arn.clone()],
        detail: json!({
            "NotebookInstanceArn": notebook.arn,
            "NotebookInstanceName": notebook.name,
            "Owner": notebook.owner,
            "StopsAt": verdict.stops_at.map(Timestamp::iso8601),
            "Reason": verdict.because,
        }),
    })
}

async fn stop(
    engine: &Engine,
    region: String,
    notebook: Notebook,
    verdict: Verdict,
) -> Result<(), EngineError> {
    let because = verdict.because.unwrap_or_default();
    tracing::info!(notebook = notebook.name, because, last = verdict.last_by, "stopping a notebook");
    engine
        .transact(Caller::service(PRINCIPAL, &region), move |cx| {
            let now = cx.get::<Notebook>(&notebook.key_name())?;
            let same = |now: &Notebook| {
                now.id == notebook.id
                    && now.generation == notebook.generation
                    && now.status == Status::InService
            };
            let Some(mut now) = now.filter(same) else { return Ok(()) };
            now.status = Status::Stopping;
            now.stopped_because = Some(because);
            changed(cx, &mut now)?;
            cx.wake(NOTEBOOKS);
            Ok(forget(cx, &notebook.id)?)
        })
        .await
}
