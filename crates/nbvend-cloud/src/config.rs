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
