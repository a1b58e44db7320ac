//! `GetParameter`, `GetParameters`.

use serde::{Deserialize, Serialize};

use super::super::error::Error;
use super::super::{name, tags};
use super::view::{ParameterView, view};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// A parameter's value: the current one, or with `name:version` or `name:label` that one.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetParameter {
    pub name: String,
    pub with_decryption: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetParameterOutput {
    pub parameter: ParameterView,
}

impl Operation for GetParameter {
    const SERVICE: &'static str = "ssm";
    const NAME: &'static str = "GetParameter";
    const KIND: Kind = Kind::Read;
    const SENSITIVE: &'static [&'static str] = &["Value"];
    type Output = GetParameterOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![name::given_arn(cx, &self.name)]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        // By whatever form the name is given: an ARN, or with a version or label behind it.
        if let Ok(selected) = name::select(cx, &self.name) {
            tags::resource_keys(cx, &selected.parameter.name, keys);
        }
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GetParameterOutput, Error> {
        let selected = name::select(cx, &self.name)?;
        Ok(GetParameterOutput { parameter: view(cx, selected, self.with_decryption)? })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetParameters {
    pub names: Vec<String>,
    pub with_decryption: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetParametersOutput {
    pub parameters: Vec<ParameterView>,
    /// Names, as given, of which there is no parameter or no such version.
    pub invalid_parameters: Vec<String>,
}

impl Operation for GetParameters {
    const SERVICE: &'static str = "ssm";
    const NAME: &'static str = "GetParameters";
    const KIND: Kind = Kind::Read;
    const SENSITIVE: &'static [&'static str] = &["Value"];
    type Output = GetParametersOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        self.names.iter().map(|given| name::given_arn(cx, given)).collect()
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GetParametersOutput, Error> {
        let mut output = GetParametersOutput { parameters: Vec::new(), invalid_parameters: Vec::new() };
        for given in self.names {
            match name::select(cx, &given) {
                Ok(selected) => output.parameters.push(view(cx, selected, self.with_decryption)?),
                Err(Error::ParameterNotFound | Error::VersionNotFound { .. }) => {
                    output.invalid_parameters.push(given);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(output)
    }
}
