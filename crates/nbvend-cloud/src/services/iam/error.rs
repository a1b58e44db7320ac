//! IAM's errors. Codes and statuses as in the service's model; texts as AWS answers them, recorded where
//! known (the not-found, conflict and malformed ones), else from its documentation.

use crate::error::{EngineError, ServiceError, carries_engine};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A user, group, role, or an inline policy of one (`role policy`).
    #[error("The {0} with name {1} cannot be found.")]
    NotFound(&'static str, String),
    #[error("Instance Profile {0} cannot be found.")]
    NoInstanceProfile(String),
    #[error("Policy {0} was not found.")]
    NoPolicy(String),
    #[error("Policy {0} does not exist or is not attachable.")]
    NotAttachable(String),
    #[error("Policy {0} version {1} does not exist or is not attachable.")]
    NoVersion(String, String),
    #[error("Scope ARN: {0} does not exist or is not attachable.")]
    NoBoundary(String),
    #[error("The Access Key with id {0} cannot be found.")]
    NoAccessKey(String),
    #[error("Login Profile for User {0} cannot be found.")]
    NoLoginProfile(String),
    #[error("The account alias {0} was not found.")]
    NoAlias(String),
    #[error("The Password Policy with domain name {0} cannot be found.")]
    NoPasswordPolicy(String),
    #[error("User {user} is not in group {group}.")]
    NotAMember { user: String, group: String },

    #[error("{0} with name {1} already exists.")]
    Exists(&'static str, String),
    #[error("A policy called {0} already exists. Duplicate names are not allowed.")]
    PolicyExists(String),
    #[error("Instance Profile {0} already exists.")]
    InstanceProfileExists(String),
    #[error("Login Profile for User {0} already exists.")]
    LoginProfileExists(String),
    #[error("The account alias {0} already exists.")]
    AliasExists(String),

    #[error("{0}")]
    Conflict(&'static str),
    #[error("{0}")]
    Limit(String),
    #[error("{0}")]
    Malformed(String),
    #[error("{0}")]
    InvalidInput(String),
    #[error("{0}")]
    Validation(String),
    #[error("Password does not conform to the account password policy.")]
    Password,
    /// What AWS owns may be used, not changed.
    #[error("{0}")]
    Denied(String),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// The text for an ARN that is none, as recorded (the two blanks are AWS's).
pub fn bad_arn() -> Error {
    Error::Validation("Invalid ARN:  Could not be parsed!".to_owned())
}

/// The text for one more than allowed.
pub fn quota(name: &str, limit: usize) -> Error {
    Error::Limit(format!("Cannot exceed quota for {name}: {limit}"))
}

carries_engine!(Error);

impl ServiceError for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound(..)
            | Self::NoInstanceProfile(_)
            | Self::NoPolicy(_)
            | Self::NotAttachable(_)
            | Self::NoVersion(..)
            | Self::NoBoundary(_)
            | Self::NoAccessKey(_)
            | Self::NoLoginProfile(_)
            | Self::NoAlias(_)
            | Self::NoPasswordPolicy(_)
            | Self::NotAMember { .. } => "NoSuchEntity",
            Self::Exists(..)
            | Self::PolicyExists(_)
            | Self::InstanceProfileExists(_)
            | Self::LoginProfileExists(_)
            | Self::AliasExists(_) => "EntityAlreadyExists",
            Self::Conflict(_) => "DeleteConflict",
            Self::Limit(_) => "LimitExceeded",
            Self::Malformed(_) => "MalformedPolicyDocument",
            Self::InvalidInput(_) => "InvalidInput",
            Self::Validation(_) => "ValidationError",
            Self::Password => "PasswordPolicyViolation",
            Self::Denied(_) => "AccessDenied",
            Self::Engine(error) => error.code(),
        }
    }

    fn status(&self) -> u16 {
        match self.code() {
            "NoSuchEntity" => 404,
            "EntityAlreadyExists" | "DeleteConflict" | "LimitExceeded" => 409,
            "AccessDenied" => 403,
            "InternalFailure" => 500,
            _ => 400,
        }
    }
}
