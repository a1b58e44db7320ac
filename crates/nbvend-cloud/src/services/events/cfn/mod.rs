//! EventBridge's resource types.

pub mod event_bus;
pub mod rule;
