//! Inline policies of users, groups and roles.

use serde::{Deserialize, Serialize};

use super::document::{check_inline, encoded, size};
use super::entity::{Entity, arn_of, find, permissions_changed, tag_keys};
use super::error::Error;
use super::page::{self, Ask};
use super::state::{Group, Role, User};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

fn put<E: Entity>(cx: &Cx<'_>, name: &str, policy: String, document: String) -> Result<(), Error> {
    let mut entity: E = find(cx, name)?;
    check_inline(&document)?;
    entity.grants_mut().inline.insert(policy, document);
    let total: usize = entity.grants().inline.values().map(|document| size(document)).sum();
    if total > E::INLINE_LIMIT {
        let (limit, word) = (E::INLINE_LIMIT, E::WORD);
        return Err(Error::Limit(format!(
            "Maximum policy size of {limit} bytes exceeded for {word} {}",
            entity.name()
        )));
    }
    cx.put_global(&entity)?;
    Ok(permissions_changed(cx)?)
}

fn remove<E: Entity>(cx: &Cx<'_>, name: &str, policy: String) -> Result<(), Error> {
    let mut entity: E = find(cx, name)?;
    if entity.grants_mut().inline.remove(&policy).is_none() {
        return Err(missing::<E>(policy));
    }
    cx.put_global(&entity)?;
    Ok(permissions_changed(cx)?)
}

fn missing<E: Entity>(policy: String) -> Error {
    let what = match E::WORD {
        "user" => "user policy",
        "group" => "group policy",
        _ => "role policy",
    };
    Error::NotFound(what, policy)
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyNames {
    pub policy_names: Vec<String>,
    pub is_truncated: bool,
    pub marker: Option<String>,
}

fn listed<E: Entity>(cx: &Cx<'_>, name: &str, ask: Ask<'_>) -> Result<PolicyNames, Error> {
    let entity: E = find(cx, name)?;
    let names = entity.grants().inline.keys().cloned().collect();
    let page = page::slice(names, ask, Clone::clone)?;
    Ok(PolicyNames { is_truncated: page.truncated(), marker: page.marker, policy_names: page.items })
}

macro_rules! inline_policies {
    ($noun:ident, $member:ident, $put:ident, $get:ident, $got:ident, $remove:ident, $list:ident) => {
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        pub struct $put {
            pub $member: String,
            pub policy_name: String,
            pub policy_document: String,
        }

        impl Operation for $put {
            const SERVICE: &'static str = "iam";
            const NAME: &'static str = stringify!($put);
            const KIND: Kind = Kind::Write;
            type Output = ();
            type Error = Error;

            fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
                vec![arn_of::<$noun>(cx, &self.$member)]
            }

            fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
                tag_keys::<$noun>(cx, &self.$member, keys);
            }

            fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
                put::<$noun>(cx, &self.$member, self.policy_name, self.policy_document)
            }
        }

        #[derive(Debug, Serialize, Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        pub struct $get {
            pub $member: String,
            pub policy_name: String,
        }

        #[derive(Debug, Serialize)]
        #[serde(rename_all = "PascalCase")]
        pub struct $got {
            pub $member: String,
            pub policy_name: String,
            pub policy_document: String,
        }

        impl Operation for $get {
            const SERVICE: &'static str = "iam";
            const NAME: &'static str = stringify!($get);
            const KIND: Kind = Kind::Read;
            type Output = $got;
            type Error = Error;

            fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
                vec![arn_of::<$noun>(cx, &self.$member)]
            }

            fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
                tag_keys::<$noun>(cx, &self.$member, keys);
            }

            fn run(self, cx: &mut Cx<'_>) -> Result<$got, Error> {
                let entity: $noun = find(cx, &self.$member)?;
                let Some(document) = entity.grants.inline.get(&self.policy_name) else {
                    return Err(missing::<$noun>(self.policy_name));
                };
                Ok($got {
                    policy_document: encoded(document),
                    $member: entity.name,
                    policy_name: self.policy_name,
                })
            }
        }

        #[derive(Debug, Serialize, Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        pub struct $remove {
            pub $member: String,
            pub policy_name: String,
        }

        impl Operation for $remove {
            const SERVICE: &'static str = "iam";
            const NAME: &'static str = stringify!($remove);
            const KIND: Kind = Kind::Write;
            type Output = ();
            type Error = Error;

            fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
                vec![arn_of::<$noun>(cx, &self.$member)]
            }

            fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
                tag_keys::<$noun>(cx, &self.$member, keys);
            }

            fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
                remove::<$noun>(cx, &self.$member, self.policy_name)
            }
        }

        #[derive(Debug, Default, Serialize, Deserialize)]
        #[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
        pub struct $list {
            pub $member: String,
            pub marker: Option<String>,
            pub max_items: Option<i64>,
        }

        impl Operation for $list {
            const SERVICE: &'static str = "iam";
            const NAME: &'static str = stringify!($list);
            const KIND: Kind = Kind::Read;
            type Output = PolicyNames;
            type Error = Error;

            fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
                vec![arn_of::<$noun>(cx, &self.$member)]
            }

            fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
                tag_keys::<$noun>(cx, &self.$member, keys);
            }

            fn run(self, cx: &mut Cx<'_>) -> Result<PolicyNames, Error> {
                listed::<$noun>(cx, &self.$member, Ask { marker: &self.marker, max_items: self.max_items })
            }
        }
    };
}

inline_policies!(
    User,
    user_name,
    PutUserPolicy,
    GetUserPolicy,
    GetUserPolicyOutput,
    DeleteUserPolicy,
    ListUserPolicies
);
inline_policies!(
    Group,
    group_name,
    PutGroupPolicy,
    GetGroupPolicy,
    GetGroupPolicyOutput,
    DeleteGroupPolicy,
    ListGroupPolicies
);
inline_policies!(
    Role,
    role_name,
    PutRolePolicy,
    GetRolePolicy,
    GetRolePolicyOutput,
    DeleteRolePolicy,
    ListRolePolicies
);
