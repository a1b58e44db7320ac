//! A version of a parameter as clients see it.

use nbvend_wire::timestamp::Timestamp;
use serde::Serialize;

use super::super::error::Error;
use super::super::name::{self, Selected};
use super::super::state::Parameter;
use super::super::{crypt, policy::Policy};
use crate::context::Cx;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ParameterView {
    pub name: String,
    #[serde(rename = "Type")]
    pub kind: String,
    /// Of a `SecureString` the ciphertext in base64, unless decryption was asked for.
    pub value: String,
    pub version: i64,
    pub selector: Option<String>,
    pub last_modified_date: Timestamp,
    #[serde(rename = "ARN")]
    pub arn: String,
    pub data_type: String,
}

pub fn view(cx: &Cx<'_>, selected: Selected, decrypt: bool) -> Result<ParameterView, Error> {
    let Selected { version, selector, .. } = selected;
    let arn = name::arn(cx, &version.name);
    let secret = version.is_secure();
    let value = if decrypt && secret { crypt::decrypt(cx, &arn, &version.value)? } else { version.value };
    Ok(ParameterView {
        name: version.name,
        kind: version.kind,
        value,
        version: version.version,
        selector,
        last_modified_date: version.modified,
        arn,
        data_type: version.data_type,
    })
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyView {
    pub policy_text: String,
    pub policy_type: &'static str,
    /// `Pending` or `Finished`.
    pub policy_status: &'static str,
}

pub fn policies(parameter: &Parameter) -> Vec<PolicyView> {
    let shown = |policy: &Policy| PolicyView {
        policy_text: policy.text.clone(),
        policy_type: policy.kind.name(),
        policy_status: if policy.finished { "Finished" } else { "Pending" },
    };
    parameter.policies.iter().map(shown).collect()
}
