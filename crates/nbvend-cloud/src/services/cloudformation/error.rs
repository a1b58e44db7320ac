//! CloudFormation's errors. Codes and statuses as in the service's model; texts as recorded from AWS.

use nbvend_template::TemplateError;

use crate::error::{EngineError, ServiceError, carries_engine};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Everything CloudFormation has no code of its own for, missing stacks among it.
    #[error("{0}")]
    Validation(String),
    /// A transform refused the template. A change set fails with it instead.
    #[error("{0}")]
    Transform(String),
    #[error("Stack [{0}] already exists")]
    StackExists(String),
    #[error("ChangeSet {0} already exists")]
    ChangeSetExists(String),
    #[error("ChangeSet [{0}] does not exist")]
    ChangeSetNotFound(String),
    /// `cannot be executed in its current status of [FAILED]` and its like.
    #[error("ChangeSet [{change_set}] {reason}")]
    InvalidChangeSetStatus { change_set: String, reason: String },
    #[error("Requires capabilities : [{0}]")]
    InsufficientCapabilities(&'static str),
    #[error("Token {0} already exists")]
    TokenExists(String),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Error {
    pub fn validation(text: impl Into<String>) -> Self {
        Self::Validation(text.into())
    }

    /// `Stack [X] does not exist`: DescribeStacks and GetTemplate have another text, see [`Error::no_stack_with_id`].
    pub fn no_stack(name: &str) -> Self {
        Self::Validation(format!("Stack [{name}] does not exist"))
    }

    pub fn no_stack_with_id(name: &str) -> Self {
        Self::Validation(format!("Stack with id {name} does not exist"))
    }
}

impl From<TemplateError> for Error {
    /// AWS tells the place only of text that does not parse; a person looking for the fault wants it always.
    fn from(error: TemplateError) -> Self {
        let place = match (error.line, error.column) {
            (Some(line), Some(column)) if !error.message.contains("(line ") => {
                format!(" (line {line}, column {column})")
            }
            _ => String::new(),
        };
        Self::Validation(error.message + &place)
    }
}

carries_engine!(Error);

impl ServiceError for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Validation(_) | Self::Transform(_) => "ValidationError",
            Self::StackExists(_) | Self::ChangeSetExists(_) => "AlreadyExistsException",
            Self::ChangeSetNotFound(_) => "ChangeSetNotFound",
            Self::InvalidChangeSetStatus { .. } => "InvalidChangeSetStatus",
            Self::InsufficientCapabilities(_) => "InsufficientCapabilitiesException",
            Self::TokenExists(_) => "TokenAlreadyExistsException",
            Self::Engine(error) => error.code(),
        }
    }

    fn status(&self) -> u16 {
        match self {
            Self::ChangeSetNotFound(_) => 404,
            Self::Engine(error) => error.status(),
            _ => 400,
        }
    }
}
