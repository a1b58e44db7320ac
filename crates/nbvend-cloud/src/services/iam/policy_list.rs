//! `ListPolicies`: the customer's and AWS's, by scope, path and use.

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::managed;
use super::page::{self, Ask};
use super::policy::PolicyView;
use super::state::ManagedPolicy;
use crate::context::Cx;
use crate::operation::{Kind, Operation};
use crate::store::GLOBAL;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListPolicies {
    pub scope: Option<String>,
    pub only_attached: bool,
    pub path_prefix: Option<String>,
    pub policy_usage_filter: Option<String>,
    pub marker: Option<String>,
    pub max_items: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListPoliciesOutput {
    pub policies: Vec<PolicyView>,
    pub is_truncated: bool,
    pub marker: Option<String>,
}

impl Operation for ListPolicies {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "ListPolicies";
    const KIND: Kind = Kind::Read;
    type Output = ListPoliciesOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<ListPoliciesOutput, Error> {
        let scope = self.scope.as_deref().unwrap_or("All");
        let prefix = self.path_prefix.as_deref().unwrap_or("/");
        let mut views = Vec::new();
        if scope != "AWS" {
            for policy in cx.tx.list::<ManagedPolicy>(GLOBAL, "", None, usize::MAX)? {
                views.push(PolicyView::own(cx, &policy)?.brief());
            }
        }
        if scope != "Local" {
            for policy in managed::all() {
                views.push(PolicyView::aws(cx, policy)?.brief());
            }
        }
        views.retain(|view| view.path.starts_with(prefix) && self.wants(view));
        views.sort_by(|a, b| a.arn.cmp(&b.arn));
        let ask = Ask { marker: &self.marker, max_items: self.max_items };
        let page = page::slice(views, ask, |view| view.arn.clone())?;
        Ok(ListPoliciesOutput { is_truncated: page.truncated(), marker: page.marker, policies: page.items })
    }
}

impl ListPolicies {
    fn wants(&self, view: &PolicyView) -> bool {
        let (attached, bounding) = (view.attachment_count > 0, view.permissions_boundary_usage_count > 0);
        match self.policy_usage_filter.as_deref() {
            Some("PermissionsPolicy") => attached,
            Some("PermissionsBoundary") => bounding,
            _ => !self.only_attached || attached || bounding,
        }
    }
}
