//! The two functions of the vending machine, as a library that both binaries share.
//!
//! - [`launch`] runs after a launch from the catalog: waits for the notebook, stores a link to it.
//! - [`refresh`] answers `POST /refreshurl`: makes a new link for the notebook's owner.
//!
//! Both stand on [`notebook`] (what SageMaker and Parameter Store are asked), which stands on [`aws`] (signed JSON
//! calls); [`runtime`] is the loop that Lambda feeds.

pub mod aws;
pub mod clock;
pub mod launch;
pub mod log;
pub mod notebook;
pub mod owner;
pub mod refresh;
pub mod runtime;
pub mod setup;
pub mod user_name;

#[cfg(test)]
mod fake;
