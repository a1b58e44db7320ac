//! `DeleteFunction`: a whole function, or one of its versions.

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::name::{Named, function_keys, resource, version_number};
use super::reconcile::CODE;
use super::state::{Alias, EventInvokeConfig, Function, LATEST, Version};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};
use crate::store::{Record, StoreError};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteFunction {
    pub function_name: String,
    pub qualifier: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteFunctionOutput {
    pub status_code: u16,
}

impl Operation for DeleteFunction {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "DeleteFunction";
    const KIND: Kind = Kind::Write;
    type Output = DeleteFunctionOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, self.qualifier.as_deref())
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<DeleteFunctionOutput, Error> {
        let named = Named::read(cx, &self.function_name, self.qualifier.as_deref())?;
        match named.qualifier.as_deref() {
            Some(LATEST) => {
                return Err(Error::parameter(
                    "$LATEST version cannot be deleted without deleting the function.",
                ));
            }
            Some(qualifier) => {
                let number = version_number(qualifier)
                    .ok_or_else(|| Error::parameter("Deletion of aliases is not currently supported."))?;
                version(cx, &named, number)?;
            }
            None => whole(cx, &named)?,
        }
        cx.wake(CODE);
        Ok(DeleteFunctionOutput { status_code: 204 })
    }
}

/// One version. As on AWS, one that is not there is no error.
fn version(cx: &Cx<'_>, named: &Named, number: u64) -> Result<(), Error> {
    let mut function = named.function(cx)?;
    let prefix = format!("{}:", named.name);
    let aliases = cx.tx.list::<Alias>(cx.region(), &prefix, None, usize::MAX)?;
    let version = number.to_string();
    let user = aliases.iter().find(|a| a.version == version || a.weights.contains_key(&version));
    if let Some(alias) = user {
        return Err(Error::VersionInUse(alias.name.clone()));
    }
    cx.delete::<Version>(&Version::key_of(&named.name, number))?;
    cx.delete::<EventInvokeConfig>(&EventInvokeConfig::key_of(&named.name, &version))?;
    if function.policies.remove(&version).is_some() {
        cx.put(&function)?;
    }
    Ok(())
}

fn whole(cx: &Cx<'_>, named: &Named) -> Result<(), Error> {
    let function = named.function(cx)?;
    all::<Version>(cx, &function.name)?;
    all::<Alias>(cx, &function.name)?;
    all::<EventInvokeConfig>(cx, &function.name)?;
    cx.delete::<Function>(&function.name)?;
    Ok(())
}

fn all<R: Record>(cx: &Cx<'_>, function: &str) -> Result<(), StoreError> {
    for record in cx.tx.list::<R>(cx.region(), &format!("{function}:"), None, usize::MAX)? {
        cx.delete::<R>(&record.key())?;
    }
    Ok(())
}
