//! How calls name functions: `name`, `name:qualifier`, `123456789012:function:name`, a whole ARN; and what a
//! qualifier leads to.

use super::error::Error;
use super::state::{Alias, Config, Function, LATEST, Version};
use crate::context::{ContextKeys, Cx};

/// A function as a call names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    /// `$LATEST`, a number or an alias.
    pub qualifier: Option<String>,
}

impl Named {
    /// Reads the two members together.
    pub fn read(cx: &Cx<'_>, function: &str, qualifier: Option<&str>) -> Result<Self, Error> {
        let mut parts: Vec<&str> = function.split(':').collect();
        if parts.first() == Some(&"arn") {
            // arn:aws:lambda:region:account:function:name
            let region = parts.get(3).copied().unwrap_or_default();
            if region != cx.region() {
                return Err(Error::WrongRegion { region: region.to_owned(), here: cx.region().to_owned() });
            }
            if parts.get(2) != Some(&"lambda") || parts.get(4) != Some(&cx.account()) || parts.len() < 7 {
                return Err(Error::NoFunction(function.to_owned()));
            }
            parts.drain(..5);
        } else if parts.len() > 1 && is_account(parts[0]) && parts[1] == "function" {
            if parts[0] != cx.account() {
                return Err(Error::NoFunction(function.to_owned()));
            }
            parts.remove(0);
        }
        if parts.len() > 1 && parts[0] == "function" {
            parts.remove(0);
        }
        let (name, derived) = match parts[..] {
            [name] => (name, None),
            [name, derived] => (name, Some(derived)),
            _ => return Err(Error::parameter(format!("{function} names no function"))),
        };
        if name.len() > 64 {
            // Recorded from AWS: the code is not that of the other constraints.
            return Err(Error::parameter(format!(
                "1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 64"
            )));
        }
        match (derived, qualifier) {
            (Some(derived), Some(qualifier)) if derived != qualifier => Err(Error::parameter(
                "The derived qualifier from the function name does not match the specified qualifier.",
            )),
            (derived, qualifier) => {
                Ok(Self { name: name.to_owned(), qualifier: qualifier.or(derived).map(str::to_owned) })
            }
        }
    }

    /// As [`Named::read`] for what exists for whole functions only.
    pub fn unqualified(cx: &Cx<'_>, function: &str) -> Result<Self, Error> {
        let named = Self::read(cx, function, None)?;
        match named.qualifier {
            None => Ok(named),
            Some(_) => Err(Error::parameter(
                "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.",
            )),
        }
    }

    /// The ARN as it was asked for.
    pub fn arn(&self, cx: &Cx<'_>) -> String {
        arn(cx, &self.name, self.qualifier.as_deref())
    }

    pub fn function(&self, cx: &Cx<'_>) -> Result<Function, Error> {
        cx.get(&self.name)?.ok_or_else(|| Error::NoFunction(self.arn(cx)))
    }

    /// The version it leads to; an alias with shares chooses by chance.
    pub fn version(&self, cx: &Cx<'_>, function: &Function) -> Result<Config, Error> {
        let Some(qualifier) = self.qualifier.as_deref() else { return Ok(function.latest.clone()) };
        let version = match version_number(qualifier) {
            Some(_) => qualifier.to_owned(),
            None if qualifier == LATEST => LATEST.to_owned(),
            None => {
                let alias = cx.get::<Alias>(&Alias::key_of(&self.name, qualifier))?;
                alias.ok_or_else(|| Error::NoFunction(self.arn(cx)))?.choose(cx)
            }
        };
        match version_number(&version) {
            None => Ok(function.latest.clone()),
            Some(number) => {
                let version = cx.get::<Version>(&Version::key_of(&self.name, number))?;
                Ok(version.ok_or_else(|| Error::NoFunction(self.arn(cx)))?.config)
            }
        }
    }
}

impl Alias {
    fn choose(&self, cx: &Cx<'_>) -> String {
        if self.weights.is_empty() {
            return self.version.clone();
        }
        let mut bytes = [0; 4];
        cx.ids().fill(&mut bytes);
        let mut point = f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX);
        for (version, weight) in &self.weights {
            if point < *weight {
                return version.clone();
            }
            point -= weight;
        }
        self.version.clone()
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The number of a published version, if the qualifier is one.
pub fn version_number(qualifier: &str) -> Option<u64> {
    qualifier.bytes().all(|byte| byte.is_ascii_digit()).then(|| qualifier.parse().ok()).flatten()
}

/// A function's ARN, with a qualifier or without.
pub fn arn(cx: &Cx<'_>, name: &str, qualifier: Option<&str>) -> String {
    match qualifier {
        Some(qualifier) => cx.arn("lambda", &format!("function:{name}:{qualifier}")),
        None => cx.arn("lambda", &format!("function:{name}")),
    }
}

/// What an action is authorised on: the ARN of what was named, also if it is named wrongly.
pub fn resource(cx: &Cx<'_>, function: &str, qualifier: Option<&str>) -> Vec<String> {
    match Named::read(cx, function, qualifier) {
        Ok(named) => vec![named.arn(cx)],
        Err(_) => vec![arn(cx, function, qualifier)],
    }
}

/// `aws:ResourceTag/…` of a function.
pub fn function_keys(cx: &Cx<'_>, function: &str, keys: &mut ContextKeys) {
    let found = Named::read(cx, function, None).and_then(|named| named.function(cx));
    for (key, value) in found.map(|function| function.tags).unwrap_or_default() {
        keys.insert(format!("aws:ResourceTag/{key}"), vec![value]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    #[tokio::test]
    async fn functions_are_named_in_many_ways() {
        let world = World::new();
        let read = |function: &str, qualifier: Option<&str>| {
            let outcome =
                world.engine.view(world.root(), |cx| Ok(Named::read(cx, function, qualifier))).unwrap();
            outcome.map(|n| (n.name, n.qualifier.unwrap_or_default())).map_err(|e| e.to_string())
        };
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:f";
        let good = [
            ("f", None, "f", ""),
            ("f:live", None, "f", "live"),
            ("f", Some("7"), "f", "7"),
            ("f:7", Some("7"), "f", "7"),
            ("function:f", None, "f", ""),
            ("123456789012:function:f", None, "f", ""),
            ("123456789012:function:f:$LATEST", None, "f", "$LATEST"),
            (arn, None, "f", ""),
            (&format!("{arn}:live"), None, "f", "live"),
        ];
        for (function, qualifier, name, expected) in good {
            assert_eq!(read(function, qualifier), Ok((name.to_owned(), expected.to_owned())), "{function}");
        }
        let bad = [
            ("f:1", Some("2"), "The derived qualifier from the function name does not match"),
            (
                "arn:aws:lambda:eu-west-1:123456789012:function:f",
                None,
                "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
            ),
            ("arn:aws:lambda:us-east-1:999999999999:function:f", None, "Function not found"),
            ("a:b:c", None, "names no function"),
            (&"a".repeat(65), None, "less than or equal to 64"),
        ];
        for (function, qualifier, expected) in bad {
            let error = read(function, qualifier).unwrap_err();
            assert!(error.contains(expected), "{function}: {error}");
        }
    }
}
