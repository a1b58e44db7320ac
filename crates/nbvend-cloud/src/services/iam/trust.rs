//! `UpdateAssumeRolePolicy`, and what becomes of principals in trust policies when they are renamed or deleted.
//!
//! AWS keeps the unique id behind a principal's ARN: the policy follows a renamed user, and after a deletion it
//! shows the bare id, so that a new user or role of the same name is not trusted in the old one's place.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::check_trust;
use super::entity::{arn_of, find, permissions_changed, tag_keys};
use super::error::Error;
use super::state::Role;
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};
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

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateAssumeRolePolicy {
    pub role_name: String,
    pub policy_document: String,
}

impl Operation for UpdateAssumeRolePolicy {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "UpdateAssumeRolePolicy";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![arn_of::<Role>(cx, &self.role_name)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        tag_keys::<Role>(cx, &self.role_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let mut role: Role = find(cx, &self.role_name)?;
        role.trusts = check_trust(cx, &self.policy_document)?;
        role.trust = self.policy_document;
        cx.put_global(&role)?;
        Ok(permissions_changed(cx)?)
    }
}
