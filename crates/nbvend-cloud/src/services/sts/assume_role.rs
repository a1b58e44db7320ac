//! `AssumeRole`: temporary credentials of a role, if its trust policy lets the caller.
//!
//! The trust policy is really evaluated, together with the caller's own policies, as AWS does: a trust policy that
//! names the caller is enough, one that names the account leaves the decision to the caller's policies. Source
//! identity and session tags must be allowed as actions of their own.

use nbvend_policy::{Kind as PolicyKind, Policy, Request};
use nbvend_wire::arn::Arn;
use serde::{Deserialize, Serialize};

use super::credentials::{Carried, issue};
use super::error::Error;
use super::tags::{self, Tag};
use crate::context::{ContextKeys, Cx};
use crate::identity::{AccessKey, Principal, Session};
use crate::operation::{Kind, Operation};
use crate::services::iam::effective::Effective;
use crate::services::iam::lookup::{self, Role};
use crate::services::iam::subject::{global_context, subject};
use crate::trail::denial::Denial;

/// Services assume roles by calling this as a service principal (`Caller::service("lambda.amazonaws.com", region)`); Service Catalog assumes a launch role as `servicecatalog.amazonaws.com`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct AssumeRole {
    pub role_arn: String,
    pub role_session_name: String,
    /// Default one hour.
    pub duration_seconds: Option<i64>,
    /// A session policy.
    pub policy: Option<String>,
    /// Managed policies that limit the session, in the version they have now.
    pub policy_arns: Vec<PolicyArn>,
    pub external_id: Option<String>,
    pub source_identity: Option<String>,
    pub tags: Vec<Tag>,
    pub transitive_tag_keys: Vec<String>,
    /// For callers inside the engine: the resource for which a service asks (`aws:SourceArn`).
    #[serde(skip)]
    pub source_arn: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyArn {
    pub arn: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumeRoleOutput {
    pub credentials: Credentials,
    pub assumed_role_user: AssumedRoleUser,
    pub source_identity: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: String,
    pub expiration: nbvend_wire::timestamp::Timestamp,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumedRoleUser {
    /// `AROA…:session`.
    pub assumed_role_id: String,
    pub arn: String,
    /// Who calls with these credentials. For callers inside the engine; not part of AWS's answer.
    #[serde(skip)]
    pub principal: Option<Principal>,
}

/// A session of a role that was itself assumed by a session lasts an hour at the most, whatever the role allows.
const CHAINED_LIMIT: i64 = 3600;
const DEFAULT_DURATION: i64 = 3600;

impl Operation for AssumeRole {
    const SERVICE: &'static str = "sts";
    const NAME: &'static str = "AssumeRole";
    const KIND: Kind = Kind::Write;
    const SENSITIVE: &'static [&'static str] = &["SecretAccessKey", "SessionToken"];
    type Output = AssumeRoleOutput;
    type Error = Error;

    fn resources(&self, _cx: &Cx<'_>) -> Vec<String> {
        vec![self.role_arn.clone()]
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        let mut set = |key: &str, value: &Option<String>| {
            if let Some(value) = value {
                keys.insert(key.to_owned(), vec![value.clone()]);
            }
        };
        set("sts:ExternalId", &self.external_id);
        set("sts:SourceIdentity", &self.source_identity);
        set("aws:SourceArn", &self.source_arn);
        set("sts:RoleSessionName", &Some(self.role_session_name.clone()));
        tags::request_keys(&self.tags, &self.transitive_tag_keys, keys);
        if let Ok(Some(role)) = lookup::role_by_arn(cx, &self.role_arn) {
            for (key, value) in role.tags {
                keys.insert(format!("aws:ResourceTag/{key}"), vec![value.clone()]);
                keys.insert(format!("iam:ResourceTag/{key}"), vec![value]);
            }
        }
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<AssumeRoleOutput, Error> {
        if self.role_arn.parse::<Arn>().is_err() {
            return Err(Error::Arn(self.role_arn));
        }
        if cx.caller.principal == Principal::Root {
            return Err(Error::RootAssumes);
        }
        let former = current_session(cx)?;
        let source_identity = self.source_identity(former.as_ref())?;
        let session_tags = tags::combine(&self.tags, &self.transitive_tag_keys, former.as_ref())?;
        let role = lookup::role_by_arn(cx, &self.role_arn)?;
        let Some(role) = role else { return Err(refusal(cx, "sts:AssumeRole", &self.role_arn)) };
        self.check_allowed(cx, &role)?;
        let seconds = self.seconds(cx, &role)?;
        let policies = session_policies(cx, self.policy.as_ref(), &self.policy_arns)?;
        let principal = Principal::AssumedRole {
            role: role.name.clone(),
            role_id: role.id.clone(),
            path: role.path.clone(),
            session: self.role_session_name,
        };
        let carried = Carried {
            policies,
            tags: session_tags.tags,
            transitive: session_tags.transitive,
            source_identity: source_identity.clone(),
        };
        let credentials = issue(cx, principal.clone(), seconds, carried)?;
        lookup::role_used(cx, &role)?;
        Ok(AssumeRoleOutput {
            credentials,
            assumed_role_user: AssumedRoleUser {
                assumed_role_id: principal.id(cx.account()),
                arn: principal.arn(cx.account()),
                principal: Some(principal),
            },
            source_identity,
        })
    }
}

impl AssumeRole {
    /// The source identity of the new session: once set it stays with all sessions that follow from it.
    fn source_identity(&self, former: Option<&Session>) -> Result<Option<String>, Error> {
        let inherited = former.and_then(|session| session.source_identity.clone());
        match (inherited, &self.source_identity) {
            (Some(old), Some(new)) if old != *new => Err(Error::Validation(
                "The source identity of a role session can't be changed once it is set.".to_owned(),
            )),
            (Some(old), _) => Ok(Some(old)),
            (None, new) => Ok(new.clone()),
        }
    }

    fn seconds(&self, cx: &Cx<'_>, role: &Role) -> Result<i64, Error> {
        let seconds = self.duration_seconds.unwrap_or(DEFAULT_DURATION);
        if matches!(cx.caller.principal, Principal::AssumedRole { .. }) && seconds > CHAINED_LIMIT {
            return Err(Error::TooLongForChain);
        }
        if seconds > role.max_session {
            return Err(Error::TooLong);
        }
        Ok(seconds)
    }

    /// Whether the trust policy and the caller's own policies allow what is asked of the role.
    fn check_allowed(&self, cx: &Cx<'_>, role: &Role) -> Result<(), Error> {
        let trust = Policy::parse_in(&role.trust, PolicyKind::Trust, Some(&cx.config().url_suffix))
            .map_err(|fault| Error::MalformedPolicy(fault.message))?;
        let caller = Effective::of_caller(cx)?;
        let mut context = global_context(cx);
        for (key, value) in caller.principal_tags() {
            context.set_one(&format!("aws:PrincipalTag/{key}"), value);
        }
        let mut keys = ContextKeys::new();
        self.context(cx, &mut keys);
        for (key, values) in keys {
            context.set(&key, values);
        }
        let principal = subject(&cx.caller.principal, cx.account());
        let asked = [
            ("sts:AssumeRole", true),
            ("sts:SetSourceIdentity", self.source_identity.is_some()),
            ("sts:TagSession", !self.tags.is_empty()),
        ];
        for (action, _) in asked.into_iter().filter(|(_, asked)| *asked) {
            let request = Request {
                principal: &principal,
                action,
                resource: &self.role_arn,
                resource_account: None,
                context: &context,
            };
            let decision = caller.decide(&request, Some(("trust", &trust)));
            if !decision.is_allowed() {
                cx.denial.replace(Some(Denial::of(&decision, &request)));
                return Err(refusal(cx, action, &self.role_arn));
            }
        }
        Ok(())
    }
}

/// The texts of the policies that limit a new session, checked.
pub(super) fn session_policies(
    cx: &Cx<'_>,
    own: Option<&String>,
    managed: &[PolicyArn],
) -> Result<Vec<String>, Error> {
    let mut policies: Vec<String> = own.into_iter().cloned().collect();
    for PolicyArn { arn } in managed {
        let document = lookup::managed_policy(cx, arn)?;
        policies.push(document.ok_or_else(|| Error::Validation(format!("Policy {arn} does not exist.")))?);
    }
    for text in &policies {
        nbvend_policy::validate(text, PolicyKind::Session)
            .map_err(|fault| Error::MalformedPolicy(fault.message))?;
    }
    Ok(policies)
}

/// AWS's sentence for every reason there may be.
fn refusal(cx: &Cx<'_>, action: &str, role_arn: &str) -> Error {
    let who = cx.caller.principal.arn(cx.account());
    Error::NotAuthorized(format!(
        "User: {who} is not authorized to perform: {action} on resource: {role_arn}"
    ))
}

/// The session the caller calls with, if it is one.
fn current_session(cx: &Cx<'_>) -> Result<Option<Session>, Error> {
    let Some(id) = &cx.caller.access_key_id else { return Ok(None) };
    Ok(AccessKey::get(cx.tx, id)?.and_then(|key| key.session))
}
