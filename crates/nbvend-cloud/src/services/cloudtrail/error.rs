//! CloudTrail's errors.

use crate::error::{EngineError, ServiceError, carries_engine};

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

carries_engine!(Error);

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
}
