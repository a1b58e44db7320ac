//! A parsed template and its sections.
//!
//! The accessors never fail: a section of a wrong shape reads as empty. [`Template::validate`] is what
//! refuses it, and everything else may assume that it was called.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::error::TemplateError;
use crate::parameters::ParameterDecl;
pub use crate::parse::Format;
use crate::path::{Path, Position, Spans, Step};

static EMPTY: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

/// A template in long form: `!Sub x` is `{"Fn::Sub": "x"}`, keys in the order of the text.
#[derive(Debug, Clone)]
pub struct Template {
    /// The whole template.
    pub value: Value,
    /// What it was written in; [`Format::Json`] for a processed one.
    pub format: Format,
    spans: Option<Spans>,
}

/// One member of `Resources`.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'t> {
    pub logical_id: &'t str,
    /// `AWS::S3::Bucket`.
    pub resource_type: &'t str,
    /// Everything the resource declares, `Type` included.
    pub body: &'t Map<String, Value>,
}

/// One member of `Outputs`.
#[derive(Debug, Clone, Copy)]
pub struct Output<'t> {
    pub name: &'t str,
    /// Unresolved.
    pub value: &'t Value,
    pub description: Option<&'t str>,
    /// The expression of `Export.Name`, unresolved.
    pub export_name: Option<&'t Value>,
    pub condition: Option<&'t str>,
}

impl Template {
    /// Reads a template's text, JSON if it starts with `{`, else YAML.
    ///
    /// # Errors
    /// Text that is not well-formed, or well-formed text that is no object (a file name, a list).
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        let (value, spans, format) = crate::parse::parse(text)?;
        if !value.is_object() {
            // Recorded for a URL given as the template's body.
            return Err(TemplateError::at(
                "Template format error: unsupported structure.",
                Some(spans.value),
            ));
        }
        Ok(Template { value, format, spans: Some(spans) })
    }

    /// A template that was not read from text: the output of a transform. Its errors have no place.
    pub fn from_value(value: Value) -> Template {
        Template { value, format: Format::Json, spans: None }
    }

    pub fn description(&self) -> Option<&str> {
        self.value.get("Description")?.as_str()
    }

    /// The top-level `Metadata`. Functions in it are not resolved.
    pub fn metadata(&self) -> Option<&Value> {
        self.value.get("Metadata")
    }

    /// `AWSTemplateFormatVersion`, if declared.
    pub fn format_version(&self) -> Option<&str> {
        self.value.get("AWSTemplateFormatVersion")?.as_str()
    }

    /// The declared transforms in their order: `AWS::Serverless-2016-10-31`, `AWS::LanguageExtensions`,
    /// names of macros.
    pub fn transforms(&self) -> Vec<String> {
        let named = |value: &Value| match value {
            Value::String(name) => Some(name.clone()),
            Value::Object(map) => map.get("Name")?.as_str().map(str::to_owned),
            _ => None,
        };
        match self.value.get("Transform") {
            Some(Value::Array(items)) => items.iter().filter_map(named).collect(),
            Some(one) => named(one).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// Whether Fn::Length, Fn::ToJsonString and FindInMap defaults may be used.
    pub fn language_extensions(&self) -> bool {
        self.transforms().iter().any(|name| name == "AWS::LanguageExtensions")
    }

    /// Whether a transform has yet to change this template, so that its references cannot be judged.
    pub fn needs_transform(&self) -> bool {
        self.transforms().iter().any(|name| name != "AWS::LanguageExtensions")
    }

    /// The declared parameters, in template order.
    pub fn parameters(&self) -> Vec<ParameterDecl> {
        self.section("Parameters").iter().filter_map(|(name, body)| ParameterDecl::read(name, body)).collect()
    }

    /// The resources, in template order, those with a false condition included.
    pub fn resources(&self) -> Vec<Resource<'_>> {
        self.section("Resources").iter().filter_map(|(id, body)| Resource::read(id, body)).collect()
    }

    pub fn resource(&self, logical_id: &str) -> Option<Resource<'_>> {
        let (id, body) = self.section("Resources").get_key_value(logical_id)?;
        Resource::read(id, body)
    }

    /// The outputs, in template order, those with a false condition included.
    pub fn outputs(&self) -> Vec<Output<'_>> {
        self.section("Outputs").iter().filter_map(|(name, body)| Output::read(name, body)).collect()
    }

    /// Condition name to its expression.
    pub fn conditions(&self) -> &Map<String, Value> {
        self.section("Conditions")
    }

    pub fn mappings(&self) -> &Map<String, Value> {
        self.section("Mappings")
    }

    pub(crate) fn section(&self, name: &str) -> &Map<String, Value> {
        self.value.get(name).and_then(Value::as_object).unwrap_or(&EMPTY)
    }

    /// Place of the value at `path`.
    pub(crate) fn place(&self, path: &Path<'_>) -> Option<Position> {
        Some(self.spans.as_ref()?.locate(&self.value, &path.steps(), false))
    }

    /// Place of the name of the member at `path`.
    pub(crate) fn key_place(&self, path: &Path<'_>) -> Option<Position> {
        Some(self.spans.as_ref()?.locate(&self.value, &path.steps(), true))
    }

    /// Line and column of the value at a path such as `["Resources", "Bucket", "Properties", "Tags", "0"]`,
    /// or of what exists of it, for faults that are found later. `None` for a processed template.
    pub fn place_of(&self, path: &[&str]) -> Option<(usize, usize)> {
        let steps: Vec<Step<'_>> = path.iter().map(|key| Step::Key(key)).collect();
        let at = self.spans.as_ref()?.locate(&self.value, &steps, false);
        Some((at.line as usize, at.column as usize))
    }
}

impl<'t> Resource<'t> {
    fn read(logical_id: &'t str, body: &'t Value) -> Option<Self> {
        let body = body.as_object()?;
        let resource_type = body.get("Type")?.as_str()?;
        Some(Resource { logical_id, resource_type, body })
    }

    /// Unresolved properties; none declared is an empty object.
    pub fn properties(&self) -> &'t Map<String, Value> {
        self.body.get("Properties").and_then(Value::as_object).unwrap_or(&EMPTY)
    }

    /// Declared dependencies; AWS takes a string as well as a list.
    pub fn depends_on(&self) -> Vec<&'t str> {
        match self.body.get("DependsOn") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    pub fn condition(&self) -> Option<&'t str> {
        self.body.get("Condition")?.as_str()
    }

    /// `Delete`, `Retain`, `RetainExceptOnCreate` or `Snapshot`. With AWS::LanguageExtensions it may be
    /// an expression: then this is `None` and `body` has it.
    pub fn deletion_policy(&self) -> Option<&'t str> {
        self.body.get("DeletionPolicy")?.as_str()
    }

    pub fn update_replace_policy(&self) -> Option<&'t str> {
        self.body.get("UpdateReplacePolicy")?.as_str()
    }

    /// Unresolved.
    pub fn metadata(&self) -> Option<&'t Value> {
        self.body.get("Metadata")
    }

    pub fn creation_policy(&self) -> Option<&'t Value> {
        self.body.get("CreationPolicy")
    }

    pub fn update_policy(&self) -> Option<&'t Value> {
        self.body.get("UpdatePolicy")
    }
}

impl<'t> Output<'t> {
    fn read(name: &'t str, body: &'t Value) -> Option<Self> {
        let body = body.as_object()?;
        Some(Output {
            name,
            value: body.get("Value")?,
            description: body.get("Description").and_then(Value::as_str),
            export_name: body.get("Export").and_then(|export| export.get("Name")),
            condition: body.get("Condition").and_then(Value::as_str),
        })
    }
}
