//! What both binaries do before and around their handler.

use std::process::ExitCode;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::aws::{Client, Environment};
use crate::clock::{Clock, SystemClock};
use crate::log;
use crate::runtime::{Failure, Runtime};

/// Reads a function's settings from the variables that the template gives it.
pub struct Setup {
    lookup: fn(&str) -> Option<String>,
}

impl Setup {
    /// The variable `name`; the error says that it is missing.
    pub fn text(&self, name: &str) -> Result<String, String> {
        (self.lookup)(name).ok_or_else(|| format!("{name} is not set"))
    }

    /// `SESSION_SECONDS`, within what SageMaker accepts.
    pub fn session_seconds(&self) -> Result<u32, String> {
        let seconds = self.text("SESSION_SECONDS")?.parse().ok();
        let wrong = || "SESSION_SECONDS must be a number from 1800 to 43200".to_owned();
        seconds.filter(|seconds| (1800..=43_200).contains(seconds)).ok_or_else(wrong)
    }
}

/// Runs a function: reads its settings, then handles events until Lambda ends the process.
pub fn main<S>(
    settings: impl FnOnce(&Setup) -> Result<S, String>,
    handle: impl Fn(&Client<'_>, &dyn Clock, &S, &Value, SystemTime) -> Result<Value, Failure>,
) -> ExitCode {
    let setup = Setup { lookup: |name| std::env::var(name).ok() };
    let runtime = match setup.text("AWS_LAMBDA_RUNTIME_API") {
        Ok(address) => Runtime::new(&address),
        Err(reason) => {
            log::warn("this program is started by Lambda", &json!({ "reason": reason }));
            return ExitCode::FAILURE;
        }
    };
    let ready = settings(&setup).and_then(|settings| Ok((settings, Environment::from_process()?)));
    let (settings, environment) = match ready {
        Ok(ready) => ready,
        Err(reason) => {
            runtime.cannot_start(&Failure::new("BadSettings", reason));
            return ExitCode::FAILURE;
        }
    };
    let clock = SystemClock;
    let aws = Client::new(environment, &clock);
    let reason = runtime.serve(|event, deadline| handle(&aws, &clock, &settings, event, deadline));
    log::warn("ended", &json!({ "reason": reason }));
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_seconds() {
        type Lookup = fn(&str) -> Option<String>;
        let cases: [(Lookup, Option<u32>); 6] = [
            (|_| Some("1800".into()), Some(1800)),
            (|_| Some("43200".into()), Some(43_200)),
            (|_| Some("1799".into()), None),
            (|_| Some("43201".into()), None),
            (|_| Some("an hour".into()), None),
            (|_| None, None),
        ];
        for (lookup, expected) in cases {
            assert_eq!(Setup { lookup }.session_seconds().ok(), expected);
        }
    }
}
