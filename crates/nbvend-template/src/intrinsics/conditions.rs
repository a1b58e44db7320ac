//! The Conditions section: in what order, and true or false.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{Env, NoResources, Resolving, Result, TEXT_BUDGET, fail};
use crate::document::Template;
use crate::functions::{self, call, check, scalar_text};
use crate::path::Path;
use crate::references::{Branches, Reference, visit_condition};

/// Evaluates all conditions. `parameters` and `pseudo` are those of [`Env`].
///
/// # Errors
/// AWS's text: a condition that is not defined, a mapping that is not there, conditions that need each
/// other.
pub fn evaluate_conditions(
    template: &Template,
    parameters: &Map<String, Value>,
    pseudo: &Map<String, Value>,
) -> Result<BTreeMap<String, bool>> {
    let mut values = BTreeMap::new();
    for name in evaluation_order(template)? {
        let env = Env {
            parameters,
            pseudo,
            mappings: template.mappings(),
            conditions: &values,
            language_extensions: template.language_extensions(),
            resolver: &NoResources,
        };
        let resolving = Resolving { env: &env, budget: std::cell::Cell::new(TEXT_BUDGET) };
        let truth = resolving.operand(&template.conditions()[name]).map_err(|mut error| {
            if let Some((line, column)) = place(template, name) {
                error.line.get_or_insert(line);
                error.column.get_or_insert(column);
            }
            error
        })?;
        values.insert(name.to_owned(), truth);
    }
    Ok(values)
}

fn place(template: &Template, condition: &str) -> Option<(usize, usize)> {
    let at = template.key_place(&Path::ROOT.key("Conditions").key(condition))?;
    Some((at.line as usize, at.column as usize))
}

/// The conditions with those they use first. Not recursive: a chain may be as long as the template.
///
/// # Errors
/// Conditions that need each other.
pub(crate) fn evaluation_order(template: &Template) -> Result<Vec<&str>> {
    let conditions = template.conditions();
    let mut uses: Vec<(&str, BTreeSet<&str>)> = Vec::new();
    let mut users: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, (name, body)) in conditions.iter().enumerate() {
        let mut used = BTreeSet::new();
        visit_condition(body, &Path::ROOT, Branches::All, &mut |reference, _| {
            if let Reference::Condition(other) | Reference::If(other) = reference
                && conditions.contains_key(other)
            {
                used.insert(other);
            }
        });
        used.iter().for_each(|other| users.entry(other).or_default().push(at));
        uses.push((name, used));
    }
    let mut waiting: Vec<usize> = uses.iter().map(|(_, used)| used.len()).collect();
    let mut ready: Vec<usize> = (0..uses.len()).rev().filter(|at| waiting[*at] == 0).collect();
    let mut order = Vec::with_capacity(uses.len());
    while let Some(at) = ready.pop() {
        order.push(uses[at].0);
        for user in users.get(uses[at].0).into_iter().flatten() {
            waiting[*user] -= 1;
            if waiting[*user] == 0 {
                ready.push(*user);
            }
        }
    }
    if order.len() == uses.len() {
        return Ok(order);
    }
    let done: BTreeSet<&str> = order.into_iter().collect();
    let Some((name, used)) = uses.iter().find(|(name, _)| !done.contains(name)) else {
        return Ok(Vec::new());
    };
    let other = used.iter().find(|other| !done.contains(*other)).unwrap_or(name);
    // Ours: AWS refuses it too, its text is not known.
    let message =
        format!("Template format error: Found circular condition dependency between {name} and {other}");
    Err(template.fault_at_key(&Path::ROOT.key("Conditions").key(name), message))
}

impl Resolving<'_, '_> {
    /// A condition function in a place where a value is wanted.
    pub(super) fn truth(&self, name: &str, argument: &Value) -> Result<bool> {
        check(name, argument, self.env.language_extensions).map_err(crate::TemplateError::new)?;
        let items = argument.as_array().map_or(&[][..], Vec::as_slice);
        match name {
            "Fn::Equals" => self.equals(items),
            "Fn::Not" => match items {
                [operand] => Ok(!self.operand(operand)?),
                _ => fail(functions::NOT),
            },
            // All operands are evaluated, so that a wrong one is found whatever the others are.
            "Fn::And" => items.iter().try_fold(true, |all, item| Ok(self.operand(item)? && all)),
            "Fn::Or" => items.iter().try_fold(false, |any, item| Ok(self.operand(item)? || any)),
            _ => fail(functions::unsupported(name, argument, self.env.language_extensions)),
        }
    }

    fn equals(&self, items: &[Value]) -> Result<bool> {
        let [left, right] = items else { return fail(functions::EQUALS) };
        let (left, right) = (self.value(left)?, self.value(right)?);
        match (left.as_ref().and_then(scalar_text), right.as_ref().and_then(scalar_text)) {
            (Some(left), Some(right)) => Ok(left == right),
            // Recorded for a list parameter as an operand.
            _ => fail(functions::EQUALS),
        }
    }

    /// A condition, or what stands for true or false inside one.
    fn operand(&self, value: &Value) -> Result<bool> {
        if let Some(map) = value.as_object().filter(|map| map.len() == 1)
            && let Some(Value::String(name)) = map.get("Condition")
        {
            return match self.env.conditions.get(name) {
                Some(truth) => Ok(*truth),
                None => fail(format!(
                    "Template error: unresolved condition dependency {name} in the Conditions block of the template"
                )),
            };
        }
        if let Some((name, argument)) = call(value)
            && functions::is_condition_function(name)
        {
            return self.truth(name, argument);
        }
        if let Some(("Fn::If", argument)) = call(value)
            && let Some([Value::String(condition), yes, no]) = argument.as_array().map(Vec::as_slice)
        {
            return match self.env.conditions.get(condition) {
                Some(true) => self.operand(yes),
                Some(false) => self.operand(no),
                None => {
                    fail(format!("Template error: unresolved condition dependency {condition} in Fn::If"))
                }
            };
        }
        match self.value(value)?.as_ref().and_then(scalar_text).as_deref() {
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            // Ours.
            _ => fail("Template error: a condition must be true or false"),
        }
    }
}
