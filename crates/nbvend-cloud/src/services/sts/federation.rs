//! `GetFederationToken`: temporary credentials that a user makes for somebody else, within what the user itself may.
//!
//! Such a session may what both the user's policies and the session's allow; without session policies it may nothing
//! that a resource's policy does not give it. `nbvend_policy` decides that.

use serde::{Deserialize, Serialize};

use super::assume_role::{Credentials, PolicyArn, session_policies};
use super::credentials::{Carried, issue};
use super::error::Error;
use super::tags::{self, Tag};
use crate::context::{ContextKeys, Cx};
use crate::identity::Principal;
use crate::operation::{Kind, Need, Operation};

const DEFAULT_DURATION: i64 = 43_200;
/// What the root user gets at the most, whatever it asks for.
const ROOT_LIMIT: i64 = 3600;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetFederationToken {
    /// What the session is called in its ARN.
    pub name: String,
    pub policy: Option<String>,
    pub policy_arns: Vec<PolicyArn>,
    /// 900 to 129600.
    pub duration_seconds: Option<i64>,
    pub tags: Vec<Tag>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetFederationTokenOutput {
    pub credentials: Credentials,
    pub federated_user: FederatedUser,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FederatedUser {
    /// `ACCOUNT:NAME`
    pub federated_user_id: String,
    pub arn: String,
}

impl GetFederationToken {
    fn arn(&self, cx: &Cx<'_>) -> String {
        format!("arn:aws:sts::{}:federated-user/{}", cx.account(), self.name)
    }
}

impl Operation for GetFederationToken {
    const SERVICE: &'static str = "sts";
    const NAME: &'static str = "GetFederationToken";
    const KIND: Kind = Kind::Write;
    const SENSITIVE: &'static [&'static str] = &["SecretAccessKey", "SessionToken"];
    type Output = GetFederationTokenOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![self.arn(cx)]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        tags::request_keys(&self.tags, &[], keys);
    }

    fn needs(&self, cx: &Cx<'_>) -> Vec<Need> {
        if self.tags.is_empty() {
            return Vec::new();
        }
        let mut need = Need::new("sts:TagSession", self.arn(cx));
        tags::request_keys(&self.tags, &[], &mut need.context);
        vec![need]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GetFederationTokenOutput, Error> {
        let wanted = self.duration_seconds.unwrap_or(DEFAULT_DURATION);
        let issuer = cx.caller.principal.clone();
        let seconds = match &issuer {
            Principal::Root if cx.caller.session_issued.is_none() => wanted.min(ROOT_LIMIT),
            Principal::User { .. } if cx.caller.session_issued.is_none() => wanted,
            _ => return Err(Error::Session(Self::NAME)),
        };
        let carried = Carried {
            policies: session_policies(cx, self.policy.as_ref(), &self.policy_arns)?,
            tags: tags::combine(&self.tags, &[], None)?.tags,
            ..Carried::default()
        };
        let principal = Principal::FederatedUser { name: self.name, issuer: Box::new(issuer) };
        let credentials = issue(cx, principal.clone(), seconds, carried)?;
        Ok(GetFederationTokenOutput {
            credentials,
            federated_user: FederatedUser {
                federated_user_id: principal.id(cx.account()),
                arn: principal.arn(cx.account()),
            },
        })
    }
}
