//! What a bucket is set to. Each setting has a file with the operations that put, get and delete it.

pub mod encryption;
pub mod ownership;
pub mod policy;
pub mod public_access;
pub mod tagging;
pub mod versioning;

use super::error::Error;
use super::state::Bucket;
use crate::context::Cx;

/// Changes a bucket that is there.
fn change(cx: &Cx<'_>, name: &str, change: impl FnOnce(&mut Bucket)) -> Result<(), Error> {
    let mut bucket = Bucket::load(cx, name)?;
    change(&mut bucket);
    cx.put_global(&bucket)?;
    Ok(())
}
