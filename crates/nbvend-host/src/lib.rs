//! The hands of the engine: what runs on the machine. Knows processes, sockets and files, and nothing of
//! accounts, services or permissions.

pub mod functions;
