//! From Swagger 2.0 to OpenAPI 3, as far as the transform goes: definitions move under `components`, header
//! types become schemas, and what version 3 does not know is dropped.

use crate::sam::node::{Dict, Node, ordered};

/// Whether this is a version 3 of OpenAPI.
pub(crate) fn is_version3(version: &Node) -> bool {
    let text = version.to_text();
    let mut parts = text.split('.');
    parts.next() == Some("3")
        && parts.next().is_some_and(|minor| !minor.is_empty() && minor.chars().all(|c| c.is_ascii_digit()))
        && parts.next().is_none_or(|patch| patch.chars().all(|c| c.is_ascii_digit()))
        && parts.next().is_none()
}

/// Brings a document that says it is of version 3 (and whose API does not ask for another) into that version's form. Run after each of several steps, as
/// AWS does: a header's type is wrapped in a schema each time. Conditional paths are not looked into.
pub(crate) fn convert(mut body: Dict, asked: Option<&Node>) -> Dict {
    if !body.get("openapi").is_some_and(is_version3) || asked.is_some_and(|asked| !is_version3(asked)) {
        return body;
    }
    for (name, becomes) in [("securityDefinitions", "securitySchemes"), ("definitions", "schemas")] {
        let Some(definitions) = body.get(name).filter(|definitions| definitions.truthy()).cloned() else {
            continue;
        };
        component(&mut body, becomes, definitions);
        body.remove(name);
    }
    if let Some(Node::Dict(paths)) = body.get_mut("paths") {
        for item in paths.values_mut().filter_map(Node::as_dict_mut) {
            convert_path(item);
        }
    }
    body
}

fn component(body: &mut Dict, name: &str, definitions: Node) {
    let components = body.entry("components", || Dict::py27().into());
    if !components.truthy() {
        *components = Dict::py27().into();
    }
    if let Some(components) = components.as_dict_mut() {
        components.insert(name, definitions);
    }
}

fn convert_path(item: &mut Dict) {
    let Some(Node::Dict(options)) = item.get_mut("options") else { return };
    options.remove("consumes");
    options.remove("produces");
    let Some(Node::Dict(responses)) = options.get_mut("responses") else { return };
    let Some(Node::Dict(ok)) = responses.get_mut("200") else { return };
    let Some(Node::Dict(headers)) = ok.get_mut("headers") else { return };
    for header in headers.values_mut() {
        let schema = std::mem::replace(header, Node::Null);
        *header = ordered! { "schema" => schema }.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for (text, expected) in [
            ("3.0", true),
            ("3.0.1", true),
            ("3.1.0", true),
            ("3", false),
            ("2.0", false),
            ("4.0", false),
            ("x", false),
        ] {
            assert_eq!(is_version3(&Node::from(text)), expected, "{text}");
        }
    }
}
