//! Which strings and dictionaries of a template end up in API documents, and so print as Python 2.7 text.

use super::node::{Dict, Node, Text};

pub(crate) const API: &str = "AWS::Serverless::Api";
pub(crate) const FUNCTION: &str = "AWS::Serverless::Function";

/// Marks what may reach an OpenAPI document: API sections whole, of functions the events, the name and the
/// condition, and parameter values. A template without any API is left as it is: nothing of it is printed.
pub(crate) fn mark(template: &mut Dict, parameters: &mut Dict) {
    if !has_api(template) {
        return;
    }
    if let Some(Node::Dict(globals)) = template.get_mut("Globals")
        && let Some(api) = globals.get_mut("Api")
    {
        take(api);
    }
    if let Some(Node::Dict(declared)) = template.get_mut("Parameters") {
        for parameter in declared.values_mut() {
            if let Some(default) = parameter.as_dict_mut().and_then(|parameter| parameter.get_mut("Default"))
            {
                take(default);
            }
        }
        *declared = rekey(std::mem::replace(declared, Dict::new()));
    }
    if let Some(Node::Dict(resources)) = template.get_mut("Resources") {
        for resource in resources.values_mut() {
            mark_resource(resource);
        }
        *resources = rekey(std::mem::replace(resources, Dict::new()));
    }
    for value in parameters.values_mut() {
        take(value);
    }
}

fn mark_resource(resource: &mut Node) {
    let Some(resource) = resource.as_dict_mut() else { return };
    let kind = resource.str("Type").unwrap_or_default().to_owned();
    if resource.given("Properties").is_none() {
        return;
    }
    match kind.as_str() {
        API | "AWS::Serverless::HttpApi" => {
            if let Some(properties) = resource.get_mut("Properties") {
                take(properties);
            }
        }
        FUNCTION | "AWS::Serverless::StateMachine" => {
            if let Some(condition) = resource.get_mut("Condition") {
                take(condition);
            }
            if let Some(Node::Dict(properties)) = resource.get_mut("Properties") {
                for name in ["FunctionName", "Events"] {
                    if let Some(value) = properties.get_mut(name) {
                        take(value);
                    }
                }
            }
        }
        _ => {}
    }
}

fn take(node: &mut Node) {
    *node = std::mem::replace(node, Node::Null).into_marked();
}

/// The same entries under marked keys, in Python 2.7's order.
fn rekey(dict: Dict) -> Dict {
    let mut marked = Dict::py27();
    for (key, value) in dict {
        marked.insert(Text::marked(key.as_str()), value);
    }
    marked
}

fn has_api(template: &Dict) -> bool {
    let Some(resources) = template.get("Resources").and_then(Node::as_dict) else { return false };
    resources.values().any(|resource| match resource.get("Type").and_then(Node::as_str) {
        Some(API) => true,
        Some(FUNCTION | "AWS::Serverless::StateMachine") => resource
            .get("Properties")
            .and_then(|properties| properties.get("Events"))
            .and_then(Node::as_dict)
            .is_some_and(|events| {
                events.values().any(|event| event.get("Type").and_then(Node::as_str) == Some("Api"))
            }),
        _ => false,
    })
}
