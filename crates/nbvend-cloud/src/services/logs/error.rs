//! CloudWatch Logs' errors. All of them are 400, also what is not found; texts as recorded from AWS.

use crate::error::{EngineError, ServiceError, carries_engine};
use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("The specified log group does not exist.")]
    NoGroup,
    #[error("The specified log stream does not exist.")]
    NoStream,
    #[error("The specified log group already exists")]
    GroupExists,
    #[error("The specified log stream already exists")]
    StreamExists,
    #[error("The specified resource does not exist.")]
    NoResource,
    #[error("The specified nextToken is invalid.")]
    Token,
    #[error("LogGroup name and LogGroup ARN are mutually exclusive parameters.")]
    NameAndArn,
    #[error("A maximum of 50 tags can be applied to a resource.")]
    TooManyTags,
    #[error("Resource limit exceeded.")]
    TooManyPolicies,
    #[error("Policy with name [{0}] does not exist.")]
    NoPolicy(String),
    #[error("{0}")]
    Parameter(String),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        StoreError::from(error).into()
    }
}

carries_engine!(Error);

impl ServiceError for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::NoGroup | Self::NoStream | Self::NoResource | Self::NoPolicy(_) => {
                "ResourceNotFoundException"
            }
            Self::GroupExists | Self::StreamExists => "ResourceAlreadyExistsException",
            Self::Token | Self::Parameter(_) => "InvalidParameterException",
            Self::TooManyPolicies => "LimitExceededException",
            Self::NameAndArn => "ValidationException",
            Self::TooManyTags => "TooManyTagsException",
            Self::Engine(error) => error.code(),
        }
    }
}
