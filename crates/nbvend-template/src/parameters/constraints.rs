//! The constraints of one parameter value.
//!
//! Texts: "must be one of AllowedValues" (amplify-cli issue 6224), "must match pattern" (quickstart
//! issues, ministack's measurement), "must contain at least N characters" (coverage-roadmap issue 930),
//! "must be a number not less than N" (a rosa test log), "must be a number" (recorded). Those for MaxLength
//! and MaxValue follow the same form and are not known from AWS itself. A ConstraintDescription takes
//! the place of all but the last (taskcat issue 627, aws-cli issue 7750).

use regex::Regex;

use super::{ParameterDecl, list_items};
use crate::error::TemplateError;

pub fn check(decl: &ParameterDecl, text: &str) -> Result<(), TemplateError> {
    // The constraints of an SSM-typed parameter are those of the name that is given.
    let many = decl.kind.is_list() && !decl.kind.is_ssm();
    let items: Vec<&str> = if many { list_items(text).collect() } else { vec![text] };
    if decl.kind.is_number() && items.iter().any(|item| !is_number(item)) {
        return Err(TemplateError::new(format!("Parameter '{}' must be a number.", decl.name)));
    }
    for item in items {
        if let Some(broken) = broken(decl, item)? {
            let message = match &decl.constraint_description {
                Some(why) => format!("Parameter {} failed to satisfy constraint: {why}", decl.name),
                None => format!("Parameter '{}' {broken}", decl.name),
            };
            return Err(TemplateError::new(message));
        }
    }
    Ok(())
}

fn is_number(text: &str) -> bool {
    text.trim().parse::<f64>().is_ok_and(f64::is_finite)
}

fn broken(decl: &ParameterDecl, item: &str) -> Result<Option<String>, TemplateError> {
    if !decl.allowed_values.is_empty() && !decl.allowed_values.iter().any(|allowed| same(decl, allowed, item))
    {
        return Ok(Some("must be one of AllowedValues".to_owned()));
    }
    // Before the length: a value that breaks both is reported as not matching (snowflake sample PR 4).
    if let Some(pattern) = &decl.allowed_pattern
        && !compile(&decl.name, pattern)?.is_match(item)
    {
        return Ok(Some(format!("must match pattern {pattern}")));
    }
    let length = item.chars().count() as u64;
    if let Some(least) = decl.min_length.filter(|least| length < *least) {
        return Ok(Some(format!("must contain at least {least} characters")));
    }
    if let Some(most) = decl.max_length.filter(|most| length > *most) {
        return Ok(Some(format!("must contain at most {most} characters")));
    }
    let Some(number) = item.trim().parse::<f64>().ok().filter(|_| decl.kind.is_number()) else {
        return Ok(None);
    };
    if let Some(least) = decl.min_value.filter(|least| number < *least) {
        return Ok(Some(format!("must be a number not less than {least}")));
    }
    if let Some(most) = decl.max_value.filter(|most| number > *most) {
        return Ok(Some(format!("must be a number not greater than {most}")));
    }
    Ok(None)
}

/// Numbers compare by value: `1.0` is allowed where `1` is.
fn same(decl: &ParameterDecl, allowed: &str, item: &str) -> bool {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    allowed == item || (decl.kind.is_number() && number(allowed).is_some() && number(allowed) == number(item))
}

/// AllowedPattern is a Java pattern that has to match the whole value.
fn compile(name: &str, pattern: &str) -> Result<Regex, TemplateError> {
    let whole = |pattern: &str| Regex::new(&format!(r"\A(?:{pattern})\z"));
    // Java takes `[\w-_]`, where the hyphen cannot begin a range; here it has to be escaped.
    let escaped = || {
        ["w", "d", "s", "W", "D", "S"].iter().fold(pattern.to_owned(), |pattern, class| {
            pattern.replace(&format!("\\{class}-"), &format!("\\{class}\\-"))
        })
    };
    whole(pattern).or_else(|_| whole(&escaped())).map_err(|_| {
        // Ours: lookaround and back references are valid on AWS, our engine of patterns has none.
        let message =
            format!("Parameter '{name}' has an AllowedPattern that is not supported here: {pattern}");
        TemplateError::new(message)
    })
}
