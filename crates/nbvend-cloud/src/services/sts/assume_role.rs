//! `AssumeRole`: temporary credentials of a role, if its trust policy lets the caller.

use nbvend_wire::error::WireError;
use serde::{Deserialize, Serialize};

use crate::context::Cx;
use crate::error::EngineError;
use crate::operation::{Kind, Operation};

/// Services assume roles by calling this as a service principal (`Caller::service("lambda.amazonaws.com", region)`); Service Catalog assumes a launch role as `servicecatalog.amazonaws.com`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct AssumeRole {
    pub role_arn: String,
    pub role_session_name: String,
    pub duration_seconds: Option<i64>,
    pub policy: Option<String>,
    pub external_id: Option<String>,
    pub source_identity: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumeRoleOutput {
    pub credentials: Credentials,
    pub assumed_role_user: AssumedRoleUser,
    pub source_identity: Option<String>,
}

impl Operation for AssumeRole {
    const SERVICE: &'static str = "sts";
    const NAME: &'static str = "AssumeRole";
    const KIND: Kind = Kind::Write;
    type Output = AssumeRoleOutput;
    type Error = EngineError;

    fn run(self, _cx: &mut Cx<'_>) -> Result<AssumeRoleOutput, EngineError> {
        Err(WireError::new("NotImplemented", 501, "sts:AssumeRole").into())
    }
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
    pub principal: Option<crate::identity::Principal>,
}
