//! API Gateway's errors. Codes and statuses as in the service's model; texts as AWS writes them where a recorded
//! answer shows them, else in AWS's manner.

use crate::error::{EngineError, ServiceError, carries_engine};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Recorded: the account stands before the id, whatever the letter case of either.
    #[error("Invalid API identifier specified {account}:{id}")]
    NoApi { account: String, id: String },
    #[error("Invalid Resource identifier specified")]
    NoResource,
    #[error("Invalid Method identifier specified")]
    NoMethod,
    #[error("Invalid Integration identifier specified")]
    NoIntegration,
    #[error("Invalid Response status code specified")]
    NoResponse,
    #[error("Invalid Deployment identifier specified")]
    NoDeployment,
    #[error("Invalid stage identifier specified")]
    NoStage,
    #[error("Invalid model name specified: {0}")]
    NoModel(String),
    #[error("Gateway response type not defined on api")]
    NoGatewayResponse,
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    Conflict(String),
    #[error("{0}")]
    BadRequest(String),
    /// What AWS has and this engine has not, by its name: never accepted and then ignored.
    #[error("{0} is not supported by nbvend")]
    Unsupported(String),
    #[error("{0}")]
    Limit(&'static str),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Error {
    pub fn bad(text: impl Into<String>) -> Self {
        Self::BadRequest(text.into())
    }

    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported(what.into())
    }
}

carries_engine!(Error);

impl ServiceError for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::NoApi { .. }
            | Self::NoResource
            | Self::NoMethod
            | Self::NoIntegration
            | Self::NoResponse
            | Self::NoDeployment
            | Self::NoStage
            | Self::NoModel(_)
            | Self::NoGatewayResponse
            | Self::NotFound(_) => "NotFoundException",
            Self::Conflict(_) => "ConflictException",
            Self::BadRequest(_) | Self::Unsupported(_) => "BadRequestException",
            Self::Limit(_) => "LimitExceededException",
            Self::Engine(error) => error.code(),
        }
    }

    fn status(&self) -> u16 {
        match self {
            Self::NoApi { .. }
            | Self::NoResource
            | Self::NoMethod
            | Self::NoIntegration
            | Self::NoResponse
            | Self::NoDeployment
            | Self::NoStage
            | Self::NoModel(_)
            | Self::NoGatewayResponse
            | Self::NotFound(_) => 404,
            Self::Conflict(_) => 409,
            Self::BadRequest(_) | Self::Unsupported(_) => 400,
            Self::Limit(_) => 429,
            Self::Engine(error) => error.status(),
        }
    }
}
