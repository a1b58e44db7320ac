//! `GetSessionToken`: temporary credentials of the caller itself.
//!
//! AWS forbids such a session IAM's operations unless a second factor was given, and all of STS but AssumeRole and
//! GetCallerIdentity. There are no second factors here; the door keeps the limit (`door/exceptions.rs`).

use serde::{Deserialize, Serialize};

use super::assume_role::Credentials;
use super::credentials::{Carried, issue};
use super::error::Error;
use crate::context::Cx;
use crate::identity::Principal;
use crate::operation::{Kind, Operation};

const DEFAULT_DURATION: i64 = 43_200;
/// What the root user gets at the most, whatever it asks for.
const ROOT_LIMIT: i64 = 3600;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetSessionToken {
    pub duration_seconds: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetSessionTokenOutput {
    pub credentials: Credentials,
}

impl Operation for GetSessionToken {
    const SERVICE: &'static str = "sts";
    const NAME: &'static str = "GetSessionToken";
    const KIND: Kind = Kind::Write;
    const SENSITIVE: &'static [&'static str] = &["SecretAccessKey", "SessionToken"];
    type Output = GetSessionTokenOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<GetSessionTokenOutput, Error> {
        let wanted = self.duration_seconds.unwrap_or(DEFAULT_DURATION);
        let seconds = match &cx.caller.principal {
            Principal::Root if cx.caller.session_issued.is_none() => wanted.min(ROOT_LIMIT),
            Principal::User { .. } if cx.caller.session_issued.is_none() => wanted,
            _ => return Err(Error::Session(Self::NAME)),
        };
        let credentials = issue(cx, cx.caller.principal.clone(), seconds, Carried::default())?;
        Ok(GetSessionTokenOutput { credentials })
    }
}
