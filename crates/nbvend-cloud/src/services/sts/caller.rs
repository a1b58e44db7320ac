//! `GetCallerIdentity` and `GetAccessKeyInfo`: who is behind a call or a key.

use serde::{Deserialize, Serialize};

use super::error::Error;
use crate::context::Cx;
use crate::identity::AccessKey;
use crate::operation::{Kind, Operation};

/// Answered to whoever is authenticated: AWS asks for no permission here.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetCallerIdentity {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetCallerIdentityOutput {
    pub user_id: String,
    pub account: String,
    pub arn: String,
}

impl Operation for GetCallerIdentity {
    const SERVICE: &'static str = "sts";
    const NAME: &'static str = "GetCallerIdentity";
    const KIND: Kind = Kind::Read;
    type Output = GetCallerIdentityOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<GetCallerIdentityOutput, Error> {
        let account = cx.account().to_owned();
        Ok(GetCallerIdentityOutput {
            user_id: cx.caller.principal.id(&account),
            arn: cx.caller.principal.arn(&account),
            account,
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetAccessKeyInfo {
    pub access_key_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetAccessKeyInfoOutput {
    pub account: String,
}

impl Operation for GetAccessKeyInfo {
    const SERVICE: &'static str = "sts";
    const NAME: &'static str = "GetAccessKeyInfo";
    const KIND: Kind = Kind::Read;
    type Output = GetAccessKeyInfoOutput;
    type Error = Error;

    /// AWS reads the account out of the id itself; here a key that is not kept belongs to nobody.
    fn run(self, cx: &mut Cx<'_>) -> Result<GetAccessKeyInfoOutput, Error> {
        let root = cx.config().root_key.access_key_id == self.access_key_id;
        if !root && AccessKey::get(cx.tx, &self.access_key_id)?.is_none() {
            return Err(Error::Validation(format!("Invalid Access Key: {}", self.access_key_id)));
        }
        Ok(GetAccessKeyInfoOutput { account: cx.account().to_owned() })
    }
}
