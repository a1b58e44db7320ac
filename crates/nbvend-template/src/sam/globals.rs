//! The `Globals` section: properties that all functions, or all APIs, have unless they say otherwise.

use super::error::{Result, SamError};
use super::intrinsics::is_intrinsic;
use super::marks::{API, FUNCTION};
use super::node::{Dict, Node, Text};
use super::py27;

/// Section, resource type, and the properties that may be global, in the order AWS lists them.
const SECTIONS: [(&str, &str, &[&str]); 2] = [
    (
        "Function",
        FUNCTION,
        &[
            "Handler",
            "Runtime",
            "CodeUri",
            "DeadLetterQueue",
            "Description",
            "MemorySize",
            "Timeout",
            "VpcConfig",
            "Environment",
            "Tags",
            "PropagateTags",
            "Tracing",
            "KmsKeyArn",
            "AutoPublishAlias",
            "AutoPublishAliasAllProperties",
            "Layers",
            "DeploymentPreference",
            "RolePath",
            "PermissionsBoundary",
            "ReservedConcurrentExecutions",
            "ProvisionedConcurrencyConfig",
            "AssumeRolePolicyDocument",
            "EventInvokeConfig",
            "FileSystemConfigs",
            "CodeSigningConfigArn",
            "Architectures",
            "SnapStart",
            "EphemeralStorage",
            "FunctionUrlConfig",
            "RuntimeManagementConfig",
            "LoggingConfig",
            "RecursiveLoop",
            "SourceKMSKeyArn",
            "TenancyConfig",
            "DurableConfig",
            "CapacityProviderConfig",
            "FunctionScalingConfig",
            "PublishToLatestPublished",
            "VersionDeletionPolicy",
        ],
    ),
    (
        "Api",
        API,
        &[
            "Auth",
            "Name",
            "DefinitionUri",
            "CacheClusterEnabled",
            "CacheClusterSize",
            "MergeDefinitions",
            "Variables",
            "EndpointConfiguration",
            "MethodSettings",
            "BinaryMediaTypes",
            "MinimumCompressionSize",
            "Cors",
            "GatewayResponses",
            "AccessLogSetting",
            "CanarySetting",
            "TracingEnabled",
            "OpenApiVersion",
            "Domain",
            "AlwaysDeploy",
            "PropagateTags",
            "SecurityPolicy",
            "EndpointAccessMode",
        ],
    ),
];

/// Sections of types that are not served: nothing in a template that passes could use them.
const OTHER_SECTIONS: [&str; 6] =
    ["CapacityProvider", "HttpApi", "LayerVersion", "SimpleTable", "StateMachine", "WebSocketApi"];

/// Marks an API whose `Auth` is the global one. AWS keeps one object for all of them, so what changes it for one
/// changes it for all. Never leaves the transform.
pub(crate) const GLOBAL_AUTH: &str = "__GLOBAL_AUTH";
/// The same for a function's `EventInvokeConfig`.
pub(crate) const GLOBAL_INVOKE: &str = "__GLOBAL_INVOKE";

/// Merges the section into every resource it is for, and takes it off the template.
pub(crate) fn merge(template: &mut Dict) -> Result<()> {
    let globals = template.remove("Globals");
    if let Some(globals) = &globals {
        check(globals)?;
    }
    let Some(Node::Dict(globals)) = globals else { return Ok(()) };
    let Some(Node::Dict(resources)) = template.get_mut("Resources") else { return Ok(()) };
    let ids: Vec<Text> = resources.keys().cloned().collect();
    for id in ids {
        let Some(Node::Dict(resource)) = resources.get_mut(&id) else { continue };
        let kind = resource.str("Type").unwrap_or_default();
        let Some((section, ..)) = SECTIONS.iter().find(|(_, of, _)| *of == kind) else { continue };
        let Some(Node::Dict(global)) = globals.get(section) else { continue };
        let ignored = resource.remove("IgnoreGlobals");
        let Some(global) = without_ignored(&id, global, ignored.as_ref())? else { continue };
        let local = resource.remove("Properties").unwrap_or_else(|| Dict::new().into());
        let mut merged = merge_values(&Node::Dict(global), &local);
        for (property, mark) in [("Auth", GLOBAL_AUTH), ("EventInvokeConfig", GLOBAL_INVOKE)] {
            if local.get(property).is_none()
                && let Some(properties) =
                    merged.as_dict_mut().filter(|properties| properties.contains(property))
            {
                properties.insert(mark, true);
            }
        }
        resource.insert("Properties", merged);
    }
    Ok(())
}

fn check(globals: &Node) -> Result<()> {
    let invalid = |text: String| SamError::plain(format!("'Globals' section is invalid. {text}"));
    let Some(globals) = globals.as_dict().filter(|globals| !globals.is_empty()) else {
        return Err(invalid("It must be a non-empty dictionary".to_owned()));
    };
    for (name, section) in globals.iter() {
        let Some((_, _, supported)) = SECTIONS.iter().find(|(section, ..)| *section == name.as_str()) else {
            if OTHER_SECTIONS.contains(&name.as_str()) {
                continue;
            }
            let mut names: Vec<&str> =
                SECTIONS.iter().map(|(section, ..)| *section).chain(OTHER_SECTIONS).collect();
            names.sort_unstable();
            return Err(invalid(format!(
                "'{}' is not supported. Must be one of the following values - {}",
                name.as_str(),
                python_list(&names)
            )));
        };
        let Some(section) = section.as_dict() else {
            return Err(invalid("Value of ${section} must be a dictionary".to_owned()));
        };
        for (property, _) in section.iter() {
            if !supported.contains(&property.as_str()) {
                return Err(invalid(format!(
                    "'{}' is not a supported property of '{}'. Must be one of the following values - {}",
                    property.as_str(),
                    name.as_str(),
                    python_list(supported)
                )));
            }
        }
    }
    Ok(())
}

fn python_list(names: &[&str]) -> String {
    py27::print(&Node::List(names.iter().map(|name| Node::from(*name)).collect()))
}

/// The globals less what the resource's `IgnoreGlobals` names; nothing for `*`.
fn without_ignored(id: &str, global: &Dict, ignored: Option<&Node>) -> Result<Option<Dict>> {
    let mut global = global.clone();
    let fault = format!("Resource {id} has invalid resource attribute 'IgnoreGlobals'");
    match ignored {
        None | Some(Node::Null) => {}
        Some(Node::Text(all)) if all.as_str() == "*" => return Ok(None),
        Some(Node::List(names)) => {
            for name in names {
                if name.as_str().and_then(|name| global.remove(name)).is_none() {
                    return Err(SamError::resource(id, format!("{fault} on item '{}'.", name.to_text())));
                }
            }
        }
        Some(_) => return Err(SamError::resource(id, format!("{fault}."))),
    }
    Ok(Some(global))
}

/// Maps are merged, lists joined, anything else is the resource's own. An intrinsic is a value, not a map.
fn merge_values(global: &Node, local: &Node) -> Node {
    match (global, local) {
        (Node::Dict(theirs), Node::Dict(ours)) if !is_intrinsic(global) && !is_intrinsic(local) => {
            let mut merged = theirs.copy();
            for (key, value) in ours.iter() {
                let value = match theirs.get(key) {
                    Some(global) => merge_values(global, value),
                    None => value.clone(),
                };
                merged.insert(key, value);
            }
            merged.into()
        }
        (Node::List(theirs), Node::List(ours)) => {
            theirs.iter().chain(ours).cloned().collect::<Vec<_>>().into()
        }
        _ => local.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn merged(global: &Value, local: &Value) -> Value {
        merge_values(&Node::from_json(global), &Node::from_json(local)).to_json()
    }

    #[test]
    fn maps_merge_lists_join_and_the_resource_wins() {
        assert_eq!(
            merged(&json!({"A": {"x": 1, "y": [1]}, "B": 1}), &json!({"A": {"y": [2], "z": 3}})),
            json!({"A": {"x": 1, "y": [1, 2], "z": 3}, "B": 1})
        );
        assert_eq!(merged(&json!({"A": {"x": 1}}), &json!({"A": {"Ref": "P"}})), json!({"A": {"Ref": "P"}}));
        assert_eq!(merged(&json!({"A": {"Ref": "P"}}), &json!({"A": {"x": 1}})), json!({"A": {"x": 1}}));
        assert_eq!(merged(&json!({"A": [1]}), &json!({"A": null})), json!({"A": null}));
    }

    #[test]
    fn unknown_sections_and_properties_are_named() {
        let template = |json: Value| Node::from_json(&json).as_dict().unwrap().clone();
        let error = merge(&mut template(json!({"Globals": {"Foo": {}}}))).unwrap_err();
        assert!(
            error.message.contains("'Foo' is not supported. Must be one of the following values - ['Api', ")
        );
        let error = merge(&mut template(json!({"Globals": {"Api": {"StageName": "x"}}}))).unwrap_err();
        assert!(
            error.message.contains("'StageName' is not a supported property of 'Api'"),
            "{}",
            error.message
        );
    }
}
