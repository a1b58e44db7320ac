//! Parameter Store's errors. Codes and statuses as in the service's model; texts as AWS writes them.

use crate::error::{EngineError, ServiceError};
use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// AWS says no more than the code: recorded answers have an empty message.
    #[error("")]
    ParameterNotFound,
    #[error("The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")]
    ParameterAlreadyExists,
    #[error("{0}")]
    Validation(String),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Engine(error.into())
    }
}

impl ServiceError for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::ParameterNotFound => "ParameterNotFound",
            Self::ParameterAlreadyExists => "ParameterAlreadyExists",
            Self::Validation(_) => "ValidationException",
            Self::Engine(error) => error.code(),
        }
    }

    fn status(&self) -> u16 {
        match self {
            Self::ParameterNotFound | Self::ParameterAlreadyExists | Self::Validation(_) => 400,
            Self::Engine(error) => error.status(),
        }
    }

    fn engine(&self) -> Option<&EngineError> {
        match self {
            Self::Engine(error) => Some(error),
            _ => None,
        }
    }
}
