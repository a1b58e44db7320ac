//! Parameter policies: what happens to an advanced parameter when time passes.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::Error;

/// Policies a parameter may have.
const POLICIES: usize = 10;
const HOUR_MS: i64 = 3_600_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Deletes the parameter.
    Expiration,
    /// Tells before that.
    ExpirationNotification,
    /// Tells when the parameter has not changed for a while.
    NoChangeNotification,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Expiration => "Expiration",
            Self::ExpirationNotification => "ExpirationNotification",
            Self::NoChangeNotification => "NoChangeNotification",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub kind: Kind,
    /// The policy's own JSON.
    pub text: String,
    /// `2 Hours`: how long before or after; empty for an expiration.
    pub span: String,
    pub span_ms: i64,
    pub created: Timestamp,
    /// When it acts.
    pub due: Timestamp,
    /// Whether it did.
    pub finished: bool,
}

/// Reads the policies of a request. An empty list (`[]`, or `[{}]` as the documentation has it) takes all away.
pub fn parse(text: &str, now: Timestamp) -> Result<Vec<Policy>, Error> {
    let invalid = || Error::Validation(format!("Invalid policies input: {text}."));
    let list: Vec<Value> = serde_json::from_str(text).map_err(|_| invalid())?;
    let given: Vec<&Value> =
        list.iter().filter(|policy| policy.as_object().is_none_or(|p| !p.is_empty())).collect();
    if given.len() > POLICIES {
        return Err(Error::TooManyPolicies);
    }
    let mut policies = given.into_iter().map(|policy| one(policy, now)).collect::<Result<Vec<_>, _>>()?;
    let expirations: Vec<Timestamp> =
        policies.iter().filter(|policy| policy.kind == Kind::Expiration).map(|policy| policy.due).collect();
    if expirations.len() > 1 {
        return Err(Error::IncompatiblePolicy("A parameter can have only one Expiration policy.".to_owned()));
    }
    for policy in policies.iter_mut().filter(|policy| policy.kind == Kind::ExpirationNotification) {
        let Some(expires) = expirations.first() else {
            let text = "An ExpirationNotification policy needs an Expiration policy.";
            return Err(Error::IncompatiblePolicy(text.to_owned()));
        };
        policy.due = Timestamp(expires.0.saturating_sub(policy.span_ms));
        if policy.due < now {
            return Err(attribute("the notification would have been due before now", &policy.text));
        }
    }
    Ok(policies)
}

fn attribute(what: &str, policy: &impl std::fmt::Display) -> Error {
    Error::PolicyAttribute(format!("A policy attribute or its value is invalid: {what}, in {policy}"))
}

fn one(policy: &Value, now: Timestamp) -> Result<Policy, Error> {
    let kind = match policy["Type"].as_str() {
        Some("Expiration") => Kind::Expiration,
        Some("ExpirationNotification") => Kind::ExpirationNotification,
        Some("NoChangeNotification") => Kind::NoChangeNotification,
        other => return Err(Error::PolicyType(other.unwrap_or_default().to_owned())),
    };
    if policy["Version"] != "1.0" {
        return Err(attribute("Version must be \"1.0\"", policy));
    }
    let attributes =
        policy["Attributes"].as_object().ok_or_else(|| attribute("Attributes are missing", policy))?;
    let get = |name: &str| attributes.get(name).and_then(Value::as_str);
    let allowed: &[&str] = match kind {
        Kind::Expiration => &["Timestamp"],
        Kind::ExpirationNotification => &["Before", "Unit"],
        Kind::NoChangeNotification => &["After", "Unit"],
    };
    if let Some(other) = attributes.keys().find(|name| !allowed.contains(&name.as_str())) {
        return Err(attribute(&format!("{other} is not known"), policy));
    }
    let mut read = Policy {
        kind,
        text: policy.to_string(),
        span: String::new(),
        span_ms: 0,
        created: now,
        due: now,
        finished: false,
    };
    if kind == Kind::Expiration {
        let time = get("Timestamp").and_then(Timestamp::parse);
        read.due = time.ok_or_else(|| attribute("Timestamp must be a time in ISO 8601", policy))?;
        if read.due <= now {
            return Err(attribute("Timestamp is in the past", policy));
        }
        return Ok(read);
    }
    let count = get(if kind == Kind::NoChangeNotification { "After" } else { "Before" });
    let count = count.and_then(|count| count.parse::<u16>().ok()).filter(|count| *count > 0);
    let count = count.ok_or_else(|| attribute("a positive whole number is missing", policy))?;
    let (unit, hours) = match get("Unit") {
        Some("Hours") => ("Hours", 1),
        Some("Days") => ("Days", 24),
        _ => return Err(attribute("Unit must be Days or Hours", policy)),
    };
    read.span = format!("{count} {unit}");
    read.span_ms = i64::from(count) * hours * HOUR_MS;
    read.due = Timestamp(now.0 + read.span_ms);
    Ok(read)
}

/// A change of the value begins every wait for one anew.
pub fn changed(policies: &mut [Policy], now: Timestamp) {
    for policy in policies.iter_mut().filter(|policy| policy.kind == Kind::NoChangeNotification) {
        policy.due = Timestamp(now.0 + policy.span_ms);
        policy.finished = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_and_what_refused() {
        let now = Timestamp::parse("2026-11-22T12:00:00Z").unwrap();
        let expires =
            r#"{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2026-12-02T00:00:00.000Z"}}"#;
        let before =
            r#"{"Type":"ExpirationNotification","Version":"1.0","Attributes":{"Before":"2","Unit":"Days"}}"#;
        let after =
            r#"{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"3","Unit":"Hours"}}"#;
        let policies = parse(&format!("[{expires},{before},{after}]"), now).unwrap();
        let due: Vec<String> = policies.iter().map(|policy| policy.due.iso8601()).collect();
        assert_eq!(due, ["2026-12-02T00:00:00Z", "2026-11-30T00:00:00Z", "2026-11-22T15:00:00Z"]);
        assert!(parse("[]", now).unwrap().is_empty() && parse("[{}]", now).unwrap().is_empty());
        for (text, wrong) in [
            (expires.to_owned(), "Invalid policies input"),
            (format!("[{before}]"), "needs an Expiration"),
            (format!("[{expires},{expires}]"), "only one Expiration"),
            (format!("[{}]", expires.replace("2026", "2025")), "in the past"),
            (format!("[{}]", expires.replace("2026-12-02T00:00:00.000Z", "soon")), "ISO 8601"),
            (format!("[{}]", after.replace("Hours", "Minutes")), "Unit must be"),
            (format!("[{}]", after.replace("\"3\"", "\"0\"")), "positive"),
            (format!("[{}]", after.replace("1.0", "2.0")), "Version"),
            (format!("[{}]", after.replace("After", "Before")), "Before is not known"),
            (format!("[{}]", after.replace("NoChange", "Other")), "OtherNotification isn't supported"),
            (format!("[{}]", [after; 11].join(",")), "The maximum is 10"),
        ] {
            let error = parse(&text, now).unwrap_err().to_string();
            assert!(error.contains(wrong), "{text}: {error}");
        }
    }
}
