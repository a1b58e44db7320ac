//! `UpdateRestApi`: an API's settings, one patch operation after another.

use serde::{Deserialize, Serialize};

use super::access;
use super::error::Error;
use super::patch::{self, Change, PatchOperation};
use super::policy;
use super::rest_api::{RestApiView, api_key_source, endpoint_type};
use super::state::RestApi;
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateRestApi {
    pub rest_api_id: String,
    pub patch_operations: Vec<PatchOperation>,
}

impl Operation for UpdateRestApi {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "UpdateRestApi";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::PATCH;
    type Output = RestApiView;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        access::api(cx, &self.rest_api_id, "")
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        access::resource_tags(cx, &self.rest_api_id, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<RestApiView, Error> {
        let mut api = RestApi::find(cx, &self.rest_api_id)?;
        patch::apply(&self.patch_operations, |change| one(cx, &mut api, change))?;
        cx.put(&api)?;
        Ok(api.into())
    }
}

fn one(cx: &Cx<'_>, api: &mut RestApi, change: &Change<'_>) -> Result<(), Error> {
    match change.parts()[..] {
        ["name"] => {
            let name = change.replaced()?;
            if name.trim().is_empty() {
                return Err(Error::bad("API name cannot be blank"));
            }
            name.clone_into(&mut api.name);
        }
        ["description"] => api.description = change.text()?,
        ["version"] => api.version = change.text()?,
        ["policy"] => api.policy = policy::stored(cx, &api.id, change.text()?.as_deref())?,
        ["apiKeySource"] => api.api_key_source = api_key_source(change.replaced()?)?,
        ["disableExecuteApiEndpoint"] => {
            change.replaced()?;
            api.disable_execute_api_endpoint = change.flag()?;
        }
        ["minimumCompressionSize"] => return Err(Error::unsupported("minimumCompressionSize")),
        ["binaryMediaTypes", media_type] => media(api, change, media_type)?,
        ["endpointConfiguration", "types", _] => {
            if change.op != "replace" {
                return Err(Error::bad(
                    "Invalid patch operation specified. Must be 'add'|'remove'|'replace'",
                ));
            }
            endpoint_type(change.value()?)?.clone_into(&mut api.endpoint_type);
        }
        ["endpointConfiguration", "ipAddressType"] => match change.replaced()? {
            kind @ ("ipv4" | "dualstack") => kind.clone_into(&mut api.ip_address_type),
            _ => return Err(Error::bad("ipAddressType must be either ipv4 or dualstack.")),
        },
        _ => return Err(change.invalid()),
    }
    Ok(())
}

/// The type to change stands in the path, the new one of a `replace` in the value.
fn media(api: &mut RestApi, change: &Change<'_>, media_type: &str) -> Result<(), Error> {
    let types = &mut api.binary_media_types;
    let at = types.iter().position(|known| known == media_type);
    match (change.op, at) {
        ("add", None) => types.push(media_type.to_owned()),
        ("add", Some(_)) => {}
        ("remove", Some(at)) => {
            types.remove(at);
        }
        ("replace", Some(at)) => change.value()?.clone_into(&mut types[at]),
        ("remove" | "replace", None) => return Err(change.invalid()),
        _ => return Err(change.unsupported_op()),
    }
    Ok(())
}
