//! `CapacityProviderConfig`: managed instances that a function runs on.

use super::Function;
use crate::sam::error::Result;
use crate::sam::node::{Dict, Node, dict};
use crate::sam::schema::a_map;

/// SAM's name, Lambda's name, and whether fractions are taken where a number is.
const MEMBERS: [(&str, &str, Option<bool>); 3] = [
    ("Arn", "CapacityProviderArn", None),
    ("PerExecutionEnvironmentMaxConcurrency", "PerExecutionEnvironmentMaxConcurrency", Some(false)),
    ("ExecutionEnvironmentMemoryGiBPerVCpu", "ExecutionEnvironmentMemoryGiBPerVCpu", Some(true)),
];

pub(super) fn provider(function: &Function<'_>, config: &Node) -> Result<Dict> {
    let config = a_map(function.id, "CapacityProviderConfig", config)?;
    let mut faults = Vec::new();
    let mut made = Dict::new();
    if config.given("Arn").is_none() {
        faults.push("Arn\n  field required (type=value_error.missing)".to_owned());
    }
    for (name, becomes, number) in MEMBERS {
        let Some(value) = config.given(name) else { continue };
        let value = match number {
            None => Some(value.clone()),
            Some(fractions) => as_number(value, fractions),
        };
        match value {
            Some(value) => made.insert(becomes, value),
            None => {
                let kinds: &[&str] =
                    if number == Some(true) { &["dict", "integer", "float"] } else { &["dict", "integer"] };
                for kind in kinds {
                    faults.push(format!("{name}\n  value is not a valid {kind} (type=type_error.{kind})"));
                }
            }
        }
    }
    for name in config.keys().filter(|name| !MEMBERS.iter().any(|(known, ..)| *known == name.as_str())) {
        faults.push(format!("{}\n  extra fields not permitted (type=value_error.extra)", name.as_str()));
    }
    if faults.is_empty() {
        return Ok(dict! { "LambdaManagedInstancesCapacityProviderConfig" => made });
    }
    let plural = if faults.len() == 1 { "error" } else { "errors" };
    Err(function.fault(format!(
        "Invalid CapacityProviderConfig: {} validation {plural} for CapacityProviderConfig\n{}",
        faults.len(),
        faults.join("\n")
    )))
}

/// AWS reads the sizes as whole numbers first, cutting fractions off, texts too; an intrinsic stays.
fn as_number(value: &Node, fractions: bool) -> Option<Node> {
    match value {
        Node::Dict(_) => Some(value.clone()),
        Node::Number(number) => number.as_f64().map(|number| Node::from(number as i64)),
        Node::Text(text) => match text.parse::<i64>() {
            Ok(whole) => Some(whole.into()),
            Err(_) if fractions => text.parse().ok().and_then(serde_json::Number::from_f64).map(Node::Number),
            Err(_) => None,
        },
        _ => None,
    }
}
