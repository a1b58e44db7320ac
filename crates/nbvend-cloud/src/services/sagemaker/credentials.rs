//! The execution role's credentials for what runs in a notebook, as containers on AWS get theirs: from an address, with
//! a token that is in the environment of that notebook alone.
//!
//! The token is made with each start and ends with it. Behind it are sessions of the role, each assumed by SageMaker for
//! an hour and replaced in good time; when the notebook stops they end, whoever copied them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::PRINCIPAL;
use super::state::{Notebook, Status};
use crate::context::Cx;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::identity::{AccessKey, Caller};
use crate::services::sts::assume_role::AssumeRole;
use crate::store::{GLOBAL, Record, StoreError, Tx};

/// AWS's name of a notebook's session.
const SESSION_NAME: &str = "SageMaker";
/// Credentials that end sooner are not handed out: SDKs begin to ask anew a quarter of an hour before the end.
const LEFT_SECONDS: i64 = 20 * 60;

/// One start's right to the role.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Grant {
    notebook_id: String,
    generation: u64,
    token: String,
    /// Access keys made for it that may still hold.
    keys: Vec<(String, Timestamp)>,
}

/// Stored under no region: ids are unique.
impl Record for Grant {
    const KIND: &'static str = "sagemaker.grant";

    fn key(&self) -> String {
        self.notebook_id.clone()
    }
}

/// A session of the execution role.
#[derive(Clone)]
pub struct RoleCredentials {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: String,
    pub expiration: Timestamp,
    pub role_arn: String,
}

/// Why there are none.
#[derive(Debug, thiserror::Error)]
pub enum NoCredentials {
    #[error("the token is not this notebook's")]
    Token,
    #[error("the notebook does not run")]
    NotRunning,
    #[error("the role cannot be assumed: {0}")]
    Role(String),
    #[error("the engine failed: {0}")]
    Engine(EngineError),
}

/// A start begins: a token of its own, and what the last one had ends.
pub fn begin(cx: &Cx<'_>, notebook: &Notebook) -> Result<(), StoreError> {
    end(cx, &notebook.id)?;
    let mut secret = [0u8; 32];
    cx.ids().fill(&mut secret);
    cx.put_global(&Grant {
        notebook_id: notebook.id.clone(),
        generation: notebook.generation,
        token: hex::encode(secret),
        keys: Vec::new(),
    })
}

/// The notebook does not run any more: neither token nor keys are good for anything.
pub fn end(cx: &Cx<'_>, notebook_id: &str) -> Result<(), StoreError> {
    if let Some(grant) = cx.get_global::<Grant>(notebook_id)? {
        for (key, _) in &grant.keys {
            AccessKey::delete(cx.tx, key)?;
        }
        cx.tx.delete::<Grant>(GLOBAL, notebook_id)?;
    }
    Ok(())
}

/// The token of a start, for the environment of what runs in it.
pub fn token(tx: &Tx<'_>, notebook: &Notebook) -> Result<String, StoreError> {
    let grant: Option<Grant> = tx.get(GLOBAL, &notebook.id)?;
    Ok(grant
        .filter(|grant| grant.generation == notebook.generation)
        .map(|grant| grant.token)
        .unwrap_or_default())
}

/// Credentials in use, by notebook. The inner lock is held while a session is made: those who ask together get one.
#[derive(Default)]
struct InUse(Mutex<HashMap<String, Arc<Slot>>>);

type Slot = tokio::sync::Mutex<Option<(u64, RoleCredentials)>>;

/// Credentials for whoever shows a notebook's token.
pub async fn credentials_by_token(
    engine: &Engine,
    notebook_id: &str,
    shown: &str,
) -> Result<RoleCredentials, NoCredentials> {
    let grant = engine.store().read(|tx| tx.get::<Grant>(GLOBAL, notebook_id)).and_then(|found| found);
    let grant = grant.map_err(|error| NoCredentials::Engine(error.into()))?.ok_or(NoCredentials::Token)?;
    // Digests are compared: how long it takes says nothing of the token.
    if Sha256::digest(&grant.token) != Sha256::digest(shown) {
        return Err(NoCredentials::Token);
    }
    credentials_for(engine, notebook_id).await
}

/// Credentials of the execution role of a notebook that runs or starts, good for at least some minutes. Who asks for them
/// has been told apart from others already.
pub async fn credentials_for(engine: &Engine, notebook_id: &str) -> Result<RoleCredentials, NoCredentials> {
    let slot = {
        let in_use = engine.cache::<InUse>();
        let mut slots = in_use.0.lock().expect("nobody panics while holding the credentials");
        Arc::clone(slots.entry(notebook_id.to_owned()).or_default())
    };
    let mut slot = slot.lock().await;
    let found = engine.store().read(|tx| Notebook::by_id(tx, notebook_id)).and_then(|found| found);
    let found = found.map_err(|error| NoCredentials::Engine(error.into()))?;
    let Some((region, notebook)) = found.filter(|(_, one)| runs(one)) else {
        *slot = None;
        let in_use = engine.cache::<InUse>();
        in_use.0.lock().expect("nobody panics while holding the credentials").remove(notebook_id);
        return Err(NoCredentials::NotRunning);
    };
    let good = |(generation, made): &&(u64, RoleCredentials)| {
        *generation == notebook.generation
            && made.role_arn == notebook.role_arn
            && made.expiration.seconds_since(engine.now()) >= LEFT_SECONDS
    };
    if let Some((_, made)) = slot.as_ref().filter(good) {
        return Ok(made.clone());
    }
    let generation = notebook.generation;
    let made = assume(engine, &region, notebook).await?;
    *slot = Some((generation, made.clone()));
    Ok(made)
}

/// Lifecycle scripts have credentials too.
fn runs(notebook: &Notebook) -> bool {
    matches!(notebook.status, Status::Pending | Status::InService | Status::Stopping)
}

async fn assume(engine: &Engine, region: &str, notebook: Notebook) -> Result<RoleCredentials, NoCredentials> {
    let sagemaker = Caller::service(PRINCIPAL, region);
    let arn = notebook.role_arn.clone();
    let made = engine.transact(sagemaker, move |cx| {
        let Some(mut grant) = cx.get_global::<Grant>(&notebook.id)? else { return Ok(None) };
        if grant.generation != notebook.generation {
            return Ok(None);
        }
        let ask = AssumeRole {
            role_arn: notebook.role_arn.clone(),
            role_session_name: SESSION_NAME.to_owned(),
            ..AssumeRole::default()
        };
        let session = cx.call(ask)?.credentials;
        let now = cx.now();
        grant.keys.retain(|(_, ends)| *ends > now);
        grant.keys.push((session.access_key_id.clone(), session.expiration));
        cx.put_global(&grant)?;
        Ok(Some(session))
    });
    match made.await {
        Ok(Some(session)) => Ok(RoleCredentials {
            access_key_id: session.access_key_id,
            secret_access_key: session.secret_access_key,
            session_token: session.session_token,
            expiration: session.expiration,
            role_arn: arn,
        }),
        Ok(None) => Err(NoCredentials::NotRunning),
        Err(EngineError::Called(error)) if error.status < 500 => Err(NoCredentials::Role(error.message)),
        Err(error) => Err(NoCredentials::Engine(error)),
    }
}
