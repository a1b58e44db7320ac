//! Resource policies of APIs: checked when they are stored, evaluated by the data plane.

use nbvend_policy::{Kind, Policy};
use nbvend_wire::arn::Arn;
use serde_json::Value;

use super::error::Error;
use crate::context::Cx;

/// What may be stored of a policy. `execute-api:/Prod/GET/x` is short for the full ARN of this API, and API Gateway
/// writes it out when it stores the policy (developer guide, "Create and attach a resource policy"). An empty text
/// takes the policy away.
pub fn stored(cx: &Cx<'_>, api: &str, text: Option<&str>) -> Result<Option<String>, Error> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let wrong = || {
        Error::bad(
            "Invalid policy document. Please check the policy syntax and ensure that Principals are valid.",
        )
    };
    let mut document: Value = serde_json::from_str(text).map_err(|_| wrong())?;
    let full = Arn::new("execute-api", cx.region(), cx.account(), api).to_string();
    let statements = match document.get_mut("Statement") {
        Some(Value::Array(statements)) => statements.as_mut_slice(),
        Some(one) => std::slice::from_mut(one),
        None => return Err(wrong()),
    };
    for statement in statements {
        for member in ["Resource", "NotResource"] {
            match statement.get_mut(member) {
                Some(Value::Array(resources)) => {
                    resources.iter_mut().for_each(|resource| write_out(resource, &full));
                }
                Some(resource) => write_out(resource, &full),
                None => {}
            }
        }
    }
    let text = document.to_string();
    nbvend_policy::validate_in(&text, Kind::Resource, Some(&cx.config().url_suffix)).map_err(|_| wrong())?;
    Ok(Some(text))
}

fn write_out(resource: &mut Value, api_arn: &str) {
    if let Some(path) = resource.as_str().and_then(|text| text.strip_prefix("execute-api:/")) {
        *resource = Value::String(format!("{api_arn}/{path}"));
    }
}

/// AWS shows a policy with its quotes escaped once more than JSON needs; clients (Terraform's provider for one)
/// undo that, so it is part of the contract.
pub fn shown(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('/', "\\/")
}

/// The policy as the data plane evaluates it.
pub fn compiled(text: &str, url_suffix: &str) -> Option<Policy> {
    Policy::parse_in(text, Kind::Resource, Some(url_suffix)).ok()
}
