//! Who asks, and whom a statement's `Principal` or `NotPrincipal` means.

use std::borrow::Cow;

/// Who makes a request. ARNs are full, with path; `account` is the twelve digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Principal {
    /// The account itself: allowed everything in it that a resource policy does not deny.
    Root { account: String },
    /// An IAM user, by long-lived or by session credentials.
    User { arn: String, account: String },
    /// A session of a role: `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
    AssumedRole { role_arn: String, session_arn: String, account: String },
    /// A session made by GetFederationToken; `user_arn` is the user (or root) who asked for it.
    FederatedUser { arn: String, user_arn: String, account: String },
    /// A service, by its principal name such as `events.amazonaws.com`. Only resource policies let it in.
    Service { name: String },
    /// Nobody: an unsigned request.
    Anonymous,
}

impl Principal {
    /// The ARN that AWS's messages and records show; the name of a service, `anonymous` for nobody.
    pub fn arn(&self) -> Cow<'_, str> {
        match self {
            Principal::Root { account } => Cow::Owned(format!("arn:aws:iam::{account}:root")),
            Principal::User { arn, .. } | Principal::FederatedUser { arn, .. } => Cow::Borrowed(arn),
            Principal::AssumedRole { session_arn, .. } => Cow::Borrowed(session_arn),
            Principal::Service { name } => Cow::Borrowed(name),
            Principal::Anonymous => Cow::Borrowed("anonymous"),
        }
    }

    /// The account it belongs to; none for services and nobody.
    pub fn account(&self) -> Option<&str> {
        match self {
            Principal::Root { account }
            | Principal::User { account, .. }
            | Principal::AssumedRole { account, .. }
            | Principal::FederatedUser { account, .. } => Some(account),
            Principal::Service { .. } | Principal::Anonymous => None,
        }
    }
}

/// How closely a statement names the principal; decides which other layers still limit what it grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grant {
    /// The principal's account: hands the decision to that account's identity policies.
    Account,
    /// The role of a session, or the user behind a federated session: boundary and session policies still limit.
    Limited,
    /// The principal itself, or everyone: in the same account no implicit deny elsewhere takes it back.
    Direct,
}

/// One entry of a `Principal` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    Everyone,
    Account(String),
    /// A user, role, assumed-role or federated-user ARN, or the unique id AWS leaves behind for a deleted one.
    Aws(String),
    Service(String),
    /// A web or SAML identity provider. Such sessions are not served here, so it matches nobody.
    Federated(String),
    /// An S3 canonical user id. Not served here, so it matches nobody.
    CanonicalUser(String),
}

impl Entry {
    /// Reads a value of the `AWS` member: `*`, twelve digits, a root ARN, or another ARN or id.
    pub(crate) fn aws(value: &str) -> Self {
        if value == "*" {
            return Entry::Everyone;
        }
        if is_account(value) {
            return Entry::Account(value.to_owned());
        }
        let parts: Vec<&str> = value.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", _, "iam", "", account, "root"] => Entry::Account((*account).to_owned()),
            _ => Entry::Aws(value.to_owned()),
        }
    }

    pub(crate) fn grants(&self, who: &Principal) -> Option<Grant> {
        match (self, who) {
            (Entry::Everyone, _) => Some(Grant::Direct),
            (Entry::Account(account), Principal::Root { account: own }) => {
                (account == own).then_some(Grant::Direct)
            }
            (Entry::Account(account), who) => (who.account() == Some(account)).then_some(Grant::Account),
            (Entry::Aws(arn), Principal::User { arn: own, .. }) => (arn == own).then_some(Grant::Direct),
            (Entry::Aws(arn), Principal::AssumedRole { role_arn, session_arn, .. }) => {
                named(arn, session_arn, role_arn)
            }
            (Entry::Aws(arn), Principal::FederatedUser { arn: own, user_arn, .. }) => {
                named(arn, own, user_arn)
            }
            (Entry::Service(name), Principal::Service { name: own }) => {
                (name == own).then_some(Grant::Direct)
            }
            (Entry::Aws(_) | Entry::Service(_) | Entry::Federated(_) | Entry::CanonicalUser(_), _) => None,
        }
    }
}

fn named(arn: &str, session: &str, behind: &str) -> Option<Grant> {
    if arn == session { Some(Grant::Direct) } else { (arn == behind).then_some(Grant::Limited) }
}

pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A `Principal` or, negated, a `NotPrincipal` element.
#[derive(Debug, Clone)]
pub(crate) struct PrincipalRule {
    pub negated: bool,
    pub entries: Vec<Entry>,
}

impl PrincipalRule {
    /// How the statement names the principal, `None` if it does not.
    ///
    /// `NotPrincipal` leaves out whom any entry names, be it by account or role only. The guide warns that a Deny
    /// may then still hit a session whose account or role is not listed too; it promises neither.
    pub(crate) fn grants(&self, who: &Principal) -> Option<Grant> {
        let named = self.entries.iter().filter_map(|entry| entry.grants(who)).max();
        match (self.negated, named) {
            (false, named) => named,
            (true, None) => Some(Grant::Direct),
            (true, Some(_)) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_name_principals_more_or_less_closely() {
        let root = Principal::Root { account: "111122223333".into() };
        let user = Principal::User {
            arn: "arn:aws:iam::111122223333:user/team/ann".into(),
            account: "111122223333".into(),
        };
        let session = Principal::AssumedRole {
            role_arn: "arn:aws:iam::111122223333:role/service-role/Launch".into(),
            session_arn: "arn:aws:sts::111122223333:assumed-role/Launch/s1".into(),
            account: "111122223333".into(),
        };
        let federated = Principal::FederatedUser {
            arn: "arn:aws:sts::111122223333:federated-user/bo".into(),
            user_arn: "arn:aws:iam::111122223333:user/issuer".into(),
            account: "111122223333".into(),
        };
        let service = Principal::Service { name: "events.amazonaws.com".into() };
        let aws = Entry::aws;
        let cases = [
            (aws("*"), &Principal::Anonymous, Some(Grant::Direct)),
            (aws("*"), &service, Some(Grant::Direct)),
            (aws("111122223333"), &root, Some(Grant::Direct)),
            (aws("arn:aws:iam::111122223333:root"), &user, Some(Grant::Account)),
            (aws("111122223333"), &session, Some(Grant::Account)),
            (aws("999988887777"), &session, None),
            (aws("111122223333"), &service, None),
            (aws("111122223333"), &Principal::Anonymous, None),
            (aws("arn:aws:iam::111122223333:user/team/ann"), &user, Some(Grant::Direct)),
            (aws("arn:aws:iam::111122223333:user/team/Ann"), &user, None),
            (aws("arn:aws:iam::111122223333:user/*"), &user, None),
            (aws("arn:aws:iam::111122223333:role/service-role/Launch"), &session, Some(Grant::Limited)),
            (aws("arn:aws:sts::111122223333:assumed-role/Launch/s1"), &session, Some(Grant::Direct)),
            (aws("arn:aws:sts::111122223333:assumed-role/Launch/s2"), &session, None),
            (aws("arn:aws:iam::111122223333:user/issuer"), &federated, Some(Grant::Limited)),
            (aws("arn:aws:sts::111122223333:federated-user/bo"), &federated, Some(Grant::Direct)),
            (Entry::Service("events.amazonaws.com".into()), &service, Some(Grant::Direct)),
            (Entry::Service("lambda.amazonaws.com".into()), &service, None),
            (Entry::Federated("accounts.google.com".into()), &federated, None),
        ];
        for (entry, who, expected) in cases {
            assert_eq!(entry.grants(who), expected, "{entry:?} {who:?}");
        }
    }
}
