//! The request context: what is known of a call, as condition keys and their values.

use std::collections::BTreeMap;

use crate::Principal;

/// Condition keys and their values. Keys compare without regard to case, as on AWS (`aws:CurrentTime` is
/// `AWS:currenttime`); values are text, typed by the operator that reads them: dates as ISO 8601 or epoch seconds,
/// booleans as `true` and `false`, binary values in base64.
///
/// A key without values is the same as an absent key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    entries: BTreeMap<String, Vec<String>>,
}

impl Context {
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key to its values, replacing earlier ones.
    pub fn set<I, V>(&mut self, key: &str, values: I) -> &mut Self
    where
        I: IntoIterator<Item = V>,
        V: Into<String>,
    {
        self.entries.insert(key.to_lowercase(), values.into_iter().map(Into::into).collect());
        self
    }

    /// Sets a key that has one value.
    pub fn set_one(&mut self, key: &str, value: impl Into<String>) -> &mut Self {
        self.set(key, [value.into()])
    }

    /// Sets the global keys that follow from the principal alone: `aws:PrincipalArn` (a session's role, not the
    /// session), `aws:PrincipalAccount`, `aws:PrincipalType`, `aws:username` for users, and for services
    /// `aws:PrincipalIsAWSService` and `aws:PrincipalServiceName`. `aws:userid` and tags are the caller's to set.
    pub fn set_principal(&mut self, principal: &Principal) -> &mut Self {
        if let Some(account) = principal.account() {
            self.set_one("aws:PrincipalAccount", account);
        }
        self.set_one("aws:PrincipalIsAWSService", matches!(principal, Principal::Service { .. }).to_string());
        let (kind, arn) = match principal {
            Principal::Root { .. } => ("Account", Some(principal.arn().into_owned())),
            Principal::User { arn, .. } => {
                if let Some(name) = arn.rsplit('/').next() {
                    self.set_one("aws:username", name);
                }
                ("User", Some(arn.clone()))
            }
            Principal::AssumedRole { role_arn, .. } => ("AssumedRole", Some(role_arn.clone())),
            Principal::FederatedUser { arn, .. } => ("FederatedUser", Some(arn.clone())),
            Principal::Service { name } => {
                self.set_one("aws:PrincipalServiceName", name);
                return self;
            }
            Principal::Anonymous => ("Anonymous", None),
        };
        self.set_one("aws:PrincipalType", kind);
        if let Some(arn) = arn {
            self.set_one("aws:PrincipalArn", arn);
        }
        self
    }

    /// The values of a key, `None` if it is absent or has none.
    pub fn get(&self, key: &str) -> Option<&[String]> {
        self.lookup(&key.to_lowercase())
    }

    /// As [`Context::get`], for a key already in lower case.
    pub(crate) fn lookup(&self, lower: &str) -> Option<&[String]> {
        self.entries.get(lower).map(Vec::as_slice).filter(|values| !values.is_empty())
    }

    /// All keys, in lower case, with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.entries.iter().map(|(key, values)| (key.as_str(), values.as_slice()))
    }
}

impl<K: AsRef<str>, V: Into<String>> FromIterator<(K, V)> for Context {
    /// Keys with one value each.
    fn from_iter<T: IntoIterator<Item = (K, V)>>(pairs: T) -> Self {
        let mut context = Context::new();
        for (key, value) in pairs {
            context.set_one(key.as_ref(), value);
        }
        context
    }
}

/// A walk over statements with one context: what was asked of the context and was not there is noted on the way.
pub(crate) struct Scope<'a> {
    pub context: &'a Context,
    /// Keys that statements asked for in vain, as the policies spell them, each once.
    pub missing: Vec<String>,
    /// Set when a policy variable without default had no value; reset by whoever looks at it.
    pub unresolved: bool,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(context: &'a Context) -> Self {
        Scope { context, missing: Vec::new(), unresolved: false }
    }

    pub(crate) fn note_missing(&mut self, key: &str) {
        if !self.missing.iter().any(|known| known.eq_ignore_ascii_case(key)) {
            self.missing.push(key.to_owned());
        }
    }
}
