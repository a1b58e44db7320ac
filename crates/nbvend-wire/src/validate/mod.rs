//! The model's constraints on an input, told in AWS's words.
//!
//! The texts and their oddities are from errors recorded from AWS: a list of plain values is judged as a whole and
//! names all its members' constraints, a list of structures names the place; enumerations are printed in the order
//! of a hash set; sensitive values are not printed. The order of several violations is a guess: the model's.

mod pattern;
mod words;

pub(crate) use pattern::Pattern;

use crate::error::WireError;
use crate::model::{Kind, Location, Member, Operation, ProtocolKind, Service, Shape};
use serde_json::Value;

/// Checks an input against required members, lengths, ranges, patterns and enumerations. Responses are not checked.
pub fn validate(service: &Service, op: &Operation, input: &Value) -> Result<(), WireError> {
    let Some(shape) = op.input.map(|id| service.shape(id)) else { return Ok(()) };
    let mut walk = Walk { service, violations: Vec::new() };
    if service.id == "apigateway" {
        // Recorded from AWS: what the body holds is at 'createRestApiInput.name', and comes before the path's.
        let body = format!("{}Input.", words::lower_first(&op.name));
        walk.members(shape, |member| member.location == Location::Body, &body, input);
        walk.members(shape, |member| member.location != Location::Body, "", input);
    } else {
        walk.members(shape, |_| true, "", input);
    }
    if service.id == "lambda"
        && let Some(error) = words::lambda_runtime(input)
    {
        return Err(error);
    }
    walk.finish(op)
}

/// The names of an operation's input members, in the model's order.
pub fn members<'a>(service: &'a Service, op: &Operation) -> Vec<&'a str> {
    op.input
        .map(|shape| service.shape(shape).members().iter().map(|member| member.name.as_str()).collect())
        .unwrap_or_default()
}

struct Walk<'a> {
    service: &'a Service,
    /// In AWS's words, without the count.
    violations: Vec<String>,
}

impl Walk<'_> {
    fn members(&mut self, shape: &Shape, which: impl Fn(&Member) -> bool, prefix: &str, value: &Value) {
        let Some(values) = value.as_object() else { return };
        for member in shape.members().iter().filter(|member| which(member)) {
            let value = values.get(&member.name).unwrap_or(&Value::Null);
            if value.is_null() && !member.required {
                continue;
            }
            let path = format!("{prefix}{}", words::lower_first(&member.name));
            self.value(self.service.shape(member.shape), &path, value);
        }
    }

    fn value(&mut self, shape: &Shape, path: &str, value: &Value) {
        if value.is_null() {
            self.violations
                .push(format!("Value null at '{path}' failed to satisfy constraint: {}", words::NOT_NULL));
            return;
        }
        for constraint in words::broken(self.service, shape, value) {
            let shown = words::shown(self.service, shape, value);
            self.violations
                .push(format!("Value{shown} at '{path}' failed to satisfy constraint: {constraint}"));
        }
        match (&shape.kind, value) {
            (Kind::Structure(_), _) => self.members(shape, |_| true, &format!("{path}."), value),
            (Kind::List { member, .. }, Value::Array(items)) => {
                let inner = self.service.shape(member.shape);
                if is_plain(inner) {
                    self.all(shape, inner, "Member must satisfy constraint", path, value, items.iter(), true);
                } else {
                    for (item, at) in items.iter().zip(1..) {
                        self.value(inner, &format!("{path}.{at}.member"), item);
                    }
                }
            }
            (Kind::Map { key, value: inner, .. }, Value::Object(entries)) => {
                let (key, inner) = (self.service.shape(key.shape), self.service.shape(inner.shape));
                let keys: Vec<Value> = entries.keys().map(|key| Value::from(key.as_str())).collect();
                self.all(shape, key, "Map keys must satisfy constraint", path, value, keys.iter(), false);
                if is_plain(inner) {
                    self.all(
                        shape,
                        inner,
                        "Map value must satisfy constraint",
                        path,
                        value,
                        entries.values(),
                        true,
                    );
                } else {
                    for (name, item) in entries {
                        self.value(inner, &format!("{path}.{name}.member"), item);
                    }
                }
            }
            _ => {}
        }
    }

    /// Plain values within a list or map: one that breaks a constraint makes the whole wrong, and all constraints are
    /// told.
    #[allow(clippy::too_many_arguments, reason = "a sentence has that many parts")]
    fn all<'v>(
        &mut self,
        outer: &Shape,
        inner: &Shape,
        sentence: &str,
        path: &str,
        whole: &Value,
        mut values: impl Iterator<Item = &'v Value>,
        nullable: bool,
    ) {
        if !values.any(|value| value.is_null() || !words::broken(self.service, inner, value).is_empty()) {
            return;
        }
        let mut constraints = words::constraints(inner);
        if nullable && self.service.id != "apigateway" {
            constraints.push(words::NOT_NULL.to_owned());
        }
        let shown = words::shown(self.service, outer, whole);
        let constraints = constraints.join(", ");
        self.violations.push(format!(
            "Value{shown} at '{path}' failed to satisfy constraint: {sentence}: [{constraints}]"
        ));
    }

    fn finish(self, op: &Operation) -> Result<(), WireError> {
        let count = self.violations.len();
        if count == 0 {
            return Ok(());
        }
        let declared = op.errors.iter().any(|error| error == "ValidationException");
        let code = match self.service.protocol {
            ProtocolKind::Query => "ValidationError",
            // Recorded from AWS: the older operations of CloudWatch Logs, which do not declare a ValidationException.
            _ if self.service.id == "logs" && !declared => "InvalidParameterException",
            _ => "ValidationException",
        };
        let plural = if count == 1 { "" } else { "s" };
        let message = format!("{count} validation error{plural} detected: {}", self.violations.join("; "));
        Err(WireError::new(code, 400, message))
    }
}

fn is_plain(shape: &Shape) -> bool {
    !matches!(shape.kind, Kind::Structure(_) | Kind::List { .. } | Kind::Map { .. })
}
