//! Names: what a parameter may be called, and how a call says which version of which parameter it means.

use super::error::Error;
use super::state::{Parameter, ParameterVersion};
use crate::context::Cx;

/// Levels of a hierarchy.
const LEVELS: usize = 15;
/// The longest ARN of a parameter, as the documentation of `PutParameter` counts.
const LONGEST_ARN: usize = 1011;

const PATH_RULES: &str = "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_";

/// The ARN of a parameter: a leading slash of the name is not doubled.
pub fn arn(cx: &Cx<'_>, name: &str) -> String {
    cx.arn("ssm", &format!("parameter/{}", name.trim_start_matches('/')))
}

/// The ARN of what a call names: an ARN stays what it is but for its selector.
pub fn given_arn(cx: &Cx<'_>, given: &str) -> String {
    let (name, _) = split(cx, given);
    arn(cx, &name)
}

/// Checks the name of a parameter to be made.
pub fn check(cx: &Cx<'_>, name: &str) -> Result<(), Error> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    let broken = name.contains("//") || (name.len() > 1 && name.ends_with('/')) || name == "/";
    if !name.chars().all(legal) || broken {
        return Err(Error::validation(PATH_RULES));
    }
    if name.contains('/') && !name.starts_with('/') {
        return Err(Error::validation("Parameter name must be a fully qualified name."));
    }
    let first = name.trim_start_matches('/').to_ascii_lowercase();
    if first.starts_with("aws") || first.starts_with("ssm") {
        return Err(match name.matches('/').count() > 1 {
            true if first.starts_with("aws") => Error::Reserved(name.to_owned()),
            true => Error::validation(PATH_RULES),
            false => Error::validation(
                "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).",
            ),
        });
    }
    if name.matches('/').count() > LEVELS {
        return Err(Error::HierarchyLevels);
    }
    if arn(cx, name).len() > LONGEST_ARN {
        return Err(Error::validation(format!(
            "Parameter name: the ARN that it makes can't be longer than {LONGEST_ARN} characters."
        )));
    }
    Ok(())
}

/// A name and what follows its colon. An ARN's name is that of the parameter with a slash before it, if it has levels.
fn split(cx: &Cx<'_>, given: &str) -> (String, Option<String>) {
    let prefix = cx.arn("ssm", "parameter/");
    let (bare, from_arn) = match given.strip_prefix(&prefix) {
        Some(rest) => (rest, true),
        None => (given.trim(), false),
    };
    let (name, selector) = match bare.rsplit_once(':') {
        Some((name, selector)) => (name, Some(selector.to_owned())),
        None => (bare, None),
    };
    let name = if from_arn && name.contains('/') { format!("/{name}") } else { name.to_owned() };
    (name, selector)
}

/// A version of a parameter that a call asked for, and the selector by which it did.
pub struct Selected {
    pub parameter: Parameter,
    pub version: ParameterVersion,
    pub selector: Option<String>,
}

/// Finds what a call names: `name`, `name:3`, `name:label`, or an ARN with any of these ends.
pub fn select(cx: &Cx<'_>, given: &str) -> Result<Selected, Error> {
    let (name, selector) = split(cx, given);
    let parameter = match Parameter::get(cx, &name)? {
        Some(parameter) => parameter,
        // `/name` and `name` have one ARN.
        None if given.starts_with("arn:") => Parameter::find(cx, &format!("/{name}"))?,
        None => return Err(Error::ParameterNotFound),
    };
    let Some(selector) = selector else {
        let version = parameter.current.clone();
        return Ok(Selected { parameter, version, selector: None });
    };
    let number = selector.parse().ok().or_else(|| parameter.labels.get(&selector).copied());
    let version = number.map(|number| parameter.version(cx, number)).transpose()?.flatten();
    match version {
        Some(version) => Ok(Selected { parameter, version, selector: Some(format!(":{selector}")) }),
        None => Err(Error::VersionNotFound { version: selector, name }),
    }
}
