//! A template and its parameters as a caller gave them, read, transformed and checked: all that can be said before
//! anything is made. Needs no writer.

use std::collections::BTreeMap;

use nbvend_template::Template;
use nbvend_template::graph::Graph;
use nbvend_template::intrinsics::evaluate_conditions;
use nbvend_template::parameters::{Given, ParameterDecl, apply_ssm, parameter_text, resolve_parameters};
use serde_json::{Map, Value};

use super::error::Error;
use super::stack::Parameter;
use super::state::{Face, ShownParameter, Stack, Version};
use super::{properties, source, transform};
use crate::context::Cx;
use crate::services;
use crate::services::ssm::parameter::GetParameter;

/// What a caller asks for.
pub struct Ask<'a> {
    pub stack_name: &'a str,
    pub body: Option<&'a str>,
    pub url: Option<&'a str>,
    /// Take the template of `previous`.
    pub use_previous: bool,
    pub parameters: &'a [Parameter],
    /// The stack to be changed.
    pub previous: Option<&'a Stack>,
}

/// A template that may be used.
#[derive(Debug, Clone)]
pub struct Draft {
    pub original: String,
    /// As it came, for capabilities and declarations.
    pub declared: Template,
    /// Transformed.
    pub template: Template,
    pub transformed: bool,
    pub decls: Vec<ParameterDecl>,
    pub parameters: Map<String, Value>,
    pub values: Map<String, Value>,
    /// The version whose template or parameters were made use of.
    pub based_on: Option<String>,
}

/// Reads, transforms and checks.
pub fn draft(cx: &mut Cx<'_>, ask: &Ask<'_>) -> Result<Draft, Error> {
    let previous =
        match ask.previous.and_then(|stack| Some((stack, stack.current.as_ref().or(stack.target.as_ref())?)))
        {
            Some((stack, id)) => cx.get::<Version>(&Version::key_of(&stack.uuid, id))?,
            None => None,
        };
    let original = match (source::text(cx, ask.body, ask.url)?, ask.use_previous, &previous) {
        (Some(text), false, _) => text,
        (None, true, Some(previous)) => previous.original.clone(),
        _ => return Err(Error::validation("Either Template URL or Template Body must be specified.")),
    };
    let declared = Template::parse(&original)?;
    declared.validate()?;
    let decls = declared.parameters();
    let given = given(ask.parameters)?;
    let parameters =
        resolve_parameters(&decls, &given, previous.as_ref().map(|version| &version.parameters))?;
    let mut values = parameters.clone();
    look_up(cx, &decls, &mut values)?;
    let template = match transform::transformed(cx, &declared, &values)? {
        Some(template) => {
            template.validate()?;
            Some(template)
        }
        None => None,
    };
    let transformed = template.is_some();
    let template = template.unwrap_or_else(|| declared.clone());
    check(cx, ask, &template, &values)?;
    Ok(Draft {
        original,
        declared,
        template,
        transformed,
        decls,
        parameters,
        values,
        based_on: previous.map(|version| version.id),
    })
}

fn given(parameters: &[Parameter]) -> Result<Vec<(String, Given)>, Error> {
    let mut given = Vec::new();
    for parameter in parameters {
        let key = parameter.parameter_key.clone();
        if key.is_empty() {
            return Err(Error::validation("ParameterKey must not be empty"));
        }
        match (&parameter.parameter_value, parameter.use_previous_value == Some(true)) {
            (Some(_), true) => {
                return Err(Error::Validation(format!(
                    "Invalid input for parameter key {key}. Cannot specify usePreviousValue as true and non empty value for a parameter"
                )));
            }
            (None, true) => given.push((key, Given::UsePrevious)),
            (Some(value), false) => given.push((key, Given::Value(value.clone()))),
            // As if it were not there: the default counts.
            (None, false) => {}
        }
    }
    Ok(given)
}

/// Replaces the names of SSM-typed parameters by their values, read as the caller.
fn look_up(cx: &mut Cx<'_>, decls: &[ParameterDecl], values: &mut Map<String, Value>) -> Result<(), Error> {
    apply_ssm(decls, values, |name| match ssm_value(cx, name) {
        Ok((_, value)) => Ok(value),
        Err(error) if error.code.starts_with("ParameterNotFound") => {
            Err(format!("Unable to fetch parameters [{name}] from parameter store for this account."))
        }
        Err(error) => Err(error.message),
    })
    .map_err(Error::from)
}

/// Type and value of a parameter in Parameter Store.
pub fn ssm_value(cx: &mut Cx<'_>, name: &str) -> Result<(String, String), nbvend_wire::error::WireError> {
    let answer = cx.call(GetParameter { name: name.to_owned(), ..GetParameter::default() })?;
    Ok((answer.parameter.kind, answer.parameter.value))
}

/// Types, attributes, properties, conditions, cycles.
fn check(cx: &Cx<'_>, ask: &Ask<'_>, template: &Template, values: &Map<String, Value>) -> Result<(), Error> {
    template.check_types(|name| services::provider(name).is_some())?;
    template.check_attributes(|name, attribute| {
        services::provider(name).is_some_and(|provider| provider.schema().attributes.contains(&attribute))
    })?;
    let arn = ask.previous.map_or("", |stack| stack.arn.as_str());
    let pseudo = pseudo_parameters(cx, ask.stack_name, arn, &[]);
    let conditions: BTreeMap<String, bool> = evaluate_conditions(template, values, &pseudo)?;
    let graph = Graph::of(template, &conditions)?;
    for id in graph.ids() {
        if let Some(resource) = template.resource(id) {
            properties::check_declared(template, &resource)?;
        }
    }
    Ok(())
}

/// `AWS::Region` and its like.
pub fn pseudo_parameters(
    cx: &Cx<'_>,
    stack_name: &str,
    stack_arn: &str,
    topics: &[String],
) -> Map<String, Value> {
    let mut pseudo = Map::new();
    let mut set = |name: &str, value: Value| {
        pseudo.insert(format!("AWS::{name}"), value);
    };
    set("AccountId", cx.account().into());
    set("NotificationARNs", Value::from(topics.to_vec()));
    set("Partition", nbvend_wire::arn::partition(cx.region()).into());
    set("Region", cx.region().into());
    set("StackId", stack_arn.into());
    set("StackName", stack_name.into());
    set("URLSuffix", cx.config().url_suffix.clone().into());
    pseudo
}

impl Draft {
    /// What is shown of it, with the caller's tags and capabilities.
    pub fn face(&self, tags: Vec<(String, String)>, capabilities: Vec<String>, topics: Vec<String>) -> Face {
        let shown = self.decls.iter().filter_map(|decl| {
            let value = self.parameters.get(&decl.name)?;
            let hide = |text: String| if decl.no_echo { "****".to_owned() } else { text };
            let resolved =
                decl.kind.is_ssm().then(|| self.values.get(&decl.name).map(parameter_text)).flatten();
            Some(ShownParameter {
                key: decl.name.clone(),
                value: hide(parameter_text(value)),
                resolved: resolved.map(hide),
            })
        });
        Face {
            description: self.template.description().map(str::to_owned),
            parameters: shown.collect(),
            tags,
            capabilities,
            notification_arns: topics,
        }
    }

    /// The stored form.
    pub fn version(&self, stack: &str, id: String, face: Face) -> Version {
        Version {
            stack: stack.to_owned(),
            id,
            original: self.original.clone(),
            processed: self.template.value.clone(),
            transformed: self.transformed,
            parameters: self.parameters.clone(),
            values: self.values.clone(),
            no_echo: self.decls.iter().filter(|decl| decl.no_echo).map(|decl| decl.name.clone()).collect(),
            face,
        }
    }

    /// Refuses what the caller did not acknowledge. Through a change set the caller sees what a transform makes, so
    /// that needs no acknowledgement (recorded with the SAM CLI, which sends CAPABILITY_IAM alone).
    pub fn require_capabilities(&self, given: &[String], change_set: bool) -> Result<(), Error> {
        let mut given: Vec<&str> = given.iter().map(String::as_str).collect();
        if change_set {
            given.push(nbvend_template::capability::AUTO_EXPAND);
        }
        let missing =
            self.template.missing_capability(&given).or_else(|| self.declared.missing_capability(&given));
        missing.map_or(Ok(()), |name| Err(Error::InsufficientCapabilities(name)))
    }
}
