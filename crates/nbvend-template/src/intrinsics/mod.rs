//! Values: from expressions to what they stand for.
//!
//! [`resolve`] takes one value of a template (a resource's properties, an output) and what is known of
//! the stack, and gives the value without functions. It is pure: whatever needs a look elsewhere goes
//! through a [`Resolver`].

pub(crate) mod conditions;
mod dynamic;
mod lists;
mod texts;

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use self::conditions::evaluate_conditions;
use crate::error::TemplateError;
use crate::functions::{self, call, check, is_condition_function, misplaced, scalar_text};

type Result<T> = std::result::Result<T, TemplateError>;

/// How many characters the functions of one value may produce. Nested Fn::Sub variables can multiply
/// a short template without bound.
const TEXT_BUDGET: usize = 4 << 20;

/// What only the engine knows.
pub trait Resolver {
    /// The Ref of a resource that exists; `None` if there is none of that name.
    fn reference(&self, logical_id: &str) -> Option<Value>;
    /// Fn::GetAtt; `None` if the resource does not exist or has no such attribute.
    fn attribute(&self, logical_id: &str, attribute: &str) -> Option<Value>;
    /// Fn::ImportValue.
    ///
    /// # Errors
    /// AWS's text, `No export named X found`.
    fn import(&self, export: &str) -> std::result::Result<Value, String>;
    /// Fn::GetAZs.
    fn availability_zones(&self, region: &str) -> Vec<String>;
    /// `{{resolve:service:key}}`, the key being everything after the second colon.
    ///
    /// # Errors
    /// AWS's text.
    fn dynamic(&self, service: &str, key: &str) -> std::result::Result<String, String>;
}

/// Answers for where no resource may be referred to: conditions.
pub struct NoResources;

impl Resolver for NoResources {
    fn reference(&self, _: &str) -> Option<Value> {
        None
    }

    fn attribute(&self, _: &str, _: &str) -> Option<Value> {
        None
    }

    fn import(&self, export: &str) -> std::result::Result<Value, String> {
        Err(format!("No export named {export} found"))
    }

    fn availability_zones(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn dynamic(&self, service: &str, key: &str) -> std::result::Result<String, String> {
        Err(format!("Dynamic reference {{{{resolve:{service}:{key}}}}} cannot be used here"))
    }
}

/// What is known of a stack when its values are resolved.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    /// From [`resolve_parameters`](crate::parameters::resolve_parameters), SSM-typed ones looked up.
    pub parameters: &'a Map<String, Value>,
    /// `AWS::Region`, `AWS::AccountId`, `AWS::Partition`, `AWS::StackId`, `AWS::StackName`,
    /// `AWS::URLSuffix` (strings) and `AWS::NotificationARNs` (a list).
    pub pseudo: &'a Map<String, Value>,
    pub mappings: &'a Map<String, Value>,
    /// From [`evaluate_conditions`].
    pub conditions: &'a BTreeMap<String, bool>,
    /// [`Template::language_extensions`](crate::Template::language_extensions).
    pub language_extensions: bool,
    pub resolver: &'a dyn Resolver,
}

/// The value an expression stands for; `None` is `AWS::NoValue`, which removes the member it stands in.
/// Numbers and booleans of the template stay what they are, parameters are strings: a property's type
/// is its provider's to enforce.
///
/// # Errors
/// AWS's text. No place is given: the value may come from a processed template.
pub fn resolve(value: &Value, env: &Env<'_>) -> Result<Option<Value>> {
    let resolving = Resolving { env, budget: Cell::new(TEXT_BUDGET) };
    let Some(mut value) = resolving.value(value)? else { return Ok(None) };
    dynamic::replace(&mut value, env.resolver)?;
    Ok(Some(value))
}

struct Resolving<'e, 'a> {
    env: &'e Env<'a>,
    budget: Cell<usize>,
}

fn fail<T>(message: impl Into<String>) -> Result<T> {
    Err(TemplateError::new(message))
}

impl Resolving<'_, '_> {
    fn value(&self, value: &Value) -> Result<Option<Value>> {
        if let Some((name, argument)) = call(value) {
            return self.call(name, argument);
        }
        match value {
            Value::Object(map) => {
                if let Some(name) = misplaced(map) {
                    return fail(format!("Template error: {name} must be the only member of its object"));
                }
                let mut resolved = Map::new();
                for (key, member) in map {
                    if let Some(member) = self.value(member)? {
                        resolved.insert(key.clone(), member);
                    }
                }
                Ok(Some(Value::Object(resolved)))
            }
            Value::Array(items) => Ok(Some(Value::Array(self.items(items)?))),
            scalar => Ok(Some(scalar.clone())),
        }
    }

    /// The members of a list, those that are `AWS::NoValue` left out.
    fn items(&self, items: &[Value]) -> Result<Vec<Value>> {
        let mut resolved = Vec::with_capacity(items.len());
        for item in items {
            resolved.extend(self.value(item)?);
        }
        Ok(resolved)
    }

    fn call(&self, name: &str, argument: &Value) -> Result<Option<Value>> {
        check(name, argument, self.env.language_extensions).map_err(TemplateError::new)?;
        let items = argument.as_array().map_or(&[][..], Vec::as_slice);
        match name {
            "Ref" => self.reference(argument.as_str().unwrap_or_default()),
            "Fn::GetAtt" => self.get_att(argument).map(Some),
            "Fn::If" => self.choose(items),
            "Fn::Sub" => self.sub(argument).map(Some),
            "Fn::Join" => self.join(items).map(Some),
            "Fn::Split" => self.split(items).map(Some),
            "Fn::Base64" => self.base64(argument).map(Some),
            "Fn::Select" => self.select(items),
            "Fn::FindInMap" => self.find_in_map(items),
            "Fn::GetAZs" => self.availability_zones(argument).map(Some),
            "Fn::Cidr" => self.cidr(items).map(Some),
            "Fn::Length" => self.length(argument).map(Some),
            "Fn::ToJsonString" => self.to_json_string(argument).map(Some),
            "Fn::ImportValue" => {
                let export = self.text(argument, functions::IMPORT)?;
                self.env.resolver.import(&export).map(Some).map_err(TemplateError::new)
            }
            name if is_condition_function(name) => {
                self.truth(name, argument).map(|truth| Some(Value::Bool(truth)))
            }
            name => fail(functions::unsupported(name, argument, self.env.language_extensions)),
        }
    }

    fn reference(&self, id: &str) -> Result<Option<Value>> {
        if id == "AWS::NoValue" {
            return Ok(None);
        }
        let known = self.env.parameters.get(id).or_else(|| self.env.pseudo.get(id)).cloned();
        match known.or_else(|| self.env.resolver.reference(id)) {
            Some(value) => Ok(Some(value)),
            None => fail(format!(
                "Template format error: Unresolved resource dependencies [{id}] in the Resources block of the template"
            )),
        }
    }

    fn get_att(&self, argument: &Value) -> Result<Value> {
        let Some((id, attribute)) = functions::get_att(argument) else { return fail(functions::GET_ATT) };
        let attribute = match (attribute, argument.get(1)) {
            (Some(attribute), _) => attribute,
            (None, Some(expression)) => self.text(expression, functions::GET_ATT)?,
            (None, None) => return fail(functions::GET_ATT),
        };
        self.attribute(id, &attribute)
    }

    fn attribute(&self, id: &str, attribute: &str) -> Result<Value> {
        self.env.resolver.attribute(id, attribute).ok_or_else(|| {
            TemplateError::new(format!(
                "Template error: resource {id} does not support attribute type {attribute} in Fn::GetAtt"
            ))
        })
    }

    fn choose(&self, items: &[Value]) -> Result<Option<Value>> {
        let [Value::String(condition), yes, no] = items else { return fail(functions::IF) };
        match self.env.conditions.get(condition) {
            Some(true) => self.value(yes),
            Some(false) => self.value(no),
            None => fail(format!("Template error: unresolved condition dependency {condition} in Fn::If")),
        }
    }

    fn find_in_map(&self, items: &[Value]) -> Result<Option<Value>> {
        let mut keys = Vec::with_capacity(3);
        for key in items.iter().take(3) {
            keys.push(self.text(key, functions::FIND_IN_MAP)?);
        }
        let [map, top, second] = keys.as_slice() else { return fail(functions::FIND_IN_MAP) };
        let found = self.env.mappings.get(map).and_then(|m| m.get(top)).and_then(|m| m.get(second));
        if let Some(value) = found {
            return Ok(Some(value.clone()));
        }
        if let Some(default) = items.get(3).and_then(|options| options.get("DefaultValue")) {
            return self.value(default);
        }
        fail(format!("Template error: Unable to get mapping for {map}::{top}::{second}"))
    }

    /// A scalar as text. `wrong` is the function's error for anything else.
    fn text(&self, value: &Value, wrong: &str) -> Result<String> {
        match self.value(value)?.as_ref().map(scalar_text) {
            Some(Some(text)) => Ok(text),
            _ => fail(wrong),
        }
    }

    /// Counts text that a function made.
    fn spend(&self, text: &str) -> Result<()> {
        match self.budget.get().checked_sub(text.len()) {
            Some(left) => {
                self.budget.set(left);
                Ok(())
            }
            // Ours: AWS's bound is not known.
            None => fail("Template error: the functions of one value produce more than 4 MB of text"),
        }
    }
}

#[cfg(test)]
mod tests;
