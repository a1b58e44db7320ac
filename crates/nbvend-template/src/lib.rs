//! CloudFormation's template language, without I/O or state.
//!
//! A template goes through here in this order: [`Template::parse`] (text to value, with positions),
//! [`Template::validate`] (shapes and references), [`parameters::resolve_parameters`],
//! [`intrinsics::evaluate_conditions`], [`graph::Graph::of`] (what waits for what), and then, one
//! resource at a time as the others come to exist, [`intrinsics::resolve`]. [`diff::changes`]
//! compares two versions of a stack for a change set.
//!
//! Error texts are AWS's; where AWS's text is not known the code says so beside it.

pub mod capability;
pub mod diff;
pub mod document;
mod error;
mod functions;
pub mod graph;
pub mod intrinsics;
pub mod parameters;
mod parse;
mod path;
mod references;
pub mod sam;
mod shape;
mod validate;

pub use document::Template;
pub use error::TemplateError;
