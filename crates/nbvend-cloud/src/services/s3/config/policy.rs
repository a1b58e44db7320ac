//! Bucket policies: read and checked when put, kept as they were written.

use nbvend_policy::{Kind as PolicyKind, Problem};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::change;
use crate::context::Cx;
use crate::error::EngineError;
use crate::identity::Principal;
use crate::operation::{Kind, Operation};
use crate::services::s3::error::Error;
use crate::services::s3::state::{Bucket, bucket_arn};

/// S3's limit, in bytes.
const LARGEST: usize = 20 * 1024;

/// Replaces the bucket's policy.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutBucketPolicy {
    #[serde(rename = "BucketName")]
    pub bucket: String,
    #[serde(rename = "BucketPolicy")]
    pub policy: String,
}

impl Operation for PutBucketPolicy {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "PutBucketPolicy";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let bucket = Bucket::load(cx, &self.bucket)?;
        check(cx, &bucket.name, &self.policy)?;
        if bucket.public_access.is_some_and(|settings| settings.block_public_policy)
            && is_public(&self.policy)
        {
            return Err(Error::PublicPolicyBlocked {
                who: cx.caller.principal.arn(cx.account()),
                bucket: bucket_arn(cx, &bucket.name),
            });
        }
        change(cx, &self.bucket, |bucket| bucket.policy = Some(self.policy))
    }
}

fn check(cx: &Cx<'_>, bucket: &str, text: &str) -> Result<(), Error> {
    let malformed = |text: &str| Error::MalformedPolicy(text.to_owned());
    if text.len() > LARGEST {
        return Err(malformed("Policy exceeds the maximum allowed document size."));
    }
    if !text.trim_start().starts_with('{') {
        return Err(malformed("Policies must be valid JSON and the first byte must be '{'"));
    }
    let suffix = &cx.config().url_suffix;
    if let Err(error) = nbvend_policy::validate_in(text, PolicyKind::Resource, Some(suffix)) {
        let aws = match error.problem {
            Problem::InvalidJson => "Policies must be valid JSON and the first byte must be '{'".to_owned(),
            Problem::Principal => "Invalid principal in policy".to_owned(),
            Problem::Action | Problem::NoActions => "Policy has invalid action".to_owned(),
            Problem::Resource | Problem::NoResources => "Policy has invalid resource".to_owned(),
            _ if !text.contains("\"Statement\"") => "Missing required field Statement".to_owned(),
            _ => error.to_string(),
        };
        return Err(Error::MalformedPolicy(aws));
    }
    // A bucket's policy speaks of that bucket and its objects alone, and of S3's actions.
    let document: Value =
        serde_json::from_str(text).map_err(|error| Error::MalformedPolicy(error.to_string()))?;
    for statement in each(&document["Statement"]) {
        let own = |resource: &str| {
            let rest = resource.split_once(":s3:::").map(|(_, rest)| rest);
            rest.is_some_and(|rest| {
                rest == bucket || rest.strip_prefix(bucket).is_some_and(|rest| rest.starts_with('/'))
            })
        };
        let resources = each(&statement["Resource"]).chain(each(&statement["NotResource"]));
        if resources.filter_map(Value::as_str).any(|resource| !own(resource)) {
            return Err(malformed("Policy has invalid resource"));
        }
        let actions = each(&statement["Action"]).chain(each(&statement["NotAction"]));
        let s3 = |action: &str| action == "*" || action.to_ascii_lowercase().starts_with("s3:");
        if actions.filter_map(Value::as_str).any(|action| !s3(action)) {
            return Err(malformed("Policy has invalid action"));
        }
    }
    Ok(())
}

/// One or several, as the policy language has it.
fn each(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Null => Box::new(std::iter::empty()),
        Value::Array(items) => Box::new(items.iter()),
        one => Box::new(std::iter::once(one)),
    }
}

/// The policy that stands on a bucket and its objects. With RestrictPublicBuckets a public one says nothing to those who
/// are not of the account.
pub fn of_resource(cx: &Cx<'_>, arn: &str) -> Result<Option<String>, EngineError> {
    let rest = arn.split_once(":s3:::").map_or("", |(_, rest)| rest);
    let name = rest.split('/').next().unwrap_or_default();
    let Some(bucket) = cx.get_global::<Bucket>(name)? else { return Ok(None) };
    let restricted = bucket.public_access.is_some_and(|settings| settings.restrict_public_buckets);
    let stranger = cx.caller.principal == Principal::Anonymous;
    Ok(bucket.policy.filter(|text| !(restricted && stranger && is_public(text))))
}

/// Whether a policy lets everybody in: an Allow for `*` that no condition ties to somebody (S3's page "The meaning of
/// public").
pub fn is_public(text: &str) -> bool {
    const TIES: &[&str] = &[
        "aws:principalorgid",
        "aws:principalarn",
        "aws:principalaccount",
        "aws:sourcearn",
        "aws:sourceaccount",
        "aws:sourceorgid",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourceip",
        "aws:userid",
        "aws:sourceowner",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    ];
    let Ok(document) = serde_json::from_str::<Value>(text) else { return false };
    each(&document["Statement"]).any(|statement| {
        let everybody = match &statement["Principal"] {
            Value::Object(kinds) => kinds.values().flat_map(each).any(|value| value == "*"),
            one => one == "*",
        };
        let fixed = |value: &Value| {
            value.as_str().is_some_and(|text| !text.contains(['*', '?', '$']) && text != "0.0.0.0/0")
        };
        let tied = statement["Condition"].as_object().is_some_and(|operators| {
            operators.iter().filter(|(operator, _)| !operator.contains("Not")).any(|(_, keys)| {
                keys.as_object().is_some_and(|keys| {
                    let ties = |(key, values): (&String, &Value)| {
                        TIES.contains(&key.to_ascii_lowercase().as_str()) && each(values).all(fixed)
                    };
                    keys.iter().any(ties)
                })
            })
        });
        statement["Effect"] == "Allow" && (everybody || !statement["NotPrincipal"].is_null()) && !tied
    })
}

/// The policy as it was put.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GetBucketPolicy {
    #[serde(rename = "BucketName")]
    pub bucket: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyView {
    pub policy: String,
}

impl Operation for GetBucketPolicy {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "GetBucketPolicy";
    const KIND: Kind = Kind::Read;
    type Output = PolicyView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<PolicyView, Error> {
        let bucket = Bucket::load(cx, &self.bucket)?;
        let policy = bucket.policy.ok_or(Error::NoSuchBucketPolicy(bucket.name))?;
        Ok(PolicyView { policy })
    }
}

/// Whether the policy is public.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GetBucketPolicyStatus {
    #[serde(rename = "BucketName")]
    pub bucket: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyStatusView {
    pub is_public: bool,
}

impl Operation for GetBucketPolicyStatus {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "GetBucketPolicyStatus";
    const KIND: Kind = Kind::Read;
    type Output = PolicyStatusView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<PolicyStatusView, Error> {
        let bucket = Bucket::load(cx, &self.bucket)?;
        let policy = bucket.policy.ok_or(Error::NoSuchBucketPolicy(bucket.name))?;
        Ok(PolicyStatusView { is_public: is_public(&policy) })
    }
}

/// Takes the policy away.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeleteBucketPolicy {
    #[serde(rename = "BucketName")]
    pub bucket: String,
}

impl Operation for DeleteBucketPolicy {
    const SERVICE: &'static str = "s3";
    const NAME: &'static str = "DeleteBucketPolicy";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![bucket_arn(cx, &self.bucket)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        change(cx, &self.bucket, |bucket| bucket.policy = None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_everybody() {
        let policy = |principal: &str, effect: &str, condition: &str| {
            let text = format!(
                r#"{{"Version":"2012-10-17","Statement":{{"Effect":"{effect}","Principal":{principal},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"{condition}}}}}"#
            );
            is_public(&text)
        };
        assert!(policy(r#""*""#, "Allow", ""));
        assert!(policy(r#"{"AWS":["111122223333","*"]}"#, "Allow", ""));
        assert!(policy(
            r#""*""#,
            "Allow",
            r#","Condition":{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::*"}}"#
        ));
        assert!(policy(r#""*""#, "Allow", r#","Condition":{"Bool":{"aws:SecureTransport":"true"}}"#));
        assert!(!policy(r#""*""#, "Deny", ""));
        assert!(!policy(r#"{"Service":"servicecatalog.amazonaws.com"}"#, "Allow", ""));
        assert!(!policy(
            r#""*""#,
            "Allow",
            r#","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}"#
        ));
    }
}
