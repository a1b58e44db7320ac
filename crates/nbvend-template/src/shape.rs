//! The shapes of sections and their members: everything that can be wrong before references matter.

mod declarations;
mod resources;

use serde_json::{Map, Value};

use crate::document::Template;
use crate::error::TemplateError;
use crate::functions::{call, check, misplaced};
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
        if !self.needs_transform() {
            // A transform may take nulls away: SAM does so with an empty `Events`.
            self.nulls(&self.value, &root)?;
        }
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
            .filter(|name| !(SECTIONS.contains(name) || transformed && *name == "Globals"))
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
            let message = format!(
                "Template format error: {shown} is not a supported value for AWSTemplateFormatVersion."
            );
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
