//! The names of condition operators.

/// How a condition reads a key with several values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetOperator {
    /// None written: meant for keys with one value.
    Single,
    /// `ForAllValues:`
    All,
    /// `ForAnyValue:`
    Any,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    pub(crate) fn holds(self, left_to_right: std::cmp::Ordering) -> bool {
        match self {
            Order::Equal => left_to_right.is_eq(),
            Order::Less => left_to_right.is_lt(),
            Order::LessOrEqual => left_to_right.is_le(),
            Order::Greater => left_to_right.is_gt(),
            Order::GreaterOrEqual => left_to_right.is_ge(),
        }
    }
}

/// What is compared; negation is apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Text { wildcards: bool, fold_case: bool },
    Numeric(Order),
    Date(Order),
    Bool,
    Binary,
    Ip,
    Arn,
    Null,
}

/// An operator's name taken apart, such as `ForAnyValue:StringNotLikeIfExists`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operator {
    pub family: Family,
    pub negated: bool,
    pub set: SetOperator,
    pub if_exists: bool,
}

impl Operator {
    /// `None` for what is no operator; names are case-sensitive. `Null` takes no `IfExists`.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (set, name) = if let Some(rest) = name.strip_prefix("ForAllValues:") {
            (SetOperator::All, rest)
        } else if let Some(rest) = name.strip_prefix("ForAnyValue:") {
            (SetOperator::Any, rest)
        } else {
            (SetOperator::Single, name)
        };
        let (name, if_exists) = match name.strip_suffix("IfExists") {
            Some(rest) => (rest, true),
            None => (name, false),
        };
        let (family, negated) = base(name)?;
        if family == Family::Null && if_exists {
            return None;
        }
        Some(Operator { family, negated, set, if_exists })
    }
}

fn base(name: &str) -> Option<(Family, bool)> {
    const EXACT: Family = Family::Text { wildcards: false, fold_case: false };
    const FOLDED: Family = Family::Text { wildcards: false, fold_case: true };
    const LIKE: Family = Family::Text { wildcards: true, fold_case: false };
    Some(match name {
        "StringEquals" => (EXACT, false),
        "StringNotEquals" => (EXACT, true),
        "StringEqualsIgnoreCase" => (FOLDED, false),
        "StringNotEqualsIgnoreCase" => (FOLDED, true),
        "StringLike" => (LIKE, false),
        "StringNotLike" => (LIKE, true),
        "Bool" => (Family::Bool, false),
        "BinaryEquals" => (Family::Binary, false),
        "IpAddress" => (Family::Ip, false),
        "NotIpAddress" => (Family::Ip, true),
        // The guide: the two ARN operators behave identically.
        "ArnEquals" | "ArnLike" => (Family::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Family::Arn, true),
        "Null" => (Family::Null, false),
        _ => {
            let (family, order): (fn(Order) -> Family, &str) = match name.strip_prefix("Numeric") {
                Some(order) => (Family::Numeric, order),
                None => (Family::Date, name.strip_prefix("Date")?),
            };
            let (order, negated) = match order {
                "Equals" => (Order::Equal, false),
                "NotEquals" => (Order::Equal, true),
                "LessThan" => (Order::Less, false),
                "LessThanEquals" => (Order::LessOrEqual, false),
                "GreaterThan" => (Order::Greater, false),
                "GreaterThanEquals" => (Order::GreaterOrEqual, false),
                _ => return None,
            };
            (family(order), negated)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let operator = Operator::parse("ForAnyValue:StringNotLikeIfExists").expect("known");
        assert_eq!(operator.family, Family::Text { wildcards: true, fold_case: false });
        assert_eq!((operator.negated, operator.set, operator.if_exists), (true, SetOperator::Any, true));
        for unknown in [
            "stringEquals",
            "StringEqual",
            "NullIfExists",
            "NumericLike",
            "Date",
            "ForAllValue:StringEquals",
            "ForAllValues:",
            "IfExists",
            "",
        ] {
            assert_eq!(Operator::parse(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn all_twenty_seven_are_known_with_every_affix() {
        let mut known = 0;
        for name in ["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"]
            .into_iter()
            .chain([
                "StringLike",
                "StringNotLike",
                "Bool",
                "BinaryEquals",
                "IpAddress",
                "NotIpAddress",
                "Null",
            ])
            .chain(["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"])
            .map(str::to_owned)
            .chain(["Numeric", "Date"].into_iter().flat_map(|kind| {
                ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"]
                    .map(|order| format!("{kind}{order}"))
            }))
        {
            for prefix in ["", "ForAllValues:", "ForAnyValue:"] {
                assert!(Operator::parse(&format!("{prefix}{name}")).is_some(), "{prefix}{name}");
                let optional = Operator::parse(&format!("{prefix}{name}IfExists"));
                assert_eq!(optional.is_some(), name != "Null", "{prefix}{name}IfExists");
            }
            known += 1;
        }
        assert_eq!(known, 27);
    }
}
