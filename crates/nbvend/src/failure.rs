//! What a command says when it cannot do its work: one clear sentence, and the exit code.

use std::path::Path;

/// A failed command.
#[derive(Debug)]
pub struct Failure {
    pub message: String,
    /// 1 failed, 2 wrong usage.
    pub exit: u8,
}

impl Failure {
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit: 1 }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit: 2 }
    }

    pub fn io(what: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::new(format!("{what} {} cannot be used: {error}", path.display()))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<nbvend_cloud::store::StoreError> for Failure {
    fn from(error: nbvend_cloud::store::StoreError) -> Self {
        Self::new(error.to_string())
    }
}
