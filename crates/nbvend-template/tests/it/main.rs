//! Whole templates: what is refused, where, and the three stacks of the notebook solution end to end.

#![allow(clippy::unwrap_used)] // helpers of tests, outside #[test] functions

mod refused;
mod solution;
