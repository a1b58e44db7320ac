//! One run of a function: a session of its role, the host, its logs. Synchronous and asynchronous invocations share it.

use bytes::Bytes;

use super::concurrency::Slot;
use super::error::Error;
use super::state::Config;
use super::{log, role};
use crate::engine::Engine;
use crate::ports::{FunctionEvent, FunctionOutcome, FunctionSpec};

/// What to run, and on what.
pub struct Job {
    pub region: String,
    pub function: String,
    pub config: Config,
    /// The ARN it was invoked by.
    pub arn: String,
    pub request_id: String,
    pub payload: Bytes,
    /// JSON text.
    pub client_context: Option<String>,
}

/// How it ended.
pub struct Ran {
    /// The answer, or the error document with its kind.
    pub result: Result<Bytes, (&'static str, Bytes)>,
    /// The last lines of the log, 4 KB at the most.
    pub tail: Vec<u8>,
}

/// AWS's limit of a log tail in bytes.
const TAIL: usize = 4096;

/// Runs it to its end, holding `slot` as long. Logs are written afterwards, by others.
pub async fn run(engine: &Engine, job: Job, slot: Slot) -> Result<Ran, Error> {
    let session = role::session(engine, &job.region, &job.function, &job.config).await?;
    let config = &job.config;
    let group = config.log_group(&job.function);
    let spec = FunctionSpec {
        key: session.key.clone(),
        name: job.function.clone(),
        code_zip: engine.store().blobs().path(&config.code.blob),
        code_id: config.code.blob.clone(),
        runtime: config.runtime.clone(),
        handler: config.handler.clone(),
        memory_mb: config.memory_mb,
        timeout_seconds: config.timeout_seconds,
        ephemeral_mb: config.ephemeral_mb,
        environment: environment(config),
        credentials: session.credentials.clone(),
        region: job.region.clone(),
        endpoint: engine.config().endpoint.clone(),
        log_group: group.clone(),
    };
    let event = FunctionEvent {
        request_id: job.request_id,
        function_arn: job.arn,
        payload: job.payload,
        trace_id: trace_id(engine),
        client_context: job.client_context,
    };
    let outcome = engine.functions().invoke(spec, event).await;
    drop(slot);
    let tail = tail(&outcome);
    let target = log::Target { region: job.region, group, stream: outcome.log_stream };
    log::push(engine, &session.caller, target, outcome.log);
    Ok(Ran { result: outcome.result, tail })
}

/// What the function's configuration sets, and its version, which the host prints.
fn environment(config: &Config) -> Vec<(String, String)> {
    let own = config.environment.iter().flatten().map(|(name, value)| (name.clone(), value.clone()));
    own.chain([("AWS_LAMBDA_FUNCTION_VERSION".to_owned(), config.version.clone())]).collect()
}

/// `Root=1-<time>-<24 digits>;Parent=<16 digits>;Sampled=0`: nothing is traced.
fn trace_id(engine: &Engine) -> String {
    let digits = |count| engine.ids().text(count, "0123456789abcdef");
    format!("Root=1-{:08x}-{};Parent={};Sampled=0", engine.now().0 / 1000, digits(24), digits(16))
}

fn tail(outcome: &FunctionOutcome) -> Vec<u8> {
    let mut lines: Vec<&str> = Vec::new();
    let mut size = 0;
    for (_, line) in outcome.log.iter().rev() {
        lines.push(line);
        size += line.len() + 1;
        if size > TAIL {
            break;
        }
    }
    let mut text = Vec::with_capacity(size);
    for line in lines.iter().rev() {
        text.extend_from_slice(line.as_bytes());
        if !line.ends_with('\n') {
            text.push(b'\n');
        }
    }
    text.split_off(text.len().saturating_sub(TAIL))
}
