//! The execution role: whether Lambda may assume it, and its sessions.
//!
//! A session belongs to a revision of a version, for its processes are started with the session's credentials: a new
//! session is a new key ([`Session::key`]), so that no process outlives what it was given. Sessions are kept in memory
//! until shortly before they end; a new engine makes new ones.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use nbvend_wire::timestamp::Timestamp;

use super::error::Error;
use super::state::Config;
use crate::context::Cx;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::identity::Caller;
use crate::ports::FunctionCredentials;
use crate::services::sts::assume_role::{AssumeRole, AssumeRoleOutput};

/// Lambda's service principal.
pub const PRINCIPAL: &str = "lambda.amazonaws.com";
/// A session is renewed when less than this and a whole time limit of the function is left of it.
const MARGIN_MS: i64 = 5 * 60_000;

fn assume(
    cx: &mut Cx<'_>,
    role: &str,
    session: &str,
) -> Result<AssumeRoleOutput, nbvend_wire::error::WireError> {
    let lambda = Caller::service(PRINCIPAL, cx.region());
    cx.call_as(
        lambda,
        AssumeRole { role_arn: role.to_owned(), role_session_name: session.to_owned(), ..Default::default() },
    )
}

/// Refuses a role that Lambda cannot assume, by trying.
pub fn check(cx: &mut Cx<'_>, role: &str, function: &str) -> Result<(), Error> {
    match assume(cx, role, function) {
        Ok(_) => Ok(()),
        Err(error) if error.status >= 500 => Err(error.into()),
        Err(_) => Err(Error::Role),
    }
}

/// A session of an execution role, and what belongs to it.
#[derive(Debug, Clone)]
pub struct Session {
    /// Names code, settings and session together: the processes kept for it.
    pub key: String,
    pub credentials: FunctionCredentials,
    expires: Timestamp,
    /// The role's session as a caller inside the engine.
    pub caller: Caller,
}

#[derive(Default)]
struct Kept {
    region: String,
    function: String,
    version: String,
    /// Held while a session is made: invocations that come together make one.
    session: tokio::sync::Mutex<Option<Session>>,
}

/// The sessions in use, by revision.
#[derive(Default)]
pub struct Sessions(Mutex<HashMap<String, Arc<Kept>>>);

/// The session to run a version with.
pub async fn session(
    engine: &Engine,
    region: &str,
    function: &str,
    config: &Config,
) -> Result<Session, Error> {
    let kept = {
        let sessions = engine.cache::<Sessions>();
        let mut sessions = sessions.0.lock().expect("nobody panics while holding the sessions");
        Arc::clone(sessions.entry(config.revision.clone()).or_insert_with(|| {
            Arc::new(Kept {
                region: region.to_owned(),
                function: function.to_owned(),
                version: config.version.clone(),
                session: Default::default(),
            })
        }))
    };
    let mut session = kept.session.lock().await;
    let margin = MARGIN_MS + i64::from(config.timeout_seconds) * 1000;
    if let Some(session) = session.as_ref().filter(|s| s.expires.0 - margin > engine.now().0) {
        return Ok(session.clone());
    }
    let made = new(engine, region, function, config).await?;
    *session = Some(made.clone());
    Ok(made)
}

async fn new(engine: &Engine, region: &str, function: &str, config: &Config) -> Result<Session, Error> {
    let lambda = Caller::service(PRINCIPAL, region);
    let (role, name) = (config.role.clone(), function.to_owned());
    let assumed = engine.transact(lambda.clone(), move |cx| Ok(assume(cx, &role, &name)?)).await;
    let assumed = match assumed {
        Ok(assumed) => assumed,
        Err(EngineError::Called(error)) if error.status < 500 => return Err(Error::RoleGone),
        Err(error) => return Err(error.into()),
    };
    let now = engine.now();
    let principal = assumed.assumed_role_user.principal.unwrap_or_else(|| lambda.principal.clone());
    let key_id = assumed.credentials.access_key_id;
    Ok(Session {
        key: format!("{}/{key_id}", config.revision),
        expires: assumed.credentials.expiration,
        caller: lambda.acting_as(principal, Some(key_id.clone()), Some(now)),
        credentials: FunctionCredentials {
            access_key_id: key_id,
            secret_access_key: assumed.credentials.secret_access_key,
            session_token: assumed.credentials.session_token,
        },
    })
}

/// A revision that processes are kept for.
pub struct InUse {
    pub revision: String,
    pub region: String,
    pub function: String,
    pub version: String,
}

impl Sessions {
    pub fn in_use(&self) -> Vec<InUse> {
        let sessions = self.0.lock().expect("nobody panics while holding the sessions");
        let in_use = |(revision, kept): (&String, &Arc<Kept>)| InUse {
            revision: revision.clone(),
            region: kept.region.clone(),
            function: kept.function.clone(),
            version: kept.version.clone(),
        };
        sessions.iter().map(in_use).collect()
    }

    /// Takes a revision out; answers the key of its processes.
    pub async fn forget(&self, revision: &str) -> Option<String> {
        let kept = self.0.lock().expect("nobody panics while holding the sessions").remove(revision)?;
        let session = kept.session.lock().await;
        session.as_ref().map(|session| session.key.clone())
    }
}
