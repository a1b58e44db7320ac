//! The engine: one door for every request, typed operations, one durable store, reconcilers for slow work.
//!
//! Read in this order: [`door`] (the story of a request), [`operation`] (what an operation is), [`store`]
//! (what a commit holds), [`reconcile`] (how slow work is finished whatever dies), [`services`] (AWS's nouns).

pub mod config;
pub mod context;
pub mod door;
pub mod engine;
pub mod error;
#[cfg(test)]
mod golden;
pub mod identity;
pub mod metrics;
pub mod operation;
pub mod outbox;
pub mod ports;
pub mod provider;
pub mod reconcile;
mod reset;
#[cfg(test)]
mod scenario;
pub mod services;
pub mod store;
#[cfg(test)]
pub mod testing;
pub mod trail;

pub use config::Config;
pub use context::Cx;
pub use engine::Engine;
