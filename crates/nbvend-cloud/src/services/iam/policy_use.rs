//! Who uses a managed policy: attached, or as a permissions boundary.

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::page::{self, Ask};
use super::policy;
use super::state::{Group, Role, User};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};
use crate::store::GLOBAL;

/// The users of one policy.
pub struct Uses {
    groups: Vec<Group>,
    users: Vec<User>,
    roles: Vec<Role>,
    bounded_users: Vec<User>,
    bounded_roles: Vec<Role>,
}

impl Uses {
    pub fn of(cx: &Cx<'_>, arn: &str) -> Result<Self, Error> {
        Ok(Self {
            groups: cx.tx.find(GLOBAL, "policy", arn)?,
            users: cx.tx.find(GLOBAL, "policy", arn)?,
            roles: cx.tx.find(GLOBAL, "policy", arn)?,
            bounded_users: cx.tx.find(GLOBAL, "boundary", arn)?,
            bounded_roles: cx.tx.find(GLOBAL, "boundary", arn)?,
        })
    }

    pub fn attachments(&self) -> usize {
        self.groups.len() + self.users.len() + self.roles.len()
    }

    pub fn boundaries(&self) -> usize {
        self.bounded_users.len() + self.bounded_roles.len()
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListEntitiesForPolicy {
    pub policy_arn: String,
    pub entity_filter: Option<String>,
    pub path_prefix: Option<String>,
    pub policy_usage_filter: Option<String>,
    pub marker: Option<String>,
    pub max_items: Option<i64>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListEntitiesForPolicyOutput {
    pub policy_groups: Vec<PolicyGroup>,
    pub policy_users: Vec<PolicyUser>,
    pub policy_roles: Vec<PolicyRole>,
    pub is_truncated: bool,
    pub marker: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyGroup {
    pub group_name: String,
    pub group_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyUser {
    pub user_name: String,
    pub user_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyRole {
    pub role_name: String,
    pub role_id: String,
}

/// One line of the answer, before it is put in its list. Sorts groups before users before roles, each by name.
struct Line {
    kind: &'static str,
    path: String,
    name: String,
    id: String,
}

impl Operation for ListEntitiesForPolicy {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "ListEntitiesForPolicy";
    const KIND: Kind = Kind::Read;
    type Output = ListEntitiesForPolicyOutput;
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.policy_arn.clone()]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        policy::tag_keys(cx, &self.policy_arn, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListEntitiesForPolicyOutput, Error> {
        policy::check_arn(&self.policy_arn)?;
        if !policy::exists(cx, &self.policy_arn)? {
            return Err(Error::NoPolicy(self.policy_arn));
        }
        let mut lines = self.lines(cx)?;
        lines.sort_by_key(Line::order);
        lines.dedup_by_key(|line| line.order());
        let ask = Ask { marker: &self.marker, max_items: self.max_items };
        let page = page::slice(lines, ask, Line::order)?;
        let mut output = ListEntitiesForPolicyOutput {
            is_truncated: page.truncated(),
            marker: page.marker.clone(),
            ..ListEntitiesForPolicyOutput::default()
        };
        for Line { kind, name, id, .. } in page.items {
            match kind {
                "Group" => output.policy_groups.push(PolicyGroup { group_name: name, group_id: id }),
                "User" => output.policy_users.push(PolicyUser { user_name: name, user_id: id }),
                _ => output.policy_roles.push(PolicyRole { role_name: name, role_id: id }),
            }
        }
        Ok(output)
    }
}

impl ListEntitiesForPolicy {
    fn lines(&self, cx: &Cx<'_>) -> Result<Vec<Line>, Error> {
        let uses = Uses::of(cx, &self.policy_arn)?;
        let (attached, bounded) = match self.policy_usage_filter.as_deref() {
            Some("PermissionsPolicy") => (true, false),
            Some("PermissionsBoundary") => (false, true),
            _ => (true, true),
        };
        let mut lines = Vec::new();
        if attached {
            lines.extend(uses.groups.iter().map(|g| Line::new("Group", &g.path, &g.name, &g.id)));
            lines.extend(uses.users.iter().map(|u| Line::new("User", &u.path, &u.name, &u.id)));
            lines.extend(uses.roles.iter().map(|r| Line::new("Role", &r.path, &r.name, &r.id)));
        }
        if bounded {
            lines.extend(uses.bounded_users.iter().map(|u| Line::new("User", &u.path, &u.name, &u.id)));
            lines.extend(uses.bounded_roles.iter().map(|r| Line::new("Role", &r.path, &r.name, &r.id)));
        }
        let prefix = self.path_prefix.as_deref().unwrap_or("/");
        lines.retain(|line| {
            line.path.starts_with(prefix)
                && self.entity_filter.as_deref().is_none_or(|kind| kind == line.kind)
        });
        Ok(lines)
    }
}

impl Line {
    fn new(kind: &'static str, path: &str, name: &str, id: &str) -> Self {
        Self { kind, path: path.to_owned(), name: name.to_owned(), id: id.to_owned() }
    }

    fn order(&self) -> String {
        let rank = match self.kind {
            "Group" => 0,
            "User" => 1,
            _ => 2,
        };
        format!("{rank}/{}", self.name)
    }
}
