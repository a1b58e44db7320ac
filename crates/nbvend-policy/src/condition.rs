//! One line of a `Condition` element: an operator, a key and the values it is held against.

use ipnet::IpNet;

use crate::StatementEffect;
use crate::arn::ArnPattern;
use crate::context::Scope;
use crate::operand;
use crate::operator::{Family, Operator, Order, SetOperator};
use crate::pattern::{Pattern, Syntax};

#[derive(Debug, Clone)]
pub(crate) struct Condition {
    /// The operator as written.
    pub name: Box<str>,
    /// The key as written.
    pub key: Box<str>,
    /// The values as written.
    pub values: Vec<String>,
    lower: String,
    operator: Operator,
    operand: Operand,
}

/// The values, compiled for the operator.
#[derive(Debug, Clone)]
enum Operand {
    Text(Vec<Pattern>),
    Arn(Vec<ArnPattern>),
    Number(Order, Vec<f64>),
    Date(Order, Vec<i128>),
    Bool(Vec<Pattern>),
    Bytes(Vec<Vec<u8>>),
    Address(Vec<IpNet>),
    Null(Vec<bool>),
}

/// Values that the operator cannot read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadValue {
    /// IAM's grammar passes it, the parser behind it does not.
    Legacy(String),
    Syntax(String),
}

impl Condition {
    pub(crate) fn new(
        name: &str,
        operator: Operator,
        key: &str,
        values: Vec<String>,
        variables: bool,
    ) -> Result<Self, BadValue> {
        let text = |wildcards, fold_case| Syntax { wildcards, variables, fold_case };
        let operand = match operator.family {
            Family::Text { wildcards, fold_case } => {
                let syntax = text(wildcards, fold_case);
                Operand::Text(values.iter().map(|value| Pattern::new(value, syntax)).collect())
            }
            // A value that is no ARN is stored by AWS and equals no ARN.
            Family::Arn => Operand::Arn(
                values.iter().filter_map(|value| ArnPattern::new(value, text(true, false))).collect(),
            ),
            Family::Numeric(order) => Operand::Number(order, typed(&values, operand::number, "a number")?),
            Family::Date(order) => match typed(&values, operand::date, "a date") {
                Ok(dates) => Operand::Date(order, dates),
                Err(BadValue::Syntax(detail) | BadValue::Legacy(detail)) => {
                    return Err(BadValue::Legacy(detail));
                }
            },
            Family::Bool => {
                let syntax = text(false, true);
                Operand::Bool(values.iter().map(|value| Pattern::new(value, syntax)).collect())
            }
            Family::Binary => Operand::Bytes(typed(&values, operand::bytes, "base64")?),
            Family::Ip => Operand::Address(typed(&values, operand::network, "an IP address or range")?),
            Family::Null => Operand::Null(typed(&values, operand::truth, "true or false")?),
        };
        Ok(Condition {
            name: name.into(),
            key: key.into(),
            lower: key.to_lowercase(),
            values,
            operator,
            operand,
        })
    }

    /// Whether the condition holds.
    ///
    /// An absent key: `IfExists` and `ForAllValues` hold, `ForAnyValue` does not, and of the others the negated ones
    /// hold. A key with several values under an operator without set prefix is left open by the guide, which asks
    /// for the prefix; here it never helps an Allow, and fires a Deny if any value would.
    pub(crate) fn holds(&self, effect: StatementEffect, scope: &mut Scope<'_>) -> bool {
        let context = scope.context;
        let values = context.lookup(&self.lower);
        if values.is_none() {
            scope.note_missing(&self.key);
        }
        if let Operand::Null(wanted) = &self.operand {
            return wanted.contains(&values.is_none());
        }
        let Some(values) = values else {
            return match self.operator.set {
                SetOperator::All => true,
                SetOperator::Any => self.operator.if_exists,
                SetOperator::Single => self.operator.if_exists || self.operator.negated,
            };
        };
        let mut test = |value: &String| self.test(value, effect, scope);
        match (self.operator.set, values) {
            // The guide: no key, or a null data set such as an empty text.
            (SetOperator::All, [only]) if only.is_empty() => true,
            (SetOperator::All, values) => values.iter().all(test),
            (SetOperator::Any, values) => values.iter().any(test),
            (SetOperator::Single, [only]) => test(only),
            (SetOperator::Single, values) => effect == StatementEffect::Deny && values.iter().any(test),
        }
    }

    /// One value of the request against the policy's: any may match, or for a negated operator none.
    fn test(&self, value: &str, effect: StatementEffect, scope: &mut Scope<'_>) -> bool {
        scope.unresolved = false;
        let matched = self.matches_any(value, scope);
        if self.operator.negated {
            // "Not equal to something unknown" must not open a door; that it closes one is the safe side.
            !matched && (!scope.unresolved || effect == StatementEffect::Deny)
        } else {
            matched
        }
    }

    fn matches_any(&self, value: &str, scope: &mut Scope<'_>) -> bool {
        match &self.operand {
            Operand::Text(patterns) => patterns.iter().any(|pattern| pattern.matches(value, scope)),
            Operand::Arn(patterns) => patterns.iter().any(|pattern| pattern.matches(value, scope)),
            Operand::Number(order, wanted) => operand::number(value).is_some_and(|given| {
                wanted
                    .iter()
                    .any(|wanted| given.partial_cmp(wanted).is_some_and(|order_of| order.holds(order_of)))
            }),
            Operand::Date(order, wanted) => operand::date(value)
                .is_some_and(|given| wanted.iter().any(|wanted| order.holds(given.cmp(wanted)))),
            Operand::Bool(patterns) => {
                operand::truth(value).is_some()
                    && patterns.iter().any(|pattern| pattern.matches(value, scope))
            }
            Operand::Bytes(wanted) => operand::bytes(value).is_some_and(|given| wanted.contains(&given)),
            Operand::Address(ranges) => {
                operand::address(value).is_some_and(|given| ranges.iter().any(|range| range.contains(&given)))
            }
            Operand::Null(_) => false,
        }
    }

    /// The condition keys it names, its own and those of its variables.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        let variables: Box<dyn Iterator<Item = &str>> = match &self.operand {
            Operand::Text(patterns) | Operand::Bool(patterns) => {
                Box::new(patterns.iter().flat_map(Pattern::variables))
            }
            Operand::Arn(patterns) => Box::new(patterns.iter().flat_map(ArnPattern::variables)),
            _ => Box::new(std::iter::empty()),
        };
        std::iter::once(&*self.key).chain(variables)
    }
}

fn typed<T>(values: &[String], read: fn(&str) -> Option<T>, what: &str) -> Result<Vec<T>, BadValue> {
    values
        .iter()
        .map(|value| read(value).ok_or_else(|| BadValue::Syntax(format!("\"{value}\" is not {what}"))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Context;

    fn holds(operator: &str, key: &str, values: &[&str], context: &Context, effect: StatementEffect) -> bool {
        let parsed = Operator::parse(operator).expect(operator);
        let values = values.iter().map(|&value| value.to_owned()).collect();
        let condition = Condition::new(operator, parsed, key, values, true).expect(operator);
        condition.holds(effect, &mut Scope::new(context))
    }

    fn context() -> Context {
        let mut context: Context = [
            ("aws:username", "alice"),
            ("aws:SourceIp", "10.1.2.3"),
            ("aws:CurrentTime", "2026-03-01T12:00:00Z"),
            ("aws:SecureTransport", "true"),
            ("aws:MultiFactorAuthAge", "300"),
            ("aws:SourceArn", "arn:aws:events:us-east-1:111122223333:rule/r1"),
            ("my:blob", "aGVsbG8="),
            ("my:bad", "neither"),
            ("my:empty", ""),
        ]
        .into_iter()
        .collect();
        context.set("aws:TagKeys", ["owner", "cost"]);
        context.set("my:none", Vec::<String>::new());
        context
    }

    #[test]
    fn every_family_of_operators() {
        let context = context();
        for (operator, key, values, expected) in [
            ("StringEquals", "aws:username", &["bob", "alice"][..], true),
            ("StringEquals", "aws:username", &["Alice"], false),
            ("StringEquals", "aws:username", &["al*"], false),
            ("StringEquals", "AWS:UserName", &["${aws:username}"], true),
            ("StringNotEquals", "aws:username", &["bob", "alice"], false),
            ("StringNotEquals", "aws:username", &["bob", "carl"], true),
            ("StringEqualsIgnoreCase", "aws:username", &["ALICE"], true),
            ("StringNotEqualsIgnoreCase", "aws:username", &["ALICE"], false),
            ("StringLike", "aws:username", &["al?c*"], true),
            ("StringLike", "aws:username", &["AL*"], false),
            ("StringNotLike", "aws:username", &["b*"], true),
            ("NumericLessThan", "aws:MultiFactorAuthAge", &["300"], false),
            ("NumericLessThanEquals", "aws:MultiFactorAuthAge", &["300.0"], true),
            ("NumericGreaterThan", "aws:MultiFactorAuthAge", &["299.5"], true),
            ("NumericEquals", "aws:MultiFactorAuthAge", &["3e2"], true),
            ("NumericNotEquals", "aws:MultiFactorAuthAge", &["3e2"], false),
            ("NumericGreaterThan", "my:bad", &["0"], false),
            ("DateGreaterThan", "aws:CurrentTime", &["2026-02-28T23:59:59Z"], true),
            ("DateLessThan", "aws:CurrentTime", &["2026-03-01T13:00:00+02:00"], false),
            ("DateEquals", "aws:CurrentTime", &["1772366400"], true),
            ("DateNotEquals", "aws:CurrentTime", &["1772366400"], false),
            ("DateLessThanEquals", "aws:CurrentTime", &["2026-03-01T12:00:00Z"], true),
            ("Bool", "aws:SecureTransport", &["TRUE"], true),
            ("Bool", "aws:SecureTransport", &["false"], false),
            ("Bool", "my:bad", &["neither"], false),
            ("BinaryEquals", "my:blob", &["aGVsbG8="], true),
            ("BinaryEquals", "my:blob", &["aGVsbG8h"], false),
            ("IpAddress", "aws:SourceIp", &["192.0.2.0/24", "10.0.0.0/8"], true),
            ("NotIpAddress", "aws:SourceIp", &["10.0.0.0/8"], false),
            ("NotIpAddress", "aws:SourceIp", &["2001:db8::/32"], true),
            // Without a prefix's length it is that address alone.
            ("IpAddress", "aws:SourceIp", &["10.1.2.3"], true),
            ("IpAddress", "aws:SourceIp", &["10.1.2.4"], false),
            ("NotIpAddress", "aws:SourceIp", &["10.1.2.3"], false),
            ("NotIpAddress", "aws:SourceIp", &["10.1.2.4"], true),
            ("NotIpAddress", "aws:SourceIp", &["2001:db8::7"], true),
            ("ArnLike", "aws:SourceArn", &["arn:aws:events:*:111122223333:rule/*"], true),
            ("ArnEquals", "aws:SourceArn", &["arn:aws:events:*:111122223333:rule/*"], true),
            ("ArnNotEquals", "aws:SourceArn", &["arn:aws:events:*:*:rule/r?"], false),
            ("ArnNotLike", "aws:SourceArn", &["not an arn"], true),
            ("Null", "aws:TokenIssueTime", &["true"], true),
            ("Null", "aws:username", &["true"], false),
            ("Null", "aws:username", &["false"], true),
            ("Null", "my:none", &["true"], true),
            ("Null", "my:empty", &["false"], true),
        ] {
            assert_eq!(
                holds(operator, key, values, &context, StatementEffect::Allow),
                expected,
                "{operator} {key} {values:?}"
            );
        }
    }

    #[test]
    fn an_absent_key_and_sets() {
        let context = context();
        for (operator, key, values, expected) in [
            ("StringEquals", "my:absent", &["x"][..], false),
            ("StringNotEquals", "my:absent", &["x"], true),
            ("NotIpAddress", "my:absent", &["10.0.0.0/8"], true),
            ("NumericLessThan", "my:absent", &["1"], false),
            ("StringEqualsIfExists", "my:absent", &["x"], true),
            ("BoolIfExists", "my:absent", &["true"], true),
            ("StringEqualsIfExists", "aws:username", &["x"], false),
            ("ForAllValues:StringEquals", "my:absent", &["x"], true),
            ("ForAllValues:StringEquals", "my:empty", &["x"], true),
            ("ForAnyValue:StringEquals", "my:absent", &["x"], false),
            ("ForAnyValue:StringNotEquals", "my:absent", &["x"], false),
            ("ForAnyValue:StringEqualsIfExists", "my:absent", &["x"], true),
            // No values are as good as no key, to every operator.
            ("StringEquals", "my:none", &["x"], false),
            ("StringNotEquals", "my:none", &["x"], true),
            ("StringEqualsIfExists", "my:none", &["x"], true),
            ("ForAllValues:StringEquals", "my:none", &["x"], true),
            ("ForAnyValue:StringEquals", "my:none", &["x"], false),
            ("ForAnyValue:StringEqualsIfExists", "my:none", &["x"], true),
            ("ForAllValues:StringEquals", "aws:TagKeys", &["owner", "cost", "x"], true),
            ("ForAllValues:StringEquals", "aws:TagKeys", &["owner"], false),
            ("ForAllValues:StringNotEquals", "aws:TagKeys", &["x"], true),
            ("ForAllValues:StringNotEquals", "aws:TagKeys", &["x", "cost"], false),
            ("ForAnyValue:StringLike", "aws:TagKeys", &["c*"], true),
            ("ForAnyValue:StringLike", "aws:TagKeys", &["x*"], false),
            ("ForAnyValue:StringNotEquals", "aws:TagKeys", &["owner"], true),
            ("ForAnyValue:StringNotEquals", "aws:TagKeys", &["owner", "cost"], false),
            // Set operators read a key with one value as a set of one.
            ("ForAnyValue:StringEquals", "aws:username", &["alice"], true),
        ] {
            assert_eq!(
                holds(operator, key, values, &context, StatementEffect::Allow),
                expected,
                "{operator} {key} {values:?}"
            );
        }
    }

    #[test]
    fn what_is_unclear_never_opens() {
        let context = context();
        let (allow, deny) = (StatementEffect::Allow, StatementEffect::Deny);
        for (operator, key, value, allows, denies) in [
            // Several values without a set operator.
            ("StringEquals", "aws:TagKeys", "owner", false, true),
            ("StringNotEquals", "aws:TagKeys", "owner", false, true),
            // A variable without value.
            ("StringNotEquals", "aws:username", "${my:absent}", false, true),
            ("StringEquals", "aws:username", "${my:absent}", false, false),
            ("StringNotEquals", "aws:username", "${my:absent, 'bob'}", true, true),
        ] {
            assert_eq!(
                holds(operator, key, &[value], &context, allow),
                allows,
                "allow {operator} {key} {value}"
            );
            assert_eq!(
                holds(operator, key, &[value], &context, deny),
                denies,
                "deny {operator} {key} {value}"
            );
        }
    }

    #[test]
    fn values_of_the_wrong_type_are_refused() {
        for (operator, value, legacy) in [
            ("NumericEquals", "many", false),
            ("NumericEquals", "${aws:username}", false),
            ("IpAddress", "10.0.0.0/33", false),
            ("BinaryEquals", "%", false),
            ("Null", "maybe", false),
            ("DateLessThan", "tomorrow", true),
        ] {
            let parsed = Operator::parse(operator).expect(operator);
            let bad =
                Condition::new(operator, parsed, "k", vec![value.to_owned()], true).expect_err(operator);
            assert_eq!(matches!(bad, BadValue::Legacy(_)), legacy, "{operator} {value}");
        }
    }
}
