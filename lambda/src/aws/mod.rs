//! Signed calls to AWS's JSON services, for the handful of operations the functions need.
//!
//! Written by hand because the official SageMaker crate takes minutes and gigabytes to compile, ten times the
//! size and fifty times the start-up time; the calls here need only a POST and a signature.

mod environment;
mod error;
mod sign;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

pub use environment::Environment;
pub use error::Error;

use crate::clock::Clock;

/// Tries a call gets in all.
const ATTEMPTS: u32 = 4;
/// The longest wait before the second try; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Answers are small (a notebook's description, a list of tags); more than this is not from AWS.
const MAX_ANSWER: u64 = 1024 * 1024;

/// A service that speaks JSON 1.1.
pub struct Service {
    /// Name it signs with.
    signing: &'static str,
    /// First part of its host name.
    host: &'static str,
    /// What stands before the operation in `x-amz-target`.
    target: &'static str,
    /// What stands after `AWS_ENDPOINT_URL_` in the variable that moves it.
    variable: &'static str,
}

pub const SAGEMAKER: Service =
    Service { signing: "sagemaker", host: "api.sagemaker", target: "SageMaker", variable: "SAGEMAKER" };
pub const SSM: Service = Service { signing: "ssm", host: "ssm", target: "AmazonSSM", variable: "SSM" };
pub const SERVICE_CATALOG: Service = Service {
    signing: "servicecatalog",
    host: "servicecatalog",
    target: "AWS242ServiceCatalogService",
    variable: "SERVICE_CATALOG",
};

/// Makes calls as the function's role.
pub struct Client<'a> {
    agent: Agent,
    environment: Environment,
    clock: &'a dyn Clock,
}

impl<'a> Client<'a> {
    pub fn new(environment: Environment, clock: &'a dyn Clock) -> Self {
        Self { agent: environment.agent(), environment, clock }
    }

    /// Makes the call, again after a pause if the service was busy or unreachable. Every operation called through
    /// here may be repeated without harm.
    pub fn call(&self, service: &Service, operation: &'static str, input: &Value) -> Result<Value, Error> {
        let body = input.to_string();
        let mut longest = FIRST_PAUSE;
        for _ in 1..ATTEMPTS {
            match self.attempt(service, operation, &body) {
                Err(error) if error.is_transient() => self.clock.sleep(longest.mul_f64(random())),
                settled => return settled,
            }
            longest *= 2;
        }
        self.attempt(service, operation, &body)
    }

    fn attempt(&self, service: &Service, operation: &'static str, body: &str) -> Result<Value, Error> {
        let unreachable = |cause: ureq::Error| Error::Unreachable { operation, cause: cause.to_string() };
        let url = self.environment.endpoint(service);
        let target = format!("{}.{operation}", service.target);
        let request = sign::Request { url: &url, service: service.signing, target: &target, body };
        let mut call = self.agent.post(&url);
        for (name, value) in self.environment.sign(&request, self.clock.now()) {
            call = call.header(name, value);
        }
        let mut answer = call.send(body).map_err(unreachable)?;
        let status = answer.status().as_u16();
        let kind = answer.headers().get("x-amzn-errortype").and_then(|v| v.to_str().ok()).map(str::to_owned);
        let text = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_vec().map_err(unreachable)?;
        if status != 200 {
            return Err(Error::answered(operation, status, kind.as_deref(), &text));
        }
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&text).map_err(|_| Error::Unreadable { operation })
    }
}

/// A number from 0 to 1, different in every process: callers that were turned away together must not come back
/// together.
fn random() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 11;
    bits as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests;
