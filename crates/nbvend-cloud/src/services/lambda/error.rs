//! Lambda's errors: codes and statuses as in the model, texts as recorded from AWS.

use nbvend_wire::error::WireError;
use serde_json::Value;

use crate::error::{EngineError, ServiceError, carries_engine};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// With the ARN that was asked for, qualifier and all.
    #[error("Function not found: {0}")]
    NoFunction(String),
    #[error("Functions from '{region}' are not reachable in this region ('{here}')")]
    WrongRegion { region: String, here: String },
    #[error("Cannot find alias arn: {0}")]
    NoAlias(String),
    #[error("The function doesn't exist.")]
    NoFunctionToConfigure,
    #[error("The function {0} doesn't have an EventInvokeConfig")]
    NoEventInvokeConfig(String),
    #[error("No policy is associated with the given resource.")]
    NoPolicy,
    #[error("No policy found for: {0}")]
    NoPolicyFor(String),
    #[error("Statement {0} is not found in resource policy.")]
    NoStatement(String),
    #[error("Function already exist: {0}")]
    FunctionExists(String),
    #[error("Alias already exists: {0}")]
    AliasExists(String),
    #[error(
        "The statement id ({0}) provided already exists. Please provide a new statement id, or remove the existing statement."
    )]
    StatementExists(String),
    #[error("The final policy size ({0}) is bigger than the limit (20480).")]
    PolicyTooLong(usize),
    #[error("Current operation cannot be performed because the version is referenced by alias {0}")]
    VersionInUse(String),
    #[error(
        "The Revision Id provided does not match the latest Revision Id. Call the {0} API to retrieve the latest Revision Id"
    )]
    Revision(&'static str),
    #[error("The role defined for the function cannot be assumed by Lambda.")]
    Role,
    /// The same at an invocation, when the role went or changed meanwhile.
    #[error("The role defined for the function cannot be assumed by Lambda.")]
    RoleGone,
    #[error("{0}")]
    Denied(String),
    #[error("Zipped size must be smaller than 52428800 bytes")]
    ZipTooLarge,
    #[error("{size} byte payload is too large for the {kind} invocation type (limit {limit} bytes)")]
    PayloadTooLarge { size: usize, limit: usize, kind: &'static str },
    #[error("Could not parse request body into json: {0}")]
    NotJson(String),
    /// With AWS's word for the limit that was met.
    #[error("Rate Exceeded.")]
    TooMany(&'static str),
    #[error("{0}")]
    Parameter(String),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Error {
    pub fn parameter(text: impl Into<String>) -> Self {
        Self::Parameter(text.into())
    }
}

impl From<WireError> for Error {
    fn from(error: WireError) -> Self {
        Self::Engine(error.into())
    }
}

carries_engine!(Error);

impl ServiceError for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::NoFunction(_)
            | Self::WrongRegion { .. }
            | Self::NoAlias(_)
            | Self::NoFunctionToConfigure
            | Self::NoEventInvokeConfig(_)
            | Self::NoPolicy
            | Self::NoPolicyFor(_)
            | Self::NoStatement(_) => "ResourceNotFoundException",
            Self::FunctionExists(_)
            | Self::AliasExists(_)
            | Self::StatementExists(_)
            | Self::VersionInUse(_) => "ResourceConflictException",
            Self::PolicyTooLong(_) => "PolicyLengthExceededException",
            Self::Revision(_) => "PreconditionFailedException",
            Self::Role | Self::Parameter(_) => "InvalidParameterValueException",
            Self::RoleGone | Self::Denied(_) => "AccessDeniedException",
            Self::ZipTooLarge => "RequestEntityTooLargeException",
            Self::PayloadTooLarge { .. } => "RequestTooLargeException",
            Self::NotJson(_) => "InvalidRequestContentException",
            Self::TooMany(_) => "TooManyRequestsException",
            Self::Engine(error) => error.code(),
        }
    }

    fn status(&self) -> u16 {
        match self {
            Self::NoFunction(_)
            | Self::WrongRegion { .. }
            | Self::NoAlias(_)
            | Self::NoFunctionToConfigure
            | Self::NoEventInvokeConfig(_)
            | Self::NoPolicy
            | Self::NoPolicyFor(_)
            | Self::NoStatement(_) => 404,
            Self::FunctionExists(_)
            | Self::AliasExists(_)
            | Self::StatementExists(_)
            | Self::VersionInUse(_) => 409,
            Self::Revision(_) => 412,
            Self::RoleGone | Self::Denied(_) => 403,
            Self::ZipTooLarge | Self::PayloadTooLarge { .. } => 413,
            Self::TooMany(_) => 429,
            Self::PolicyTooLong(_) | Self::Role | Self::Parameter(_) | Self::NotJson(_) => 400,
            Self::Engine(error) => error.status(),
        }
    }

    fn to_wire(&self) -> WireError {
        match self {
            Self::TooMany(reason) => WireError::new(self.code(), self.status(), self.to_string())
                .with("Reason", Value::from(*reason)),
            Self::Engine(error) => error.to_wire(),
            _ => WireError::new(self.code(), self.status(), self.to_string()),
        }
    }
}
