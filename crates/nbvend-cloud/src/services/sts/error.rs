//! STS's errors. Texts as AWS answers them.

use crate::error::{EngineError, ServiceError, carries_engine};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The trust policy, or the caller's own policies, do not let the caller have the role; also for a role that does
    /// not exist, so that nobody can tell the two apart.
    #[error("{0}")]
    NotAuthorized(String),
    #[error("Roles may not be assumed by root accounts.")]
    RootAssumes,
    #[error("Cannot call {0} with session credentials")]
    Session(&'static str),
    #[error("{0} is invalid")]
    Arn(String),
    #[error("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")]
    TooLong,
    #[error(
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
    )]
    TooLongForChain,
    #[error("{0}")]
    MalformedPolicy(String),
    /// Of session tags; texts recorded.
    #[error("{0}")]
    Parameter(&'static str),
    #[error("{0}")]
    Validation(String),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

carries_engine!(Error);

impl ServiceError for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::NotAuthorized(_) | Self::RootAssumes | Self::Session(_) => "AccessDenied",
            Self::MalformedPolicy(_) => "MalformedPolicyDocument",
            Self::Parameter(_) => "InvalidParameterValue",
            Self::Arn(_) | Self::TooLong | Self::TooLongForChain | Self::Validation(_) => "ValidationError",
            Self::Engine(error) => error.code(),
        }
    }

    fn status(&self) -> u16 {
        match self {
            Self::NotAuthorized(_) | Self::RootAssumes | Self::Session(_) => 403,
            Self::MalformedPolicy(_)
            | Self::Parameter(_)
            | Self::Arn(_)
            | Self::TooLong
            | Self::TooLongForChain
            | Self::Validation(_) => 400,
            Self::Engine(error) => error.status(),
        }
    }
}
