//! Why there is no sandbox.

use std::io;

#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("the notebook's id cannot name a sandbox: {0:?}")]
    Id(String),
    #[error("the sandbox's first process does not start: {0}")]
    Spawn(#[source] io::Error),
    /// The first process said what it could not do.
    #[error("the sandbox cannot be made: {step}: {reason}")]
    Step { step: String, reason: String },
    #[error("the sandbox's first process gave up without a word")]
    Silent,
    /// It came up, but not in the state that was asked for.
    #[error("the sandbox is not what it should be: {0}")]
    Standing(String),
    #[error("a limit of the sandbox does not hold: {0}")]
    Limit(String),
    #[error("the notebook's volume: {0}")]
    Volume(String),
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
}

impl SandboxError {
    /// Somebody else uses what this needs, and will be done some time.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::ResourceBusy)
    }

    pub(super) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}
