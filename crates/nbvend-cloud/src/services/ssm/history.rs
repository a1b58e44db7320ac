//! `GetParameterHistory`: all versions that are kept, oldest first.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::Error;
use super::parameter::{PolicyView, policies};
use super::state::{Parameter, ParameterVersion};
use super::{crypt, name, page};
use crate::context::Cx;
use crate::operation::{Kind, Operation};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetParameterHistory {
    pub name: String,
    pub with_decryption: bool,
    pub max_results: Option<usize>,
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetParameterHistoryOutput {
    pub parameters: Vec<Past>,
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Past {
    pub name: String,
    #[serde(rename = "Type")]
    pub kind: String,
    pub key_id: Option<String>,
    pub last_modified_date: Timestamp,
    pub last_modified_user: String,
    pub description: Option<String>,
    pub value: String,
    pub allowed_pattern: Option<String>,
    pub version: i64,
    pub labels: Vec<String>,
    pub tier: String,
    pub policies: Vec<PolicyView>,
    pub data_type: String,
}

/// The policies of a version that is past are shown as they ended: replaced, or done.
fn past_policies(parameter: &Parameter, version: &ParameterVersion) -> Vec<PolicyView> {
    if version.version == parameter.current.version {
        return policies(parameter);
    }
    let kind = |text: &str| {
        let policy: Value = serde_json::from_str(text).unwrap_or_default();
        match policy["Type"].as_str() {
            Some("Expiration") => "Expiration",
            Some("ExpirationNotification") => "ExpirationNotification",
            _ => "NoChangeNotification",
        }
    };
    let shown = |text: &String| PolicyView {
        policy_type: kind(text),
        policy_text: text.clone(),
        policy_status: "Finished",
    };
    version.policies.iter().map(shown).collect()
}

impl Operation for GetParameterHistory {
    const SERVICE: &'static str = "ssm";
    const NAME: &'static str = "GetParameterHistory";
    const KIND: Kind = Kind::Read;
    const SENSITIVE: &'static [&'static str] = &["Value"];
    type Output = GetParameterHistoryOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![name::given_arn(cx, &self.name)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GetParameterHistoryOutput, Error> {
        let parameter = name::select(cx, &self.name)?.parameter;
        let arn = name::arn(cx, &parameter.name);
        let limit = self.max_results.unwrap_or(50);
        let after = page::after(self.next_token.as_deref())?;
        let after = after.map(|after| after.parse::<i64>().map_err(|_| Error::NextToken)).transpose()?;
        let mut versions = parameter.versions(cx, after, limit + 1)?;
        let more = versions.len() > limit;
        versions.truncate(limit);
        let next_token = versions.last().filter(|_| more).map(|last| page::token(&last.version.to_string()));
        let mut parameters = Vec::new();
        for version in versions {
            let open = self.with_decryption && version.is_secure();
            parameters.push(Past {
                value: if open { crypt::decrypt(cx, &arn, &version.value)? } else { version.value.clone() },
                labels: parameter.labels_of(version.version),
                policies: past_policies(&parameter, &version),
                name: version.name,
                kind: version.kind,
                key_id: version.key_id,
                last_modified_date: version.modified,
                last_modified_user: version.modified_by,
                description: version.description,
                allowed_pattern: version.allowed_pattern,
                version: version.version,
                tier: version.tier,
                data_type: version.data_type,
            });
        }
        Ok(GetParameterHistoryOutput { parameters, next_token })
    }
}
