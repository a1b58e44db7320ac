//! Attaching managed policies to users, groups and roles, and taking them off again.

use serde::{Deserialize, Serialize};

use super::entity::{ATTACHED_LIMIT, Entity, arn_of, find, permissions_changed, tag_keys};
use super::error::{Error, quota};
use super::page::{self, Ask, Page};
use super::policy;
use super::state::{Group, Role, User};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// Attaching what is attached already is no error and changes nothing.
fn attach<E: Entity>(cx: &Cx<'_>, name: &str, arn: String) -> Result<(), Error> {
    policy::check_arn(&arn)?;
    let mut entity: E = find(cx, name)?;
    if !policy::exists(cx, &arn)? {
        return Err(Error::NotAttachable(arn));
    }
    if entity.grants().attached.contains(&arn) {
        return Ok(());
    }
    if entity.grants().attached.len() >= ATTACHED_LIMIT {
        return Err(quota(E::ATTACHED_QUOTA, ATTACHED_LIMIT));
    }
    entity.grants_mut().attached.push(arn);
    cx.put_global(&entity)?;
    Ok(permissions_changed(cx)?)
}

fn detach<E: Entity>(cx: &Cx<'_>, name: &str, arn: String) -> Result<(), Error> {
    policy::check_arn(&arn)?;
    let mut entity: E = find(cx, name)?;
    let attached = &mut entity.grants_mut().attached;
    let before = attached.len();
    attached.retain(|other| *other != arn);
    if attached.len() == before {
        return Err(Error::NoPolicy(arn));
    }
    cx.put_global(&entity)?;
    Ok(permissions_changed(cx)?)
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AttachedPolicy {
    pub policy_name: String,
    pub policy_arn: String,
}

impl AttachedPolicy {
    pub fn of(arn: &str) -> Self {
        let policy_name = arn.rsplit('/').next().unwrap_or_default().to_owned();
        Self { policy_name, policy_arn: arn.to_owned() }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AttachedPolicies {
    pub attached_policies: Vec<AttachedPolicy>,
    pub is_truncated: bool,
    pub marker: Option<String>,
}

fn listed<E: Entity>(
    cx: &Cx<'_>,
    name: &str,
    path_prefix: Option<&String>,
    ask: Ask<'_>,
) -> Result<AttachedPolicies, Error> {
    let entity: E = find(cx, name)?;
    let prefix = path_prefix.map_or("/", String::as_str);
    // The path is what lies between `policy` and the name.
    let fits = |arn: &&String| arn.split_once(":policy").is_some_and(|(_, rest)| rest.starts_with(prefix));
    let mut arns: Vec<String> = entity.grants().attached.iter().filter(fits).cloned().collect();
    arns.sort();
    let Page { items, marker } = page::slice(arns, ask, Clone::clone)?;
    Ok(AttachedPolicies {
        attached_policies: items.iter().map(|arn| AttachedPolicy::of(arn)).collect(),
        is_truncated: marker.is_some(),
        marker,
    })
}

/// `iam:PolicyARN`, by which an administrator is kept to certain policies.
fn context<E: Entity>(cx: &Cx<'_>, name: &str, arn: &str, keys: &mut ContextKeys) {
    tag_keys::<E>(cx, name, keys);
    keys.insert("iam:PolicyARN".to_owned(), vec![arn.to_owned()]);
}

macro_rules! attaching {
    ($noun:ident, $member:ident, $attach:ident, $detach:ident, $list:ident) => {
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        pub struct $attach {
            pub $member: String,
            pub policy_arn: String,
        }

        impl Operation for $attach {
            const SERVICE: &'static str = "iam";
            const NAME: &'static str = stringify!($attach);
            const KIND: Kind = Kind::Write;
            type Output = ();
            type Error = Error;

            fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
                vec![arn_of::<$noun>(cx, &self.$member)]
            }

            fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
                context::<$noun>(cx, &self.$member, &self.policy_arn, keys);
            }

            fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
                attach::<$noun>(cx, &self.$member, self.policy_arn)
            }
        }

        #[derive(Debug, Serialize, Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        pub struct $detach {
            pub $member: String,
            pub policy_arn: String,
        }

        impl Operation for $detach {
            const SERVICE: &'static str = "iam";
            const NAME: &'static str = stringify!($detach);
            const KIND: Kind = Kind::Write;
            type Output = ();
            type Error = Error;

            fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
                vec![arn_of::<$noun>(cx, &self.$member)]
            }

            fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
                context::<$noun>(cx, &self.$member, &self.policy_arn, keys);
            }

            fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
                detach::<$noun>(cx, &self.$member, self.policy_arn)
            }
        }

        #[derive(Debug, Default, Serialize, Deserialize)]
        #[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
        pub struct $list {
            pub $member: String,
            pub path_prefix: Option<String>,
            pub marker: Option<String>,
            pub max_items: Option<i64>,
        }

        impl Operation for $list {
            const SERVICE: &'static str = "iam";
            const NAME: &'static str = stringify!($list);
            const KIND: Kind = Kind::Read;
            type Output = AttachedPolicies;
            type Error = Error;

            fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
                vec![arn_of::<$noun>(cx, &self.$member)]
            }

            fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
                tag_keys::<$noun>(cx, &self.$member, keys);
            }

            fn run(self, cx: &mut Cx<'_>) -> Result<AttachedPolicies, Error> {
                let ask = Ask { marker: &self.marker, max_items: self.max_items };
                listed::<$noun>(cx, &self.$member, self.path_prefix.as_ref(), ask)
            }
        }
    };
}

attaching!(User, user_name, AttachUserPolicy, DetachUserPolicy, ListAttachedUserPolicies);
attaching!(Group, group_name, AttachGroupPolicy, DetachGroupPolicy, ListAttachedGroupPolicies);
attaching!(Role, role_name, AttachRolePolicy, DetachRolePolicy, ListAttachedRolePolicies);
