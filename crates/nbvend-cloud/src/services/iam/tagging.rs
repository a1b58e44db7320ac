//! `Tag…`, `Untag…` and `List…Tags` of roles, users, policies and instance profiles.

use serde::{Deserialize, Serialize};

use super::entity::{arn_of, find, permissions_changed, tag_keys};
use super::error::Error;
use super::page::{self, Ask};
use super::state::{InstanceProfile, ManagedPolicy, Role, User, key};
use super::tags::{self, Tag};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};
use crate::store::Record;

/// What can carry tags, found by the member that names it.
trait Tagged: Record {
    fn by(cx: &Cx<'_>, name: &str, action: &str) -> Result<Self, Error>;
    fn resource(cx: &Cx<'_>, name: &str) -> String;
    fn keys(cx: &Cx<'_>, name: &str, keys: &mut ContextKeys);
    fn of(&mut self) -> &mut std::collections::BTreeMap<String, String>;
}

impl Tagged for Role {
    fn by(cx: &Cx<'_>, name: &str, _action: &str) -> Result<Self, Error> {
        find(cx, name)
    }
    fn resource(cx: &Cx<'_>, name: &str) -> String {
        arn_of::<Self>(cx, name)
    }
    fn keys(cx: &Cx<'_>, name: &str, keys: &mut ContextKeys) {
        tag_keys::<Self>(cx, name, keys);
    }
    fn of(&mut self) -> &mut std::collections::BTreeMap<String, String> {
        &mut self.tags
    }
}

impl Tagged for User {
    fn by(cx: &Cx<'_>, name: &str, _action: &str) -> Result<Self, Error> {
        find(cx, name)
    }
    fn resource(cx: &Cx<'_>, name: &str) -> String {
        arn_of::<Self>(cx, name)
    }
    fn keys(cx: &Cx<'_>, name: &str, keys: &mut ContextKeys) {
        tag_keys::<Self>(cx, name, keys);
    }
    fn of(&mut self) -> &mut std::collections::BTreeMap<String, String> {
        &mut self.tags
    }
}

impl Tagged for ManagedPolicy {
    fn by(cx: &Cx<'_>, arn: &str, action: &str) -> Result<Self, Error> {
        super::policy::find_to_change(cx, arn, action)
    }
    fn resource(_cx: &Cx<'_>, arn: &str) -> String {
        arn.to_owned()
    }
    fn keys(cx: &Cx<'_>, arn: &str, keys: &mut ContextKeys) {
        super::policy::tag_keys(cx, arn, keys);
    }
    fn of(&mut self) -> &mut std::collections::BTreeMap<String, String> {
        &mut self.tags
    }
}

impl Tagged for InstanceProfile {
    fn by(cx: &Cx<'_>, name: &str, _action: &str) -> Result<Self, Error> {
        super::instance_profile::find(cx, name)
    }
    fn resource(cx: &Cx<'_>, name: &str) -> String {
        super::instance_profile::arn_of(cx, name)
    }
    fn keys(cx: &Cx<'_>, name: &str, keys: &mut ContextKeys) {
        if let Ok(Some(profile)) = cx.get_global::<Self>(&key(name)) {
            tags::resource_keys(&profile.tags, keys);
        }
    }
    fn of(&mut self) -> &mut std::collections::BTreeMap<String, String> {
        &mut self.tags
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagList {
    pub tags: Vec<Tag>,
    pub is_truncated: bool,
    pub marker: Option<String>,
}

fn listed(mut tagged: impl Tagged, ask: Ask<'_>) -> Result<TagList, Error> {
    let page = page::slice(tags::view(tagged.of()), ask, |tag| tag.key.clone())?;
    Ok(TagList { is_truncated: page.truncated(), marker: page.marker, tags: page.items })
}

macro_rules! tagging {
    ($noun:ident, $member:ident, $tag:ident, $untag:ident, $list:ident) => {
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        pub struct $tag {
            pub $member: String,
            pub tags: Vec<Tag>,
        }

        impl Operation for $tag {
            const SERVICE: &'static str = "iam";
            const NAME: &'static str = stringify!($tag);
            const KIND: Kind = Kind::Write;
            type Output = ();
            type Error = Error;

            fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
                vec![<$noun as Tagged>::resource(cx, &self.$member)]
            }

            fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
                <$noun as Tagged>::keys(cx, &self.$member, keys);
                tags::request_keys(&self.tags, keys);
            }

            fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
                let mut tagged = $noun::by(cx, &self.$member, Self::NAME)?;
                tags::add(cx, tagged.of(), &self.tags)?;
                cx.put_global(&tagged)?;
                // Tags of a principal are condition keys.
                Ok(permissions_changed(cx)?)
            }
        }

        #[derive(Debug, Serialize, Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        pub struct $untag {
            pub $member: String,
            pub tag_keys: Vec<String>,
        }

        impl Operation for $untag {
            const SERVICE: &'static str = "iam";
            const NAME: &'static str = stringify!($untag);
            const KIND: Kind = Kind::Write;
            type Output = ();
            type Error = Error;

            fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
                vec![<$noun as Tagged>::resource(cx, &self.$member)]
            }

            fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
                <$noun as Tagged>::keys(cx, &self.$member, keys);
                keys.insert("aws:TagKeys".to_owned(), self.tag_keys.clone());
            }

            fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
                let mut tagged = $noun::by(cx, &self.$member, Self::NAME)?;
                tags::remove(tagged.of(), &self.tag_keys);
                cx.put_global(&tagged)?;
                Ok(permissions_changed(cx)?)
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
            type Output = TagList;
            type Error = Error;

            fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
                vec![<$noun as Tagged>::resource(cx, &self.$member)]
            }

            fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
                <$noun as Tagged>::keys(cx, &self.$member, keys);
            }

            fn run(self, cx: &mut Cx<'_>) -> Result<TagList, Error> {
                let tagged = $noun::by(cx, &self.$member, Self::NAME)?;
                listed(tagged, Ask { marker: &self.marker, max_items: self.max_items })
            }
        }
    };
}

tagging!(
    InstanceProfile,
    instance_profile_name,
    TagInstanceProfile,
    UntagInstanceProfile,
    ListInstanceProfileTags
);
tagging!(ManagedPolicy, policy_arn, TagPolicy, UntagPolicy, ListPolicyTags);
tagging!(Role, role_name, TagRole, UntagRole, ListRoleTags);
tagging!(User, user_name, TagUser, UntagUser, ListUserTags);
