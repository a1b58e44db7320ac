//! `Invoke`: a waiting operation.

use std::future::Future;
use std::pin::Pin;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::concurrency::{Running, Share, Slot};
use super::error::Error;
use super::name::{Named, function_keys, resource};
use super::queue;
use super::run::{self, Job};
use crate::Engine;
use crate::context::{ContextKeys, Cx};
use crate::operation::Waiting;

/// Bytes of a payload that AWS takes, waited for and queued.
const LARGEST: usize = 6_291_456;
pub const LARGEST_EVENT: usize = 1_048_576;

/// Runs a function and waits for its answer (`RequestResponse`), queues an event (`Event`), or checks whether the
/// caller may (`DryRun`). API Gateway calls this as `apigateway.amazonaws.com` through `door::wait_for`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct Invoke {
    pub function_name: String,
    pub invocation_type: Option<String>,
    pub log_type: Option<String>,
    /// Base64 of JSON.
    pub client_context: Option<String>,
    pub qualifier: Option<String>,
    /// Base64 of the event's bytes.
    pub payload: Option<String>,
    /// `aws:SourceArn` of a call from inside the engine.
    #[serde(skip)]
    pub source_arn: Option<String>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct InvokeOutput {
    pub status_code: i64,
    /// `Handled` or `Unhandled`.
    pub function_error: Option<String>,
    /// Base64.
    pub log_result: Option<String>,
    pub executed_version: Option<String>,
    /// Base64 of the answer's bytes.
    pub payload: Option<String>,
}

/// What was admitted.
pub enum Ticket {
    /// Nothing is to be waited for: the status of the answer.
    Settled(i64),
    Run {
        job: Box<Job>,
        slot: Slot,
        tail: bool,
    },
}

impl Waiting for Invoke {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "Invoke";
    const ACTION: Option<&'static str> = Some("lambda:InvokeFunction");
    const DATA: bool = true;
    type Ticket = Ticket;
    type Outcome = Result<InvokeOutput, Error>;
    type Output = InvokeOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, self.qualifier.as_deref())
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
        if let Some(source) = &self.source_arn {
            keys.insert("aws:SourceArn".to_owned(), vec![source.clone()]);
        }
    }

    /// Only an event is written down; the others run beside all writers.
    fn admit_writes(&self) -> bool {
        self.invocation_type.as_deref() == Some("Event")
    }

    fn admit(self, cx: &mut Cx<'_>) -> Result<Ticket, Error> {
        let named = Named::read(cx, &self.function_name, self.qualifier.as_deref())?;
        let function = named.function(cx)?;
        let config = named.version(cx, &function)?;
        let kind = self.invocation_type.as_deref();
        let payload = payload(self.payload.as_deref(), kind)?;
        let request_id = match cx.caller.request_id.as_str() {
            "" => cx.ids().uuid(),
            id => id.to_owned(),
        };
        let client_context = self.client_context.as_deref().map(client_context).transpose()?;
        match kind {
            Some("DryRun") => Ok(Ticket::Settled(204)),
            Some("Event") => {
                queue::push(cx, &named, request_id, &payload, client_context)?;
                Ok(Ticket::Settled(202))
            }
            _ => {
                let share = Share::of(cx.tx, &function)?;
                let slot = Running::enter(cx.engine, cx.region(), &named.name, share, false)?;
                let job = Job {
                    region: cx.region().to_owned(),
                    arn: named.arn(cx),
                    function: named.name,
                    config,
                    request_id,
                    payload,
                    client_context,
                };
                Ok(Ticket::Run { job: Box::new(job), slot, tail: self.log_type.as_deref() == Some("Tail") })
            }
        }
    }

    fn wait(engine: Engine, ticket: Ticket) -> Pin<Box<dyn Future<Output = Self::Outcome> + Send>> {
        Box::pin(async move {
            let (job, slot, tail) = match ticket {
                Ticket::Settled(status_code) => {
                    return Ok(InvokeOutput { status_code, ..Default::default() });
                }
                Ticket::Run { job, slot, tail } => (job, slot, tail),
            };
            let version = job.config.version.clone();
            // A task of its own: a caller who goes away does not end the function, as on AWS.
            let running = tokio::spawn(async move { run::run(&engine, *job, slot).await });
            let ran = running.await.map_err(|error| {
                tracing::error!(%error, "an invocation panicked");
                Error::from(crate::store::StoreError::Panicked)
            })??;
            let (function_error, answer) = match ran.result {
                Ok(answer) => (None, answer),
                Err((kind, document)) => (Some(kind.to_owned()), document),
            };
            Ok(InvokeOutput {
                status_code: 200,
                function_error,
                log_result: tail.then(|| STANDARD.encode(&ran.tail)),
                executed_version: Some(version),
                payload: Some(STANDARD.encode(&answer)),
            })
        })
    }

    fn finish(outcome: Self::Outcome, _cx: &mut Cx<'_>) -> Result<InvokeOutput, Error> {
        outcome
    }

    fn finish_writes(_outcome: &Self::Outcome) -> bool {
        false
    }
}

/// The event's bytes: JSON of a bearable size, `{}` where there is none.
fn payload(given: Option<&str>, kind: Option<&str>) -> Result<Bytes, Error> {
    let Some(text) = given.filter(|text| !text.is_empty()) else { return Ok(Bytes::from_static(b"{}")) };
    let bytes = STANDARD.decode(text).map_err(|error| Error::NotJson(error.to_string()))?;
    let (kind, limit) = match kind {
        Some("Event") => ("Event", LARGEST_EVENT),
        _ => ("RequestResponse", LARGEST),
    };
    if bytes.len() > limit {
        return Err(Error::PayloadTooLarge { size: bytes.len(), limit, kind });
    }
    check_json(&bytes)?;
    Ok(bytes.into())
}

pub fn check_json(bytes: &[u8]) -> Result<(), Error> {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes)
        .map(|_| ())
        .map_err(|error| Error::NotJson(format!("Could not parse payload into json: {error}")))
}

fn client_context(text: &str) -> Result<String, Error> {
    let decoded = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let decoded = decoded.filter(|text| check_json(text.as_bytes()).is_ok());
    decoded.ok_or_else(|| {
        Error::NotJson("Client context must be a valid Base64-encoded JSON object.".to_owned())
    })
}
