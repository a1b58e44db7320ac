//! What the account asks of passwords. Passwords do not expire here and old ones are not kept, so the settings about
//! that are refused by name.

use serde::{Deserialize, Serialize};

use super::entity::account;
use super::error::Error;
use crate::context::Cx;
use crate::operation::{Kind, Operation};

/// The shortest password where the policy does not say: AWS's figure.
const SHORTEST: usize = 6;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordRules {
    pub minimum_length: usize,
    pub symbols: bool,
    pub numbers: bool,
    pub uppercase: bool,
    pub lowercase: bool,
}

/// Replaces the policy: what is not given has its default.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateAccountPasswordPolicy {
    pub minimum_password_length: Option<usize>,
    pub require_symbols: bool,
    pub require_numbers: bool,
    pub require_uppercase_characters: bool,
    pub require_lowercase_characters: bool,
}

impl Operation for UpdateAccountPasswordPolicy {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "UpdateAccountPasswordPolicy";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let mut account = account(cx)?;
        account.password_rules = Some(PasswordRules {
            minimum_length: self.minimum_password_length.unwrap_or(SHORTEST),
            symbols: self.require_symbols,
            numbers: self.require_numbers,
            uppercase: self.require_uppercase_characters,
            lowercase: self.require_lowercase_characters,
        });
        Ok(cx.put_global(&account)?)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetAccountPasswordPolicy {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetAccountPasswordPolicyOutput {
    pub password_policy: PolicyView,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyView {
    pub minimum_password_length: usize,
    pub require_symbols: bool,
    pub require_numbers: bool,
    pub require_uppercase_characters: bool,
    pub require_lowercase_characters: bool,
    pub allow_users_to_change_password: bool,
    pub expire_passwords: bool,
}

fn missing(cx: &Cx<'_>) -> Error {
    Error::NoPasswordPolicy(cx.account().to_owned())
}

impl Operation for GetAccountPasswordPolicy {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "GetAccountPasswordPolicy";
    const KIND: Kind = Kind::Read;
    type Output = GetAccountPasswordPolicyOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<GetAccountPasswordPolicyOutput, Error> {
        let rules = account(cx)?.password_rules.ok_or_else(|| missing(cx))?;
        Ok(GetAccountPasswordPolicyOutput {
            password_policy: PolicyView {
                minimum_password_length: rules.minimum_length,
                require_symbols: rules.symbols,
                require_numbers: rules.numbers,
                require_uppercase_characters: rules.uppercase,
                require_lowercase_characters: rules.lowercase,
                // What lets them is a policy.
                allow_users_to_change_password: false,
                expire_passwords: false,
            },
        })
    }
}

/// Back to AWS's default rules.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteAccountPasswordPolicy {}

impl Operation for DeleteAccountPasswordPolicy {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "DeleteAccountPasswordPolicy";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let mut account = account(cx)?;
        if account.password_rules.take().is_none() {
            return Err(missing(cx));
        }
        Ok(cx.put_global(&account)?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn rules_are_kept_and_enforced() {
        let world = World::new();
        let error = world.wire("iam", "GetAccountPasswordPolicy", json!({})).await.unwrap_err();
        assert_eq!(error.message, "The Password Policy with domain name 123456789012 cannot be found.");
        world.wire("iam", "CreateUser", json!({"UserName": "alice"})).await.unwrap();
        let set = json!({"MinimumPasswordLength": 20, "RequireNumbers": true});
        world.wire("iam", "UpdateAccountPasswordPolicy", set).await.unwrap();
        let got = world.wire("iam", "GetAccountPasswordPolicy", json!({})).await.unwrap();
        assert_eq!(got["PasswordPolicy"]["MinimumPasswordLength"], 20);
        let short = json!({"UserName": "alice", "Password": "Secret-12"});
        let error = world.wire("iam", "CreateLoginProfile", short.clone()).await.unwrap_err();
        assert_eq!(error.code, "PasswordPolicyViolation");
        world.wire("iam", "DeleteAccountPasswordPolicy", json!({})).await.unwrap();
        world.wire("iam", "CreateLoginProfile", short).await.unwrap();
    }
}
