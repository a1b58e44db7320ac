//! AWS on the wire: what a request says and how an answer is written. Pure: no I/O, no clock, no state.
//!
//! [`model`] holds the facts about each service (operations, shapes, constraints), [`protocol`] turns requests into
//! typed JSON values and answers into bytes, [`validate`] checks a value against the model with AWS's own words and
//! [`sigv4`] verifies and makes signatures.

pub mod arn;
pub mod error;
pub mod model;
pub mod protocol;
pub mod sigv4;
pub mod timestamp;
pub mod validate;

pub use arn::Arn;
pub use error::WireError;
pub use timestamp::Timestamp;
