//! Instance profiles: a role's envelope for virtual machines. No machine runs here; templates have them.

use std::collections::BTreeMap;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::entity::unique_id;
use super::error::Error;
use super::page::{self, Ask};
use super::role::RoleView;
use super::state::{InstanceProfile, Role, key};
use super::tags::{self, Tag};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};
use crate::store::GLOBAL;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProfileView {
    pub path: String,
    pub instance_profile_name: String,
    pub instance_profile_id: String,
    pub arn: String,
    pub create_date: Timestamp,
    pub roles: Vec<RoleView>,
    pub tags: Option<Vec<Tag>>,
}

impl ProfileView {
    pub fn of(cx: &Cx<'_>, profile: &InstanceProfile) -> Result<Self, Error> {
        let role = match &profile.role {
            Some(role) => cx.get_global::<Role>(role)?,
            None => None,
        };
        Ok(Self {
            path: profile.path.clone(),
            instance_profile_name: profile.name.clone(),
            instance_profile_id: profile.id.clone(),
            arn: profile.arn(cx),
            create_date: profile.created,
            roles: role.iter().map(|role| RoleView::brief(cx, role)).collect(),
            tags: tags::some(&profile.tags),
        })
    }
}

pub fn find(cx: &Cx<'_>, name: &str) -> Result<InstanceProfile, Error> {
    cx.get_global(&key(name))?.ok_or_else(|| Error::NoInstanceProfile(name.to_owned()))
}

pub fn arn_of(cx: &Cx<'_>, name: &str) -> String {
    match find(cx, name) {
        Ok(profile) => profile.arn(cx),
        Err(_) => cx.iam_arn(&format!("instance-profile/{name}")),
    }
}

/// Its tags as condition keys.
pub fn context(cx: &Cx<'_>, name: &str, keys: &mut ContextKeys) {
    if let Ok(profile) = find(cx, name) {
        tags::resource_keys(&profile.tags, keys);
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateInstanceProfile {
    pub instance_profile_name: String,
    pub path: Option<String>,
    pub tags: Vec<Tag>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct InstanceProfileOutput {
    pub instance_profile: ProfileView,
}

impl Operation for CreateInstanceProfile {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "CreateInstanceProfile";
    const KIND: Kind = Kind::Write;
    type Output = InstanceProfileOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        let path = self.path.as_deref().unwrap_or("/");
        vec![cx.iam_arn(&format!("instance-profile{path}{}", self.instance_profile_name))]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        tags::request_keys(&self.tags, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<InstanceProfileOutput, Error> {
        if cx.get_global::<InstanceProfile>(&key(&self.instance_profile_name))?.is_some() {
            return Err(Error::InstanceProfileExists(self.instance_profile_name));
        }
        let mut tags = BTreeMap::new();
        tags::add(cx, &mut tags, &self.tags)?;
        let profile = InstanceProfile {
            name: self.instance_profile_name,
            id: unique_id(cx, "AIPA"),
            path: self.path.unwrap_or_else(|| "/".to_owned()),
            created: cx.now(),
            tags,
            role: None,
        };
        cx.put_global(&profile)?;
        Ok(InstanceProfileOutput { instance_profile: ProfileView::of(cx, &profile)? })
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetInstanceProfile {
    pub instance_profile_name: String,
}

impl Operation for GetInstanceProfile {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "GetInstanceProfile";
    const KIND: Kind = Kind::Read;
    type Output = InstanceProfileOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![arn_of(cx, &self.instance_profile_name)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        context(cx, &self.instance_profile_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<InstanceProfileOutput, Error> {
        let profile = find(cx, &self.instance_profile_name)?;
        Ok(InstanceProfileOutput { instance_profile: ProfileView::of(cx, &profile)? })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListInstanceProfiles {
    pub path_prefix: Option<String>,
    pub marker: Option<String>,
    pub max_items: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListInstanceProfilesOutput {
    pub instance_profiles: Vec<ProfileView>,
    pub is_truncated: bool,
    pub marker: Option<String>,
}

impl Operation for ListInstanceProfiles {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "ListInstanceProfiles";
    const KIND: Kind = Kind::Read;
    type Output = ListInstanceProfilesOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![cx.iam_arn("instance-profile/*")]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListInstanceProfilesOutput, Error> {
        let prefix = self.path_prefix.as_deref().unwrap_or("/");
        let ask = Ask { marker: &self.marker, max_items: self.max_items };
        let page = page::records::<InstanceProfile>(cx, ask, |profile| profile.path.starts_with(prefix))?;
        Ok(ListInstanceProfilesOutput {
            is_truncated: page.truncated(),
            marker: page.marker,
            instance_profiles: page
                .items
                .iter()
                // Lists leave the tags out.
                .map(|profile| Ok(ProfileView { tags: None, ..ProfileView::of(cx, profile)? }))
                .collect::<Result<_, Error>>()?,
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteInstanceProfile {
    pub instance_profile_name: String,
}

impl Operation for DeleteInstanceProfile {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "DeleteInstanceProfile";
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
        let profile = find(cx, &self.instance_profile_name)?;
        if profile.role.is_some() {
            return Err(Error::Conflict(
                "Cannot delete entity, must remove roles from instance profile first.",
            ));
        }
        cx.tx.delete::<InstanceProfile>(GLOBAL, &key(&profile.name))?;
        Ok(())
    }
}
