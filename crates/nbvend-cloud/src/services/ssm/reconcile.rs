//! Parameter policies act when they are due.
//!
//! ```text
//!   Pending ──due──▶ Expiration: the parameter is deleted, and an event says so
//!                    the others: an event, then Finished (a change makes NoChangeNotification Pending again)
//! ```

use super::delete::DeleteParameter;
use super::policy::Kind;
use super::state::{Parameter, Timer};
use super::{POLICIES, PRINCIPAL, event};
use crate::context::Cx;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::identity::Caller;
use crate::reconcile::{Next, Pass, Reconciler};
use crate::store::{GLOBAL, Record, Signal};

pub struct Policies;

impl Reconciler for Policies {
    fn signal(&self) -> Signal {
        POLICIES
    }

    fn pass<'a>(&'a self, engine: &'a Engine) -> Pass<'a> {
        Box::pin(async move {
            let first = engine.store().read(|tx| tx.list::<Timer>(GLOBAL, "", None, 1))??;
            match first.into_iter().next() {
                None => Ok(Next::WhenWoken),
                Some(timer) if timer.due > engine.now() => Ok(Next::At(timer.due)),
                Some(timer) => {
                    let ssm = Caller::service(PRINCIPAL, &timer.region);
                    engine.transact(ssm, move |cx| act(cx, &timer)).await?;
                    Ok(Next::Again)
                }
            }
        })
    }
}

fn act(cx: &mut Cx<'_>, timer: &Timer) -> Result<(), EngineError> {
    cx.tx.delete::<Timer>(GLOBAL, &timer.key())?;
    let Some(mut parameter) = cx.get::<Parameter>(&timer.name)? else { return Ok(()) };
    let Some(policy) = parameter.policies.get_mut(timer.policy) else { return Ok(()) };
    if policy.due != timer.due || policy.finished {
        return Ok(());
    }
    policy.finished = true;
    let policy = policy.clone();
    let made = policy.created.iso8601_millis();
    let based = format!("This notification was generated based on the policy created at {made}.");
    let span = policy.span.to_ascii_lowercase();
    let reason = match policy.kind {
        Kind::Expiration => {
            cx.call(DeleteParameter { name: parameter.name.clone() })?;
            format!("The parameter has expired and was deleted, as the policy created at {made} asks.")
        }
        Kind::ExpirationNotification => {
            cx.put(&parameter)?;
            format!("The parameter will expire in {span}. {based}")
        }
        Kind::NoChangeNotification => {
            cx.put(&parameter)?;
            format!("The parameter has not been changed for {span}. {based}")
        }
    };
    Ok(event::policy_acted(cx, &parameter, &policy, &reason)?)
}
