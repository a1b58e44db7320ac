//! `GetAccount`, `UpdateAccount`: the account's settings in a region.

use serde::{Deserialize, Serialize};

use super::access;
use super::error::Error;
use super::passed;
use super::patch::{self, PatchOperation};
use super::state::Account;
use crate::context::Cx;
use crate::operation::{Kind, Need, Operation};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountView {
    pub cloudwatch_role_arn: Option<String>,
    pub throttle_settings: ThrottleSettings,
    pub features: Vec<&'static str>,
    pub api_key_version: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ThrottleSettings {
    pub burst_limit: i64,
    pub rate_limit: f64,
}

impl From<Account> for AccountView {
    fn from(account: Account) -> Self {
        Self {
            cloudwatch_role_arn: account.cloudwatch_role_arn,
            // AWS's own limits for an account; here only a stage's limits are enforced.
            throttle_settings: ThrottleSettings { burst_limit: 5000, rate_limit: 10000.0 },
            // AWS says UsagePlans; they are not served here.
            features: Vec::new(),
            api_key_version: "4",
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetAccount {}

impl Operation for GetAccount {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "GetAccount";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = access::GET;
    type Output = AccountView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![access::arn(cx, "/account")]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<AccountView, Error> {
        Ok(cx.get::<Account>("account")?.unwrap_or_default().into())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateAccount {
    pub patch_operations: Vec<PatchOperation>,
}

impl Operation for UpdateAccount {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "UpdateAccount";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::PATCH;
    type Output = AccountView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![access::arn(cx, "/account")]
    }

    fn needs(&self, _cx: &Cx<'_>) -> Vec<Need> {
        passed::patched(&self.patch_operations)
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<AccountView, Error> {
        let mut account = cx.get::<Account>("account")?.unwrap_or_default();
        patch::apply(&self.patch_operations, |change| match change.parts()[..] {
            ["cloudwatchRoleArn"] => {
                let arn = change.text()?;
                if let Some(arn) = &arn
                    && !arn.starts_with("arn:")
                {
                    return Err(Error::bad(
                        "The role ARN does not have required permissions set to API Gateway",
                    ));
                }
                account.cloudwatch_role_arn = arn;
                Ok(())
            }
            _ => Err(change.invalid()),
        })?;
        cx.put(&account)?;
        Ok(account.into())
    }
}
