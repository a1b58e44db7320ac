//! Steps 3 (typed) to 6: decode, authorise, run, record.

use nbvend_wire::error::WireError;
use serde_json::Value;

use super::authorise::Asked;
use crate::context::Cx;
use crate::engine::Engine;
use crate::error::{EngineError, ServiceError};
use crate::identity::Caller;
use crate::operation::{Entry, Kind, Operation, Waiting, typed};
use crate::store::StoreError;
use crate::trail::{self, Call};

/// Authorises, runs and records an operation in the transaction of `cx`. What a failed operation wrote is undone; its
/// record is not.
pub fn perform<O: Operation>(cx: &mut Cx<'_>, operation: O) -> Result<O::Output, WireError> {
    let read_only = O::KIND == Kind::Read;
    if !read_only {
        cx.tx.must_write(O::NAME).map_err(internal)?;
    }
    let input = serde_json::to_value(&operation).map_err(internal)?;
    let asked = Asked::of(&operation, cx);
    let tx = cx.tx;
    let outcome = match asked.authorise(cx) {
        Err(denied) => Outcome::Denied(denied),
        Ok(()) => match tx.savepoint(|| operation.run(cx).map_err(|error| error.to_wire())) {
            Ok(Ok(output)) => Outcome::Done(output),
            Ok(Err(error)) => Outcome::Failed(error),
            Err(error) => Outcome::Failed(internal(error)),
        },
    };
    if O::DATA && !matches!(outcome, Outcome::Denied(_)) {
        return outcome.into_result();
    }
    let output = match &outcome {
        Outcome::Done(output) if !read_only => serde_json::to_value(output).map_err(internal)?,
        _ => Value::Null,
    };
    let call = Call {
        service: O::SERVICE,
        operation: O::NAME,
        read_only,
        sensitive: O::SENSITIVE,
        input: Some(input),
        outcome: outcome.as_error().map_or(Ok(&output), Err),
        resources: &asked.resources,
    };
    trail::note(cx, call).map_err(internal)?;
    outcome.into_result()
}

enum Outcome<T> {
    Done(T),
    Failed(WireError),
    Denied(WireError),
}

impl<T> Outcome<T> {
    fn as_error(&self) -> Option<&WireError> {
        match self {
            Self::Done(_) => None,
            Self::Failed(error) | Self::Denied(error) => Some(error),
        }
    }

    fn into_result(self) -> Result<T, WireError> {
        match self {
            Self::Done(output) => Ok(output),
            Self::Failed(error) | Self::Denied(error) => Err(error),
        }
    }
}

/// Runs a decoded request from outside.
pub(crate) async fn run_operation<O: Operation>(
    engine: Engine,
    caller: Caller,
    input: Value,
) -> Result<Value, WireError> {
    let operation: O = typed(O::SERVICE, O::NAME, input)?;
    to_value(call(&engine, caller, operation).await?)
}

/// Calls an operation from where no transaction is open: reads on a snapshot, writes in the writer's next
/// transaction.
pub async fn call<O: Operation>(
    engine: &Engine,
    caller: Caller,
    mut operation: O,
) -> Result<O::Output, WireError> {
    if O::KIND == Kind::Read {
        let output = engine.store().read(|tx| perform(&mut Cx::new(engine, tx, caller), operation));
        return output.map_err(internal)?;
    }
    if O::PREPARES {
        let prepared = engine.store().read(|tx| {
            let mut cx = Cx::new(engine, tx, caller.clone());
            // Who may not learns nothing of what it says or names.
            Asked::of(&operation, &cx).authorise(&cx)?;
            operation.prepare(&mut cx).map_err(|error| error.to_wire())
        });
        if let Err(error) = prepared.map_err(internal)? {
            let input = serde_json::to_value(&operation).ok();
            return Err(record(engine.clone(), caller, &crate::operation::op::<O>(), input, error).await);
        }
    }
    let shared = engine.clone();
    let output = engine.store().write(move |tx| perform(&mut Cx::new(&shared, tx, caller), operation)).await;
    output.map_err(internal)?
}

/// Whether a call would be allowed now: asked before its bytes are taken in. Nothing is recorded; the call itself is
/// asked again when it is made.
pub fn allowed<O: Operation>(engine: &Engine, caller: &Caller, operation: &O) -> Result<(), WireError> {
    let decided = engine.store().read(|tx| {
        let cx = Cx::new(engine, tx, caller.clone());
        Asked::of(operation, &cx).authorise(&cx)
    });
    decided.map_err(internal)?
}

/// Records a call that was refused before it could run, and hands its error back.
pub(crate) async fn refused(engine: &Engine, caller: Caller, entry: &Entry, error: WireError) -> WireError {
    if entry.kind == Some(Kind::Read) || entry.data {
        return error;
    }
    record(engine.clone(), caller, entry, None, error).await
}

async fn record(
    engine: Engine,
    caller: Caller,
    entry: &Entry,
    input: Option<Value>,
    error: WireError,
) -> WireError {
    let entry = *entry;
    let shared = engine.clone();
    let noted = engine.store().write(move |tx| {
        let call = Call {
            service: entry.service,
            operation: entry.name,
            read_only: false,
            sensitive: entry.sensitive,
            input,
            outcome: Err(&error),
            resources: &[],
        };
        trail::note(&Cx::new(&shared, tx, caller), call).map(|()| error)
    });
    match noted.await {
        Ok(Ok(error)) => error,
        Ok(Err(error)) | Err(error) => internal(error),
    }
}

/// Runs a waiting operation: admit, wait with no transaction open, finish.
pub(crate) async fn run_waiting<O: Waiting>(
    engine: Engine,
    caller: Caller,
    input: Value,
) -> Result<Value, WireError> {
    let operation: O = typed(O::SERVICE, O::NAME, input)?;
    to_value(wait_for(engine, caller, operation).await?)
}

/// The same for a caller inside the engine that holds no transaction (API Gateway calling a function).
pub async fn wait_for<O: Waiting>(
    engine: Engine,
    caller: Caller,
    operation: O,
) -> Result<O::Output, WireError> {
    let ticket = if operation.admit_writes() {
        let (shared, caller) = (engine.clone(), caller.clone());
        engine.store().write(move |tx| admit(&mut Cx::new(&shared, tx, caller), operation)).await
    } else {
        engine.store().read(|tx| admit(&mut Cx::new(&engine, tx, caller.clone()), operation))
    };
    let outcome = O::wait(engine.clone(), ticket.map_err(internal)??).await;
    let finished = if O::finish_writes(&outcome) {
        let shared = engine.clone();
        engine.store().write(move |tx| finish::<O>(&mut Cx::new(&shared, tx, caller), outcome)).await
    } else {
        engine.store().read(|tx| finish::<O>(&mut Cx::new(&engine, tx, caller), outcome))
    };
    finished.map_err(internal)?
}

fn admit<O: Waiting>(cx: &mut Cx<'_>, operation: O) -> Result<O::Ticket, WireError> {
    let input = serde_json::to_value(&operation).map_err(internal)?;
    let asked = Asked::of_waiting(&operation, cx);
    let tx = cx.tx;
    let (outcome, denied) = match asked.authorise(cx) {
        Err(error) => (Err(error), true),
        Ok(()) => match tx.savepoint(|| operation.admit(cx).map_err(|error| error.to_wire())) {
            Ok(outcome) => (outcome, false),
            Err(error) => (Err(internal(error)), false),
        },
    };
    if !O::DATA || denied {
        let nothing = Value::Null;
        let call = Call {
            service: O::SERVICE,
            operation: O::NAME,
            read_only: false,
            sensitive: O::SENSITIVE,
            input: Some(input),
            outcome: outcome.as_ref().map_or_else(Err, |_| Ok(&nothing)),
            resources: &asked.resources,
        };
        trail::note(cx, call).map_err(internal)?;
    }
    outcome
}

fn finish<O: Waiting>(cx: &mut Cx<'_>, outcome: O::Outcome) -> Result<O::Output, WireError> {
    let tx = cx.tx;
    tx.savepoint(|| O::finish(outcome, cx).map_err(|error| error.to_wire())).map_err(internal)?
}

fn to_value<T: serde::Serialize>(output: T) -> Result<Value, WireError> {
    serde_json::to_value(output).map_err(internal)
}

/// The engine's own failure: logged where it arises, shown as AWS shows its own.
fn internal(error: impl Into<Internal>) -> WireError {
    let Internal(error) = error.into();
    if let Some(EngineError::Called(wire)) = &error {
        return wire.clone();
    }
    WireError::new("InternalFailure", 500, "The request processing has failed because of an unknown error.")
}

struct Internal(Option<EngineError>);

impl From<StoreError> for Internal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        Self(Some(EngineError::Store(error)))
    }
}

impl From<serde_json::Error> for Internal {
    fn from(error: serde_json::Error) -> Self {
        tracing::error!(%error, "a typed value could not be written as JSON");
        Self(None)
    }
}
