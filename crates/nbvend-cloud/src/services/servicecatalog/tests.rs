//! The catalog, in process.
