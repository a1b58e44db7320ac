//! `Policies` of a function: managed policies by name or ARN, statements, and policy templates.

pub(crate) mod managed;
mod templates;

use super::error::{Result, SamError};
use super::function::Function;
use super::intrinsics::{is_if, is_intrinsic, is_no_value};
use super::node::{Dict, Node, dict};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Managed,
    Statement,
    Template,
    Unknown,
}

fn kind(policy: &Node) -> Kind {
    match policy {
        Node::Text(_) => Kind::Managed,
        Node::Dict(dict) if dict.contains("Statement") => Kind::Statement,
        Node::Dict(dict) => match dict.single() {
            Some((name, _)) if templates::find(name).is_some() => Kind::Template,
            _ if is_intrinsic(policy) => Kind::Managed,
            _ => Kind::Unknown,
        },
        _ => Kind::Unknown,
    }
}

/// Adds what the function asks for to the ARNs and inline policies of its role.
///
/// # Errors
/// A policy that is none of the three kinds, and templates without their parameters.
pub(super) fn add(
    function: &Function<'_>,
    partition: &str,
    arns: &mut Vec<Node>,
    inline: &mut Vec<Node>,
) -> Result<()> {
    let wanted = match function.given("Policies") {
        None => return Ok(()),
        Some(Node::List(policies)) => policies.clone(),
        Some(one) => vec![one.clone()],
    };
    let role = format!("{}Role", function.id.as_str());
    for (index, policy) in wanted.iter().enumerate() {
        let name = format!("{role}Policy{index}");
        if is_if(policy) {
            let (of, branches) = conditional(function, policy)?;
            let [condition, yes, no] = branches;
            if of == Kind::Managed {
                let branch = |node: &Node| managed_policy(node, partition);
                arns.push(
                    dict! { "Fn::If" => Node::List(vec![condition, branch(&yes), branch(&no)]) }.into(),
                );
            } else {
                let branch = |node: &Node| match is_no_value(node) {
                    true => Ok(node.clone()),
                    false => document(function, node).map(|document| inline_policy(&name, document)),
                };
                let made = vec![condition, branch(&yes)?, branch(&no)?];
                inline.push(dict! { "Fn::If" => Node::List(made) }.into());
            }
            continue;
        }
        match kind(policy) {
            Kind::Managed => arns.push(managed_policy(policy, partition)),
            Kind::Statement | Kind::Template => {
                inline.push(inline_policy(&name, document(function, policy)?));
            }
            Kind::Unknown => {
                return Err(function
                    .fault(format!("Policy at index {index} in the 'Policies' property is not valid")));
            }
        }
    }
    Ok(())
}

fn inline_policy(name: &str, document: Node) -> Node {
    dict! { "PolicyName" => name, "PolicyDocument" => document }.into()
}

/// The kind of a conditional policy, and its condition and branches.
fn conditional(function: &Function<'_>, policy: &Node) -> Result<(Kind, [Node; 3])> {
    let fault = |text: &str| SamError::plain(format!("Structure of the SAM template is invalid. {text}"));
    let parts = policy.get("Fn::If").and_then(Node::as_list).cloned().unwrap_or_default();
    let branches: [Node; 3] = parts.try_into().map_err(|_| fault("Fn::If requires 3 arguments"))?;
    let kinds: Vec<Kind> = branches[1..].iter().filter(|branch| !is_no_value(branch)).map(kind).collect();
    match kinds.as_slice() {
        [] => Ok((Kind::Managed, branches)),
        [Kind::Unknown] => Err(function.fault("Policy at index 0 in the 'Policies' property is not valid")),
        [one] => Ok((*one, branches)),
        [one, other, ..] if one == other => Ok((*one, branches)),
        _ => Err(fault(
            "Different policy types within the same Fn::If statement is unsupported. Separate different policy \
             types into different Fn::If statements",
        )),
    }
}

fn managed_policy(policy: &Node, partition: &str) -> Node {
    match policy {
        Node::Text(name) => managed::find(partition, name).map_or_else(|| policy.clone(), Node::from),
        other => other.clone(),
    }
}

/// A statement as it is, or a template filled in.
fn document(function: &Function<'_>, policy: &Node) -> Result<Node> {
    if kind(policy) != Kind::Template {
        return Ok(policy.clone());
    }
    let Some((name, given)) = policy.as_dict().and_then(Dict::single) else { return Ok(policy.clone()) };
    let Some(template) = templates::find(name) else { return Ok(policy.clone()) };
    let name = name.as_str();
    let Some(given) = given.as_dict() else {
        return Err(
            function.fault(format!("Must specify valid parameter values for policy template '{name}'"))
        );
    };
    let missing: Vec<Node> = template
        .parameters()
        .into_iter()
        .filter(|parameter| given.get(parameter).is_none())
        .map(Node::from)
        .collect();
    if !missing.is_empty() {
        return Err(function.fault(format!(
            "Following required parameters of template '{name}' don't have values: {}",
            Node::List(missing).to_text()
        )));
    }
    Ok(template.fill(given).into())
}
