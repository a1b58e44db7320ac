//! Handing one delivery to its target: the call and the bookkeeping are one transaction.
//!
//! ```text
//!   matched ──target free──▶ tried ──done──▶ gone
//!      │                      │ │
//!   target blocked     may be │ │ never will
//!      ▼              better  ▼ ▼
//!    parked ◀─────────────────┘ failed-delivery
//!      └──when due, first of its lane──▶ tried again (see `retry`)
//! ```
//!
//! What can get better by itself is tried again: throttling, a function being changed, a failure of the engine. What cannot
//! (the target is gone, or denies the call) is given up at once, as AWS documents it.

use nbvend_wire::error::WireError;
use nbvend_wire::timestamp::Timestamp;
use serde_json::Value;

use super::destination::{self, Destination};
use super::forward::Forward;
use super::state::{Blocked, Delivery, Failed, Parked};
use super::{PRINCIPAL, RETRIES};
use crate::context::Cx;
use crate::error::EngineError;
use crate::identity::Caller;
use crate::services::lambda::invoke_event::InvokeEvent;
use crate::services::logs::write::{CreateLogStream, InputLogEvent, PutLogEvents};
use crate::services::sts::assume_role::AssumeRole;
use crate::store::{GLOBAL, Record};

/// Delays between attempts double from one second up to this.
const LONGEST_DELAY_SECONDS: i64 = 480;
/// Failed deliveries are kept as long as a dead-letter queue keeps its messages at most.
const KEPT_SECONDS: i64 = 14 * 86_400;

/// A new delivery: made at once, or parked behind those that wait for the same target.
pub fn begin(cx: &mut Cx<'_>, delivery: Delivery) -> Result<(), EngineError> {
    if let Some(blocked) = cx.get_global::<Blocked>(&delivery.lane())? {
        return park(cx, blocked, delivery);
    }
    match attempt(cx, &delivery) {
        Ok(()) => Ok(()),
        Err(error) => match after_failure(cx, delivery, &error)? {
            None => Ok(()),
            Some((delivery, until)) => {
                let blocked = Blocked { lane: delivery.lane(), until, next: 0 };
                cx.wake(RETRIES);
                park(cx, blocked, delivery)
            }
        },
    }
}

fn park(cx: &Cx<'_>, mut blocked: Blocked, delivery: Delivery) -> Result<(), EngineError> {
    cx.put_global(&Parked { number: blocked.next, delivery })?;
    blocked.next += 1;
    Ok(cx.put_global(&blocked)?)
}

/// Tries the first of a lane again. True if the lane may go on with the next one at once.
pub fn again(cx: &mut Cx<'_>, blocked: &mut Blocked, parked: Parked) -> Result<bool, EngineError> {
    let key = parked.key();
    let number = parked.number;
    let delivery = parked.delivery;
    if cx.now().seconds_since(delivery.since) > i64::from(delivery.age_seconds) {
        // Grew too old while it waited behind others, or while the engine was down.
        let error = WireError::new(
            "EventAgeExceeded",
            400,
            "the event is older than the target's retry policy allows",
        );
        give_up(cx, delivery, &error)?;
        cx.tx.delete::<Parked>(GLOBAL, &key)?;
        return Ok(true);
    }
    let Err(error) = attempt(cx, &delivery) else {
        cx.tx.delete::<Parked>(GLOBAL, &key)?;
        return Ok(true);
    };
    match after_failure(cx, delivery, &error)? {
        None => {
            cx.tx.delete::<Parked>(GLOBAL, &key)?;
            Ok(true)
        }
        Some((delivery, until)) => {
            cx.put_global(&Parked { number, delivery })?;
            blocked.until = until;
            cx.put_global(blocked)?;
            Ok(false)
        }
    }
}

/// Counts a failure: the delivery and when it is tried again, or nothing if it was given up.
fn after_failure(
    cx: &Cx<'_>,
    mut delivery: Delivery,
    error: &WireError,
) -> Result<Option<(Delivery, Timestamp)>, EngineError> {
    delivery.attempts = delivery.attempts.saturating_add(1);
    let delay = 1_i64
        .checked_shl(delivery.attempts - 1)
        .map_or(LONGEST_DELAY_SECONDS, |s| s.clamp(1, LONGEST_DELAY_SECONDS));
    let until = cx.now().plus_seconds(delay);
    let too_old = until.seconds_since(delivery.since) > i64::from(delivery.age_seconds);
    if may_pass(error) && delivery.attempts <= delivery.retries && !too_old {
        return Ok(Some((delivery, until)));
    }
    give_up(cx, delivery, error)?;
    Ok(None)
}

/// Whether the same call may succeed later without anybody doing anything.
fn may_pass(error: &WireError) -> bool {
    const PASSING: [&str; 6] = [
        "TooManyRequestsException",
        "ThrottlingException",
        "ResourceConflictException",
        "ResourceNotReadyException",
        "ConflictException",
        "OperationAbortedException",
    ];
    error.status >= 500 || error.status == 429 || PASSING.contains(&error.code.as_ref())
}

fn give_up(cx: &Cx<'_>, delivery: Delivery, error: &WireError) -> Result<(), EngineError> {
    tracing::warn!(
        rule = delivery.rule_arn,
        target = delivery.arn,
        event = delivery.event_id,
        attempts = delivery.attempts,
        %error,
        "an event was not delivered"
    );
    let oldest = cx.now().plus_seconds(-KEPT_SECONDS);
    // Two go for each that comes: the pile shrinks to what is young enough.
    for old in cx.tx.list::<Failed>(GLOBAL, "", None, 2)?.iter().filter(|old| old.time < oldest) {
        cx.tx.delete::<Failed>(GLOBAL, &old.key())?;
    }
    cx.put_global(&Failed {
        id: cx.ids().uuid(),
        time: cx.now(),
        code: error.code.to_string(),
        message: error.message.clone(),
        delivery,
    })?;
    Ok(())
}

/// Calls the target. What a refused call wrote is undone by the door.
fn attempt(cx: &mut Cx<'_>, delivery: &Delivery) -> Result<(), WireError> {
    #[cfg(test)]
    super::tests::fault(cx, delivery)?;
    let events = Caller::service(PRINCIPAL, &delivery.region);
    let refuse = |reason| WireError::new("ValidationException", 400, reason);
    match destination::parse(&delivery.arn, cx.account(), &delivery.region).map_err(refuse)? {
        Destination::Function => cx.call_as(
            events,
            InvokeEvent {
                function_name: delivery.arn.clone(),
                payload: delivery.payload.clone(),
                source_arn: Some(delivery.rule_arn.clone()),
            },
        ),
        Destination::LogGroup(group) => log(cx, events, delivery, &group),
        Destination::Bus { region, name } => {
            let caller = Caller { region, ..sender(cx, events, delivery)? };
            let event = delivery.payload.clone();
            cx.call_as(caller, Forward { bus: name, event, hops: delivery.hops + 1 })
        }
    }
}

/// Who sends to another bus: the target's role, if it names one, else EventBridge itself.
fn sender(cx: &mut Cx<'_>, events: Caller, delivery: &Delivery) -> Result<Caller, WireError> {
    let Some(role_arn) = &delivery.role_arn else { return Ok(events) };
    let session = AssumeRole {
        role_arn: role_arn.clone(),
        role_session_name: delivery.event_id.clone(),
        ..AssumeRole::default()
    };
    let assumed = cx.call_as(events.clone(), session)?;
    let missing = || WireError::new("InternalFailure", 500, "the role's session has no principal");
    let principal = assumed.assumed_role_user.principal.ok_or_else(missing)?;
    Ok(events.acting_as(principal, Some(assumed.credentials.access_key_id), Some(cx.now())))
}

/// Writes to a log group: the event as the message, or the time and message that an input transformer made. One
/// stream a rule; AWS's stream names are not documented.
fn log(cx: &mut Cx<'_>, events: Caller, delivery: &Delivery, group: &str) -> Result<(), WireError> {
    let made: Option<Value> = serde_json::from_str(&delivery.payload).ok();
    let parts =
        made.as_ref().and_then(|made| Some((moment(made.get("timestamp")?)?, text(made.get("message")?))));
    let (timestamp, message) = parts.unwrap_or_else(|| (delivery.event_time, delivery.payload.clone()));
    let stream = delivery.rule.clone();
    let put = |timestamp, message| PutLogEvents {
        log_group_name: group.to_owned(),
        log_stream_name: stream.clone(),
        log_events: vec![InputLogEvent { timestamp, message }],
        ..PutLogEvents::default()
    };
    let mut answer = cx.call_as(events.clone(), put(timestamp, message.clone()));
    if answer.as_ref().is_err_and(|error| error.code == "ResourceNotFoundException") {
        let stream = CreateLogStream { log_group_name: group.to_owned(), log_stream_name: stream.clone() };
        cx.call_as(events.clone(), stream)?;
        answer = cx.call_as(events, put(timestamp, message));
    }
    match answer?.rejected_log_events_info {
        None => Ok(()),
        Some(_) => {
            Err(WireError::new("InvalidParameterException", 400, "the log event is too old or too new"))
        }
    }
}

fn moment(value: &Value) -> Option<Timestamp> {
    value.as_i64().map(Timestamp).or_else(|| Timestamp::parse(value.as_str()?))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
