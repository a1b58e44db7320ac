//! One request from its arrival to its `REPORT` line.
//!
//! ```text
//! claim --warm--> offer -> taken -> answer -> asks again: released, OK
//!   |              |         |        +-----> gone or late: buried, OK
//!   |              |         +--> gone: ExitError or OutOfMemory      +--> deadline: killed, Timedout
//!   |              +--> gone before it took the request: nothing lost, claim again
//!   +--room--> start -> asks: offer ...       +--> init error, gone: the error
//!                 +--> not within 10 s: killed, started again on the function's own time
//! ```

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::exchange::{Answer, Request};
use super::failure::Failure;
use super::journal::{Journal, Listener, now_ms, now_text, stream_name};
use super::pool::{Claim, Closed, Inner, Slot};
use super::worker::{Event, Worker};
use super::{ErrorKind, FunctionError, FunctionSpec, Invocation, Outcome, api, environment};

type Fresh<'a> = &'a (dyn Fn() -> Vec<(String, String)> + Send + Sync);

/// How a request failed: by the function's own report or by the sandbox's.
enum Fault {
    Posted(FunctionError),
    Sandbox(Failure),
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Fault::Sandbox(failure)
    }
}

/// What becomes known of a request on its way.
#[derive(Default)]
struct Facts {
    log_stream: String,
    init: Option<Duration>,
    /// When the function's time began to run.
    began: Option<Instant>,
    answered: Option<Instant>,
    memory_mb: u64,
    start_said: bool,
}

pub(super) async fn invoke(
    pool: &Arc<Inner>,
    spec: &FunctionSpec,
    fresh: Fresh<'_>,
    inv: Invocation,
    listener: Listener<'_>,
) -> Outcome {
    let mut journal = Journal::new(listener);
    // A process that never comes to be has a log all the same.
    let mut facts = Facts { log_stream: stream_name(environment::version(spec)), ..Facts::default() };
    let result = attempt(pool, spec, fresh, &inv, &mut journal, &mut facts).await;
    say_start(spec, &inv, &mut journal, &mut facts);
    conclude(spec, &inv, result, journal, &facts)
}

async fn attempt(
    pool: &Arc<Inner>,
    spec: &FunctionSpec,
    fresh: Fresh<'_>,
    inv: &Invocation,
    journal: &mut Journal<'_>,
    facts: &mut Facts,
) -> Result<Bytes, Fault> {
    loop {
        let claim = pool.claim(&spec.key).await;
        let (worker, warm) = match claim {
            Err(Closed) => return Err(stopped().into()),
            Ok(Claim::Warm(worker)) => (*worker, true),
            Ok(Claim::Room(slot)) => (start(pool, spec, fresh, slot, journal, facts).await?, false),
        };
        facts.log_stream.clone_from(&worker.log_stream);
        if let Some(result) = serve(pool, spec, inv, worker, warm, journal, facts).await {
            return result;
        }
    }
}

/// A new process that has asked for its first request.
async fn start(
    pool: &Inner,
    spec: &FunctionSpec,
    fresh: Fresh<'_>,
    slot: Slot,
    journal: &mut Journal<'_>,
    facts: &mut Facts,
) -> Result<Worker, Fault> {
    let mut worker = Worker::start(&pool.shop, spec, fresh(), slot).await?;
    // What comes before, unpacking for one, is ours.
    let began = Instant::now();
    facts.log_stream.clone_from(&worker.log_stream);
    journal.say(format!("INIT_START Runtime Version: {}", worker.about));
    let mut event = worker.watch(began + pool.limits.init, journal).await;
    let mut restarted = false;
    if let Event::TimedOut = event {
        let took = began.elapsed().as_secs_f64() * 1000.0;
        journal.say(format!("INIT_REPORT Init Duration: {took:.2} ms\tPhase: init\tStatus: timeout"));
        worker = Worker::start(&pool.shop, spec, fresh(), worker.into_slot()).await?;
        let again = Instant::now();
        facts.began = Some(again);
        facts.log_stream.clone_from(&worker.log_stream);
        event = worker.watch(again + spec.timeout, journal).await;
        restarted = true;
    }
    facts.memory_mb = worker.memory_mb;
    // A second start is part of the request's own duration.
    facts.init = (!restarted).then(|| began.elapsed());
    match event {
        Event::Waiting => Ok(worker),
        Event::InitFailed => Err(Fault::Posted(FunctionError {
            kind: ErrorKind::Unhandled,
            payload: worker.exchange.init_error().unwrap_or_default(),
        })),
        Event::Ended(failure) => Err(failure.into()),
        Event::TimedOut => Err(Failure::TimedOut(spec.timeout).into()),
        Event::Stopped => Err(stopped().into()),
    }
}

/// Gives the request to the worker. Nothing if a warm worker was gone before it took the request.
async fn serve(
    pool: &Inner,
    spec: &FunctionSpec,
    inv: &Invocation,
    mut worker: Worker,
    warm: bool,
    journal: &mut Journal<'_>,
    facts: &mut Facts,
) -> Option<Result<Bytes, Fault>> {
    let began = *facts.began.get_or_insert_with(Instant::now);
    let deadline = began + spec.timeout;
    let left = deadline.saturating_duration_since(Instant::now());
    let deadline_ms = now_ms() + u64::try_from(left.as_millis()).unwrap_or(u64::MAX >> 1);
    let headers = match api::request_headers(inv, deadline_ms) {
        Ok(headers) => headers,
        Err(what) => {
            pool.release(worker);
            return Some(Err(Failure::Sandbox(format!("the {what} cannot be sent to the function")).into()));
        }
    };
    say_start(spec, inv, journal, facts);
    worker.exchange.offer(Request { id: inv.request_id.clone(), headers, payload: inv.payload.clone() });
    let event = worker.watch(deadline, journal).await;
    facts.memory_mb = worker.memory_mb;
    let answer = worker.exchange.answer_taken();
    facts.answered = answer.as_ref().map(|(_, at)| *at);
    let result = match (answer, &event) {
        (Some((Answer::Response(payload), _)), _) => Ok(payload),
        (Some((Answer::Error(error), _)), _) => Err(Fault::Posted(error)),
        (Some((Answer::TooLarge, _)), _) => Err(Failure::ResponseTooLarge.into()),
        (None, Event::Ended(_)) if warm && !worker.exchange.taken() => {
            facts.began = None;
            return None;
        }
        (None, Event::TimedOut) => Err(Failure::TimedOut(spec.timeout).into()),
        (None, Event::Stopped) => Err(stopped().into()),
        (None, Event::Ended(_) | Event::Waiting | Event::InitFailed) => match event {
            Event::Ended(failure) => return Some(Err(failure.into())),
            _ => {
                Err(Failure::Sandbox("the function asked for a request without answering one".into()).into())
            }
        },
    };
    if let Event::Waiting = event {
        pool.release(worker);
    }
    Some(result)
}

fn stopped() -> Failure {
    Failure::Sandbox("the engine is going down".into())
}

fn say_start(spec: &FunctionSpec, inv: &Invocation, journal: &mut Journal<'_>, facts: &mut Facts) {
    if !std::mem::replace(&mut facts.start_said, true) {
        journal.say(format!("START RequestId: {} Version: {}", inv.request_id, environment::version(spec)));
    }
}

fn conclude(
    spec: &FunctionSpec,
    inv: &Invocation,
    result: Result<Bytes, Fault>,
    mut journal: Journal<'_>,
    facts: &Facts,
) -> Outcome {
    let id = &inv.request_id;
    let spent = match (facts.began, facts.answered) {
        (Some(began), Some(answered)) => answered.saturating_duration_since(began),
        (Some(began), None) => began.elapsed().min(spec.timeout),
        (None, _) => Duration::ZERO,
    };
    let duration_ms = spent.as_secs_f64() * 1000.0;
    let init_ms = facts.init.map(|init| init.as_secs_f64() * 1000.0);
    let billed_ms = (duration_ms + init_ms.unwrap_or(0.0)).ceil() as u64;
    journal.own_up();
    let mut report = format!(
        "REPORT RequestId: {id}\tDuration: {duration_ms:.2} ms\tBilled Duration: {billed_ms} ms\t\
         Memory Size: {} MB\tMax Memory Used: {} MB\t",
        spec.memory_mb, facts.memory_mb
    );
    if let Some(init) = init_ms {
        report.push_str(&format!("Init Duration: {init:.2} ms\t"));
    }
    let result = match result {
        Ok(payload) => Ok(payload),
        Err(Fault::Posted(error)) => Err(error),
        Err(Fault::Sandbox(failure)) => {
            journal.say(match &failure {
                Failure::TimedOut(_) => format!("{} {id} {}", now_text(), failure.reason()),
                other => format!("RequestId: {id} Error: {}\n{}", other.reason(), other.error_type()),
            });
            report.push_str(&failure.report());
            Err(failure.into_error(id))
        }
    };
    journal.say(format!("END RequestId: {id}"));
    journal.say(report);
    Outcome {
        result,
        log: journal.into_lines(),
        log_stream: facts.log_stream.clone(),
        init_ms,
        duration_ms,
        billed_ms,
        max_memory_mb: facts.memory_mb,
    }
}
