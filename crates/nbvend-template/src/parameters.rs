//! Parameters: what a template declares, and the values a caller gives for them.

mod constraints;

use serde_json::{Map, Value};

use crate::error::TemplateError;
use crate::functions::scalar_text;

type Result<T> = std::result::Result<T, TemplateError>;

/// The AWS-specific types. Their values are ids that we take as strings without looking them up.
const AWS_TYPES: [&str; 11] = [
    "AWS::EC2::AvailabilityZone::Name",
    "AWS::EC2::Image::Id",
    "AWS::EC2::Instance::Id",
    "AWS::EC2::KeyPair::KeyName",
    "AWS::EC2::SecurityGroup::GroupName",
    "AWS::EC2::SecurityGroup::Id",
    "AWS::EC2::Subnet::Id",
    "AWS::EC2::VPC::Id",
    "AWS::EC2::Volume::Id",
    "AWS::Route53::HostedZone::Id",
    "AWS::SSM::Parameter::Name",
];

/// The `Type` of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterKind {
    String,
    Number,
    NumberList,
    CommaDelimitedList,
    /// `AWS::EC2::VPC::Id` and its like.
    Aws(String),
    /// `List<AWS::EC2::Subnet::Id>` and its like.
    AwsList(String),
    /// `AWS::SSM::Parameter::Value<..>`: the value given is the name of a Systems Manager parameter.
    Ssm(Box<ParameterKind>),
}

impl ParameterKind {
    /// `None` for a type AWS does not have.
    pub fn parse(text: &str) -> Option<Self> {
        let inside = |prefix: &str| text.strip_prefix(prefix)?.strip_suffix('>');
        if let Some(inner) = inside("AWS::SSM::Parameter::Value<") {
            if inner == "List<String>" {
                return Some(ParameterKind::Ssm(Box::new(ParameterKind::CommaDelimitedList)));
            }
            let inner = ParameterKind::parse(inner)?;
            let allowed = !matches!(inner, Self::Ssm(_) | Self::Number | Self::NumberList);
            return allowed.then(|| ParameterKind::Ssm(Box::new(inner)));
        }
        match text {
            "String" => Some(ParameterKind::String),
            "Number" => Some(ParameterKind::Number),
            "List<Number>" => Some(ParameterKind::NumberList),
            "CommaDelimitedList" => Some(ParameterKind::CommaDelimitedList),
            name if AWS_TYPES.contains(&name) => Some(ParameterKind::Aws(name.to_owned())),
            _ => {
                let inner = inside("List<")?;
                AWS_TYPES.contains(&inner).then(|| ParameterKind::AwsList(inner.to_owned()))
            }
        }
    }

    /// Whether a value stands for several: Ref gives a list.
    pub fn is_list(&self) -> bool {
        match self {
            Self::NumberList | Self::CommaDelimitedList | Self::AwsList(_) => true,
            Self::Ssm(inner) => inner.is_list(),
            _ => false,
        }
    }

    pub fn is_ssm(&self) -> bool {
        matches!(self, Self::Ssm(_))
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Number | Self::NumberList)
    }
}

/// One member of `Parameters`.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterDecl {
    pub name: String,
    pub kind: ParameterKind,
    /// `Type` as written.
    pub type_name: String,
    /// As text, which is what the API shows: a default of `3` or `true` is a string to AWS.
    pub default: Option<String>,
    pub allowed_values: Vec<String>,
    pub allowed_pattern: Option<String>,
    /// Characters.
    pub min_length: Option<u64>,
    pub max_length: Option<u64>,
    pub min_value: Option<f64>,
    pub max_value: Option<f64>,
    /// Shown as `****`.
    pub no_echo: bool,
    pub description: Option<String>,
    pub constraint_description: Option<String>,
}

impl ParameterDecl {
    pub(crate) fn read(name: &str, body: &Value) -> Option<Self> {
        let text = |member: &str| body.get(member).and_then(scalar_text);
        let number = |member: &str| text(member).and_then(|text| text.parse::<f64>().ok());
        let length = |member: &str| text(member).and_then(|text| text.parse::<u64>().ok());
        let type_name = body.get("Type")?.as_str()?;
        let allowed = body.get("AllowedValues").and_then(Value::as_array);
        Some(ParameterDecl {
            name: name.to_owned(),
            kind: ParameterKind::parse(type_name)?,
            type_name: type_name.to_owned(),
            default: text("Default"),
            allowed_values: allowed.map(|v| v.iter().filter_map(scalar_text).collect()).unwrap_or_default(),
            allowed_pattern: text("AllowedPattern"),
            min_length: length("MinLength"),
            max_length: length("MaxLength"),
            min_value: number("MinValue"),
            max_value: number("MaxValue"),
            no_echo: text("NoEcho").is_some_and(|flag| flag.eq_ignore_ascii_case("true")),
            description: text("Description"),
            constraint_description: text("ConstraintDescription"),
        })
    }
}

/// What a caller says about one parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// `ParameterValue`.
    Value(String),
    /// `UsePreviousValue=true`.
    UsePrevious,
}

/// The value of every declared parameter, in template order: a string, or a list of strings where
/// [`ParameterKind::is_list`] says so. For an SSM-typed parameter it is still the name to look up:
/// [`ssm_names`] tells the names, [`apply_ssm`] puts the values in.
///
/// `previous` is the result of the same function for the stack's current version.
///
/// # Errors
/// AWS's text for unknown names, missing values and broken constraints.
pub fn resolve_parameters(
    decls: &[ParameterDecl],
    given: &[(String, Given)],
    previous: Option<&Map<String, Value>>,
) -> Result<Map<String, Value>> {
    let unknown: Vec<&str> =
        given.iter().map(|(name, _)| name.as_str()).filter(|n| decls.iter().all(|d| d.name != *n)).collect();
    if !unknown.is_empty() {
        if decls.is_empty() {
            // Reported for a template without a Parameters section.
            let message = "Parameter values specified for a template which does not require them.";
            return Err(TemplateError::new(message));
        }
        let list = unknown.join(", ");
        return Err(TemplateError::new(format!("Parameters: [{list}] do not exist in the template")));
    }
    let mut texts = Vec::new();
    let mut missing = Vec::new();
    for decl in decls {
        let text = match given.iter().rev().find(|(name, _)| *name == decl.name) {
            Some((_, Given::Value(value))) => Some(value.clone()),
            Some((name, Given::UsePrevious)) => {
                let value = previous.and_then(|previous| previous.get(name)).map(parameter_text);
                if value.is_none() {
                    let message = format!("ParameterValue for ParameterKey {name} is required");
                    return Err(TemplateError::new(message));
                }
                value
            }
            None => decl.default.clone(),
        };
        match text {
            Some(text) => texts.push((decl, text)),
            None => missing.push(decl.name.as_str()),
        }
    }
    if !missing.is_empty() {
        let list = missing.join(", ");
        return Err(TemplateError::new(format!("Parameters: [{list}] must have values")));
    }
    let mut values = Map::new();
    for (decl, text) in texts {
        constraints::check(decl, &text)?;
        let value = if decl.kind.is_ssm() { Value::String(text) } else { typed(&decl.kind, &text) };
        values.insert(decl.name.clone(), value);
    }
    Ok(values)
}

/// The text of a resolved value, as DescribeStacks shows it.
pub fn parameter_text(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(parameter_text).collect::<Vec<_>>().join(","),
        other => scalar_text(other).unwrap_or_default(),
    }
}

/// Parameter and the name of the Systems Manager parameter that holds its value.
pub fn ssm_names(decls: &[ParameterDecl], values: &Map<String, Value>) -> Vec<(String, String)> {
    let names = decls.iter().filter(|decl| decl.kind.is_ssm());
    names.filter_map(|decl| Some((decl.name.clone(), values.get(&decl.name)?.as_str()?.to_owned()))).collect()
}

/// Replaces the names of SSM-typed parameters by what `lookup` finds under them. Do it on a copy: the
/// names are what DescribeStacks shows as ParameterValue (the values are its ResolvedValue).
///
/// # Errors
/// What `lookup` says, and a value of a wrong type.
pub fn apply_ssm(
    decls: &[ParameterDecl],
    values: &mut Map<String, Value>,
    mut lookup: impl FnMut(&str) -> std::result::Result<String, String>,
) -> Result<()> {
    for (name, key) in ssm_names(decls, values) {
        let text = lookup(&key).map_err(TemplateError::new)?;
        let decl = decls.iter().find(|decl| decl.name == name);
        let kind = decl.map_or(&ParameterKind::String, |decl| &decl.kind);
        values.insert(name, typed(kind, &text));
    }
    Ok(())
}

fn typed(kind: &ParameterKind, text: &str) -> Value {
    if kind.is_list() { Value::Array(list_items(text).map(Value::from).collect()) } else { Value::from(text) }
}

/// The members of a list value, blanks around them removed. An empty text is one empty member: an
/// AllowedPattern that wants a character refuses it on AWS (aws-cli issue 7750).
fn list_items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim)
}

#[cfg(test)]
mod tests;
