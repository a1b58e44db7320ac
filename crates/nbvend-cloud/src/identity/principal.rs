//! Principals and callers.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// Somebody that IAM can allow or deny.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Principal {
    /// The account's root user.
    Root,
    /// An IAM user; `path` with both slashes.
    User { name: String, id: String, path: String },
    /// A session of a role.
    AssumedRole { role: String, role_id: String, path: String, session: String },
    /// A session that a user or the root user made for somebody by GetFederationToken, under a name of its choice.
    FederatedUser { name: String, issuer: Box<Principal> },
    /// An AWS service acting for itself: `events.amazonaws.com`.
    Service { name: String },
    /// Nobody: an unsigned request, where the operation allows it.
    Anonymous,
}

impl Principal {
    /// A service principal.
    pub fn service(name: &str) -> Self {
        Self::Service { name: name.to_owned() }
    }

    /// The principal's own ARN, as `GetCallerIdentity` and CloudTrail give it.
    pub fn arn(&self, account: &str) -> String {
        match self {
            Self::Root => format!("arn:aws:iam::{account}:root"),
            Self::User { name, path, .. } => format!("arn:aws:iam::{account}:user{path}{name}"),
            Self::AssumedRole { role, session, .. } => {
                format!("arn:aws:sts::{account}:assumed-role/{role}/{session}")
            }
            Self::FederatedUser { name, .. } => format!("arn:aws:sts::{account}:federated-user/{name}"),
            Self::Service { name } => name.clone(),
            Self::Anonymous => "anonymous".to_owned(),
        }
    }

    /// The user or role behind the session: what policies and portfolios name.
    pub fn issuer_arn(&self, account: &str) -> String {
        match self {
            Self::FederatedUser { issuer, .. } => issuer.arn(account),
            Self::AssumedRole { role, path, .. } => format!("arn:aws:iam::{account}:role{path}{role}"),
            _ => self.arn(account),
        }
    }

    /// `aws:userid`: the id CloudTrail calls principalId.
    pub fn id(&self, account: &str) -> String {
        match self {
            Self::Root => account.to_owned(),
            Self::User { id, .. } => id.clone(),
            Self::AssumedRole { role_id, session, .. } => format!("{role_id}:{session}"),
            Self::FederatedUser { name, .. } => format!("{account}:{name}"),
            Self::Service { name } => name.clone(),
            Self::Anonymous => "anonymous".to_owned(),
        }
    }

    /// The name that `LookupEvents` calls Username.
    pub fn user_name(&self) -> &str {
        match self {
            Self::Root => "root",
            Self::User { name, .. } | Self::FederatedUser { name, .. } => name,
            Self::AssumedRole { session, .. } => session,
            Self::Service { name } => name,
            Self::Anonymous => "anonymous",
        }
    }
}

/// A principal in the act of calling: what the door knows of one request, and what slow work remembers of the
/// request that began it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Caller {
    pub principal: Principal,
    /// The access key the request was signed with.
    pub access_key_id: Option<String>,
    /// When the session's credentials were issued, for sessions.
    pub session_issued: Option<Timestamp>,
    pub region: String,
    /// An IP address, or the service that calls: `cloudformation.amazonaws.com`.
    pub source_ip: String,
    pub user_agent: String,
    pub request_id: String,
    /// The service through which the principal calls.
    pub invoked_by: Option<String>,
    /// Whether the request came over TLS.
    pub secure: bool,
}

impl Caller {
    /// A service calling for itself, as EventBridge does when it invokes a function.
    pub fn service(name: &str, region: &str) -> Self {
        Self {
            principal: Principal::service(name),
            access_key_id: None,
            session_issued: None,
            region: region.to_owned(),
            source_ip: name.to_owned(),
            user_agent: name.to_owned(),
            request_id: String::new(),
            invoked_by: Some(name.to_owned()),
            secure: true,
        }
    }

    /// The same principal, calling through a service: how a stack acts as the one who made it.
    #[must_use]
    pub fn through(&self, service: &str) -> Self {
        Self {
            source_ip: service.to_owned(),
            user_agent: service.to_owned(),
            invoked_by: Some(service.to_owned()),
            ..self.clone()
        }
    }

    /// Another principal in the same circumstances: how Service Catalog acts as a launch role.
    #[must_use]
    pub fn acting_as(
        &self,
        principal: Principal,
        access_key_id: Option<String>,
        issued: Option<Timestamp>,
    ) -> Self {
        Self { principal, access_key_id, session_issued: issued, ..self.clone() }
    }
}
