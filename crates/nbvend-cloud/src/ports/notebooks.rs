//! The hands that run notebooks: what they are told, what they tell.

use std::path::PathBuf;

use nbvend_wire::timestamp::Timestamp;

use super::PortFuture;

/// A notebook server to run.
#[derive(Debug, Clone)]
pub struct NotebookSpec {
    /// Unique for the life of the notebook, also after its name was used again: `[a-z0-9-]+`.
    pub id: String,
    /// Counts the starts; a start is repeated safely under the same number.
    pub generation: u64,
    /// The name its people know: `Demo-User-Notebook`.
    pub name: String,
    /// Its region, for the environment its kernels see.
    pub region: String,
    /// `ml.t3.medium`.
    pub instance_type: String,
    /// What the instance type allows it on this machine.
    pub limits: NotebookLimits,
    /// The size of the volume that survives a stop, in GiB.
    pub volume_gb: u64,
    /// Whether it may reach more than the engine: `DirectInternetAccess`.
    pub direct_internet: bool,
    /// The execution role's ARN.
    pub role_arn: String,
    /// What its kernels show to get the role's credentials (`AWS_CONTAINER_AUTHORIZATION_TOKEN`). The engine answers them
    /// for this notebook alone.
    pub credentials_token: String,
    /// Files it can read and not change, by their path inside.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// Git repositories to be cloned into its folder, where they can be reached and are not there yet.
    pub repositories: Vec<Repository>,
    /// Lifecycle scripts to run before the notebook is in service, in this order: (hook, script). `OnCreate` stands
    /// here at the first start only.
    pub scripts: Vec<(&'static str, Vec<u8>)>,
}

/// Limits of one notebook.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NotebookLimits {
    /// In cores.
    pub cpu: f64,
    /// In bytes.
    pub memory: u64,
    /// Processes and threads.
    pub pids: u64,
}

/// A Git repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// `https://…`
    pub url: String,
    /// The folder it is cloned to.
    pub folder: String,
    /// Whether Jupyter opens there.
    pub default: bool,
}

/// What a lifecycle script wrote.
#[derive(Debug, Clone)]
pub struct ScriptLog {
    /// `OnCreate` or `OnStart`.
    pub hook: &'static str,
    pub lines: Vec<String>,
}

/// How a start ended: what the scripts wrote, and the reason if it failed. A start that failed leaves nothing running.
#[derive(Debug, Clone, Default)]
pub struct Started {
    /// Of every script that ran, also of one that failed.
    pub logs: Vec<ScriptLog>,
    pub failure: Option<StartFailure>,
}

/// Why a notebook did not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartFailure {
    /// A script was not done after five minutes and was ended.
    ScriptTooSlow { hook: &'static str },
    /// A script ended with another status than 0, or by a signal: `exit status: 1`.
    ScriptFailed { hook: &'static str, status: String },
    /// Anything else, for a person.
    Other(String),
}

/// What the machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    pub cores: u32,
    /// In bytes.
    pub memory: u64,
    /// What a new program could have without anybody being the worse for it, measured now; in bytes.
    pub free_memory: u64,
}

/// What a running notebook did. Times that are not known are `None`; nothing is ever concluded from that.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// When its server was started.
    pub started: Timestamp,
    /// Kernels that compute now.
    pub busy_kernels: u32,
    /// When a kernel last began or ended a computation.
    pub kernel_active: Option<Timestamp>,
    /// When a terminal last wrote anything.
    pub terminal_output: Option<Timestamp>,
    /// The last request that a person caused. What an open tab asks by itself is none.
    pub requested: Option<Timestamp>,
    /// Open websockets: an open tab. No evidence of work, shown beside it.
    pub connections: u32,
    /// CPU time of all its processes since its start, where it can be measured.
    pub cpu_seconds: Option<f64>,
}

/// The hands that run notebook servers. Every method may be repeated harmlessly: the engine asks again after a crash.
pub trait NotebookHost: Send + Sync + 'static {
    /// Starts the server, or finds that it runs already; ready when it answers.
    fn start(&self, spec: NotebookSpec) -> PortFuture<'_, Started>;
    /// Ends the server and all its processes; its files stay.
    fn stop(&self, id: &str) -> PortFuture<'_, Result<(), String>>;
    /// Ends it and destroys its files.
    fn delete(&self, id: &str) -> PortFuture<'_, Result<(), String>>;
    /// Whether it runs now.
    fn is_running(&self, id: &str) -> bool;
    /// What the machine has; quick, as it is asked in a transaction.
    fn capacity(&self) -> Capacity;
    /// What a running notebook did; `None` if that cannot be found out now.
    fn activity(&self, id: &str) -> PortFuture<'_, Option<Activity>>;
    /// How notebooks are kept apart: `full`, `userns` or `process`.
    fn isolation(&self) -> &'static str;
    /// Whether a notebook that runs cannot write more than its volume has; of one that does not, whether it could not if it
    /// were started now.
    fn enforces_volume(&self, id: &str) -> bool;
}
