//! Members of Resources.

use serde_json::{Map, Value};

use super::Result;
use crate::document::Template;
use crate::functions::call;
use crate::path::Path;

const RESOURCE_MEMBERS: [&str; 10] = [
    "Type",
    "Properties",
    "DependsOn",
    "Condition",
    "Metadata",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "UpdatePolicy",
    "CreationPolicy",
    "Description",
];

impl Template {
    pub(super) fn resource_member(&self, id: &str, body: &Value, path: &Path<'_>) -> Result {
        if id.starts_with("Fn::ForEach") && self.language_extensions() {
            let message = crate::functions::unsupported(id, body, true);
            return Err(self.fault_at_key(path, message));
        }
        self.alphanumeric("Resource", id, path)?;
        let Some(body) = body.as_object() else {
            return Err(self.fault(path, "Template format error: Any Resources member must be an object."));
        };
        let transformed = self.needs_transform();
        let Some(kind) = body.get("Type") else {
            let message =
                format!("Template format error: [{path}] Every Resources object must contain a Type member.");
            return Err(self.fault_at_key(path, message));
        };
        if !kind.is_string() {
            let message = format!("Template format error: [{path}] Every Type member must be a string.");
            return Err(self.fault(&path.key("Type"), message));
        }
        if !transformed {
            self.unknown_member("resource", &RESOURCE_MEMBERS, body, path)?;
        }
        self.depends_on_shape(body, path)?;
        if body.get("Condition").is_some_and(|condition| !condition.is_string()) {
            let message = "Template format error: Every Condition member must be a string.";
            return Err(self.fault(&path.key("Condition"), message));
        }
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            self.policy(policy, body, path)?;
        }
        for object in ["Properties", "Metadata", "CreationPolicy", "UpdatePolicy"] {
            if body.get(object).is_some_and(|value| !value.is_object()) {
                // Ours.
                let message = format!(
                    "Template format error: [{path}/{object}] Every {object} member must be an object."
                );
                return Err(self.fault(&path.key(object), message));
            }
        }
        if transformed {
            return Ok(());
        }
        body.iter().try_for_each(|(key, value)| self.calls(value, &path.key(key), false))
    }

    fn depends_on_shape(&self, body: &Map<String, Value>, path: &Path<'_>) -> Result {
        let message = match body.get("DependsOn") {
            None | Some(Value::String(_)) => return Ok(()),
            Some(Value::Array(items)) if items.iter().all(Value::is_string) => return Ok(()),
            Some(Value::Array(_)) => "Template format error: Every DependsOn value must be a string.",
            Some(_) => "Template format error: DependsOn must be a string or list of strings.",
        };
        Err(self.fault(&path.key("DependsOn"), message))
    }

    fn policy(&self, name: &str, body: &Map<String, Value>, path: &Path<'_>) -> Result {
        let at = path.key(name);
        match body.get(name) {
            None => Ok(()),
            Some(Value::String(policy)) => {
                let known = ["Delete", "Retain", "Snapshot"].contains(&policy.as_str())
                    || (name == "DeletionPolicy" && policy == "RetainExceptOnCreate");
                if known {
                    return Ok(());
                }
                // Ours.
                Err(self.fault(&at, format!("Template format error: Unrecognized {name} {policy}")))
            }
            // With the transform a policy may be a Ref, Fn::If or Fn::FindInMap.
            Some(value) if self.language_extensions() && call(value).is_some() => Ok(()),
            Some(_) => {
                Err(self.fault(&at, format!("Template format error: Every {name} member must be a string.")))
            }
        }
    }
}
