//! The errors the sandbox itself reports, in AWS's words: time out, crash, missing entry point.
//!
//! Texts as printed by real functions and by AWS's runtime interface emulator.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use bytes::Bytes;
use rustix::process::Signal;

use super::{ErrorKind, FunctionError};

/// Why a process gave no answer of its own.
#[derive(Debug)]
pub(super) enum Failure {
    TimedOut(Duration),
    /// The process ended on its own or was killed by someone.
    Exited(ExitStatus),
    /// Killed for using more than its memory.
    OutOfMemory,
    /// It could not be executed; the text says why.
    InvalidEntrypoint(String),
    ResponseTooLarge,
    /// This side's fault: the package is gone, no process could be made, the engine is going down.
    Sandbox(String),
}

impl Failure {
    pub(super) fn error_type(&self) -> &'static str {
        match self {
            Failure::TimedOut(_) => "Sandbox.Timedout",
            Failure::Exited(_) => "Runtime.ExitError",
            Failure::OutOfMemory => "Runtime.OutOfMemory",
            Failure::InvalidEntrypoint(_) => "Runtime.InvalidEntrypoint",
            Failure::ResponseTooLarge => "Function.ResponseSizeTooLarge",
            Failure::Sandbox(_) => "Sandbox.Failure",
        }
    }

    /// The sentence without the request id in front of it.
    pub(super) fn reason(&self) -> String {
        match self {
            Failure::TimedOut(after) => format!("Task timed out after {:.2} seconds", after.as_secs_f64()),
            Failure::Exited(status) => exit_reason(*status),
            Failure::OutOfMemory => "Runtime exited with error: signal: killed".into(),
            Failure::InvalidEntrypoint(why) | Failure::Sandbox(why) => why.clone(),
            Failure::ResponseTooLarge => format!(
                "Response payload size exceeded maximum allowed payload size ({} bytes).",
                super::api::PAYLOAD_LIMIT
            ),
        }
    }

    /// What the `REPORT` line adds.
    pub(super) fn report(&self) -> String {
        match self {
            Failure::TimedOut(_) => "Status: timeout".into(),
            other => format!("Status: error\tError Type: {}", other.error_type()),
        }
    }

    pub(super) fn into_error(self, request_id: &str) -> FunctionError {
        let message = match &self {
            Failure::ResponseTooLarge => self.reason(),
            other => format!("RequestId: {request_id} Error: {}", other.reason()),
        };
        let payload = serde_json::json!({ "errorType": self.error_type(), "errorMessage": message });
        FunctionError { kind: ErrorKind::Unhandled, payload: Bytes::from(payload.to_string()) }
    }
}

fn exit_reason(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(0), _) => "Runtime exited without providing a reason".into(),
        (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
        (None, Some(signal)) => format!("Runtime exited with error: signal: {}", signal_name(signal)),
        (None, None) => "Runtime exited with error".into(),
    }
}

/// The names Go prints, since AWS's supervisor is written in it.
fn signal_name(number: i32) -> String {
    let known = [
        (Signal::HUP, "hangup"),
        (Signal::INT, "interrupt"),
        (Signal::QUIT, "quit"),
        (Signal::ILL, "illegal instruction"),
        (Signal::TRAP, "trace/breakpoint trap"),
        (Signal::ABORT, "aborted"),
        (Signal::BUS, "bus error"),
        (Signal::FPE, "floating point exception"),
        (Signal::KILL, "killed"),
        (Signal::SEGV, "segmentation fault"),
        (Signal::PIPE, "broken pipe"),
        (Signal::ALARM, "alarm clock"),
        (Signal::TERM, "terminated"),
    ];
    known
        .iter()
        .find(|(signal, _)| signal.as_raw() == number)
        .map_or_else(|| format!("signal {number}"), |(_, name)| (*name).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(failure: Failure) -> String {
        String::from_utf8(failure.into_error("id-1").payload.to_vec()).unwrap()
    }

    #[test]
    fn sentences_are_those_of_aws() {
        // A wait status holds the exit code in its second byte and the signal in its first.
        let exited = |code: i32| Failure::Exited(ExitStatus::from_raw(code << 8));
        let killed = |signal: i32| Failure::Exited(ExitStatus::from_raw(signal));
        let cases = [
            (
                Failure::TimedOut(Duration::from_secs(3)),
                r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: id-1 Error: Task timed out after 3.00 seconds"}"#,
            ),
            (
                exited(1),
                r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: id-1 Error: Runtime exited with error: exit status 1"}"#,
            ),
            (
                exited(0),
                r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: id-1 Error: Runtime exited without providing a reason"}"#,
            ),
            (
                killed(11),
                r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: id-1 Error: Runtime exited with error: signal: segmentation fault"}"#,
            ),
            (
                killed(40),
                r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: id-1 Error: Runtime exited with error: signal: signal 40"}"#,
            ),
            (
                Failure::OutOfMemory,
                r#"{"errorType":"Runtime.OutOfMemory","errorMessage":"RequestId: id-1 Error: Runtime exited with error: signal: killed"}"#,
            ),
            (
                Failure::ResponseTooLarge,
                r#"{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}"#,
            ),
        ];
        for (failure, wanted) in cases {
            assert_eq!(text(failure), wanted);
        }
    }
}
