//! The hands of nbvend: what it takes of a machine to run notebooks and functions. Knows processes, sockets and files,
//! and nothing of accounts, services or permissions.

pub mod egress;
pub mod functions;
pub mod jupyter;
pub mod listen;
pub mod proxy;
mod remove;
pub mod sandbox;

pub use remove::remove_tree;
