//! Members of Parameters, Mappings, Conditions and Outputs.

use serde_json::Value;

use super::{Result, is_scalar};
use crate::document::Template;
use crate::functions::{call, is_condition_function};
use crate::parameters::ParameterKind;
use crate::path::Path;

const PARAMETER_MEMBERS: [&str; 11] = [
    "Type",
    "Default",
    "NoEcho",
    "AllowedValues",
    "AllowedPattern",
    "MaxLength",
    "MinLength",
    "MaxValue",
    "MinValue",
    "Description",
    "ConstraintDescription",
];

const OUTPUT_MEMBERS: [&str; 4] = ["Value", "Description", "Export", "Condition"];

impl Template {
    pub(super) fn parameter(&self, name: &str, body: &Value, path: &Path<'_>) -> Result {
        self.alphanumeric("Parameter", name, path)?;
        let Some(body) = body.as_object() else {
            // As the recorded one for Resources.
            return Err(self.fault(path, "Template format error: Any Parameters member must be an object."));
        };
        self.unknown_member("parameter", &PARAMETER_MEMBERS, body, path)?;
        let Some(kind) = body.get("Type") else {
            let message = "Template format error: Every Parameters object must contain a Type member.";
            return Err(self.fault_at_key(path, message));
        };
        let at = path.key("Type");
        let Some(kind) = kind.as_str() else {
            return Err(self.fault(&at, "Template format error: Every Type member must be a string."));
        };
        if ParameterKind::parse(kind).is_none() {
            return Err(
                self.fault(&at, format!("Template format error: Unrecognized parameter type: {kind}"))
            );
        }
        for (member, value) in body {
            let is_list = member == "AllowedValues";
            let fine = if is_list {
                value.as_array().is_some_and(|items| items.iter().all(is_scalar))
            } else {
                is_scalar(value)
            };
            if !fine {
                let what = if is_list { "list" } else { "string" };
                let message = format!("Template format error: Every {member} member must be a {what}.");
                return Err(self.fault(&path.key(member), message));
            }
        }
        Ok(())
    }

    pub(super) fn mapping(&self, name: &str, body: &Value, path: &Path<'_>) -> Result {
        self.alphanumeric("Mappings", name, path)?;
        let as_map = |value: &Value, name: &str, path: &Path<'_>| match value {
            Value::Object(_) if call(value).is_none() => Ok(()),
            _ => {
                let message = format!("Template format error: Every Mappings member {name} must be a map");
                Err(self.fault(path, message))
            }
        };
        as_map(body, name, path)?;
        for (key, attributes) in body.as_object().into_iter().flatten() {
            let path = path.key(key);
            as_map(attributes, key, &path)?;
            for (attribute, value) in attributes.as_object().into_iter().flatten() {
                let path = path.key(attribute);
                let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
                if attribute.is_empty() || !attribute.chars().all(legal) {
                    let message = format!(
                        "Template format error: Mappings attribute name '{attribute}' must contain only alphanumeric characters."
                    );
                    return Err(self.fault_at_key(&path, message));
                }
                let fine = is_scalar(value) || value.as_array().is_some_and(|l| l.iter().all(is_scalar));
                if !fine {
                    let message =
                        "Template format error: Every Mappings attribute must be a String or a List.";
                    return Err(self.fault(&path, message));
                }
            }
        }
        Ok(())
    }

    pub(super) fn condition(&self, body: &Value, path: &Path<'_>) -> Result {
        let single = body.as_object().filter(|map| map.len() == 1);
        let named = single.and_then(|map| map.iter().next());
        match named {
            _ if self.needs_transform() => Ok(()),
            Some((name, _)) if is_condition_function(name) || name == "Fn::If" => self.calls(body, path, true),
            // Ours, after the sentence of the user guide.
            _ => Err(self.fault(
                path,
                "Template format error: Conditions can only be boolean operations on parameters and other conditions",
            )),
        }
    }

    pub(super) fn output(&self, name: &str, body: &Value, path: &Path<'_>) -> Result {
        self.alphanumeric("Output", name, path)?;
        let Some(body) = body.as_object() else {
            return Err(self.fault(path, "Template format error: Any Outputs member must be an object."));
        };
        let Some(value) = body.get("Value") else {
            let message = "Template format error: Every Outputs member must contain a Value object";
            return Err(self.fault_at_key(path, message));
        };
        self.unknown_member("output", &OUTPUT_MEMBERS, body, path)?;
        let at = path.key("Value");
        let stringlike = match call(value) {
            Some((function, _)) => {
                !is_condition_function(function)
                    && !matches!(function, "Fn::GetAZs" | "Fn::Split" | "Fn::Cidr")
            }
            None => is_scalar(value),
        };
        if !stringlike {
            let message =
                "Template format error: The Value field of every Outputs member must evaluate to a String.";
            return Err(self.fault(&at, message));
        }
        if body.get("Condition").is_some_and(|condition| !condition.is_string()) {
            let message = "Template format error: Every Condition member must be a string.";
            return Err(self.fault(&path.key("Condition"), message));
        }
        if body.get("Description").is_some_and(|text| !is_scalar(text)) {
            let message = "Template format error: Every Description member must be a string.";
            return Err(self.fault(&path.key("Description"), message));
        }
        if let Some(export) = body.get("Export") {
            let fine = export.as_object().is_some_and(|map| {
                map.len() == 1 && map.get("Name").is_some_and(|n| is_scalar(n) || call(n).is_some())
            });
            if !fine {
                // Ours, after AWS's sentence about Export names.
                let message = format!(
                    "Template format error: Output {name} is malformed. The Export object must have a Name field."
                );
                return Err(self.fault(&path.key("Export"), message));
            }
            if !self.needs_transform() {
                self.calls(export, &path.key("Export"), false)?;
            }
        }
        if self.needs_transform() { Ok(()) } else { self.calls(value, &at, false) }
    }
}
