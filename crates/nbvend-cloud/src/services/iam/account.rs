//! The account as a whole: its alias and its figures.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::access_key::KEYS_LIMIT;
use super::entity::{ATTACHED_LIMIT, Entity, account};
use super::error::Error;
use super::policy_version::VERSIONS_LIMIT;
use super::state::{Group, InstanceProfile, ManagedPolicy, Role, User};
use crate::context::Cx;
use crate::operation::{Kind, Operation};
use crate::store::{GLOBAL, Record, StoreError};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateAccountAlias {
    pub account_alias: String,
}

impl Operation for CreateAccountAlias {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "CreateAccountAlias";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let mut account = account(cx)?;
        if account.alias.as_ref() == Some(&self.account_alias) {
            return Err(Error::AliasExists(self.account_alias));
        }
        // An account has one alias; a new one takes its place.
        account.alias = Some(self.account_alias);
        Ok(cx.put_global(&account)?)
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteAccountAlias {
    pub account_alias: String,
}

impl Operation for DeleteAccountAlias {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "DeleteAccountAlias";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let mut account = account(cx)?;
        if account.alias.as_ref() != Some(&self.account_alias) {
            return Err(Error::NoAlias(self.account_alias));
        }
        account.alias = None;
        Ok(cx.put_global(&account)?)
    }
}

/// There is one alias at most, so that there is never a second page to ask for.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListAccountAliases {
    pub marker: Option<String>,
    pub max_items: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAccountAliasesOutput {
    pub account_aliases: Vec<String>,
    pub is_truncated: bool,
}

impl Operation for ListAccountAliases {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "ListAccountAliases";
    const KIND: Kind = Kind::Read;
    type Output = ListAccountAliasesOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<ListAccountAliasesOutput, Error> {
        Ok(ListAccountAliasesOutput {
            account_aliases: account(cx)?.alias.into_iter().collect(),
            is_truncated: false,
        })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetAccountSummary {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetAccountSummaryOutput {
    pub summary_map: BTreeMap<&'static str, usize>,
}

fn count<R: Record>(cx: &Cx<'_>) -> Result<usize, StoreError> {
    Ok(cx.tx.list::<R>(GLOBAL, "", None, usize::MAX)?.len())
}

impl Operation for GetAccountSummary {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "GetAccountSummary";
    const KIND: Kind = Kind::Read;
    type Output = GetAccountSummaryOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<GetAccountSummaryOutput, Error> {
        let policies = cx.tx.list::<ManagedPolicy>(GLOBAL, "", None, usize::MAX)?;
        let summary_map = BTreeMap::from([
            ("Users", count::<User>(cx)?),
            ("Groups", count::<Group>(cx)?),
            ("Roles", count::<Role>(cx)?),
            ("InstanceProfiles", count::<InstanceProfile>(cx)?),
            ("PolicyVersionsInUse", policies.iter().map(|policy| policy.versions.len()).sum()),
            ("Policies", policies.len()),
            // The root user has one key and no password, device or certificate.
            ("AccountAccessKeysPresent", 1),
            ("AccountPasswordPresent", 0),
            ("AccountMFAEnabled", 0),
            ("AccountSigningCertificatesPresent", 0),
            ("MFADevices", 0),
            ("MFADevicesInUse", 0),
            ("Providers", 0),
            ("ServerCertificates", 0),
            // What is enforced.
            ("AccessKeysPerUserQuota", KEYS_LIMIT),
            ("AttachedPoliciesPerGroupQuota", ATTACHED_LIMIT),
            ("AttachedPoliciesPerRoleQuota", ATTACHED_LIMIT),
            ("AttachedPoliciesPerUserQuota", ATTACHED_LIMIT),
            ("GroupPolicySizeQuota", Group::INLINE_LIMIT),
            ("RolePolicySizeQuota", Role::INLINE_LIMIT),
            ("UserPolicySizeQuota", User::INLINE_LIMIT),
            ("GroupsPerUserQuota", super::membership::GROUPS_PER_USER),
            ("PolicySizeQuota", super::document::MANAGED_LIMIT),
            ("AssumeRolePolicySizeQuota", super::document::TRUST_LIMIT),
            ("VersionsPerPolicyQuota", VERSIONS_LIMIT),
        ]);
        Ok(GetAccountSummaryOutput { summary_map })
    }
}
