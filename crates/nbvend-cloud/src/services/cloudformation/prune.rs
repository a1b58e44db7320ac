//! Forgets deleted stacks after 90 days, as AWS does, with everything that was kept under their ids.

use nbvend_wire::timestamp::Timestamp;

use super::state::{Deleted, Listed, Resource, Stack, StackEvent, Version};
use crate::context::Cx;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::identity::Caller;
use crate::reconcile::{Next, Pass, Reconciler};
use crate::store::{GLOBAL, Record, Signal, StoreError};

const KEPT_MS: i64 = 90 * 24 * 3600 * 1000;
const EVERY_MS: i64 = 6 * 3600 * 1000;
/// Stacks forgotten in one pass.
const PORTION: usize = 50;

pub struct Prune;

impl Reconciler for Prune {
    fn signal(&self) -> Signal {
        Signal("cloudformation-prune")
    }

    fn pass<'a>(&'a self, engine: &'a Engine) -> Pass<'a> {
        Box::pin(async move {
            let now = engine.now();
            let oldest = engine.store().read(|tx| tx.list::<Deleted>(GLOBAL, "", None, PORTION))??;
            let more = oldest.len() == PORTION;
            let old: Vec<Deleted> = oldest.into_iter().filter(|one| one.time.0 < now.0 - KEPT_MS).collect();
            let again = more && old.len() == PORTION;
            for one in old {
                let caller = Caller::service("cloudformation.amazonaws.com", &one.region);
                engine.transact(caller, move |cx| forget(cx, &one)).await?;
            }
            Ok(if again { Next::Again } else { Next::At(Timestamp(now.0 + EVERY_MS)) })
        })
    }
}

fn forget(cx: &mut Cx<'_>, one: &Deleted) -> Result<(), EngineError> {
    cx.tx.delete::<Deleted>(GLOBAL, &one.key())?;
    let Some(stack) = cx.get::<Stack>(&one.uuid)? else { return Ok(()) };
    all::<StackEvent>(cx, &stack)?;
    all::<Resource>(cx, &stack)?;
    all::<Version>(cx, &stack)?;
    cx.delete::<Listed>(&Listed { created: stack.created, uuid: stack.uuid.clone() }.key())?;
    cx.delete::<Stack>(&stack.uuid)?;
    Ok(())
}

fn all<R: Record>(cx: &Cx<'_>, stack: &Stack) -> Result<(), StoreError> {
    for record in cx.tx.list::<R>(cx.region(), &format!("{}/", stack.uuid), None, usize::MAX)? {
        cx.delete::<R>(&record.key())?;
    }
    Ok(())
}
