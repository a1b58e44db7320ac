//! SageMaker's resource types.

pub mod lifecycle_config;
pub mod notebook_instance;
