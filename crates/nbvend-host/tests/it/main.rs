//! Tests of this crate with real processes.

mod functions;
