//! Do the references of a template resolve: names, attributes, conditions, mappings; are there cycles.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::document::Template;
use crate::error::TemplateError;
use crate::functions::{call, scalar_text};
use crate::graph::Graph;
use crate::intrinsics::conditions::evaluation_order;
use crate::path::Path;
use crate::references::{Branches, Reference, visit, visit_condition};

type Result<T = ()> = std::result::Result<T, TemplateError>;

/// The names a Ref may have without being declared.
pub const PSEUDO_PARAMETERS: [&str; 8] = [
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

impl Template {
    /// Everything that can be said of a template before its parameters are known.
    ///
    /// A template with a transform still to come is judged by its shape alone: the transform makes
    /// resources which the template may already refer to.
    ///
    /// # Errors
    /// The first fault, with its place.
    pub fn validate(&self) -> Result {
        self.validate_shape()?;
        if self.needs_transform() {
            return Ok(());
        }
        self.validate_conditions()?;
        self.validate_resources()?;
        self.validate_outputs()?;
        Graph::without_conditionals(self).cycle_error(self)
    }

    /// Refuses resource types nobody provides, all of them by name. Custom resources (`Custom::X`) are
    /// asked for like any other type.
    ///
    /// # Errors
    /// `Template format error: Unrecognized resource types: [..]`
    pub fn check_types(&self, known: impl Fn(&str) -> bool) -> Result {
        let resources = self.resources();
        let unknown: Vec<_> = resources.iter().filter(|r| !known(r.resource_type)).collect();
        let Some(first) = unknown.first() else { return Ok(()) };
        let names: Vec<&str> = unknown.iter().map(|r| r.resource_type).collect();
        let mut distinct: Vec<&str> = Vec::new();
        for name in names {
            if !distinct.contains(&name) {
                distinct.push(name);
            }
        }
        let list = distinct.join(", ");
        let resources = Path::ROOT.key("Resources");
        let resource = resources.key(first.logical_id);
        Err(self.fault(
            &resource.key("Type"),
            format!("Template format error: Unrecognized resource types: [{list}]"),
        ))
    }

    /// Refuses attributes a resource's type does not have. `supports` gets the type and the attribute.
    ///
    /// # Errors
    /// `Template error: resource X does not support attribute type Y in Fn::GetAtt`
    pub fn check_attributes(&self, supports: impl Fn(&str, &str) -> bool) -> Result {
        let mut fault = None;
        self.each_reference(&mut |reference, path| {
            let (id, attribute) = match &reference {
                Reference::Attribute(id, Some(attribute)) => (*id, attribute.as_str()),
                Reference::SubAttribute(id, attribute) => (*id, *attribute),
                _ => return,
            };
            let unsupported = self.resource(id).is_some_and(|r| !supports(r.resource_type, attribute));
            if unsupported && fault.is_none() {
                let message = format!(
                    "Template error: resource {id} does not support attribute type {attribute} in Fn::GetAtt"
                );
                fault = Some(self.fault(path, message));
            }
        });
        fault.map_or(Ok(()), Err)
    }

    /// Visits every reference of resources and outputs, both branches of every Fn::If.
    fn each_reference<'t>(&'t self, found: &mut dyn FnMut(Reference<'t>, &Path<'_>)) {
        for section in ["Resources", "Outputs"] {
            let path = Path::ROOT.key(section);
            for (name, body) in self.section(section) {
                visit(body, &path.key(name), Branches::All, found);
            }
        }
    }

    fn validate_conditions(&self) -> Result {
        let section = Path::ROOT.key("Conditions");
        let mut resources: BTreeSet<&str> = BTreeSet::new();
        let mut first = None;
        let mut fault = None;
        for (name, body) in self.conditions() {
            visit_condition(body, &section.key(name), Branches::All, &mut |reference, path| {
                let id = match &reference {
                    Reference::Name(id) if !self.is_parameter(id) => *id,
                    Reference::Attribute(id, _) | Reference::SubAttribute(id, _) => *id,
                    other => {
                        fault = fault.take().or_else(|| self.reference_fault(other, path, "Conditions"));
                        return;
                    }
                };
                resources.insert(id);
                first = first.or_else(|| self.place(path));
            });
        }
        if !resources.is_empty() {
            let list = resources.into_iter().collect::<Vec<_>>().join(", ");
            let message = format!(
                "Template format error: Unresolved dependencies [{list}]. Cannot reference resources in the Conditions block of the template"
            );
            return Err(TemplateError::at(message, first));
        }
        match fault {
            Some(fault) => Err(fault),
            None => evaluation_order(self).map(|_| ()),
        }
    }

    fn validate_resources(&self) -> Result {
        let section = Path::ROOT.key("Resources");
        let mut unresolved = Unresolved::default();
        let mut fault = None;
        for resource in self.resources() {
            let path = section.key(resource.logical_id);
            if let Some(condition) = resource.condition() {
                self.condition_defined(condition, &path.key("Condition"))?;
            }
            for id in resource.depends_on() {
                if self.resource(id).is_none() {
                    unresolved.add(id, self, &path.key("DependsOn"));
                }
            }
            for (key, value) in resource.body {
                visit(value, &path.key(key), Branches::All, &mut |reference, path| match &reference {
                    Reference::Name(id) if !self.is_known(id) => unresolved.add(id, self, path),
                    other => {
                        fault = fault.take().or_else(|| self.reference_fault(other, path, "Resources"));
                    }
                });
            }
        }
        unresolved.error("Template format error: ", "Resources")?;
        fault.map_or(Ok(()), Err)
    }

    fn validate_outputs(&self) -> Result {
        let section = Path::ROOT.key("Outputs");
        let mut unresolved = Unresolved::default();
        let mut fault = None;
        for (name, body) in self.section("Outputs") {
            let path = section.key(name);
            if let Some(condition) = body.get("Condition").and_then(Value::as_str) {
                self.condition_defined(condition, &path.key("Condition"))?;
            }
            visit(body, &path, Branches::All, &mut |reference, path| match &reference {
                Reference::Name(id) if !self.is_known(id) => unresolved.add(id, self, path),
                other => fault = fault.take().or_else(|| self.reference_fault(other, path, "Outputs")),
            });
            self.export_name(name, body, &path)?;
        }
        // Recorded without the prefix that the same message has for resources.
        unresolved.error("", "Outputs")?;
        fault.map_or(Ok(()), Err)
    }

    fn export_name(&self, output: &str, body: &Value, path: &Path<'_>) -> Result {
        let Some(name) = body.get("Export").and_then(|export| export.get("Name")) else { return Ok(()) };
        let export = path.key("Export");
        let path = export.key("Name");
        let mut depends = contains_call(name, "Fn::GetAZs");
        visit(name, &path, Branches::All, &mut |reference, _| {
            depends |= match reference {
                Reference::Name(id) => self.resource(id).is_some(),
                Reference::Attribute(..) | Reference::SubAttribute(..) | Reference::Import(_) => true,
                _ => false,
            };
        });
        if !depends {
            return Ok(());
        }
        let message = format!(
            "Template format error: Output {output} is malformed. The Name field of Export must not depend on any resources, imported values, or Fn::GetAZs."
        );
        Err(self.fault(&path, message))
    }

    /// What is wrong with a reference other than an unknown name.
    fn reference_fault(
        &self,
        reference: &Reference<'_>,
        path: &Path<'_>,
        section: &str,
    ) -> Option<TemplateError> {
        let message = match reference {
            Reference::Attribute(id, _) if self.resource(id).is_none() => {
                format!("Template error: instance of Fn::GetAtt references undefined resource {id}")
            }
            Reference::SubAttribute(id, attribute) if self.resource(id).is_none() => {
                format!(
                    "Template error: instance of Fn::Sub references invalid resource attribute {id}.{attribute}"
                )
            }
            Reference::If(name) if !self.conditions().contains_key(*name) => {
                format!("Template error: unresolved condition dependency {name} in Fn::If")
            }
            Reference::Condition(name) if !self.conditions().contains_key(*name) => {
                // Ours, after the text for Fn::If; AWS's is known for resources only.
                format!(
                    "Template error: unresolved condition dependency {name} in the {section} block of the template"
                )
            }
            Reference::Map(arguments) => self.map_fault(arguments)?,
            Reference::Import(argument) => self.import_fault(argument, path)?,
            _ => return None,
        };
        Some(self.fault(path, message))
    }

    /// A mapping that has to be there: as many of the three keys as are written out.
    fn map_fault(&self, arguments: &[Value]) -> Option<String> {
        let key = |index: usize| arguments.get(index).and_then(scalar_text);
        let (first, second) = (key(1), key(2));
        if arguments.len() > 3 {
            return None;
        }
        let name = key(0)?;
        let missing = match self.mappings().get(&name) {
            None => true,
            Some(map) => match &first {
                None => false,
                Some(top) => match map.get(top) {
                    None => true,
                    Some(attributes) => second.as_ref().is_some_and(|s| attributes.get(s).is_none()),
                },
            },
        };
        let shown = |key: Option<String>| key.unwrap_or_else(|| "?".to_owned());
        missing.then(|| {
            format!("Template error: Unable to get mapping for {name}::{}::{}", shown(first), shown(second))
        })
    }

    fn import_fault(&self, argument: &Value, path: &Path<'_>) -> Option<String> {
        let mut depends = contains_call(argument, "Fn::GetAZs");
        visit(argument, path, Branches::All, &mut |reference, _| {
            depends |= match reference {
                Reference::Name(id) => self.resource(id).is_some(),
                Reference::Attribute(..) | Reference::SubAttribute(..) | Reference::Import(_) => true,
                _ => false,
            };
        });
        depends.then(|| crate::functions::IMPORT.to_owned())
    }

    fn condition_defined(&self, name: &str, path: &Path<'_>) -> Result {
        if self.conditions().contains_key(name) {
            return Ok(());
        }
        Err(self.fault(path, format!("Template format error: Condition {name} is not defined.")))
    }

    fn is_parameter(&self, name: &str) -> bool {
        PSEUDO_PARAMETERS.contains(&name) || self.section("Parameters").contains_key(name)
    }

    fn is_known(&self, name: &str) -> bool {
        self.is_parameter(name) || self.resource(name).is_some()
    }
}

fn contains_call(value: &Value, function: &str) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| contains_call(item, function)),
        Value::Object(map) => {
            call(value).is_some_and(|(name, _)| name == function)
                || map.values().any(|member| contains_call(member, function))
        }
        _ => false,
    }
}

/// Names that nothing in the template answers to; AWS reports all of them in one message.
#[derive(Default)]
struct Unresolved {
    /// In the order they were met.
    names: Vec<String>,
    seen: BTreeSet<String>,
    first: Option<crate::path::Position>,
}

impl Unresolved {
    fn add(&mut self, name: &str, template: &Template, path: &Path<'_>) {
        if self.names.is_empty() {
            self.first = template.place(path);
        }
        if self.seen.insert(name.to_owned()) {
            self.names.push(name.to_owned());
        }
    }

    fn error(self, prefix: &str, section: &str) -> Result {
        if self.names.is_empty() {
            return Ok(());
        }
        let list = self.names.join(", ");
        let message = format!(
            "{prefix}Unresolved resource dependencies [{list}] in the {section} block of the template"
        );
        Err(TemplateError::at(message, self.first))
    }
}
