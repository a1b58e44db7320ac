//! Calls of resource providers, each in a savepoint: what a failed one wrote is undone.

use super::super::state::{Before, Resource};
use super::job::Job;
use crate::error::EngineError;
use crate::provider::{Deletion, Handle, Progress, Provider, Request};
use crate::services;
use std::panic::{AssertUnwindSafe, catch_unwind};

use nbvend_wire::error::WireError;

/// What became of a step: done, on its way, or failed with a reason for a person.
pub type Outcome<T> = Result<T, String>;

pub fn create(job: &mut Job<'_, '_>, row: &Resource) -> Result<Outcome<Progress>, EngineError> {
    let request = request(job, row, &row.body);
    guard(job, row, |provider, job| provider.create(job.cx, &request))
}

pub fn update(
    job: &mut Job<'_, '_>,
    row: &Resource,
    from: &Before,
    to: &Before,
) -> Result<Outcome<Progress>, EngineError> {
    let (handle, request) = (handle(job, row, from), request(job, row, to));
    guard(job, row, |provider, job| provider.update(job.cx, &handle, &request))
}

/// `body` is what the resource was last asked to be.
pub fn stabilize(
    job: &mut Job<'_, '_>,
    row: &Resource,
    body: &Before,
) -> Result<Outcome<Progress>, EngineError> {
    let handle = handle(job, row, body);
    guard(job, row, |provider, job| provider.stabilize(job.cx, &handle))
}

pub fn delete(job: &mut Job<'_, '_>, row: &Resource) -> Result<Outcome<Deletion>, EngineError> {
    let handle = handle(job, row, &row.body);
    guard(job, row, |provider, job| provider.delete(job.cx, &handle))
}

fn guard<T>(
    job: &mut Job<'_, '_>,
    row: &Resource,
    work: impl FnOnce(&'static dyn Provider, &mut Job<'_, '_>) -> Result<T, EngineError>,
) -> Result<Outcome<T>, EngineError> {
    let Some(provider) = services::provider(&row.type_name) else {
        // The type was there when the stack was accepted.
        return Ok(Err(format!("Unrecognized resource types: [{}]", row.type_name)));
    };
    let tx = job.cx.tx;
    // A defect of one provider must not hold up its stack for ever, and the writer would give up the whole step.
    let careful = || {
        let outcome = catch_unwind(AssertUnwindSafe(|| work(provider, &mut *job)));
        outcome.unwrap_or_else(|_| Err(WireError::new("InternalFailure", 500, "Internal Failure").into()))
    };
    match tx.savepoint(careful)? {
        Ok(progress) => Ok(Ok(progress)),
        // A failing store fails the step, not the resource: it is tried again.
        Err(EngineError::Store(error)) => Err(EngineError::Store(error)),
        Err(EngineError::Called(error)) => Ok(Err(explain_error(job, &row.type_name, &error))),
    }
}

fn handle(job: &Job<'_, '_>, row: &Resource, body: &Before) -> Handle {
    Handle {
        logical_id: row.logical_id.clone(),
        stack_name: job.stack.name.clone(),
        stack_id: job.stack.arn.clone(),
        physical_id: body.physical_id.clone().unwrap_or_default(),
        properties: body.properties.clone(),
    }
}

fn request(job: &Job<'_, '_>, row: &Resource, body: &Before) -> Request {
    let own = [
        ("aws:cloudformation:stack-name", &job.stack.name),
        ("aws:cloudformation:stack-id", &job.stack.arn),
        ("aws:cloudformation:logical-id", &row.logical_id),
    ];
    let own = own.into_iter().map(|(key, value)| (key.to_owned(), value.clone()));
    Request {
        logical_id: row.logical_id.clone(),
        stack_name: job.stack.name.clone(),
        stack_id: job.stack.arn.clone(),
        properties: body.properties.clone(),
        tags: own.chain(body.tags.iter().cloned()).collect(),
    }
}

/// A provider's own reason in AWS's form.
pub fn explain(job: &Job<'_, '_>, reason: &str, code: &str) -> String {
    let token = job.cx.ids().uuid();
    format!(
        "Resource handler returned message: \"{reason}\" (RequestToken: {token}, HandlerErrorCode: {code})"
    )
}

/// A refused call in AWS's form: the service's message within the handler's.
fn explain_error(job: &Job<'_, '_>, type_name: &str, error: &WireError) -> String {
    let service = match type_name.split("::").nth(1).unwrap_or_default() {
        "IAM" => "Iam",
        "SSM" => "Ssm",
        "Events" => "EventBridge",
        "Logs" => "CloudWatchLogs",
        other => other,
    };
    let request = job.cx.ids().uuid();
    let message = format!(
        "{} (Service: {service}, Status Code: {}, Request ID: {request})",
        error.message, error.status
    );
    explain(job, &message, handler_code(error))
}

/// The registry's code for a service's error.
fn handler_code(error: &WireError) -> &'static str {
    let code = error.code.as_ref();
    let has = |words: &[&str]| words.iter().any(|word| code.contains(word));
    if has(&["AccessDenied", "Unauthorized"]) {
        "AccessDenied"
    } else if has(&["AlreadyExist", "AlreadyOwned", "EntityAlready", "Duplicate"]) {
        "AlreadyExists"
    } else if has(&["NotFound", "NoSuch"]) {
        "NotFound"
    } else if has(&["LimitExceeded", "TooMany"]) {
        "ServiceLimitExceeded"
    } else if has(&["Validation", "Invalid", "Malformed", "BadRequest"]) {
        "InvalidRequest"
    } else {
        "GeneralServiceException"
    }
}
