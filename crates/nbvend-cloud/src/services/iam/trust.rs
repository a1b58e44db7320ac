//! Principals named in trust policies, while they are renamed or deleted.
//!
//! AWS keeps the unique id behind a principal's ARN: the policy follows a renamed user, and after a deletion it
//! shows the bare id, so that a new user or role of the same name is not trusted in the old one's place.

use serde_json::Value;

use super::state::Role;
use crate::context::Cx;
use crate::store::{GLOBAL, StoreError};

/// Puts `new` (an ARN or a unique id) for the principal `old` in every trust policy.
pub fn renamed(cx: &Cx<'_>, old: &str, new: &str) -> Result<(), StoreError> {
    for mut role in cx.tx.find::<Role>(GLOBAL, "trusts", old)? {
        if let Ok(mut document) = serde_json::from_str::<Value>(&role.trust) {
            replace(&mut document, old, new);
            role.trust = document.to_string();
        }
        for named in role.trusts.iter_mut().filter(|named| *named == old) {
            new.clone_into(named);
        }
        cx.put_global(&role)?;
    }
    Ok(())
}

/// Only principals are whole ARNs of users and roles in a trust policy, which has no resources; a condition that
/// compares with `aws:PrincipalArn` keeps the text its author chose.
fn replace(value: &mut Value, old: &str, new: &str) {
    match value {
        Value::String(text) if text == old => new.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, old, new)),
        Value::Object(members) => {
            members
                .iter_mut()
                .filter(|(name, _)| *name != "Condition")
                .for_each(|(_, item)| replace(item, old, new));
        }
        _ => {}
    }
}
