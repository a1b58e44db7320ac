//! How many invocations run at once: in all, and of a function with reserved concurrency.
//!
//! What is running is counted in memory: it ends with the engine. A refused invocation that may be tried again leaves
//! word ([`Running::enter`] with `again`), and the next one to end rings the bell.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::name::{Named, function_keys, resource};
use super::reconcile::INVOCATIONS;
use super::state::Function;
use crate::context::{ContextKeys, Cx};
use crate::engine::Engine;
use crate::operation::{Kind, Operation};
use crate::reconcile::Signals;
use crate::store::{StoreError, Tx};

/// Invocations at once, all functions of all regions together: they share one machine.
pub const LIMIT: u32 = 100;
/// So many stay for functions that reserve none.
const UNRESERVED: u32 = 10;

#[derive(Default)]
struct Counts {
    all: u32,
    unreserved: u32,
    each: HashMap<(String, String), u32>,
    /// Somebody was refused and wants to know when there is room.
    waiting: bool,
}

/// What runs now.
#[derive(Default)]
pub struct Running(Mutex<Counts>);

/// A function's share, as it is stored.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    pub reserved: Option<u32>,
    /// What all reservations together leave to the others.
    pub unreserved: u32,
}

impl Share {
    pub fn of(tx: &Tx<'_>, function: &Function) -> Result<Self, StoreError> {
        let reserved = reserved(tx)?;
        Ok(Self { reserved: function.reserved, unreserved: LIMIT.saturating_sub(reserved) })
    }
}

/// The sum of all reservations.
pub fn reserved(tx: &Tx<'_>) -> Result<u32, StoreError> {
    let functions = tx.find_everywhere::<Function>("reserved", "yes")?;
    Ok(functions.iter().filter_map(|(_, function)| function.reserved).sum())
}

/// The right to run one invocation; given back when dropped.
pub struct Slot {
    running: Arc<Running>,
    signals: Signals,
    function: (String, String),
    reserved: bool,
}

impl Running {
    /// Lets an invocation in, or says AWS's word for the limit that is reached.
    pub fn enter(
        engine: &Engine,
        region: &str,
        function: &str,
        share: Share,
        again: bool,
    ) -> Result<Slot, Error> {
        let running = engine.cache::<Self>();
        let key = (region.to_owned(), function.to_owned());
        {
            let mut counts = running.0.lock().expect("nobody panics while counting");
            let here = counts.each.get(&key).copied().unwrap_or(0);
            let refused = match share.reserved {
                Some(reserved) if here >= reserved => {
                    Some("ReservedFunctionConcurrentInvocationLimitExceeded")
                }
                None if counts.unreserved >= share.unreserved => Some("ConcurrentInvocationLimitExceeded"),
                _ if counts.all >= LIMIT => Some("ConcurrentInvocationLimitExceeded"),
                _ => None,
            };
            if let Some(reason) = refused {
                counts.waiting |= again;
                return Err(Error::TooMany(reason));
            }
            counts.all += 1;
            counts.unreserved += u32::from(share.reserved.is_none());
            *counts.each.entry(key.clone()).or_default() += 1;
        }
        Ok(Slot {
            running,
            signals: engine.signals().clone(),
            function: key,
            reserved: share.reserved.is_some(),
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = self.running.0.lock().expect("nobody panics while counting");
        counts.all -= 1;
        counts.unreserved -= u32::from(!self.reserved);
        if let Some(count) = counts.each.get_mut(&self.function) {
            *count -= 1;
            if *count == 0 {
                counts.each.remove(&self.function);
            }
        }
        if std::mem::take(&mut counts.waiting) {
            self.signals.wake(&[INVOCATIONS]);
        }
    }
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Concurrency {
    pub reserved_concurrent_executions: Option<u32>,
}

impl Concurrency {
    pub fn of(reserved: u32) -> Self {
        Self { reserved_concurrent_executions: Some(reserved) }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutFunctionConcurrency {
    pub function_name: String,
    pub reserved_concurrent_executions: u32,
}

impl Operation for PutFunctionConcurrency {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "PutFunctionConcurrency";
    const KIND: Kind = Kind::Write;
    type Output = Concurrency;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, None)
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Concurrency, Error> {
        let mut function = Named::unqualified(cx, &self.function_name)?.function(cx)?;
        let others = reserved(cx.tx)?.saturating_sub(function.reserved.unwrap_or(0));
        if others.saturating_add(self.reserved_concurrent_executions) > LIMIT - UNRESERVED {
            return Err(Error::parameter(format!(
                "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [{UNRESERVED}]."
            )));
        }
        function.reserved = Some(self.reserved_concurrent_executions);
        cx.put(&function)?;
        cx.wake(INVOCATIONS);
        Ok(Concurrency::of(self.reserved_concurrent_executions))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetFunctionConcurrency {
    pub function_name: String,
}

impl Operation for GetFunctionConcurrency {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "GetFunctionConcurrency";
    const KIND: Kind = Kind::Read;
    type Output = Concurrency;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, None)
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Concurrency, Error> {
        let function = Named::unqualified(cx, &self.function_name)?.function(cx)?;
        Ok(Concurrency { reserved_concurrent_executions: function.reserved })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteFunctionConcurrency {
    pub function_name: String,
}

impl Operation for DeleteFunctionConcurrency {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "DeleteFunctionConcurrency";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, None)
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let mut function = Named::unqualified(cx, &self.function_name)?.function(cx)?;
        function.reserved = None;
        cx.put(&function)?;
        cx.wake(INVOCATIONS);
        Ok(())
    }
}
