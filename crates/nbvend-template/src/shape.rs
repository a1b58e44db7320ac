//! The shapes of sections and their members: everything that can be wrong before references matter.

use serde_json::{Map, Value};

use crate::document::Template;
use crate::error::TemplateError;
use crate::functions::{call, check, is_condition_function, misplaced};
use crate::parameters::ParameterKind;
use crate::path::Path;

type Result<T = ()> = std::result::Result<T, TemplateError>;

const SECTIONS: [&str; 11] = [
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Rules",
    "Mappings",
    "Conditions",
    "Transform",
    "Hooks",
    "Resources",
    "Outputs",
];

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

/// Quotas of the user guide: section, its word in the message, the most it may have.
const QUOTAS: [(&str, &str, usize); 4] = [
    ("Resources", "resources", 500),
    ("Parameters", "parameters", 200),
    ("Outputs", "outputs", 200),
    ("Mappings", "mappings", 200),
];

impl Template {
    /// Checks sections and members. This much holds for a template before its transforms, too.
    ///
    /// # Errors
    /// The first fault, with its place.
    pub fn validate_shape(&self) -> Result {
        let root = Path::ROOT;
        self.top_level()?;
        self.nulls(&self.value, &root)?;
        for (section, word, most) in QUOTAS {
            let count = self.section(section).len();
            if count > most {
                let message = format!(
                    "Template format error: Number of {word}, {count}, is greater than maximum allowed, {most}"
                );
                return Err(self.fault_at_key(&root.key(section), message));
            }
        }
        self.members("Parameters", &|name, body, path| self.parameter(name, body, path))?;
        self.members("Mappings", &|name, body, path| self.mapping(name, body, path))?;
        self.members("Conditions", &|_, body, path| self.condition(body, path))?;
        self.members("Resources", &|id, body, path| self.resource_member(id, body, path))?;
        self.members("Outputs", &|name, body, path| self.output(name, body, path))
    }

    pub(crate) fn fault(&self, path: &Path<'_>, message: impl Into<String>) -> TemplateError {
        TemplateError::at(message, self.place(path))
    }

    pub(crate) fn fault_at_key(&self, path: &Path<'_>, message: impl Into<String>) -> TemplateError {
        TemplateError::at(message, self.key_place(path))
    }

    fn top_level(&self) -> Result {
        let root = Path::ROOT;
        let Some(sections) = self.value.as_object() else {
            return Err(self.fault(&root, "Template format error: unsupported structure."));
        };
        let transformed = self.needs_transform();
        let unknown: Vec<&str> = sections
            .keys()
            .map(String::as_str)
            .filter(|name| !SECTIONS.contains(name) && !(transformed && *name == "Globals"))
            .collect();
        if let Some(first) = unknown.first() {
            let message = format!("Invalid template property or properties [{}]", unknown.join(", "));
            return Err(self.fault_at_key(&root.key(first), message));
        }
        for refused in ["Rules", "Hooks"] {
            if sections.contains_key(refused) {
                // Ours: AWS has these sections, this engine does not, and ignoring a rule would be a lie.
                let message = format!("Template format error: the {refused} section is not supported.");
                return Err(self.fault_at_key(&root.key(refused), message));
            }
        }
        if let Some(version) = sections.get("AWSTemplateFormatVersion")
            && version != "2010-09-09"
        {
            let shown = version.as_str().map_or_else(|| version.to_string(), str::to_owned);
            let message =
                format!("Template format error: {shown} is not a supported value for AWSTemplateFormatVersion.");
            return Err(self.fault(&root.key("AWSTemplateFormatVersion"), message));
        }
        self.description_shape(sections)?;
        self.transform_shape(sections)?;
        let resources = sections.get("Resources");
        match resources {
            Some(Value::Object(map)) if !map.is_empty() => {}
            Some(Value::Null) => {}
            None | Some(Value::Object(_)) => {
                let message = "Template format error: At least one Resources member must be defined.";
                return Err(self.fault_at_key(&root.key("Resources"), message));
            }
            Some(_) => return Err(self.not_an_object("Resources")),
        }
        for section in ["Parameters", "Mappings", "Conditions", "Outputs", "Metadata"] {
            if sections.get(section).is_some_and(|body| !body.is_object() && !body.is_null()) {
                return Err(self.not_an_object(section));
            }
        }
        Ok(())
    }

    /// Ours; AWS's text for a section of a wrong type is not known.
    fn not_an_object(&self, section: &str) -> TemplateError {
        self.fault(&Path::ROOT.key(section), format!("Template format error: {section} must be an object."))
    }

    fn description_shape(&self, sections: &Map<String, Value>) -> Result {
        let at = Path::ROOT.key("Description");
        match sections.get("Description") {
            Some(Value::String(text)) if text.len() > 1024 => {
                Err(self.fault(&at, "Template format error: 'Description' length is greater than 1024."))
            }
            Some(Value::Array(_) | Value::Object(_)) => {
                Err(self.fault(&at, "Template format error: Description must be a string."))
            }
            _ => Ok(()),
        }
    }

    fn transform_shape(&self, sections: &Map<String, Value>) -> Result {
        let entries = match sections.get("Transform") {
            None => return Ok(()),
            Some(Value::Array(items)) => items.as_slice(),
            Some(one) => std::slice::from_ref(one),
        };
        let named = |entry: &Value| entry.is_string() || entry.get("Name").is_some_and(Value::is_string);
        if entries.iter().all(named) {
            return Ok(());
        }
        Err(self.fault(&Path::ROOT.key("Transform"), "Key Name of transform definition must be a string."))
    }

    fn nulls(&self, value: &Value, path: &Path<'_>) -> Result {
        match value {
            Value::Null => {
                let message = format!("[{path}] 'null' values are not allowed in templates");
                Err(self.fault_at_key(path, message))
            }
            Value::Array(items) => {
                items.iter().enumerate().try_for_each(|(i, item)| self.nulls(item, &path.index(i)))
            }
            Value::Object(map) => map.iter().try_for_each(|(key, member)| self.nulls(member, &path.key(key))),
            _ => Ok(()),
        }
    }

    fn members(&self, section: &str, one: &dyn Fn(&str, &Value, &Path<'_>) -> Result) -> Result {
        let path = Path::ROOT.key(section);
        self.section(section).iter().try_for_each(|(name, body)| one(name, body, &path.key(name)))
    }

    fn alphanumeric(&self, kind: &str, name: &str, path: &Path<'_>) -> Result {
        if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Ok(());
        }
        let message = format!("Template format error: {kind} name {name} is non alphanumeric.");
        Err(self.fault_at_key(path, message))
    }

    fn unknown_member(
        &self,
        kind: &str,
        known: &[&str],
        body: &Map<String, Value>,
        path: &Path<'_>,
    ) -> Result {
        match body.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => {
                Err(self.fault_at_key(&path.key(key), format!("Invalid template {kind} property '{key}'")))
            }
            None => Ok(()),
        }
    }

    fn parameter(&self, name: &str, body: &Value, path: &Path<'_>) -> Result {
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
            return Err(self.fault(&at, format!("Template format error: Unrecognized parameter type: {kind}")));
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

    fn mapping(&self, name: &str, body: &Value, path: &Path<'_>) -> Result {
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
                    let message = "Template format error: Every Mappings attribute must be a String or a List.";
                    return Err(self.fault(&path, message));
                }
            }
        }
        Ok(())
    }

    fn condition(&self, body: &Value, path: &Path<'_>) -> Result {
        let single = body.as_object().filter(|map| map.len() == 1);
        let named = single.and_then(|map| map.iter().next());
        match named {
            Some((name, _)) if is_condition_function(name) || name == "Fn::If" => self.calls(body, path, true),
            // Ours, after the sentence of the user guide.
            _ => Err(self.fault(
                path,
                "Template format error: Conditions can only be boolean operations on parameters and other conditions",
            )),
        }
    }

    fn resource_member(&self, id: &str, body: &Value, path: &Path<'_>) -> Result {
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
                let message = format!("Template format error: [{path}/{object}] Every {object} member must be an object.");
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

    fn output(&self, name: &str, body: &Value, path: &Path<'_>) -> Result {
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

    /// Every function call below `value` has arguments of the right shape.
    fn calls(&self, value: &Value, path: &Path<'_>, in_conditions: bool) -> Result {
        match value {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .try_for_each(|(i, item)| self.calls(item, &path.index(i), in_conditions)),
            Value::Object(map) => {
                if let Some(name) = misplaced(map) {
                    // Ours: AWS's text is not known.
                    let message =
                        format!("Template error: {name} must be the only member of its object at [{path}]");
                    return Err(self.fault_at_key(&path.key(name), message));
                }
                if let Some((name, argument)) = call(value) {
                    check(name, argument, self.language_extensions())
                        .map_err(|message| self.fault(path, message))?;
                } else if in_conditions && let Some(name) = map.get("Condition") {
                    check("Condition", name, false).map_err(|message| self.fault(path, message))?;
                }
                map.iter().try_for_each(|(key, member)| self.calls(member, &path.key(key), in_conditions))
            }
            _ => Ok(()),
        }
    }
}

fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Bool(_) | Value::Number(_))
}
