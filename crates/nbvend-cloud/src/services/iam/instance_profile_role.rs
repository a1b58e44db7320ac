//! The role in an instance profile.

use serde::{Deserialize, Serialize};

use super::entity;
use super::error::{Error, quota};
use super::instance_profile::{ListInstanceProfilesOutput, ProfileView, arn_of, context, find};
use super::page::{self, Ask};
use super::state::{InstanceProfile, Role, key};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Need, Operation};
use crate::store::GLOBAL;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListInstanceProfilesForRole {
    pub role_name: String,
    pub marker: Option<String>,
    pub max_items: Option<i64>,
}

/// The profiles that hold a role.
pub fn of_role(cx: &Cx<'_>, role: &Role) -> Result<Vec<InstanceProfile>, Error> {
    Ok(cx.tx.find(GLOBAL, "role", &key(&role.name))?)
}

impl Operation for ListInstanceProfilesForRole {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "ListInstanceProfilesForRole";
    const KIND: Kind = Kind::Read;
    type Output = ListInstanceProfilesOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![entity::arn_of::<Role>(cx, &self.role_name)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        entity::tag_keys::<Role>(cx, &self.role_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListInstanceProfilesOutput, Error> {
        let role: Role = entity::find(cx, &self.role_name)?;
        let ask = Ask { marker: &self.marker, max_items: self.max_items };
        let page = page::slice(of_role(cx, &role)?, ask, |profile| key(&profile.name))?;
        Ok(ListInstanceProfilesOutput {
            is_truncated: page.truncated(),
            marker: page.marker,
            instance_profiles: page
                .items
                .iter()
                .map(|profile| Ok(ProfileView { tags: None, ..ProfileView::of(cx, profile)? }))
                .collect::<Result<_, Error>>()?,
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AddRoleToInstanceProfile {
    pub instance_profile_name: String,
    pub role_name: String,
}

impl Operation for AddRoleToInstanceProfile {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "AddRoleToInstanceProfile";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![arn_of(cx, &self.instance_profile_name)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        context(cx, &self.instance_profile_name, keys);
    }

    fn needs(&self, cx: &Cx<'_>) -> Vec<Need> {
        let role = entity::arn_of::<Role>(cx, &self.role_name);
        vec![Need::pass_role(&role, "ec2.amazonaws.com")]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let mut profile = find(cx, &self.instance_profile_name)?;
        let role: Role = entity::find(cx, &self.role_name)?;
        if profile.role.is_some() {
            return Err(quota("InstanceSessionsPerInstanceProfile", 1));
        }
        profile.role = Some(key(&role.name));
        Ok(cx.put_global(&profile)?)
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct RemoveRoleFromInstanceProfile {
    pub instance_profile_name: String,
    pub role_name: String,
}

impl Operation for RemoveRoleFromInstanceProfile {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "RemoveRoleFromInstanceProfile";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![arn_of(cx, &self.instance_profile_name)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        context(cx, &self.instance_profile_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let mut profile = find(cx, &self.instance_profile_name)?;
        if profile.role.as_deref() != Some(key(&self.role_name).as_str()) {
            return Err(Error::NotFound("role", self.role_name));
        }
        profile.role = None;
        Ok(cx.put_global(&profile)?)
    }
}
