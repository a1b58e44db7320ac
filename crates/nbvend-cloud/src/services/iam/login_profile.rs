//! Passwords of users. There is no console to sign in to: a password is kept (as a digest), can be changed by its
//! owner and opens nothing by itself.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::entity::{find, tag_keys};
use super::error::Error;
use super::password::{self, Digest};
use super::state::{LoginProfile, User, key};
use super::user::{named_or_caller, resource};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};
use crate::store::GLOBAL;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LoginProfileOutput {
    pub login_profile: ProfileView,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProfileView {
    pub user_name: String,
    pub create_date: Timestamp,
    pub password_reset_required: bool,
}

impl LoginProfileOutput {
    fn of(user: &User, profile: &LoginProfile) -> Self {
        Self {
            login_profile: ProfileView {
                user_name: user.name.clone(),
                create_date: profile.created,
                password_reset_required: profile.reset_required,
            },
        }
    }
}

fn profile_of(cx: &Cx<'_>, user: &User) -> Result<LoginProfile, Error> {
    cx.get_global(&key(&user.name))?.ok_or_else(|| Error::NoLoginProfile(user.name.clone()))
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateLoginProfile {
    pub user_name: Option<String>,
    pub password: String,
    pub password_reset_required: bool,
    #[serde(skip)]
    pub digest: Option<Digest>,
}

impl Operation for CreateLoginProfile {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "CreateLoginProfile";
    const KIND: Kind = Kind::Write;
    const SENSITIVE: &'static [&'static str] = &["Password"];
    const PREPARES: bool = true;
    type Output = LoginProfileOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![resource(cx, self.user_name.as_ref())]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        if let Ok(name) = named_or_caller(cx, self.user_name.clone()) {
            tag_keys::<User>(cx, &name, keys);
        }
    }

    fn prepare(&mut self, cx: &mut Cx<'_>) -> Result<(), Error> {
        self.digest = Some(Digest::of(cx, &self.password));
        Ok(())
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<LoginProfileOutput, Error> {
        let user: User = find(cx, &named_or_caller(cx, self.user_name)?)?;
        password::check(cx, &self.password)?;
        if cx.get_global::<LoginProfile>(&key(&user.name))?.is_some() {
            return Err(Error::LoginProfileExists(user.name));
        }
        let profile = LoginProfile {
            user: key(&user.name),
            created: cx.now(),
            reset_required: self.password_reset_required,
            password: self.digest.unwrap_or_else(|| Digest::of(cx, &self.password)),
        };
        cx.put_global(&profile)?;
        Ok(LoginProfileOutput::of(&user, &profile))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetLoginProfile {
    pub user_name: Option<String>,
}

impl Operation for GetLoginProfile {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "GetLoginProfile";
    const KIND: Kind = Kind::Read;
    type Output = LoginProfileOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![resource(cx, self.user_name.as_ref())]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<LoginProfileOutput, Error> {
        let user: User = find(cx, &named_or_caller(cx, self.user_name)?)?;
        Ok(LoginProfileOutput::of(&user, &profile_of(cx, &user)?))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateLoginProfile {
    pub user_name: String,
    pub password: Option<String>,
    pub password_reset_required: Option<bool>,
    #[serde(skip)]
    pub digest: Option<Digest>,
}

impl Operation for UpdateLoginProfile {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "UpdateLoginProfile";
    const KIND: Kind = Kind::Write;
    const SENSITIVE: &'static [&'static str] = &["Password"];
    const PREPARES: bool = true;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![resource(cx, Some(&self.user_name))]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        tag_keys::<User>(cx, &self.user_name, keys);
    }

    fn prepare(&mut self, cx: &mut Cx<'_>) -> Result<(), Error> {
        self.digest = self.password.as_ref().map(|password| Digest::of(cx, password));
        Ok(())
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let user: User = find(cx, &self.user_name)?;
        let mut profile = profile_of(cx, &user)?;
        if let Some(password) = &self.password {
            password::check(cx, password)?;
            profile.password = self.digest.unwrap_or_else(|| Digest::of(cx, password));
        }
        profile.reset_required = self.password_reset_required.unwrap_or(profile.reset_required);
        Ok(cx.put_global(&profile)?)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteLoginProfile {
    pub user_name: Option<String>,
}

impl Operation for DeleteLoginProfile {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "DeleteLoginProfile";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![resource(cx, self.user_name.as_ref())]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let user: User = find(cx, &named_or_caller(cx, self.user_name)?)?;
        profile_of(cx, &user)?;
        cx.tx.delete::<LoginProfile>(GLOBAL, &key(&user.name))?;
        Ok(())
    }
}

/// A user changes the own password.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ChangePassword {
    pub old_password: String,
    pub new_password: String,
    #[serde(skip)]
    pub digest: Option<Digest>,
}

impl Operation for ChangePassword {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "ChangePassword";
    const KIND: Kind = Kind::Write;
    const SENSITIVE: &'static [&'static str] = &["OldPassword", "NewPassword"];
    const PREPARES: bool = true;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![resource(cx, None)]
    }

    fn prepare(&mut self, cx: &mut Cx<'_>) -> Result<(), Error> {
        self.digest = Some(Digest::of(cx, &self.new_password));
        Ok(())
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let user: User = find(cx, &named_or_caller(cx, None)?)?;
        let mut profile = profile_of(cx, &user)?;
        if !profile.password.matches(&self.old_password) {
            return Err(Error::Denied("The old password was incorrect.".to_owned()));
        }
        password::check(cx, &self.new_password)?;
        profile.password = self.digest.unwrap_or_else(|| Digest::of(cx, &self.new_password));
        profile.reset_required = false;
        Ok(cx.put_global(&profile)?)
    }
}
