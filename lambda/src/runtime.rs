//! The loop that Lambda feeds: fetch an event, handle it, post the answer.
//!
//! A function's process serves one event at a time, so this is three HTTP requests in a circle
//! (Lambda's Runtime API, version 2018-06-01).

use std::fmt::Display;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use ureq::Agent;

use crate::aws;
use crate::log;

/// Lambda accepts no larger event.
const MAX_EVENT: u64 = 7 * 1024 * 1024;
/// Believed when Lambda names no deadline.
const NO_DEADLINE: Duration = Duration::from_secs(60);

/// Why an event could not be handled, as Lambda reports it: to its log and, for asynchronous events, to its retries.
#[derive(Debug, PartialEq)]
pub struct Failure {
    pub kind: &'static str,
    pub message: String,
}

impl Failure {
    pub fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl From<aws::Error> for Failure {
    fn from(error: aws::Error) -> Self {
        Self::new("AwsError", error.to_string())
    }
}

/// The Runtime API of this process.
pub struct Runtime {
    agent: Agent,
    base: String,
}

impl Runtime {
    /// `address` is host and port, as in `AWS_LAMBDA_RUNTIME_API`.
    pub fn new(address: &str) -> Self {
        // Waiting for an event has no limit. The API is on this machine: no proxy is meant.
        let config = Agent::config_builder().http_status_as_error(false).proxy(None).build();
        Self { agent: config.into(), base: format!("http://{address}/2018-06-01/runtime") }
    }

    /// Handles events until the API ends, and returns why it did.
    pub fn serve(&self, mut handle: impl FnMut(&Value, SystemTime) -> Result<Value, Failure>) -> String {
        loop {
            if let Err(reason) = self.serve_one(&mut handle) {
                return reason;
            }
        }
    }

    fn serve_one(
        &self,
        handle: &mut impl FnMut(&Value, SystemTime) -> Result<Value, Failure>,
    ) -> Result<(), String> {
        let next = self.agent.get(format!("{}/invocation/next", self.base)).call();
        let mut next = next.map_err(|e| broken("next event", e))?;
        if next.status() != 200 {
            return Err(broken("next event", next.status()));
        }
        let header = |name: &str| next.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let id =
            header("lambda-runtime-aws-request-id").ok_or_else(|| broken("next event", "it has no id"))?;
        let deadline = header("lambda-runtime-deadline-ms").and_then(|ms| ms.parse().ok());
        let deadline = deadline
            .map_or_else(|| SystemTime::now() + NO_DEADLINE, |ms| UNIX_EPOCH + Duration::from_millis(ms));
        let event = next.body_mut().with_config().limit(MAX_EVENT).read_to_vec();
        let event = event.map_err(|e| broken("next event", e))?;

        let result = match serde_json::from_slice(&event) {
            Ok(event) => handle(&event, deadline),
            Err(e) => Err(Failure::new("UnreadableEvent", e.to_string())),
        };
        let path = format!("{}/invocation/{id}", self.base);
        match result {
            Ok(answer) => self.post(&format!("{path}/response"), None, &answer),
            Err(failure) => {
                log::warn(
                    "failed",
                    &json!({ "type": failure.kind, "reason": failure.message, "request": id }),
                );
                self.post(&format!("{path}/error"), Some(failure.kind), &report(&failure))
            }
        }
    }

    /// Tells Lambda that the function cannot start.
    pub fn cannot_start(&self, failure: &Failure) {
        log::warn("cannot start", &json!({ "type": failure.kind, "reason": failure.message }));
        // There is nobody left to tell if this fails too; the process ends with an error either way.
        let _ = self.post(&format!("{}/init/error", self.base), Some(failure.kind), &report(failure));
    }

    fn post(&self, url: &str, kind: Option<&str>, body: &Value) -> Result<(), String> {
        let mut request = self.agent.post(url).content_type("application/json");
        if let Some(kind) = kind {
            request = request.header("lambda-runtime-function-error-type", kind);
        }
        let mut answer = request.send(body.to_string()).map_err(|e| broken("answer", e))?;
        if !answer.status().is_success() {
            // Too late, most likely: Lambda has given this event up and will send the next.
            log::warn("the answer was not taken", &json!({ "status": answer.status().as_u16() }));
        }
        // Read to its end, so that the connection can be used again.
        answer.body_mut().read_to_vec().map_err(|e| broken("answer", e)).map(drop)
    }
}

fn report(failure: &Failure) -> Value {
    json!({ "errorType": failure.kind, "errorMessage": failure.message, "stackTrace": [] })
}

fn broken(what: &str, why: impl Display) -> String {
    format!("Runtime API, {what}: {why}")
}

#[cfg(test)]
mod tests;
