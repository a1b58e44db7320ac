//! Scheduled rules: `rate(…)` and `cron(…)`. What fell due while the engine was down fires once.
//!
//! A scheduled event goes to its own rule's targets and is matched by no other rule, as on AWS.

use nbvend_pattern::Schedule;
use nbvend_wire::timestamp::Timestamp;
use serde_json::json;

use super::matching::Ready;
use super::rule::save;
use super::state::{Due, Rule};
use super::{PRINCIPAL, SCHEDULES, deliver};
use crate::context::Cx;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::identity::Caller;
use crate::reconcile::{Next, Pass, Reconciler};
use crate::store::{GLOBAL, Record, Signal};

/// The first firing after both the last one and now; a rate keeps its beat.
pub fn next(expression: &str, last: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let schedule = Schedule::parse(expression).ok()?;
    let time = match &schedule {
        Schedule::Rate(period) if last < now => {
            let missed = (now.0 - last.0) / (*period).max(1);
            last.0.checked_add(missed.checked_mul(*period)?)?.checked_add(*period)?
        }
        _ => schedule.next_after(last.0.max(now.0))?,
    };
    Some(Timestamp(time))
}

pub struct Schedules;

impl Reconciler for Schedules {
    fn signal(&self) -> Signal {
        SCHEDULES
    }

    fn pass<'a>(&'a self, engine: &'a Engine) -> Pass<'a> {
        Box::pin(async move {
            let first = engine.store().read(|tx| tx.list::<Due>(GLOBAL, "", None, 1))??;
            match first.into_iter().next() {
                None => Ok(Next::WhenWoken),
                Some(due) if due.time > engine.now() => Ok(Next::At(due.time)),
                Some(due) => {
                    let events = Caller::service(PRINCIPAL, &due.region);
                    engine.transact(events, move |cx| fire(cx, &due)).await?;
                    Ok(Next::Again)
                }
            }
        })
    }
}

fn fire(cx: &mut Cx<'_>, due: &Due) -> Result<(), EngineError> {
    cx.tx.delete::<Due>(GLOBAL, &due.key())?;
    let Some(mut rule) = cx.get::<Rule>(&Rule::key_of(&due.bus, &due.rule))? else { return Ok(()) };
    let Some(expression) = rule.schedule.clone().filter(|_| rule.due == Some(due.time)) else {
        return Ok(());
    };
    let event = json!({
        "version": "0",
        "id": cx.ids().uuid(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": cx.account(),
        "time": due.time.iso8601(),
        "region": cx.region(),
        "resources": [rule.arn],
        "detail": {},
    });
    let ready = Ready::new(rule.clone());
    for delivery in ready.deliveries(&due.region, &event, &event.to_string(), 0, cx.now()) {
        deliver::begin(cx, delivery)?;
    }
    let following = next(&expression, due.time, cx.now());
    Ok(save(cx, &mut rule, following)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missed_firings_are_one() {
        let minute = 60_000;
        for (expression, last, now, expected) in [
            ("rate(1 minute)", 0, 0, Some(minute)),
            ("rate(1 minute)", 0, 1, Some(minute)),
            ("rate(1 minute)", 0, minute, Some(2 * minute)),
            ("rate(1 minute)", 500, 10 * minute, Some(10 * minute + 500)),
            ("rate(2 hours)", 0, 121 * minute, Some(240 * minute)),
            ("cron(0 12 * * ? *)", 0, 0, Some(720 * minute)),
            ("cron(0 12 * * ? *)", 720 * minute, 720 * minute, Some((720 + 1440) * minute)),
            ("cron(0 12 * * ? *)", 720 * minute, 5000 * minute, Some((720 + 3 * 1440) * minute)),
            ("cron(0 12 1 1 ? 1999)", 0, 1_000_000_000_000, None),
        ] {
            let got = next(expression, Timestamp(last), Timestamp(now)).map(|time| time.0);
            assert_eq!(got, expected, "{expression} {last} {now}");
        }
    }
}
