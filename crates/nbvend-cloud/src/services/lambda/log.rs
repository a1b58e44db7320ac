//! Functions' logs on their way to CloudWatch Logs.
//!
//! An invocation puts its lines in a queue and answers; a reconciler writes the queue in batches, as the execution
//! role: a role that may not write logs leaves none, as on AWS. What a crash finds in the queue is lost.

use std::collections::HashMap;
use std::sync::Mutex;

use futures_util::future::join_all;
use nbvend_wire::timestamp::Timestamp;

use crate::context::Cx;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::identity::Caller;
use crate::reconcile::{Next, Pass, Reconciler};
use crate::services::logs::write::{CreateLogGroup, CreateLogStream, InputLogEvent, PutLogEvents};
use crate::store::Signal;

/// Wakes the writer of logs.
const LOGS: Signal = Signal("lambda-logs");
/// Lines in the queue at the most; more are dropped.
const QUEUE: usize = 200_000;
/// A batch's limits: events, bytes (with the 26 that each event counts more), and bytes of one event.
const EVENTS: usize = 10_000;
const BYTES: usize = 1_000_000;
const LINE: usize = 256 * 1024;

/// Where lines belong.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    pub region: String,
    pub group: String,
    pub stream: String,
}

#[derive(Default)]
struct Waiting {
    lines: usize,
    batches: HashMap<Target, (Caller, Vec<(Timestamp, String)>)>,
}

/// The queue.
#[derive(Default)]
struct Queue(Mutex<Waiting>);

/// Queues an invocation's lines, to be written as `role`.
pub fn push(engine: &Engine, role: &Caller, target: Target, lines: Vec<(Timestamp, String)>) {
    if lines.is_empty() {
        return;
    }
    let queue = engine.cache::<Queue>();
    let mut waiting = queue.0.lock().expect("nobody panics while queueing");
    if waiting.lines + lines.len() > QUEUE {
        tracing::warn!(
            group = target.group,
            lines = lines.len(),
            "log lines are dropped: too many are waiting"
        );
        return;
    }
    waiting.lines += lines.len();
    waiting.batches.entry(target).or_insert_with(|| (role.clone(), Vec::new())).1.extend(lines);
    drop(waiting);
    engine.signals().wake(&[LOGS]);
}

pub struct Writer;

impl Reconciler for Writer {
    fn signal(&self) -> Signal {
        LOGS
    }

    fn pass<'a>(&'a self, engine: &'a Engine) -> Pass<'a> {
        Box::pin(async move {
            let taken = {
                let queue = engine.cache::<Queue>();
                let mut waiting = queue.0.lock().expect("nobody panics while queueing");
                std::mem::take(&mut *waiting)
            };
            // Together, so that they share a commit.
            let writes =
                taken.batches.into_iter().map(|(target, (role, lines))| write(engine, role, target, lines));
            join_all(writes).await;
            Ok(Next::WhenWoken)
        })
    }
}

async fn write(engine: &Engine, role: Caller, target: Target, mut lines: Vec<(Timestamp, String)>) {
    // Invocations overlap; a batch has to be in order.
    lines.sort_by_key(|(time, _)| *time);
    for batch in batches(lines) {
        let (role, to) = (role.clone(), target.clone());
        let written = engine.transact(role, move |cx| put(cx, &to, batch)).await;
        if let Err(error) = written {
            tracing::info!(group = target.group, %error, "a function's logs were not written");
            return;
        }
    }
}

fn batches(lines: Vec<(Timestamp, String)>) -> Vec<Vec<InputLogEvent>> {
    let mut batches: Vec<Vec<InputLogEvent>> = Vec::new();
    let mut bytes = 0;
    for (timestamp, mut message) in lines {
        if message.is_empty() {
            // CloudWatch Logs takes no empty event.
            message.push('\n');
        }
        message.truncate(message.floor_char_boundary(LINE));
        let size = message.len() + 26;
        match batches.last_mut().filter(|batch| batch.len() < EVENTS && bytes + size <= BYTES) {
            Some(batch) => {
                bytes += size;
                batch.push(InputLogEvent { timestamp, message });
            }
            None => {
                bytes = size;
                batches.push(vec![InputLogEvent { timestamp, message }]);
            }
        }
    }
    batches
}

/// Writes a batch; makes group and stream if they are not there yet.
fn put(cx: &mut Cx<'_>, target: &Target, events: Vec<InputLogEvent>) -> Result<(), EngineError> {
    let put = |events| PutLogEvents {
        log_group_name: target.group.clone(),
        log_stream_name: target.stream.clone(),
        log_events: events,
        ..Default::default()
    };
    match cx.call(put(events.clone())) {
        Ok(_) => return Ok(()),
        Err(error) if error.code != "ResourceNotFoundException" => return Err(error.into()),
        Err(_) => {}
    }
    let stream =
        || CreateLogStream { log_group_name: target.group.clone(), log_stream_name: target.stream.clone() };
    if cx.call(stream()).is_err() {
        cx.call(CreateLogGroup { log_group_name: target.group.clone(), ..Default::default() })?;
        cx.call(stream())?;
    }
    cx.call(put(events))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_keep_the_limits() {
        let line = |text: String| (Timestamp(1), text);
        let sizes = |lines: Vec<(Timestamp, String)>| batches(lines).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(vec![line("x".to_owned()); 10_001]), [10_000, 1]);
        assert_eq!(sizes(vec![line("x".repeat(250_000)); 7]), [3, 3, 1]);
        let long = batches(vec![line("é".repeat(200_000)), line(String::new())]);
        assert_eq!(long[0][0].message.len(), LINE);
        assert_eq!(long[0][1].message, "\n");
    }
}
