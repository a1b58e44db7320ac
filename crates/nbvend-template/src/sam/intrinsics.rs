//! Intrinsic functions, as far as the transform looks into them: parameters are put in, references to resources
//! that it renames or makes (`F.Alias`, `Api.Stage`) are rewritten, everything else stays for CloudFormation.

use super::node::{Dict, Node, dict, list};

/// Whether this is `{"Ref": ..}`, `{"Fn::..": ..}` or `{"Condition": ..}`.
pub(crate) fn is_intrinsic(node: &Node) -> bool {
    node.as_dict().and_then(Dict::single).is_some_and(|(key, _)| {
        key.as_str() == "Ref" || key.as_str() == "Condition" || key.starts_with("Fn::")
    })
}

pub(crate) fn is_if(node: &Node) -> bool {
    node.as_dict().and_then(Dict::single).is_some_and(|(key, _)| key.as_str() == "Fn::If")
}

pub(crate) fn is_no_value(node: &Node) -> bool {
    ref_target(node) == Some("AWS::NoValue")
}

/// The name in `{"Ref": name}`.
pub(crate) fn ref_target(node: &Node) -> Option<&str> {
    let (key, value) = node.as_dict()?.single()?;
    if key.as_str() == "Ref" { value.as_str() } else { None }
}

pub(crate) fn reference(id: impl Into<Node>) -> Node {
    dict! { "Ref" => id.into() }.into()
}

pub(crate) fn get_att(id: &str, attribute: &str) -> Node {
    dict! { "Fn::GetAtt" => list![id, attribute] }.into()
}

pub(crate) fn no_value() -> Node {
    reference("AWS::NoValue")
}

/// `{"Fn::If": [condition, value, {"Ref": "AWS::NoValue"}]}`
pub(crate) fn make_conditional(condition: impl Into<Node>, value: Node) -> Node {
    dict! { "Fn::If" => Node::List(vec![condition.into(), value, no_value()]) }.into()
}

/// What a conditional may come to (without `AWS::NoValue`), or the thing itself.
pub(crate) fn contents(node: &Node) -> Vec<&Node> {
    if is_if(node)
        && let Some(branches) = node.get("Fn::If").and_then(Node::as_list)
    {
        return branches.iter().skip(1).filter(|branch| !is_no_value(branch)).collect();
    }
    vec![node]
}

pub(crate) fn contents_mut(node: &mut Node) -> Vec<&mut Node> {
    if is_if(node) && node.get("Fn::If").is_some_and(|branches| branches.as_list().is_some()) {
        let branches = node.as_dict_mut().and_then(|dict| dict.get_mut("Fn::If")).and_then(Node::as_list_mut);
        return branches
            .map(|branches| branches.iter_mut().skip(1).filter(|branch| !is_no_value(branch)).collect())
            .unwrap_or_default();
    }
    vec![node]
}

/// Puts parameter values in place of `{"Ref": parameter}` and `${parameter}` within `Fn::Sub`.
pub(crate) fn resolve_parameters(node: &Node, parameters: &Dict) -> Node {
    let node = match node.as_dict().and_then(Dict::single) {
        Some((key, Node::Text(name))) if key.as_str() == "Ref" => {
            return parameters.get(name).unwrap_or(node).clone();
        }
        Some((key, value)) if key.as_str() == "Fn::Sub" => {
            let replaced = substitute(value, |name| parameters.get(name).map(Node::to_text));
            let mut dict = node.as_dict().cloned().unwrap_or_else(Dict::new);
            dict.insert("Fn::Sub", replaced);
            Node::Dict(dict)
        }
        _ => node.clone(),
    };
    descend(node, &|child| resolve_parameters(child, parameters))
}

/// Rewrites the `${name}` of a `Fn::Sub` for which `with` has something else; the text keeps
/// its mark.
fn substitute(value: &Node, with: impl Fn(&str) -> Option<String>) -> Node {
    match value {
        Node::Text(text) => match replace_names(text, &with) {
            Some(replaced) => Node::Text(text.like(replaced)),
            None => value.clone(),
        },
        Node::List(items) => {
            let mut items = items.clone();
            if let Some(first) = items.first_mut() {
                *first = substitute(first, with);
            }
            Node::List(items)
        }
        _ => value.clone(),
    }
}

fn replace_names(text: &str, with: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    let mut changed = false;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start + 2..].find('}') else { break };
        let name = &rest[start + 2..start + 2 + length];
        let end = start + 2 + length + 1;
        match with(name).filter(|_| !name.starts_with('!')) {
            Some(replacement) => {
                out.push_str(&rest[..start]);
                out.push_str(&replacement);
                changed = true;
            }
            None => out.push_str(&rest[..end]),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    changed.then_some(out)
}

fn descend(node: Node, each: &dyn Fn(&Node) -> Node) -> Node {
    match node {
        Node::List(items) => Node::List(items.iter().map(each).collect()),
        Node::Dict(mut dict) => {
            for value in dict.values_mut() {
                *value = each(value);
            }
            Node::Dict(dict)
        }
        other => other,
    }
}

/// References to what the transform made: `(logical id, property) -> real logical id`.
#[derive(Default)]
pub(crate) struct References {
    made: Vec<(String, String, String)>,
}

impl References {
    pub(crate) fn add(&mut self, id: &str, property: &str, made: &str) {
        self.made.retain(|(known, what, _)| known != id || what != property);
        self.made.push((id.to_owned(), property.to_owned(), made.to_owned()));
    }

    fn real(&self, name: &str) -> Option<&str> {
        let (id, property) = name.split_once('.')?;
        self.made.iter().find(|(of, what, _)| of == id && what == property).map(|(_, _, made)| made.as_str())
    }

    /// `Api.Stage` or `Api.Stage.Attribute`, the attribute kept.
    fn real_with_attribute(&self, name: &str) -> Option<String> {
        if let Some(made) = self.real(name) {
            return Some(made.to_owned());
        }
        let second = name.match_indices('.').map(|(at, _)| at).nth(1)?;
        self.real(&name[..second]).map(|made| format!("{made}{}", &name[second..]))
    }

    /// Rewrites every reference within `node`.
    pub(crate) fn resolve(&self, node: &Node) -> Node {
        let node = match node.as_dict().and_then(Dict::single) {
            Some((key, Node::Text(name))) if key.as_str() == "Ref" => match self.real(name) {
                Some(made) => reference(made),
                None => node.clone(),
            },
            Some((key, value)) if key.as_str() == "Fn::Sub" => {
                let made = |name: &str| self.real_with_attribute(name).map(|made| format!("${{{made}}}"));
                dict! { "Fn::Sub" => substitute(value, made) }.into()
            }
            Some((key, Node::List(parts))) if key.as_str() == "Fn::GetAtt" => {
                self.resolve_get_att(parts, node)
            }
            _ => node.clone(),
        };
        descend(node, &|child| self.resolve(child))
    }

    fn resolve_get_att(&self, parts: &[Node], node: &Node) -> Node {
        let Some(parts) = parts.iter().map(Node::as_str).collect::<Option<Vec<_>>>() else {
            return node.clone();
        };
        let joined = parts.join(".");
        match self.real_with_attribute(&joined) {
            Some(made) => match made.split_once('.') {
                Some((id, attribute)) => get_att(id, attribute),
                None => node.clone(),
            },
            None => node.clone(),
        }
    }
}
