//! A parameter that a user gives for a launch.

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use super::state::Given;
use super::template::Parsed;

/// `ProvisioningParameter` and `UpdateProvisioningParameter`: the latter may keep the value there is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct Parameter {
    pub key: String,
    pub value: Option<String>,
    pub use_previous_value: Option<bool>,
    /// Set for a parameter that the template declares NoEcho: the value then stays out of the trail. Whether AWS hides
    /// it there is unknown.
    #[serde(skip)]
    pub hidden: bool,
}

impl Serialize for Parameter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = if self.hidden { self.value.as_ref().map(|_| "****") } else { self.value.as_deref() };
        let mut out = serializer.serialize_struct("Parameter", 3)?;
        out.serialize_field("Key", &self.key)?;
        if value.is_some() {
            out.serialize_field("Value", &value)?;
        }
        if self.use_previous_value.is_some() {
            out.serialize_field("UsePreviousValue", &self.use_previous_value)?;
        }
        out.end()
    }
}

impl Parameter {
    /// As it is stored: without a value where the one there is is kept.
    pub fn given(&self) -> Given {
        let keep = self.use_previous_value == Some(true);
        let value = if keep { None } else { Some(self.value.clone().unwrap_or_default()) };
        Given { key: self.key.clone(), value }
    }
}

/// Hides what the template says is not to be shown.
pub fn hide(parameters: &mut [Parameter], template: &Parsed) {
    for parameter in parameters {
        parameter.hidden = template.parameters.iter().any(|decl| decl.no_echo && decl.name == parameter.key);
    }
}
