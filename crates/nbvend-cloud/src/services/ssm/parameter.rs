//! `PutParameter`, `GetParameter`.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::state::{Parameter, ParameterVersion};
use crate::context::Cx;
use crate::operation::{Kind, Operation};

/// The ARN of a parameter: a leading slash of the name is not doubled.
pub fn arn(cx: &Cx<'_>, name: &str) -> String {
    cx.arn("ssm", &format!("parameter/{}", name.trim_start_matches('/')))
}

/// Makes a parameter or, with `Overwrite`, its next version.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutParameter {
    pub name: String,
    pub value: String,
    #[serde(rename = "Type")]
    pub kind: Option<String>,
    pub description: Option<String>,
    #[serde(default)]
    pub overwrite: bool,
    pub tier: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutParameterOutput {
    pub version: i64,
    pub tier: String,
}

impl Operation for PutParameter {
    const SERVICE: &'static str = "ssm";
    const NAME: &'static str = "PutParameter";
    const KIND: Kind = Kind::Write;
    const SENSITIVE: &'static [&'static str] = &["Value"];
    type Output = PutParameterOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![arn(cx, &self.name)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<PutParameterOutput, Error> {
        let old = cx.get::<Parameter>(&self.name)?;
        if old.is_some() && !self.overwrite {
            return Err(Error::ParameterAlreadyExists);
        }
        let mut parameter = old.unwrap_or(Parameter { name: self.name, versions: Vec::new() });
        let (version, kind) = match parameter.current() {
            Some(current) => (current.version + 1, self.kind.unwrap_or_else(|| current.kind.clone())),
            None => (1, self.kind.ok_or_else(|| Error::Validation("A parameter type is required when you create a parameter.".to_owned()))?),
        };
        parameter.versions.push(ParameterVersion {
            version,
            kind,
            value: self.value,
            description: self.description,
            modified: cx.now(),
            modified_by: cx.caller.principal.arn(cx.account()),
        });
        cx.put(&parameter)?;
        Ok(PutParameterOutput { version, tier: self.tier.unwrap_or_else(|| "Standard".to_owned()) })
    }
}

/// A parameter's current value.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetParameter {
    pub name: String,
    #[serde(default)]
    pub with_decryption: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetParameterOutput {
    pub parameter: ParameterView,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ParameterView {
    pub name: String,
    #[serde(rename = "Type")]
    pub kind: String,
    pub value: String,
    pub version: i64,
    pub last_modified_date: Timestamp,
    #[serde(rename = "ARN")]
    pub arn: String,
    pub data_type: String,
}

impl Operation for GetParameter {
    const SERVICE: &'static str = "ssm";
    const NAME: &'static str = "GetParameter";
    const KIND: Kind = Kind::Read;
    type Output = GetParameterOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![arn(cx, &self.name)]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GetParameterOutput, Error> {
        let parameter = cx.get::<Parameter>(&self.name)?.ok_or(Error::ParameterNotFound)?;
        let current = parameter.current().ok_or(Error::ParameterNotFound)?;
        Ok(GetParameterOutput {
            parameter: ParameterView {
                arn: arn(cx, &parameter.name),
                name: parameter.name.clone(),
                kind: current.kind.clone(),
                value: current.value.clone(),
                version: current.version,
                last_modified_date: current.modified,
                data_type: "text".to_owned(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn a_parameter_survives_a_restart() {
        let world = World::new();
        let put = json!({"Name": "/a/b", "Value": "secret-value", "Type": "String"});
        assert_eq!(world.wire("ssm", "PutParameter", put.clone()).await.unwrap()["Version"], 1);
        let again = world.wire("ssm", "PutParameter", put).await.unwrap_err();
        assert_eq!((again.code.as_ref(), again.status), ("ParameterAlreadyExists", 400));
        let world = world.restart();
        let got = world.wire("ssm", "GetParameter", json!({"Name": "/a/b"})).await.unwrap();
        assert_eq!(got["Parameter"]["Value"], "secret-value");
        assert_eq!(got["Parameter"]["ARN"], "arn:aws:ssm:us-east-1:123456789012:parameter/a/b");
    }
}
