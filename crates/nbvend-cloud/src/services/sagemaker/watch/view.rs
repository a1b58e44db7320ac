//! Notebooks as their keepers see them, evidence and all: what `DescribeNotebookInstance` has no member for.

use nbvend_wire::timestamp::Timestamp;
use serde::Serialize;

use super::examine;
use super::limits::Limits;
use super::verdict::Verdict;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::ports::Activity;
use crate::services::sagemaker::state::{Notebook, Status};
use crate::services::sagemaker::{instance_type, tags};

#[derive(Debug, Serialize)]
pub struct Overview {
    pub name: String,
    pub region: String,
    pub arn: String,
    pub status: &'static str,
    pub owner: String,
    pub instance_type: String,
    pub vcpus: Option<u32>,
    pub memory_gib: Option<f64>,
    /// What AWS would ask for an hour, in dollars.
    pub price_per_hour: Option<f64>,
    pub isolation: &'static str,
    pub volume_gb: i64,
    /// Whether it can write no more than that.
    pub volume: &'static str,
    pub failure_reason: Option<String>,
    pub stopped_because: Option<String>,
    pub idle_stop_minutes: Option<u32>,
    pub max_lifetime_hours: Option<u32>,
    /// What the host saw, of a notebook in service.
    pub evidence: Option<Evidence>,
    /// What follows from it.
    pub verdict: Option<Outlook>,
}

/// Times as text, for people and scripts alike.
#[derive(Debug, Serialize)]
pub struct Evidence {
    pub started: String,
    pub busy_kernels: u32,
    pub kernel_active: Option<String>,
    pub terminal_output: Option<String>,
    pub requested: Option<String>,
    pub connections: u32,
    pub cpu_seconds: Option<f64>,
}

#[derive(Debug, Serialize)]
pub struct Outlook {
    pub busy: Option<String>,
    pub last_active: String,
    pub last_by: &'static str,
    pub stops_at: Option<String>,
    pub because: Option<String>,
    /// Whether the stop is near.
    pub warning: bool,
    /// `stops in 12 min (idle since …)`; `None` if nothing stops it.
    pub in_words: Option<String>,
}

/// All notebooks, by region and name.
pub async fn all(engine: &Engine) -> Result<Vec<Overview>, EngineError> {
    let mut notebooks = engine.store().read(Notebook::everywhere)??;
    notebooks.sort_by(|a, b| (&a.0, a.1.key_name()).cmp(&(&b.0, b.1.key_name())));
    let views = notebooks.into_iter().map(|(region, notebook)| one(engine, region, notebook));
    futures_util::future::join_all(views).await.into_iter().collect()
}

/// One notebook.
pub async fn of(engine: &Engine, region: &str, name: &str) -> Result<Option<Overview>, EngineError> {
    let found = engine.store().read(|tx| tx.get::<Notebook>(region, &Notebook::key_of(name)))??;
    match found {
        Some(notebook) => one(engine, region.to_owned(), notebook).await.map(Some),
        None => Ok(None),
    }
}

async fn one(engine: &Engine, region: String, notebook: Notebook) -> Result<Overview, EngineError> {
    let limits = Limits::of(&notebook, &engine.config().notebooks);
    let examined = match notebook.status {
        Status::InService => examine(engine, &notebook, limits).await?,
        _ => None,
    };
    let (seen, verdict) = examined.map_or((None, None), |(seen, verdict)| (Some(seen), Some(verdict)));
    let kind = instance_type::find(&notebook.instance_type);
    Ok(Overview {
        region,
        status: notebook.status.name(),
        vcpus: kind.map(|kind| kind.vcpus),
        memory_gib: kind.map(|kind| kind.memory_gib),
        price_per_hour: kind.and_then(|kind| kind.price),
        isolation: engine.notebooks().isolation(),
        volume_gb: notebook.volume_size,
        volume: tags::volume(engine, &notebook),
        idle_stop_minutes: limits.idle_minutes,
        max_lifetime_hours: limits.lifetime_hours,
        evidence: seen.as_ref().map(Evidence::of),
        verdict: verdict.map(|verdict| Outlook::of(verdict, engine.now())),
        name: notebook.name,
        arn: notebook.arn,
        owner: notebook.owner,
        instance_type: notebook.instance_type,
        failure_reason: notebook.failure_reason,
        stopped_because: notebook.stopped_because,
    })
}

impl Evidence {
    fn of(seen: &Activity) -> Self {
        let text = |time: Option<Timestamp>| time.map(Timestamp::iso8601);
        Self {
            started: seen.started.iso8601(),
            busy_kernels: seen.busy_kernels,
            kernel_active: text(seen.kernel_active),
            terminal_output: text(seen.terminal_output),
            requested: text(seen.requested),
            connections: seen.connections,
            cpu_seconds: seen.cpu_seconds,
        }
    }
}

impl Outlook {
    fn of(verdict: Verdict, now: Timestamp) -> Self {
        let in_words = verdict.stops_at.map(|time| {
            let because = verdict.because.as_deref().unwrap_or_default();
            match &verdict.busy {
                Some(busy) if time <= now => format!("stops when its work ends ({because}; {busy})"),
                _ => format!("stops in {} ({because})", length(time.seconds_since(now).max(0))),
            }
        });
        Self {
            busy: verdict.busy,
            last_active: verdict.last_active.iso8601(),
            last_by: verdict.last_by,
            stops_at: verdict.stops_at.map(Timestamp::iso8601),
            because: verdict.because,
            warning: verdict.warning,
            in_words,
        }
    }
}

/// `45 s`, `12 min`, `3 h 5 min`.
fn length(seconds: i64) -> String {
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}
