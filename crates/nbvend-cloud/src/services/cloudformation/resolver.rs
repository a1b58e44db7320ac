//! Answers the template language's questions about a stack: its resources, exports, Parameter Store.

use std::collections::BTreeMap;

use nbvend_template::intrinsics::Resolver;
use serde_json::Value;

use super::draft::ssm_value;
use super::state::{Export, Resource};
use crate::context::Cx;

pub struct StackResolver<'a, 'c> {
    pub cx: &'a Cx<'c>,
    /// The stack's resources by logical id.
    pub rows: &'a BTreeMap<String, Resource>,
}

impl Resolver for StackResolver<'_, '_> {
    fn reference(&self, logical_id: &str) -> Option<Value> {
        self.rows.get(logical_id)?.body.physical_id.clone().map(Value::String)
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Option<Value> {
        self.rows.get(logical_id)?.body.attributes.get(attribute).cloned()
    }

    fn import(&self, export: &str) -> Result<Value, String> {
        match self.cx.get::<Export>(export) {
            Ok(Some(found)) => Ok(Value::String(found.value)),
            Ok(None) => Err(format!("No export named {export} found")),
            Err(error) => Err(error.to_string()),
        }
    }

    fn availability_zones(&self, region: &str) -> Vec<String> {
        let region = if region.is_empty() { self.cx.region() } else { region };
        ["a", "b", "c"].iter().map(|zone| format!("{region}{zone}")).collect()
    }

    fn dynamic(&self, service: &str, key: &str) -> Result<String, String> {
        if service != "ssm" {
            return Err(format!(
                "Dynamic reference {{{{resolve:{service}:{key}}}}} is not supported by nbvend"
            ));
        }
        let mut inner = Cx::new(self.cx.engine, self.cx.tx, self.cx.caller.clone());
        match ssm_value(&mut inner, key) {
            // A secret would come to stand in plain text in the stack.
            Ok((kind, _)) if kind == "SecureString" => {
                Err(format!("Non-secure ssm prefix was used for secure parameter: {key}"))
            }
            Ok((_, value)) => Ok(value),
            Err(error) if error.code.starts_with("ParameterNotFound") => {
                Err(format!("Parameters: [{{{{resolve:ssm:{key}}}}}] cannot be found."))
            }
            Err(error) => Err(error.message),
        }
    }
}
