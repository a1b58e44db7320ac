//! `LabelParameterVersion`, `UnlabelParameterVersion`.

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::state::Parameter;
use super::{event, name};
use crate::context::Cx;
use crate::operation::{Kind, Operation};

/// Labels a version may bear.
const LABELS: usize = 10;

/// Letters, digits, `.`, `-`, `_`; not beginning with a digit, `aws` or `ssm`.
fn is_label(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    text.chars().all(legal)
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && !lower.starts_with("aws")
        && !lower.starts_with("ssm")
}

fn existing(cx: &Cx<'_>, parameter: &Parameter, version: i64) -> Result<(), Error> {
    match parameter.version(cx, version)? {
        Some(_) => Ok(()),
        None => Err(Error::VersionNotFound { version: version.to_string(), name: parameter.name.clone() }),
    }
}

/// Puts labels on a version, taking them off the one that had them.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct LabelParameterVersion {
    pub name: String,
    /// The current one where none is given.
    pub parameter_version: Option<i64>,
    pub labels: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LabelParameterVersionOutput {
    pub invalid_labels: Vec<String>,
    pub parameter_version: i64,
}

impl Operation for LabelParameterVersion {
    const SERVICE: &'static str = "ssm";
    const NAME: &'static str = "LabelParameterVersion";
    const KIND: Kind = Kind::Write;
    type Output = LabelParameterVersionOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![name::arn(cx, self.name.trim())]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<LabelParameterVersionOutput, Error> {
        let old = Parameter::find(cx, self.name.trim())?;
        let version = self.parameter_version.unwrap_or(old.current.version);
        existing(cx, &old, version)?;
        let (labels, invalid_labels): (Vec<String>, _) =
            self.labels.into_iter().partition(|label| is_label(label));
        let mut parameter = old.clone();
        for label in labels {
            parameter.labels.insert(label, version);
        }
        if parameter.labels_of(version).len() > LABELS {
            return Err(Error::TooManyLabels);
        }
        if parameter.labels != old.labels {
            parameter.save(cx, Some(&old))?;
            event::changed(cx, &parameter, "LabelParameterVersion")?;
        }
        Ok(LabelParameterVersionOutput { invalid_labels, parameter_version: version })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UnlabelParameterVersion {
    pub name: String,
    pub parameter_version: i64,
    pub labels: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UnlabelParameterVersionOutput {
    pub removed_labels: Vec<String>,
    pub invalid_labels: Vec<String>,
}

impl Operation for UnlabelParameterVersion {
    const SERVICE: &'static str = "ssm";
    const NAME: &'static str = "UnlabelParameterVersion";
    const KIND: Kind = Kind::Write;
    type Output = UnlabelParameterVersionOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![name::arn(cx, self.name.trim())]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<UnlabelParameterVersionOutput, Error> {
        let old = Parameter::find(cx, self.name.trim())?;
        let version = self.parameter_version;
        existing(cx, &old, version)?;
        let mut parameter = old.clone();
        let (removed_labels, invalid_labels): (Vec<String>, Vec<String>) =
            self.labels.into_iter().partition(|label| parameter.labels.get(label) == Some(&version));
        parameter.labels.retain(|label, _| !removed_labels.contains(label));
        parameter.save(cx, Some(&old))?;
        Ok(UnlabelParameterVersionOutput { removed_labels, invalid_labels })
    }
}
