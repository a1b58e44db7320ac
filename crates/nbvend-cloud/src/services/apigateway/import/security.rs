//! Who may call: security schemes and the requirements that name them.
//!
//! Only what is enforced is accepted. A scheme may be declared without being used; the first operation that uses one
//! this engine does not enforce is refused with the scheme's name.

use serde_json::{Map, Value};

use super::document::text;
use crate::services::apigateway::error::Error;
use crate::services::apigateway::state::Authorization;

pub struct Schemes<'a> {
    declared: Option<&'a Map<String, Value>>,
    /// The requirement of operations that have none of their own.
    default: Option<&'a Value>,
}

impl<'a> Schemes<'a> {
    pub fn read(declared: Option<&'a Map<String, Value>>, default: Option<&'a Value>) -> Result<Self, Error> {
        Ok(Self { declared, default })
    }

    /// What an operation's requirement means. Alternatives of a list are AND for API Gateway: a scheme named
    /// anywhere in it applies.
    pub fn authorization(&self, operation: &Map<String, Value>) -> Result<Authorization, Error> {
        if let Some(auth) = operation.get("x-amazon-apigateway-auth") {
            let kind = auth.get("type").and_then(text).unwrap_or_default();
            return crate::services::apigateway::method::authorization(&kind.to_ascii_uppercase());
        }
        let Some(requirement) = operation.get("security").or(self.default) else {
            return Ok(Authorization::Open);
        };
        let names =
            requirement.as_array().into_iter().flatten().filter_map(Value::as_object).flat_map(Map::keys);
        names.map(|name| self.scheme(name)).try_fold(Authorization::Open, |so_far, next| {
            Ok(if next? == Authorization::Iam { Authorization::Iam } else { so_far })
        })
    }

    fn scheme(&self, name: &str) -> Result<Authorization, Error> {
        let Some(scheme) = self.declared.and_then(|declared| declared.get(name)) else {
            // SAM's word for an open method; it declares no scheme of that name.
            if name == "NONE" {
                return Ok(Authorization::Open);
            }
            return Err(Error::bad(format!("Security scheme {name} is not defined")));
        };
        let kind = scheme.get("x-amazon-apigateway-authtype").and_then(Value::as_str).unwrap_or_default();
        if kind.eq_ignore_ascii_case("awsSigv4") {
            return Ok(Authorization::Iam);
        }
        let what = if scheme.get("x-amazon-apigateway-authorizer").is_some() || !kind.is_empty() {
            format!("The authorizer {name} ({kind})")
        } else if scheme
            .get("name")
            .and_then(Value::as_str)
            .is_some_and(|n| n.eq_ignore_ascii_case("x-api-key"))
        {
            format!("API keys (the security scheme {name})")
        } else {
            format!("The security scheme {name}")
        };
        Err(Error::Unsupported(what))
    }
}
