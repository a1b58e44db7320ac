//! Errors of operations: which type to use where.
//!
//! A service has one `Error` enum whose variants are meanings; it implements [`ServiceError`] with two total
//! functions, `code` and `status` (left out where it is always 400), and its `Display` is AWS's message.
//! [`EngineError`] is what any operation can meet below itself: the store failed, or a call it made to another
//! operation was refused; each service's enum carries it as a variant, see [`carries_engine`]. [`WireError`]
//! (of `nbvend-wire`) is what leaves the door.

use nbvend_wire::error::WireError;

use crate::store::StoreError;

/// An error of a service: an AWS code, an HTTP status and AWS's message (its `Display`).
pub trait ServiceError: CarriesEngine + std::fmt::Display + Send + 'static {
    /// The error code as the client's SDK names it.
    fn code(&self) -> &'static str;
    /// The HTTP status of the answer.
    fn status(&self) -> u16 {
        self.engine().map_or(400, ServiceError::status)
    }

    /// The form that leaves the door. A failure of the engine itself is logged here, where it is last known
    /// whole; the client sees `InternalFailure` and its request id.
    fn to_wire(&self) -> WireError {
        match self.engine() {
            Some(EngineError::Called(wire)) => wire.clone(),
            Some(EngineError::Store(error)) => {
                tracing::error!(%error, "the store failed");
                WireError::new(
                    "InternalFailure",
                    500,
                    "The request processing has failed because of an unknown error.",
                )
            }
            None => WireError::new(self.code(), self.status(), self.to_string()),
        }
    }
}

/// An error that may be one of the engine.
pub trait CarriesEngine: From<EngineError> {
    /// The error of a call made inside this operation, to be passed on as it is.
    fn engine(&self) -> Option<&EngineError>;
}

/// Lets an enum with the variant `Engine(#[from] EngineError)` carry the engine's errors, the store's among them.
macro_rules! carries_engine {
    ($error:ident) => {
        impl $crate::error::CarriesEngine for $error {
            fn engine(&self) -> Option<&$crate::error::EngineError> {
                match self {
                    Self::Engine(error) => Some(error),
                    _ => None,
                }
            }
        }

        impl From<$crate::store::StoreError> for $error {
            fn from(error: $crate::store::StoreError) -> Self {
                Self::Engine(error.into())
            }
        }
    };
}
pub(crate) use carries_engine;

/// What can go wrong below an operation.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The database or a blob could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A call made to another operation was refused.
    #[error("{}", .0.message)]
    Called(WireError),
}

impl From<WireError> for EngineError {
    fn from(error: WireError) -> Self {
        Self::Called(error)
    }
}

impl ServiceError for EngineError {
    fn code(&self) -> &'static str {
        "InternalFailure"
    }
    fn status(&self) -> u16 {
        500
    }
}

impl CarriesEngine for EngineError {
    fn engine(&self) -> Option<&EngineError> {
        Some(self)
    }
}
