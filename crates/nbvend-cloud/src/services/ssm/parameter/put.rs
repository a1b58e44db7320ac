//! `PutParameter`.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::super::error::Error;
use super::super::state::{Parameter, ParameterVersion, VERSIONS};
use super::super::tags::{self, Tag};
use super::super::{crypt, event, name, policy};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// Values in bytes, by tier.
const STANDARD: usize = 4096;
const ADVANCED: usize = 8192;
/// What an `AllowedPattern` may grow to when compiled.
const PATTERN_SIZE: usize = 1 << 20;

/// Makes a parameter or, with `Overwrite`, its next version.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutParameter {
    pub name: String,
    pub value: String,
    #[serde(rename = "Type")]
    pub kind: Option<String>,
    pub description: Option<String>,
    pub key_id: Option<String>,
    pub overwrite: bool,
    pub allowed_pattern: Option<String>,
    pub tags: Vec<Tag>,
    /// `Standard`, `Advanced` or `Intelligent-Tiering`.
    pub tier: Option<String>,
    /// A JSON list.
    pub policies: Option<String>,
    /// `text` alone.
    pub data_type: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutParameterOutput {
    pub version: i64,
    pub tier: String,
}

impl Operation for PutParameter {
    const SERVICE: &'static str = "ssm";
    const NAME: &'static str = "PutParameter";
    const KIND: Kind = Kind::Write;
    const SENSITIVE: &'static [&'static str] = &["Value"];
    const PREPARES: bool = true;
    type Output = PutParameterOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![name::arn(cx, self.name.trim())]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        tags::request_keys(&self.tags, keys);
        tags::resource_keys(cx, self.name.trim(), keys);
        keys.insert("ssm:Overwrite".to_owned(), vec![self.overwrite.to_string()]);
        if let Some(policies) = &self.policies {
            keys.insert("ssm:Policies".to_owned(), vec![policies.clone()]);
        }
    }

    /// The key of SecureStrings is read (or made) where no writer waits for the disk.
    fn prepare(&mut self, cx: &mut Cx<'_>) -> Result<(), Error> {
        if self.kind.as_deref() == Some("SecureString") {
            crypt::ready(cx.engine)?;
        }
        Ok(())
    }

    fn run(mut self, cx: &mut Cx<'_>) -> Result<PutParameterOutput, Error> {
        self.name = self.name.trim().to_owned();
        self.check(cx)?;
        let old = Parameter::get(cx, &self.name)?;
        if old.is_some() && !self.overwrite {
            return Err(Error::ParameterAlreadyExists);
        }
        let kind = self.kind_after(old.as_ref())?;
        let now = cx.now();
        let mut policies = match &self.policies {
            Some(text) => policy::parse(text, now)?,
            None => old.as_ref().map(|old| old.policies.clone()).unwrap_or_default(),
        };
        policy::changed(&mut policies, now);
        let tier = self.tier_after(old.as_ref(), !policies.is_empty())?;
        let before = old.as_ref().map(|old| &old.current);
        let allowed_pattern = self.allowed_pattern.take().or_else(|| before?.allowed_pattern.clone());
        let allowed_pattern = allowed_pattern.filter(|pattern| !pattern.is_empty());
        if let Some(pattern) = &allowed_pattern {
            check_pattern(pattern, &self.value)?;
        }
        let key_id = match kind.as_str() {
            "SecureString" => {
                let before = before.and_then(|before| before.key_id.clone());
                Some(crypt::checked_key(cx, self.key_id.as_deref().or(before.as_deref()))?)
            }
            _ => None,
        };
        let value = match key_id {
            Some(_) => crypt::encrypt(cx, &name::arn(cx, &self.name), &self.value)?,
            None => self.value,
        };
        let version = before.map_or(1, |before| before.version + 1);
        let current = ParameterVersion {
            name: self.name.clone(),
            version,
            kind,
            value,
            key_id,
            description: self
                .description
                .or_else(|| before?.description.clone())
                .filter(|text| !text.is_empty()),
            allowed_pattern,
            tier: tier.to_owned(),
            data_type: "text".to_owned(),
            policies: policies.iter().map(|policy| policy.text.clone()).collect(),
            modified: now,
            modified_by: cx.caller.principal.arn(cx.account()),
        };
        let mut parameter = match &old {
            Some(old) => Parameter { current, policies, ..old.clone() },
            None => Parameter {
                name: self.name,
                current,
                oldest: 1,
                labels: Default::default(),
                tags: tags::checked(cx, &self.tags)?,
                policies,
            },
        };
        make_room(cx, &mut parameter)?;
        parameter.save(cx, old.as_ref())?;
        event::changed(cx, &parameter, if old.is_some() { "Update" } else { "Create" })?;
        Ok(PutParameterOutput { version, tier: tier.to_owned() })
    }
}

impl PutParameter {
    /// What is wrong whatever stands there already.
    fn check(&self, cx: &Cx<'_>) -> Result<(), Error> {
        if self.value.is_empty() {
            return Err(Error::validation(
                "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1.",
            ));
        }
        if self.overwrite && !self.tags.is_empty() {
            return Err(Error::validation(
                "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.",
            ));
        }
        name::check(cx, &self.name)?;
        match self.data_type.as_deref() {
            None | Some("" | "text") => {}
            Some(kind @ ("aws:ec2:image" | "aws:ssm:integration")) => {
                return Err(Error::Validation(format!("The data type {kind} is not supported by nbvend")));
            }
            Some(kind) => {
                let text = format!(
                    "The following data type is not supported: {kind} (Data type names are all lowercase.)"
                );
                return Err(Error::Validation(text));
            }
        }
        if self.value.find("{{").is_some_and(|at| self.value[at..].contains("}}")) {
            return Err(Error::validation(
                "Parameter value can't nest another parameter. Do not use \"{{}}\" in the value.",
            ));
        }
        Ok(())
    }

    fn kind_after(&self, old: Option<&Parameter>) -> Result<String, Error> {
        let kind = match (old, &self.kind) {
            (None, None) => {
                return Err(Error::validation("A parameter type is required when you create a parameter."));
            }
            (Some(old), Some(kind)) if old.current.kind != *kind => {
                return Err(Error::TypeChange { from: old.current.kind.clone(), to: kind.clone() });
            }
            (Some(old), _) => old.current.kind.clone(),
            (None, Some(kind)) => kind.clone(),
        };
        if self.key_id.is_some() && kind != "SecureString" {
            return Err(Error::validation("KeyId is required for SecureString type parameter only."));
        }
        Ok(kind)
    }

    /// The tier the parameter will be in. It never goes back from advanced to standard.
    fn tier_after(&self, old: Option<&Parameter>, policies: bool) -> Result<&'static str, Error> {
        let was_advanced = old.is_some_and(|old| old.current.tier == "Advanced");
        let size = self.value.len();
        let advanced = match self.tier.as_deref() {
            Some("Advanced") => true,
            Some("Intelligent-Tiering") => was_advanced || policies || size > STANDARD,
            Some(_) if was_advanced => {
                return Err(Error::validation(
                    "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced parameter and recreate it as a standard parameter. Be aware that standard parameters have a value limit of 4096 characters.",
                ));
            }
            _ => was_advanced,
        };
        if !advanced && policies {
            return Err(Error::validation(
                "The standard-parameter tier doesn't support parameter policies. To use parameter policies, upgrade the parameter to use the advanced-parameter tier.",
            ));
        }
        if !advanced && size > STANDARD {
            return Err(Error::Validation(format!(
                "Standard tier parameters support a maximum parameter value of {STANDARD} characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
            )));
        }
        if size > ADVANCED {
            return Err(Error::Validation(format!(
                "Advanced tier parameters support a maximum parameter value of {ADVANCED} characters."
            )));
        }
        Ok(if advanced { "Advanced" } else { "Standard" })
    }
}

/// The whole value must match. What this engine's regular expressions lack (look-around, back references) is refused.
fn check_pattern(pattern: &str, value: &str) -> Result<(), Error> {
    let compiled: Regex = RegexBuilder::new(&format!(r"\A(?:{pattern})\z"))
        .size_limit(PATTERN_SIZE)
        .build()
        .map_err(|_| Error::InvalidPattern(pattern.to_owned()))?;
    if compiled.is_match(value) { Ok(()) } else { Err(Error::PatternMismatch(pattern.to_owned())) }
}

/// The oldest version gives way, unless somebody labelled it.
fn make_room(cx: &Cx<'_>, parameter: &mut Parameter) -> Result<(), Error> {
    while parameter.current.version - parameter.oldest >= VERSIONS {
        let version = parameter.oldest;
        if parameter.labels.values().any(|labelled| *labelled == version) {
            return Err(Error::OldestLabelled { name: parameter.name.clone(), version });
        }
        parameter.forget_oldest(cx)?;
    }
    Ok(())
}
