//! Principals named in trust policies, while they are renamed or deleted.
//!
//! AWS keeps the unique id behind a principal's ARN: the policy follows a renamed user, and after a deletion it
//! shows the bare id, so that a new user or role of the same name is not trusted in the old one's place.

use super::state::Role;
use crate::context::Cx;
use crate::store::{GLOBAL, StoreError};

/// Puts `new` (an ARN or a unique id) for the principal `old` in every trust policy.
pub fn renamed(cx: &Cx<'_>, old: &str, new: &str) -> Result<(), StoreError> {
    for mut role in cx.tx.find::<Role>(GLOBAL, "trusts", old)? {
        role.trust = role.trust.replace(&format!("\"{old}\""), &format!("\"{new}\""));
        for named in role.trusts.iter_mut().filter(|named| *named == old) {
            new.clone_into(named);
        }
        cx.put_global(&role)?;
    }
    Ok(())
}
