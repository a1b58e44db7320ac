//! EventBridge's errors. Codes and statuses as in the service's model; texts recorded from AWS where a comment does not say
//! otherwise.

use crate::error::{EngineError, ServiceError, carries_engine};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("Event bus {0} does not exist.")]
    NoBus(String),
    #[error("Event bus {0} already exists.")]
    BusExists(String),
    #[error("Rule {rule} does not exist on EventBus {bus}.")]
    NoRule { rule: String, bus: String },
    #[error("Statement with the provided id does not exist.")]
    NoStatement,
    /// The whole message comes from the pattern's parser.
    #[error("{0}")]
    InvalidPattern(String),
    #[error("The requested resource exceeds the maximum number allowed.")]
    Limit,
    /// The limit is documented, the text is not.
    #[error("The event bus policy exceeds 10240 characters.")]
    PolicyTooLong,
    #[error("{0}")]
    Validation(String),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Error {
    pub fn validation(text: impl Into<String>) -> Self {
        Self::Validation(text.into())
    }
}

carries_engine!(Error);

impl ServiceError for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::NoBus(_) | Self::NoRule { .. } | Self::NoStatement => "ResourceNotFoundException",
            Self::BusExists(_) => "ResourceAlreadyExistsException",
            Self::InvalidPattern(_) => "InvalidEventPatternException",
            Self::Limit => "LimitExceededException",
            Self::PolicyTooLong => "PolicyLengthExceededException",
            Self::Validation(_) => "ValidationException",
            Self::Engine(error) => error.code(),
        }
    }
}
