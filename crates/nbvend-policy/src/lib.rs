//! The IAM policy language: parse, evaluate, explain. Pure: no I/O, no clock, no state.
//!
//! - [`Policy::parse`] reads a document and compiles it once; [`validate`] adds what AWS refuses on writing.
//! - [`evaluate`] decides a [`Request`] against the [`Policies`] that apply and says which statement decided,
//!   or which layer had no allow.
//! - [`Decision::denial_message`] is AWS's own text; [`explain`] says it in plain words and
//!   [`smallest_statement`] prints what would allow it.
//!
//! The rules are those of the IAM User Guide ("Policy evaluation logic", "Condition operators", "Variables and
//! tags", "Principal"); where the guide is silent the choice is stated where it is made.

mod arn;
mod condition;
mod context;
mod decision;
mod document;
mod error;
mod evaluate;
mod explain;
mod glob;
mod json;
mod operand;
mod operator;
mod pattern;
mod principal;
mod statement;
mod validate;

pub use context::Context;
pub use decision::{Decision, Effect, Layer, MatchedStatement, Reason};
pub use document::{Kind, Policy};
pub use error::{Place, PolicyError, Problem};
pub use evaluate::{Policies, Request, evaluate};
pub use explain::{NearMiss, Obstacle, explain, smallest_statement, smallest_statement_for};
pub use principal::Principal;
pub use statement::StatementEffect;
pub use validate::{validate, validate_in};
