//! `DeleteParameter`, `DeleteParameters`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::Error;
use super::state::Parameter;
use super::{event, name, tags};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

fn delete(cx: &Cx<'_>, name: &str) -> Result<(), Error> {
    let parameter = Parameter::find(cx, name.trim())?;
    parameter.remove(cx)?;
    Ok(event::changed(cx, &parameter, "Delete")?)
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteParameter {
    pub name: String,
}

impl Operation for DeleteParameter {
    const SERVICE: &'static str = "ssm";
    const NAME: &'static str = "DeleteParameter";
    const KIND: Kind = Kind::Write;
    type Output = Map<String, Value>;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![name::arn(cx, self.name.trim())]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        tags::resource_keys(cx, self.name.trim(), keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Self::Output, Error> {
        delete(cx, &self.name)?;
        Ok(Map::new())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteParameters {
    pub names: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteParametersOutput {
    pub deleted_parameters: Vec<String>,
    pub invalid_parameters: Vec<String>,
}

impl Operation for DeleteParameters {
    const SERVICE: &'static str = "ssm";
    const NAME: &'static str = "DeleteParameters";
    const KIND: Kind = Kind::Write;
    type Output = DeleteParametersOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        self.names.iter().map(|given| name::arn(cx, given.trim())).collect()
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<DeleteParametersOutput, Error> {
        let mut output =
            DeleteParametersOutput { deleted_parameters: Vec::new(), invalid_parameters: Vec::new() };
        for name in self.names {
            match delete(cx, &name) {
                Ok(()) => output.deleted_parameters.push(name),
                Err(Error::ParameterNotFound) => output.invalid_parameters.push(name),
                Err(error) => return Err(error),
            }
        }
        Ok(output)
    }
}
