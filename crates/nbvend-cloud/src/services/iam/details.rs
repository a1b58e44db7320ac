//! `GetAccountAuthorizationDetails`: everybody and everything they may do, in one list.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::attach::AttachedPolicy;
use super::boundary::{self, BoundaryView};
use super::document::encoded;
use super::entity::Entity;
use super::error::Error;
use super::instance_profile::ProfileView;
use super::instance_profile_role::of_role;
use super::managed;
use super::page::{self, Ask};
use super::policy::{Found, PolicyView};
use super::policy_version::VersionView;
use super::role::{LastUsedView, last_used};
use super::state::{Grants, Group, ManagedPolicy, Role, User, key};
use super::tags::{self, Tag};
use crate::context::Cx;
use crate::operation::{Kind, Operation};
use crate::store::GLOBAL;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetAccountAuthorizationDetails {
    pub filter: Vec<String>,
    pub marker: Option<String>,
    pub max_items: Option<i64>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetAccountAuthorizationDetailsOutput {
    pub user_detail_list: Vec<UserDetail>,
    pub group_detail_list: Vec<GroupDetail>,
    pub role_detail_list: Vec<RoleDetail>,
    pub policies: Vec<PolicyDetail>,
    pub is_truncated: bool,
    pub marker: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserDetail {
    pub path: String,
    pub user_name: String,
    pub user_id: String,
    pub arn: String,
    pub create_date: Timestamp,
    pub user_policy_list: Vec<InlineDetail>,
    pub group_list: Vec<String>,
    pub attached_managed_policies: Vec<AttachedPolicy>,
    pub permissions_boundary: Option<BoundaryView>,
    pub tags: Vec<Tag>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GroupDetail {
    pub path: String,
    pub group_name: String,
    pub group_id: String,
    pub arn: String,
    pub create_date: Timestamp,
    pub group_policy_list: Vec<InlineDetail>,
    pub attached_managed_policies: Vec<AttachedPolicy>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoleDetail {
    pub path: String,
    pub role_name: String,
    pub role_id: String,
    pub arn: String,
    pub create_date: Timestamp,
    pub assume_role_policy_document: String,
    pub instance_profile_list: Vec<ProfileView>,
    pub role_policy_list: Vec<InlineDetail>,
    pub attached_managed_policies: Vec<AttachedPolicy>,
    pub permissions_boundary: Option<BoundaryView>,
    pub tags: Vec<Tag>,
    pub role_last_used: LastUsedView,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyDetail {
    #[serde(flatten)]
    pub policy: PolicyView,
    pub policy_version_list: Vec<VersionView>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct InlineDetail {
    pub policy_name: String,
    pub policy_document: String,
}

fn inline(grants: &Grants) -> Vec<InlineDetail> {
    let detail = |(name, document): (&String, &String)| InlineDetail {
        policy_name: name.clone(),
        policy_document: encoded(document),
    };
    grants.inline.iter().map(detail).collect()
}

fn attached(grants: &Grants) -> Vec<AttachedPolicy> {
    grants.attached.iter().map(|arn| AttachedPolicy::of(arn)).collect()
}

/// One line of the answer before it is put in its list. One order for all kinds, so that one marker is enough.
enum Line {
    User(Box<User>),
    Group(Box<Group>),
    Role(Box<Role>),
    Own(Box<ManagedPolicy>),
    Aws(&'static managed::AwsPolicy),
}

impl Line {
    fn order(&self) -> String {
        match self {
            Self::User(user) => format!("0/{}", key(&user.name)),
            Self::Group(group) => format!("1/{}", key(&group.name)),
            Self::Role(role) => format!("2/{}", key(&role.name)),
            Self::Own(policy) => format!("3/{}", policy.arn),
            Self::Aws(policy) => format!("4/{}", policy.arn),
        }
    }
}

impl Operation for GetAccountAuthorizationDetails {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "GetAccountAuthorizationDetails";
    const KIND: Kind = Kind::Read;
    type Output = GetAccountAuthorizationDetailsOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        let ask = Ask { marker: &self.marker, max_items: self.max_items };
        let page = page::slice(self.lines(cx)?, ask, Line::order)?;
        let mut output = GetAccountAuthorizationDetailsOutput {
            is_truncated: page.truncated(),
            marker: page.marker.clone(),
            ..Self::Output::default()
        };
        for line in page.items {
            match line {
                Line::User(user) => output.user_detail_list.push(user_detail(cx, &user)?),
                Line::Group(group) => output.group_detail_list.push(group_detail(cx, &group)),
                Line::Role(role) => output.role_detail_list.push(role_detail(cx, &role)?),
                Line::Own(policy) => output.policies.push(PolicyDetail {
                    policy: PolicyView::own(cx, &policy)?.brief(),
                    policy_version_list: VersionView::all(&Found::Own(policy), true),
                }),
                Line::Aws(policy) => output.policies.push(PolicyDetail {
                    policy: PolicyView::aws(cx, policy)?.brief(),
                    policy_version_list: VersionView::all(&Found::Aws(policy), true),
                }),
            }
        }
        Ok(output)
    }
}

impl GetAccountAuthorizationDetails {
    fn lines(&self, cx: &Cx<'_>) -> Result<Vec<Line>, Error> {
        let wanted = |kind: &str| self.filter.is_empty() || self.filter.iter().any(|filter| filter == kind);
        let mut lines = Vec::new();
        if wanted("User") {
            let users = cx.tx.list::<User>(GLOBAL, "", None, usize::MAX)?;
            lines.extend(users.into_iter().map(|user| Line::User(Box::new(user))));
        }
        if wanted("Group") {
            let groups = cx.tx.list::<Group>(GLOBAL, "", None, usize::MAX)?;
            lines.extend(groups.into_iter().map(|group| Line::Group(Box::new(group))));
        }
        if wanted("Role") {
            let roles = cx.tx.list::<Role>(GLOBAL, "", None, usize::MAX)?;
            lines.extend(roles.into_iter().map(|role| Line::Role(Box::new(role))));
        }
        if wanted("LocalManagedPolicy") {
            let policies = cx.tx.list::<ManagedPolicy>(GLOBAL, "", None, usize::MAX)?;
            lines.extend(policies.into_iter().map(|policy| Line::Own(Box::new(policy))));
        }
        if wanted("AWSManagedPolicy") {
            // Only those that somebody uses, as AWS says.
            for policy in managed::all() {
                let view = PolicyView::aws(cx, policy)?;
                if view.attachment_count + view.permissions_boundary_usage_count > 0 {
                    lines.push(Line::Aws(policy));
                }
            }
        }
        lines.sort_by_key(Line::order);
        Ok(lines)
    }
}

fn user_detail(cx: &Cx<'_>, user: &User) -> Result<UserDetail, Error> {
    let mut group_list = Vec::new();
    for group in &user.groups {
        group_list.extend(cx.get_global::<Group>(group)?.map(|group| group.name));
    }
    Ok(UserDetail {
        path: user.path.clone(),
        user_name: user.name.clone(),
        user_id: user.id.clone(),
        arn: user.arn(cx),
        create_date: user.created,
        user_policy_list: inline(&user.grants),
        group_list,
        attached_managed_policies: attached(&user.grants),
        permissions_boundary: boundary::view(user.boundary.as_ref()),
        tags: tags::view(&user.tags),
    })
}

fn group_detail(cx: &Cx<'_>, group: &Group) -> GroupDetail {
    GroupDetail {
        path: group.path.clone(),
        group_name: group.name.clone(),
        group_id: group.id.clone(),
        arn: group.arn(cx),
        create_date: group.created,
        group_policy_list: inline(&group.grants),
        attached_managed_policies: attached(&group.grants),
    }
}

fn role_detail(cx: &Cx<'_>, role: &Role) -> Result<RoleDetail, Error> {
    let profiles = of_role(cx, role)?;
    let profiles = profiles.iter().map(|profile| ProfileView::of(cx, profile));
    Ok(RoleDetail {
        path: role.path.clone(),
        role_name: role.name.clone(),
        role_id: role.id.clone(),
        arn: role.arn(cx),
        create_date: role.created,
        assume_role_policy_document: encoded(&role.trust),
        instance_profile_list: profiles.collect::<Result<_, _>>()?,
        role_policy_list: inline(&role.grants),
        attached_managed_policies: attached(&role.grants),
        permissions_boundary: boundary::view(role.boundary.as_ref()),
        tags: tags::view(&role.tags),
        role_last_used: last_used(cx, role)?,
    })
}
