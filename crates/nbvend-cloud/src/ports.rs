//! What the engine needs of the world, as traits: time, chance, and the hands that run notebooks and functions.
//! The binary plugs in the real ones; tests plug in clocks that jump and hosts that remember.

mod notebooks;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use bytes::Bytes;
use nbvend_wire::timestamp::Timestamp;

pub use notebooks::{
    Activity, Capacity, NotebookHost, NotebookLimits, NotebookSpec, Repository, ScriptLog, StartFailure,
    Started,
};

/// A future that a port hands back.
pub type PortFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The time. No other code of the engine asks the machine for it.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;
}

/// Chance: ids, keys, tokens.
pub trait Ids: Send + Sync + 'static {
    /// Fills `buffer` with bytes nobody can guess.
    fn fill(&self, buffer: &mut [u8]);

    /// A version 4 UUID in its hyphenated lower-case form.
    fn uuid(&self) -> String {
        let mut b = [0u8; 16];
        self.fill(&mut b);
        b[6] = (b[6] & 0x0f) | 0x40;
        b[8] = (b[8] & 0x3f) | 0x80;
        let h = hex::encode(b);
        format!("{}-{}-{}-{}-{}", &h[..8], &h[8..12], &h[12..16], &h[16..20], &h[20..])
    }

    /// `length` characters drawn evenly from `alphabet` (ASCII, at most 64 characters).
    fn text(&self, length: usize, alphabet: &str) -> String {
        let letters = alphabet.as_bytes();
        let limit = 256 - 256 % letters.len();
        let mut text = String::with_capacity(length);
        let mut byte = [0u8; 1];
        while text.len() < length {
            self.fill(&mut byte);
            if usize::from(byte[0]) < limit {
                text.push(char::from(letters[usize::from(byte[0]) % letters.len()]));
            }
        }
        text
    }

    /// Lower-case letters and digits, as in Service Catalog's and API Gateway's ids.
    fn lower(&self, length: usize) -> String {
        self.text(length, "abcdefghijklmnopqrstuvwxyz0123456789")
    }

    /// Upper-case letters and digits, as in IAM's ids and the suffixes CloudFormation gives to names.
    fn upper(&self, length: usize) -> String {
        self.text(length, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    }
}

/// The code and settings of a function to run.
#[derive(Debug, Clone)]
pub struct FunctionSpec {
    /// Changes whenever code or configuration does: processes are kept by it.
    pub key: String,
    pub name: String,
    pub code_zip: PathBuf,
    /// sha256 of the package, hex.
    pub code_id: String,
    /// `provided.al2023`, `python3.9`, …
    pub runtime: String,
    pub handler: String,
    pub memory_mb: u32,
    pub timeout_seconds: u32,
    pub ephemeral_mb: u32,
    /// What the function's own configuration sets; the host adds the runtime's variables.
    pub environment: Vec<(String, String)>,
    /// The execution role's, fresh at each spawn.
    pub credentials: FunctionCredentials,
    pub region: String,
    pub endpoint: String,
    pub log_group: String,
}

/// Temporary credentials of the execution role.
#[derive(Debug, Clone)]
pub struct FunctionCredentials {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: String,
}

/// One event for a function.
#[derive(Debug, Clone)]
pub struct FunctionEvent {
    pub request_id: String,
    pub function_arn: String,
    pub payload: Bytes,
    pub trace_id: String,
    pub client_context: Option<String>,
}

/// How an invocation ended.
#[derive(Debug, Clone)]
pub struct FunctionOutcome {
    /// The answer, or the error document with its kind (`Handled` or `Unhandled`).
    pub result: Result<Bytes, (&'static str, Bytes)>,
    /// Log lines with their time, START, END and REPORT among them.
    pub log: Vec<(Timestamp, String)>,
    /// The log stream of the process that ran it: `2026/11/22/[$LATEST]<32 hex digits>`.
    pub log_stream: String,
}

/// The hands that run functions.
pub trait FunctionHost: Send + Sync + 'static {
    /// Runs one event to its end or its time limit.
    fn invoke(&self, spec: FunctionSpec, event: FunctionEvent) -> PortFuture<'_, FunctionOutcome>;
    /// Ends the processes kept for `key`.
    fn forget(&self, key: &str) -> PortFuture<'_, ()>;
}

/// All ports of an engine.
pub struct Ports {
    pub clock: Box<dyn Clock>,
    pub ids: Box<dyn Ids>,
    pub notebooks: Box<dyn NotebookHost>,
    pub functions: Box<dyn FunctionHost>,
}
