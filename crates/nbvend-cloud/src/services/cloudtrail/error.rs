//! CloudTrail's errors.

use crate::error::{EngineError, ServiceError};
use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Today the list can contain one item, says the model.
    #[error("You can only specify one lookup attribute at a time.")]
    Attributes,
    #[error("Invalid lookup attribute value: {0}")]
    AttributeValue(String),
    #[error("The start time of events must be before the end time.")]
    TimeRange,
    #[error("Invalid NextToken.")]
    NextToken,
    #[error("Unknown trail: {name} for the user: {account}")]
    NoTrail { name: String, account: String },
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
            Self::Attributes | Self::AttributeValue(_) => "InvalidLookupAttributesException",
            Self::TimeRange => "InvalidTimeRangeException",
            Self::NextToken => "InvalidNextTokenException",
            Self::NoTrail { .. } => "TrailNotFoundException",
            Self::Engine(error) => error.code(),
        }
    }

    fn status(&self) -> u16 {
        match self {
            Self::Engine(error) => error.status(),
            _ => 400,
        }
    }

    fn engine(&self) -> Option<&EngineError> {
        match self {
            Self::Engine(error) => Some(error),
            _ => None,
        }
    }
}
