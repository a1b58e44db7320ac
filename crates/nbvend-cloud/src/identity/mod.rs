//! Who calls: principals, and the access keys by which the door knows them.

mod keys;
mod principal;

pub use keys::{AccessKey, KeyStatus, Session};
pub use principal::{Caller, Principal};
