//! The events of Parameter Store, in the shapes of its documentation: `Parameter Store Change` and `Parameter Store Policy
//! Action`.

use serde_json::json;

use super::name;
use super::policy::Policy;
use super::state::Parameter;
use crate::context::Cx;
use crate::outbox::Event;
use crate::store::StoreError;

/// `Create`, `Update`, `Delete` or `LabelParameterVersion`.
pub fn changed(cx: &Cx<'_>, parameter: &Parameter, operation: &str) -> Result<(), StoreError> {
    let mut detail = json!({"operation": operation, "name": parameter.name, "type": parameter.current.kind});
    if let Some(description) = &parameter.current.description {
        detail["description"] = json!(description);
    }
    cx.emit(&Event {
        source: "aws.ssm".to_owned(),
        detail_type: "Parameter Store Change".to_owned(),
        resources: vec![name::arn(cx, &parameter.name)],
        detail,
    })
}

/// A policy acted.
pub fn policy_acted(
    cx: &Cx<'_>,
    parameter: &Parameter,
    policy: &Policy,
    reason: &str,
) -> Result<(), StoreError> {
    cx.emit(&Event {
        source: "aws.ssm".to_owned(),
        detail_type: "Parameter Store Policy Action".to_owned(),
        resources: vec![name::arn(cx, &parameter.name)],
        detail: json!({
            "parameter-name": parameter.name,
            "parameter-type": parameter.current.kind,
            "policy-type": policy.kind.name(),
            "policy-content": policy.text,
            "action-status": "Success",
            "action-reason": reason,
        }),
    })
}
