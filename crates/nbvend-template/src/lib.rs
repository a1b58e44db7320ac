//! CloudFormation's template language, without I/O or state.

pub mod sam;
