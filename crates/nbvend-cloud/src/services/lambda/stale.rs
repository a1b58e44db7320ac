//! Ends the processes of code and settings that are no more: after an update, the deletion of a version or of a whole
//! function. What such a process has in hand it finishes.

use super::name::version_number;
use super::reconcile::CODE;
use super::role::{InUse, PRINCIPAL, Sessions};
use super::state::{Function, Version};
use crate::context::Cx;
use crate::engine::Engine;
use crate::identity::Caller;
use crate::reconcile::{Next, Pass, Reconciler};
use crate::store::{Signal, StoreError};

pub struct Stale;

impl Reconciler for Stale {
    fn signal(&self) -> Signal {
        CODE
    }

    /// Processes die with the engine, so what memory knows is all there is.
    fn pass<'a>(&'a self, engine: &'a Engine) -> Pass<'a> {
        Box::pin(async move {
            let sessions = engine.cache::<Sessions>();
            for used in sessions.in_use() {
                let lambda = Caller::service(PRINCIPAL, &used.region);
                let current = engine.view(lambda, |cx| Ok(current(cx, &used)?))?;
                if !current && let Some(key) = sessions.forget(&used.revision).await {
                    engine.functions().forget(&key).await;
                }
            }
            Ok(Next::WhenWoken)
        })
    }
}

fn current(cx: &Cx<'_>, used: &InUse) -> Result<bool, StoreError> {
    let revision = match version_number(&used.version) {
        Some(number) => {
            let version = cx.get::<Version>(&Version::key_of(&used.function, number))?;
            version.map(|version| version.config.revision)
        }
        None => cx.get::<Function>(&used.function)?.map(|function| function.latest.revision),
    };
    Ok(revision.as_deref() == Some(used.revision.as_str()))
}
