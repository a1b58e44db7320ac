//! The work on stacks: what the calls accepted is carried out here, step by step.
//!
//! ```text
//! CREATE_IN_PROGRESS --- all made ---> CREATE_COMPLETE
//!     | one failed                       DO_NOTHING: CREATE_FAILED   DELETE: DELETE_IN_PROGRESS
//!     +-> ROLLBACK_IN_PROGRESS --- all deleted ---> ROLLBACK_COMPLETE | ROLLBACK_FAILED
//! UPDATE_IN_PROGRESS --- all as wanted ---> UPDATE_COMPLETE_CLEANUP_IN_PROGRESS --> UPDATE_COMPLETE
//!     | one failed                           rollback disabled: UPDATE_FAILED
//!     +-> UPDATE_ROLLBACK_IN_PROGRESS --- all as before ---> UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS
//!             | one failed: UPDATE_ROLLBACK_FAILED               --> UPDATE_ROLLBACK_COMPLETE
//! DELETE_IN_PROGRESS --- all deleted ---> DELETE_COMPLETE | DELETE_FAILED
//!
//! a resource:  Idle -> Started (announced) -> Waiting (the provider takes time) -> Made -> Idle
//!                                          \-> Failed
//! ```
//!
//! A pass gives every unfinished stack one transaction. In it, all resources whose dependencies are settled go one
//! stage on, then those that this made ready, until nothing moves or the transaction did its share. Each provider
//! call is in the same commit as the resource's row and events about it, so that a crash at any commit leaves the
//! stage from which the next engine goes on.

mod begin;
mod call;
mod finish;
mod forward;
mod job;
mod remove;
mod revert;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use nbvend_wire::timestamp::Timestamp;

use self::job::Job;
use super::plan::{self, Plan};
use super::state::{Stack, StackStatus};
use super::{STACKS, find};
use crate::context::Cx;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::identity::Caller;
use crate::reconcile::{Next, Pass, Reconciler};
use crate::store::Signal;

/// Carries out stack operations.
pub struct Stacks;

/// Since when a stack is only waited for, by its UUID. The longer it takes, the later it is asked again: whoever ends
/// the wait rings [`STACKS`], so this is for those who do not.
#[derive(Default)]
struct Patience(Mutex<HashMap<String, Timestamp>>);

const SOONEST_MS: i64 = 500;
const LATEST_MS: i64 = 5000;

impl Patience {
    fn lose(&self, uuid: &str) {
        self.0.lock().expect("nobody panics while waiting").remove(uuid);
    }

    /// When to look again: after a quarter of the time waited so far.
    fn again(&self, uuid: &str, now: Timestamp) -> Timestamp {
        let mut waits = self.0.lock().expect("nobody panics while waiting");
        let since = waits.entry(uuid.to_owned()).or_insert(now);
        Timestamp(now.0 + ((now.0 - since.0) / 4).clamp(SOONEST_MS, LATEST_MS))
    }
}

/// What a step of a stack came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Something moved; there may be more to do at once.
    Moved,
    /// Resources are on their way; the time is a deadline of the operation.
    Waiting(Option<Timestamp>),
    /// The operation is over.
    Finished,
}

impl Reconciler for Stacks {
    fn signal(&self) -> Signal {
        STACKS
    }

    fn pass<'a>(&'a self, engine: &'a Engine) -> Pass<'a> {
        Box::pin(async move {
            let stacks = engine.store().read(|tx| tx.find_everywhere::<Stack>("unfinished", "yes"))??;
            let nexts = join_all(stacks.into_iter().map(|(_, stack)| drive(engine, stack))).await;
            Ok(nexts.into_iter().fold(Next::WhenWoken, Next::or))
        })
    }
}

/// One step of one stack. Its failure is its own: the other stacks go on.
async fn drive(engine: &Engine, stack: Stack) -> Next {
    let patience = engine.cache::<Patience>();
    let soon = || Next::At(patience.again(&stack.uuid, engine.now()));
    let outcome = step(engine, &stack).await;
    if matches!(outcome, Ok(Step::Moved | Step::Finished)) {
        patience.lose(&stack.uuid);
    }
    match outcome {
        Ok(Step::Moved) => Next::Again,
        Ok(Step::Finished) => Next::WhenWoken,
        Ok(Step::Waiting(deadline)) => deadline.map_or(soon(), |time| soon().or(Next::At(time))),
        Err(error) => {
            tracing::error!(stack = stack.name, %error, "a step of a stack failed");
            soon()
        }
    }
}

/// As whom a stack's resources are made and ended.
fn acting(stack: &Stack) -> Caller {
    match &stack.operation {
        Some(operation) => match &operation.acting {
            Some(acting) => acting.clone(),
            None => operation.caller.through("cloudformation.amazonaws.com"),
        },
        None => Caller::service("cloudformation.amazonaws.com", region(stack)),
    }
}

fn region(stack: &Stack) -> &str {
    stack.arn.split(':').nth(3).unwrap_or_default()
}

async fn step(engine: &Engine, stack: &Stack) -> Result<Step, EngineError> {
    let caller = Caller { region: region(stack).to_owned(), ..acting(stack) };
    let wanted = wanted_version(stack);
    let plan = match wanted {
        Some(id) => engine.view(caller.clone(), |cx| plan::plan(cx, stack, id))?,
        None => None,
    };
    let (plan, fault) = match plan {
        Some(Ok(plan)) => (Some(plan), None),
        Some(Err(error)) => (None, Some(error.message)),
        None => (None, wanted.map(|_| "The template of the stack is not there any more".to_owned())),
    };
    let (uuid, status) = (stack.uuid.clone(), stack.status);
    engine.transact(caller, move |cx| transact(cx, &uuid, status, plan, fault)).await
}

/// The version whose order counts for the work under way.
fn wanted_version(stack: &Stack) -> Option<&String> {
    match stack.status {
        StackStatus::CreateInProgress | StackStatus::UpdateInProgress => stack.target.as_ref(),
        StackStatus::UpdateRollbackInProgress
        | StackStatus::UpdateCompleteCleanupInProgress
        | StackStatus::UpdateRollbackCompleteCleanupInProgress => stack.current.as_ref(),
        _ => None,
    }
}

fn transact(
    cx: &mut Cx<'_>,
    uuid: &str,
    status: StackStatus,
    plan: Option<Arc<Plan>>,
    fault: Option<String>,
) -> Result<Step, EngineError> {
    let Some(stack) = find::unfinished(cx, uuid)? else { return Ok(Step::Finished) };
    let same = plan.as_ref().map(|plan| &plan.version.id) == wanted_version(&stack) || fault.is_some();
    if stack.status != status || !same {
        // Somebody came between the look and the writer's turn.
        return Ok(Step::Moved);
    }
    let mut job = Job::load(cx, stack, plan)?;
    begin::begin(&mut job, fault)?;
    match job.stack.status {
        StackStatus::CreateInProgress | StackStatus::UpdateInProgress => forward::step(&mut job)?,
        StackStatus::UpdateRollbackInProgress => revert::step(&mut job)?,
        _ => remove::step(&mut job)?,
    }
    job.store()
}
