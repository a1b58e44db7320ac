//! The hands of nbvend: what it takes of a machine to run notebooks and functions. Knows processes, sockets and files,
//! and nothing of accounts, services or permissions.

pub mod functions;
pub mod jupyter;
pub mod listen;
pub mod proxy;
