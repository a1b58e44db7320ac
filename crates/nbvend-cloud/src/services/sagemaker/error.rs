//! SageMaker's errors for notebook instances. All but the quota error are undeclared `ValidationException`s, as AWS
//! answers them.

use crate::error::{EngineError, ServiceError, carries_engine};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The whole message AWS gives for a notebook instance that does not exist.
    #[error("RecordNotFound")]
    NotFound,
    #[error("Cannot create a duplicate Notebook Instance ({0})")]
    Duplicate(String),
    /// A transition that the state does not allow; the text is AWS's, seen in issue logs.
    #[error(
        "Status ({now}) not in ([{allowed}]). Unable to transition to ({next}) for Notebook Instance ({arn})"
    )]
    WrongState { now: String, allowed: &'static str, next: &'static str, arn: String },
    #[error(
        "Could not assume role {0}. Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' to assume the role."
    )]
    Role(String),
    #[error(
        "Unable to describe Notebook Instance Lifecycle Config '{0}'. Details: Could not find Notebook Instance Lifecycle Config."
    )]
    NoLifecycleConfig(String),
    #[error("Notebook Instance Lifecycle Config already exists. ({0})")]
    DuplicateLifecycleConfig(String),
    #[error("Notebook Instance Lifecycle Config ({0}) is in use by notebook instances")]
    LifecycleConfigInUse(String),
    /// AWS's text of a quota, with the machine's reason behind it.
    #[error(
        "The account-level service limit '{kind} for notebook instance usage' is {used} Instances, with current utilization of {used} Instances and a request delta of 1 Instances. {reason}"
    )]
    Limit { kind: String, used: usize, reason: String },
    #[error("Unable to describe Code Repository '{0}'. Details: Could not find Code Repository.")]
    NoCodeRepository(String),
    #[error("{0}")]
    Validation(String),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

carries_engine!(Error);

impl ServiceError for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound
            | Self::Duplicate(_)
            | Self::WrongState { .. }
            | Self::Role(_)
            | Self::NoLifecycleConfig(_)
            | Self::DuplicateLifecycleConfig(_)
            | Self::LifecycleConfigInUse(_)
            | Self::NoCodeRepository(_)
            | Self::Validation(_) => "ValidationException",
            Self::Limit { .. } => "ResourceLimitExceeded",
            Self::Engine(error) => error.code(),
        }
    }
}
