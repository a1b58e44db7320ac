//! The Lambda integration of a method.

use super::{Editor, INTEGRATION, method_name};
use crate::sam::intrinsics::make_conditional;
use crate::sam::node::{Dict, Node, Text, ordered};

/// The credentials that stand for the caller's own.
fn caller_credentials(partition: &str) -> String {
    format!("arn:{partition}:iam::*:user/*")
}

/// What an `Api` event says about its integration.
pub(crate) struct Integration<'a> {
    pub(crate) uri: Node,
    /// The event's own `Auth` and the API's.
    pub(crate) auth: &'a Dict,
    pub(crate) api_auth: &'a Dict,
    pub(crate) partition: &'a str,
    /// The function's condition.
    pub(crate) condition: Option<&'a Node>,
    /// Whether the response is streamed.
    pub(crate) streams: bool,
}

impl Editor {
    pub(crate) fn add_integration(&mut self, path: &Text, method: &Text, integration: &Integration<'_>) {
        self.add_path(path, method);
        let method = method_name(method);
        let uri = match integration.condition {
            Some(condition) => make_conditional(condition.clone(), integration.uri.clone()),
            None => integration.uri.clone(),
        };
        let credentials = credentials(integration.auth, integration.api_auth, integration.partition);
        for item in self.path_items_mut(path) {
            let Some(definition) = item.get_mut(&method) else { continue };
            if let Some(definition) = definition.as_dict_mut() {
                let mut made =
                    ordered! { "type" => "aws_proxy", "httpMethod" => "POST", "uri" => uri.clone() };
                if integration.streams {
                    made.insert("responseTransferMode", "STREAM");
                }
                if let Some(credentials) = &credentials {
                    made.insert("credentials", credentials.clone());
                }
                definition.insert(INTEGRATION, made);
                definition.entry("responses", || Dict::py27().into());
            }
            if let Some(condition) = integration.condition {
                let inner = std::mem::replace(definition, Node::Null);
                *definition = make_conditional(condition.clone(), inner);
            }
        }
    }

    pub(crate) fn set_timeout(&mut self, path: &str, method: &Text, timeout: &Node) {
        for definition in self.definitions_of(path, method) {
            if let Some(Node::Dict(integration)) = definition.get_mut(INTEGRATION) {
                integration.insert("timeoutInMillis", timeout.clone());
            }
        }
    }
}

/// As whom API Gateway invokes the function behind IAM authorisation: the caller, unless a role or NONE is named.
fn credentials(auth: &Dict, api_auth: &Dict, partition: &str) -> Option<Node> {
    let iam = |auth: &Dict, key: &str| auth.str(key) == Some("AWS_IAM");
    let by_default = iam(api_auth, "DefaultAuthorizer") && auth.is_empty();
    if !iam(auth, "Authorizer") && !by_default {
        return None;
    }
    let role = |auth: &Dict| match auth.get("InvokeRole") {
        Some(role) if !role.truthy() => Some(Node::from("NONE")),
        other => other.cloned(),
    };
    match role(auth).or_else(|| role(api_auth)) {
        Some(role) if role.as_str() == Some("NONE") => None,
        Some(role) if role.as_str() != Some("CALLER_CREDENTIALS") => Some(role),
        _ => Some(caller_credentials(partition).into()),
    }
}
