//! What an engine is told at its start. Everything else it finds in its data folder.

use std::path::PathBuf;

/// Settings of one engine.
#[derive(Debug, Clone)]
pub struct Config {
    /// The data folder: database, blobs, notebooks' files.
    pub data: PathBuf,
    /// The one account, 12 digits.
    pub account: String,
    /// The root user's access key.
    pub root_key: RootKey,
    /// `host:port` that names made by the engine end in (`AWS::URLSuffix`): `localhost:4566` or a team's domain.
    pub url_suffix: String,
    /// Where functions and notebooks reach the engine: `http://127.0.0.1:4566`.
    pub endpoint: String,
    /// Whether links that people open say https.
    pub https_links: bool,
    pub notebooks: NotebookSettings,
}

/// How notebooks share the machine, and when they are stopped.
#[derive(Debug, Clone, PartialEq)]
pub struct NotebookSettings {
    /// Bytes of measured free memory that no notebook is started into.
    pub memory_reserve: u64,
    /// How many times the machine's memory the running notebooks' types may sum up to; `None`: what is really used counts
    /// alone, which suits people who mostly read and think.
    pub memory_factor: Option<f64>,
    /// A notebook nobody works with is stopped after so many minutes, where its tags say nothing else.
    pub idle_stop_minutes: Option<u32>,
    /// A notebook is stopped so many hours after its start, where its tags say nothing else.
    pub max_lifetime_hours: Option<u32>,
    /// Several people's notebooks on a machine that cannot keep them apart.
    pub force_process_isolation: bool,
}

impl Default for NotebookSettings {
    fn default() -> Self {
        Self {
            memory_reserve: 512 << 20,
            memory_factor: None,
            idle_stop_minutes: None,
            max_lifetime_hours: None,
            force_process_isolation: false,
        }
    }
}

/// The root user's access key, readable by the owner of the data folder alone.
#[derive(Clone)]
pub struct RootKey {
    pub access_key_id: String,
    pub secret_access_key: String,
}

impl std::fmt::Debug for RootKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RootKey").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}
