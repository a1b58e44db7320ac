//! Filters of `DescribeParameters` and `GetParametersByPath`, with AWS's complaints about them.

use serde::{Deserialize, Serialize};

use super::by_path::under;
use super::error::Error;
use super::state::Parameter;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct Filter {
    pub key: String,
    /// `Equals` where none is given; for `Path`, `OneLevel`.
    pub option: Option<String>,
    pub values: Vec<String>,
}

/// Which operation the filters are for: each knows other keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Describe,
    Path,
}

const NAME_RULES: &str = "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \"/\". It can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol \"/\". Valid example: /get/parameters2-/by1./path0_.";

/// Checks a path to look under.
pub fn check_path(path: &str) -> Result<(), Error> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    if !path.starts_with('/') || path.contains("//") || !path.chars().all(legal) {
        return Err(Error::validation(NAME_RULES));
    }
    let first = path.to_ascii_lowercase();
    if first.starts_with("/aws") || first.starts_with("/ssm") {
        return Err(Error::validation(
            "Filters for common parameters can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). When using global parameters, please specify within a global namespace.",
        ));
    }
    Ok(())
}

impl Filter {
    fn option(&self) -> &str {
        self.option.as_deref().unwrap_or(if self.key == "Path" { "OneLevel" } else { "Equals" })
    }

    fn check(&self, of: Of) -> Result<(), Error> {
        let key = self.key.as_str();
        let known = match of {
            Of::Describe => key != "Label",
            Of::Path => matches!(key, "Type" | "KeyId" | "Label"),
        };
        if !known {
            let valid = if of == Of::Path { "Type, KeyId" } else { "Path, Name, Type, KeyId, Tier" };
            let text = format!(
                "The following filter key is not valid: {key}. Valid filter keys include: [{valid}]."
            );
            return Err(Error::FilterKey(text));
        }
        let options: &[&str] = match key {
            "Path" => &["Recursive", "OneLevel"],
            "Name" => &["BeginsWith", "Equals", "Contains"],
            "Label" => &["Equals"],
            _ => &["BeginsWith", "Equals"],
        };
        let option = self.option();
        if !options.contains(&option) {
            let shown = match key {
                "Path" => "Recursive, OneLevel",
                "Label" => "Equals",
                _ => "BeginsWith, Equals",
            };
            let text = format!(
                "The following filter option is not valid: {option}. Valid options include: [{shown}]."
            );
            return Err(Error::FilterOption(text));
        }
        // Only a tag may be asked for without a value.
        if self.values.is_empty() && !key.starts_with("tag:") {
            let text = format!("The following filter values are missing : null for filter key {key}.");
            return Err(Error::FilterValue(text));
        }
        let closed: Option<&[&str]> = match key {
            "Tier" => Some(&["Standard", "Advanced", "Intelligent-Tiering"]),
            "Type" if option == "Equals" => Some(&["String", "StringList", "SecureString"]),
            _ => None,
        };
        if let Some(closed) = closed
            && let Some(value) = self.values.iter().find(|value| !closed.contains(&value.as_str()))
        {
            let valid = closed.join(", ");
            let text =
                format!("The following filter value is not valid: {value}. Valid values include: [{valid}].");
            return Err(Error::FilterValue(text));
        }
        if key == "Path" {
            self.values.iter().try_for_each(|path| check_path(path))?;
        }
        Ok(())
    }

    fn matches(&self, parameter: &Parameter) -> bool {
        let any = |what: &str| {
            self.values.iter().any(|value| match self.option() {
                "BeginsWith" => what.starts_with(value.as_str()),
                "Contains" => what.contains(value.as_str()),
                _ => what == value,
            })
        };
        let current = &parameter.current;
        match self.key.as_str() {
            "Name" => {
                // A name at the root may be written with its slash or without.
                let bare = parameter.name.trim_start_matches('/');
                any(&parameter.name) || any(bare) || any(&format!("/{bare}"))
            }
            "Path" => {
                let recursive = self.option() == "Recursive";
                self.values.iter().any(|path| under(path, &parameter.name, recursive))
            }
            "Type" => any(&current.kind),
            "Tier" => any(&current.tier),
            "DataType" => any(&current.data_type),
            "KeyId" => current.key_id.as_deref().is_some_and(any),
            "Label" => parameter.labels.keys().any(|label| any(label)),
            key => match key.strip_prefix("tag:").and_then(|tag| parameter.tags.get(tag)) {
                Some(value) => self.values.is_empty() || any(value),
                None => false,
            },
        }
    }
}

pub fn check(filters: &[Filter], of: Of) -> Result<(), Error> {
    for (at, filter) in filters.iter().enumerate() {
        filter.check(of)?;
        if filters[..at].iter().any(|earlier| earlier.key == filter.key) {
            return Err(Error::FilterKey(format!(
                "The following filter is duplicated in the request: {}. A request can contain only one occurrence of a specific filter.",
                filter.key
            )));
        }
    }
    Ok(())
}

/// Whether all filters match.
pub fn matches(filters: &[Filter], parameter: &Parameter) -> bool {
    filters.iter().all(|filter| filter.matches(parameter))
}
