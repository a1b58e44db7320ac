//! Roles handed over to API Gateway, which need `iam:PassRole`: an integration's credentials wherever they may stand, and
//! the account's role for logs. `arn:aws:iam::*:user/*` means the caller's own rights and hands nothing over.

use serde_json::Value;

use super::patch::PatchOperation;
use crate::operation::Need;

const PRINCIPAL: &str = "apigateway.amazonaws.com";

pub fn role(credentials: Option<&str>) -> Vec<Need> {
    let role = credentials.filter(|arn| arn.contains(":role/"));
    role.map(|arn| Need::pass_role(arn, PRINCIPAL)).into_iter().collect()
}

/// Roles that a patch sets.
pub fn patched(changes: &[PatchOperation]) -> Vec<Need> {
    changes.iter().flat_map(|change| role(change.value.as_deref())).collect()
}

/// Roles that an OpenAPI document names in its integrations, in the order of its paths.
pub fn document(value: &Value) -> Vec<Need> {
    let mut needs = Vec::new();
    let operations = value["paths"].as_object().into_iter().flatten();
    for operation in operations.flat_map(|(_, item)| item.as_object().into_iter().flatten()) {
        let credentials = operation.1["x-amazon-apigateway-integration"]["credentials"].as_str();
        for need in role(credentials) {
            if needs.iter().all(|known: &Need| known.resource != need.resource) {
                needs.push(need);
            }
        }
    }
    needs
}
