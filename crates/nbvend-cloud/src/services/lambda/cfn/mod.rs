//! Lambda's resource types.

pub mod alias;
pub mod event_invoke_config;
pub mod function;
pub mod permission;
pub mod version;

use nbvend_wire::error::WireError;

use crate::error::EngineError;
use crate::provider::Deletion;

/// A deletion that finds nothing has nothing left to do.
fn deleted<T>(outcome: Result<T, WireError>) -> Result<Deletion, EngineError> {
    match outcome {
        Err(error) if error.code != "ResourceNotFoundException" => Err(error.into()),
        _ => Ok(Deletion::Done),
    }
}

/// A fault in a resource's properties.
fn invalid(text: impl Into<String>) -> EngineError {
    EngineError::Called(WireError::new("ValidationError", 400, text))
}
