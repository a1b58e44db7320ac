//! Access keys of users: two at most. The secret is told once, when the key is made.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::entity::find;
use super::error::{Error, quota};
use super::page::{self, Ask};
use super::state::User;
use super::user::{named_or_caller, resource};
use crate::context::Cx;
use crate::identity::{AccessKey, KeyStatus, Principal};
use crate::operation::{Kind, Operation};
use crate::services::sts::credentials::secret;

/// So many keys a user may have.
pub const KEYS_LIMIT: usize = 2;

fn status_name(status: KeyStatus) -> &'static str {
    match status {
        KeyStatus::Active => "Active",
        KeyStatus::Inactive => "Inactive",
    }
}

fn principal(user: &User) -> Principal {
    Principal::User { name: user.name.clone(), id: user.id.clone(), path: user.path.clone() }
}

/// The user's key of that id.
fn key_of(cx: &Cx<'_>, user: &User, id: &str) -> Result<AccessKey, Error> {
    let found = AccessKey::get(cx.tx, id)?.filter(|key| key.session.is_none());
    let own =
        found.filter(|key| matches!(&key.principal, Principal::User { name, .. } if *name == user.name));
    own.ok_or_else(|| Error::NoAccessKey(id.to_owned()))
}

/// A renamed user keeps its keys and sessions.
pub fn renamed(cx: &Cx<'_>, old_name: &str, user: &User) -> Result<(), Error> {
    let mut keys = AccessKey::of_user(cx.tx, old_name)?;
    keys.extend(AccessKey::sessions_of_user(cx.tx, old_name)?);
    for mut key in keys {
        key.principal = match key.principal {
            Principal::FederatedUser { name, .. } => {
                Principal::FederatedUser { name, issuer: Box::new(principal(user)) }
            }
            _ => principal(user),
        };
        key.put(cx.tx)?;
    }
    Ok(())
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateAccessKey {
    pub user_name: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateAccessKeyOutput {
    pub access_key: NewKey,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NewKey {
    pub user_name: String,
    pub access_key_id: String,
    pub status: &'static str,
    pub secret_access_key: String,
    pub create_date: Timestamp,
}

impl Operation for CreateAccessKey {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "CreateAccessKey";
    const KIND: Kind = Kind::Write;
    const SENSITIVE: &'static [&'static str] = &["SecretAccessKey"];
    type Output = CreateAccessKeyOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![resource(cx, self.user_name.as_ref())]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<CreateAccessKeyOutput, Error> {
        let user: User = find(cx, &named_or_caller(cx, self.user_name)?)?;
        if AccessKey::of_user(cx.tx, &user.name)?.len() >= KEYS_LIMIT {
            return Err(quota("AccessKeysPerUser", KEYS_LIMIT));
        }
        let key = AccessKey {
            id: format!("AKIA{}", cx.ids().upper(16)),
            secret: secret(cx),
            principal: principal(&user),
            status: KeyStatus::Active,
            created: cx.now(),
            session: None,
        };
        key.put(cx.tx)?;
        Ok(CreateAccessKeyOutput {
            access_key: NewKey {
                user_name: user.name,
                access_key_id: key.id,
                status: status_name(key.status),
                secret_access_key: key.secret,
                create_date: key.created,
            },
        })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListAccessKeys {
    pub user_name: Option<String>,
    pub marker: Option<String>,
    pub max_items: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAccessKeysOutput {
    pub access_key_metadata: Vec<KeyView>,
    pub is_truncated: bool,
    pub marker: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyView {
    pub user_name: String,
    pub access_key_id: String,
    pub status: &'static str,
    pub create_date: Timestamp,
}

impl Operation for ListAccessKeys {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "ListAccessKeys";
    const KIND: Kind = Kind::Read;
    type Output = ListAccessKeysOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![resource(cx, self.user_name.as_ref())]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ListAccessKeysOutput, Error> {
        let user: User = find(cx, &named_or_caller(cx, self.user_name)?)?;
        let keys = AccessKey::of_user(cx.tx, &user.name)?;
        let ask = Ask { marker: &self.marker, max_items: self.max_items };
        let page = page::slice(keys, ask, |key| key.id.clone())?.map(|key| KeyView {
            user_name: user.name.clone(),
            access_key_id: key.id,
            status: status_name(key.status),
            create_date: key.created,
        });
        Ok(ListAccessKeysOutput {
            is_truncated: page.truncated(),
            marker: page.marker,
            access_key_metadata: page.items,
        })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateAccessKey {
    pub user_name: Option<String>,
    pub access_key_id: String,
    pub status: String,
}

impl Operation for UpdateAccessKey {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "UpdateAccessKey";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![resource(cx, self.user_name.as_ref())]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let user: User = find(cx, &named_or_caller(cx, self.user_name)?)?;
        let mut key = key_of(cx, &user, &self.access_key_id)?;
        key.status = match self.status.as_str() {
            "Active" => KeyStatus::Active,
            "Inactive" => KeyStatus::Inactive,
            other => return Err(Error::InvalidInput(format!("A key cannot be set to {other}."))),
        };
        Ok(key.put(cx.tx)?)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteAccessKey {
    pub user_name: Option<String>,
    pub access_key_id: String,
}

impl Operation for DeleteAccessKey {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "DeleteAccessKey";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![resource(cx, self.user_name.as_ref())]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let user: User = find(cx, &named_or_caller(cx, self.user_name)?)?;
        let key = key_of(cx, &user, &self.access_key_id)?;
        AccessKey::delete(cx.tx, &key.id)?;
        Ok(super::last_used::forget(cx, &key.id)?)
    }
}
