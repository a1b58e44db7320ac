//! The small languages of EventBridge: event patterns, input transformers and schedule expressions.
//!
//! Pure: no clock, no I/O, no randomness. Patterns follow the semantics of AWS's open-source
//! event-ruler, which is what EventBridge runs; error texts are those AWS answers with.

pub mod index;
pub mod path;
pub mod pattern;
pub mod schedule;
pub mod transform;

mod cidr;
mod compile;
mod drawers;
mod event;
mod expression;
mod fold;
mod join;
mod json;
mod matcher;
mod number;
mod wildcard;

pub use index::RuleIndex;
pub use path::input_path;
pub use pattern::{Pattern, PatternError};
pub use schedule::{Schedule, ScheduleError};
pub use transform::{InputTransformer, RuleContext, TransformError};
