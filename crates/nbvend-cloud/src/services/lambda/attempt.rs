//! One attempt at a queued event, and what follows from how it ended.

use bytes::Bytes;
use nbvend_wire::timestamp::Timestamp;

use super::concurrency::{Running, Share};
use super::destination::{self, Reason};
use super::error::Error;
use super::name::Named;
use super::queue::{self, Payload, Queued};
use super::role::{self, PRINCIPAL};
use super::run::{self, Job, Ran};
use super::state::{Config, EventInvokeConfig, LATEST};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::identity::Caller;

/// AWS's defaults: two more tries, for six hours at the most.
const RETRIES: u32 = 2;
const OLDEST_S: u32 = 21_600;
/// After the first failure one minute, after the second two.
const WAIT_MS: i64 = 60_000;
/// What could not be run at all is tried after a second, then two, then four, up to this.
const LONGEST_WAIT_MS: i64 = 300_000;

pub enum Attempted {
    /// Done with, or put off.
    Settled,
    /// The function runs as often at once as it may.
    NoRoom,
}

/// An event with what is known of its function.
pub struct Attempt {
    pub event: Queued,
    /// What it was invoked by.
    pub arn: String,
    pub config: Config,
    /// JSON text.
    pub payload: String,
    pub settings: Option<EventInvokeConfig>,
}

/// Runs an event once, if there is room.
pub async fn attempt(engine: &Engine, event: Queued) -> Result<Attempted, EngineError> {
    let lambda = Caller::service(PRINCIPAL, &event.region);
    let found = engine.view(lambda.clone(), |cx| {
        let named = Named { name: event.function.clone(), qualifier: event.qualifier.clone() };
        let (Ok(function), arn) = (named.function(cx), named.arn(cx)) else { return Ok(None) };
        let Ok(config) = named.version(cx, &function) else { return Ok(None) };
        let qualifier = event.qualifier.as_deref().unwrap_or(LATEST);
        let settings = cx.get::<EventInvokeConfig>(&EventInvokeConfig::key_of(&function.name, qualifier))?;
        let payload = cx.get_global::<Payload>(&event.id)?.map(|payload| payload.text).unwrap_or_default();
        let share = Share::of(cx.tx, &function)?;
        Ok(Some((Attempt { event: event.clone(), arn, config, payload, settings }, share)))
    })?;
    let Some((attempt, share)) = found else {
        tracing::info!(function = event.function, id = event.id, "an event's function is gone");
        engine.transact(lambda, move |cx| Ok(queue::remove(cx, &event)?)).await?;
        return Ok(Attempted::Settled);
    };
    let event = &attempt.event;
    if attempt.too_old(engine.now()) {
        return attempt.end(engine, Some(Reason::EventAgeExceeded), None).await;
    }
    let Ok(slot) = Running::enter(engine, &event.region, &event.function, share, true) else {
        return Ok(Attempted::NoRoom);
    };
    let job = Job {
        region: event.region.clone(),
        function: event.function.clone(),
        config: attempt.config.clone(),
        arn: attempt.arn.clone(),
        request_id: event.id.clone(),
        payload: Bytes::from(attempt.payload.clone()),
        client_context: event.client_context.clone(),
    };
    match run::run(engine, job, slot).await {
        Ok(ran) if ran.result.is_ok() => attempt.end(engine, None, Some(ran)).await,
        Ok(ran) => attempt.failed(engine, ran).await,
        Err(error) => attempt.stumbled(engine, &error).await,
    }
}

impl Attempt {
    fn too_old(&self, at: Timestamp) -> bool {
        let oldest = self.settings.as_ref().and_then(|settings| settings.age_seconds).unwrap_or(OLDEST_S);
        at.0 - self.event.accepted.0 > i64::from(oldest) * 1000
    }

    /// The function ran and failed.
    async fn failed(self, engine: &Engine, ran: Ran) -> Result<Attempted, EngineError> {
        let retries = self.settings.as_ref().and_then(|settings| settings.retries).unwrap_or(RETRIES);
        let attempts = self.event.attempts + 1;
        if attempts > retries {
            return self.end(engine, Some(Reason::RetriesExhausted), Some(ran)).await;
        }
        let due = Timestamp(engine.now().0 + WAIT_MS * i64::from(attempts));
        if self.too_old(due) {
            return self.end(engine, Some(Reason::EventAgeExceeded), Some(ran)).await;
        }
        let changed = Queued { attempts, due, ..self.event.clone() };
        self.put_off(engine, changed).await
    }

    /// It could not be run: its role cannot be assumed, or this engine has trouble of its own. No attempt is counted.
    async fn stumbled(self, engine: &Engine, error: &Error) -> Result<Attempted, EngineError> {
        let stumbles = self.event.stumbles + 1;
        tracing::info!(function = self.event.function, id = self.event.id, %error, stumbles, "an event could not be run");
        let wait = (1000 << self.event.stumbles.min(10)).min(LONGEST_WAIT_MS);
        let changed = Queued { stumbles, due: Timestamp(engine.now().0 + wait), ..self.event.clone() };
        self.put_off(engine, changed).await
    }

    async fn put_off(self, engine: &Engine, changed: Queued) -> Result<Attempted, EngineError> {
        let lambda = Caller::service(PRINCIPAL, &self.event.region);
        engine.transact(lambda, move |cx| Ok(queue::later(cx, &self.event, &changed)?)).await?;
        Ok(Attempted::Settled)
    }

    /// Done with for good, well (no reason) or badly: out of the queue, and whoever is to hear of it is told in the
    /// same commit.
    async fn end(
        self,
        engine: &Engine,
        reason: Option<Reason>,
        ran: Option<Ran>,
    ) -> Result<Attempted, EngineError> {
        let settings = self.settings.as_ref();
        let to = match reason {
            None => settings.and_then(|settings| settings.on_success.clone()),
            Some(_) => settings.and_then(|settings| settings.on_failure.clone()),
        };
        let lambda = Caller::service(PRINCIPAL, &self.event.region);
        let Some(to) = to else {
            engine.transact(lambda, move |cx| Ok(queue::remove(cx, &self.event)?)).await?;
            return Ok(Attempted::Settled);
        };
        // The execution role must be allowed to invoke the destination.
        let session = role::session(engine, &self.event.region, &self.event.function, &self.config).await;
        let caller = session.map_or_else(|_| lambda.clone(), |session| session.caller);
        let document = destination::document(&self, engine.now(), reason, ran.as_ref());
        let tell = move |cx: &mut crate::context::Cx<'_>| {
            queue::remove(cx, &self.event)?;
            destination::tell(cx, caller, &to, &document);
            Ok(())
        };
        engine.transact(lambda, tell).await?;
        Ok(Attempted::Settled)
    }
}
