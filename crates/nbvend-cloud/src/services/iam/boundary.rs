//! Permissions boundaries of users and roles.

use serde::{Deserialize, Serialize};

use super::entity::{arn_of, find, permissions_changed, tag_keys};
use super::error::Error;
use super::policy;
use super::state::{Role, User};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BoundaryView {
    /// AWS answers `Policy`, though its model lists only `PermissionsBoundaryPolicy` (awsdocs/iam-user-guide, issue 82).
    pub permissions_boundary_type: &'static str,
    pub permissions_boundary_arn: String,
}

pub fn view(arn: Option<&String>) -> Option<BoundaryView> {
    arn.map(|arn| BoundaryView { permissions_boundary_type: "Policy", permissions_boundary_arn: arn.clone() })
}

/// A boundary must be a managed policy that exists.
pub fn check(cx: &Cx<'_>, arn: Option<&String>) -> Result<(), Error> {
    let Some(arn) = arn else { return Ok(()) };
    policy::check_arn(arn)?;
    if policy::exists(cx, arn)? { Ok(()) } else { Err(Error::NoBoundary(arn.clone())) }
}

pub fn context(arn: Option<&String>, keys: &mut ContextKeys) {
    if let Some(arn) = arn {
        keys.insert("iam:PermissionsBoundary".to_owned(), vec![arn.clone()]);
    }
}

macro_rules! boundaries {
    ($noun:ident, $member:ident, $put:ident, $remove:ident) => {
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        pub struct $put {
            pub $member: String,
            pub permissions_boundary: String,
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
                context(Some(&self.permissions_boundary), keys);
            }

            fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
                let mut entity: $noun = find(cx, &self.$member)?;
                check(cx, Some(&self.permissions_boundary))?;
                entity.boundary = Some(self.permissions_boundary);
                cx.put_global(&entity)?;
                Ok(permissions_changed(cx)?)
            }
        }

        #[derive(Debug, Serialize, Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        pub struct $remove {
            pub $member: String,
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
                let former = find::<$noun>(cx, &self.$member).ok().and_then(|entity| entity.boundary);
                context(former.as_ref(), keys);
            }

            fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
                let mut entity: $noun = find(cx, &self.$member)?;
                entity.boundary = None;
                cx.put_global(&entity)?;
                Ok(permissions_changed(cx)?)
            }
        }
    };
}

boundaries!(Role, role_name, PutRolePermissionsBoundary, DeleteRolePermissionsBoundary);
boundaries!(User, user_name, PutUserPermissionsBoundary, DeleteUserPermissionsBoundary);
