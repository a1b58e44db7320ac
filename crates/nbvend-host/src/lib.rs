//! The hands of nbvend: what it takes of a machine to run notebooks and functions. Knows no AWS word.
pub mod jupyter;
pub mod proxy;
