//! Which condition keys policies ask for, so that a simulation can be given all of them.

use nbvend_policy::Kind as PolicyKind;
use serde::{Deserialize, Serialize};

use super::effective::Held;
use super::error::Error;
use super::simulate::{held_by, policy};
use crate::context::Cx;
use crate::operation::{Kind, Operation};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetContextKeysForCustomPolicy {
    pub policy_input_list: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContextKeyNames {
    pub context_key_names: Vec<String>,
}

impl Operation for GetContextKeysForCustomPolicy {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "GetContextKeysForCustomPolicy";
    const KIND: Kind = Kind::Read;
    type Output = ContextKeyNames;
    type Error = Error;

    fn run(self, _cx: &mut Cx<'_>) -> Result<ContextKeyNames, Error> {
        keys(&self.policy_input_list, &Held::default())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetContextKeysForPrincipalPolicy {
    pub policy_source_arn: String,
    pub policy_input_list: Vec<String>,
}

impl Operation for GetContextKeysForPrincipalPolicy {
    const SERVICE: &'static str = "iam";
    const NAME: &'static str = "GetContextKeysForPrincipalPolicy";
    const KIND: Kind = Kind::Read;
    type Output = ContextKeyNames;
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.policy_source_arn.clone()]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<ContextKeyNames, Error> {
        keys(&self.policy_input_list, &held_by(cx, &self.policy_source_arn)?)
    }
}

fn keys(texts: &[String], held: &Held) -> Result<ContextKeyNames, Error> {
    let mut names: Vec<String> = Vec::new();
    let given = texts.iter().map(|text| policy(text, PolicyKind::Identity)).collect::<Result<Vec<_>, _>>()?;
    for policy in held.identity.iter().map(|(_, policy)| policy).chain(&given) {
        for key in policy.context_keys() {
            if !names.iter().any(|known| known.eq_ignore_ascii_case(&key)) {
                names.push(key);
            }
        }
    }
    Ok(ContextKeyNames { context_key_names: names })
}
