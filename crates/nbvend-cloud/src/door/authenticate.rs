//! Step 2: who signed this. SigV4 in header or query form, against the root key, users' keys and sessions.

use std::collections::HashMap;
use std::sync::Mutex;

use http::request::Parts;
use nbvend_wire::error::WireError;
use nbvend_wire::model::{self, ProtocolKind};
use nbvend_wire::sigv4::{self, Signature, SigningKey};
use subtle::ConstantTimeEq;

use super::Peer;
use crate::engine::Engine;
use crate::identity::{AccessKey, Caller, KeyStatus, Principal};
use crate::services::iam::last_used;

/// Signing keys by (access key, date, region, service). Derived from the secret alone, and only reached after the
/// access key itself was found, so a deleted key's entry is dead. Emptied when full.
#[derive(Default)]
struct SigningKeys(Mutex<HashMap<(String, String, String, String), SigningKey>>);
const KEPT_SIGNING_KEYS: usize = 1024;

/// The key a request says it is signed with, and the signature, which is not verified yet.
pub(super) fn signer(
    engine: &Engine,
    parts: &Parts,
    service: Option<&str>,
) -> Result<(Signature, AccessKey), WireError> {
    let protocol = protocol(service);
    let in_words = |error| sigv4::in_protocol(error, protocol);
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    let signature = sigv4::parse(parts.method.as_str(), path, query, &parts.headers).map_err(in_words)?;
    let signature = signature.ok_or_else(|| sigv4::missing_token(protocol))?;
    let key = credential(engine, &signature).map_err(in_words)?;
    Ok((signature, key.ok_or_else(|| sigv4::unknown_key(protocol))?))
}

/// What has no model speaks query's codes, which are IAM's own.
fn protocol(service: Option<&str>) -> ProtocolKind {
    service.and_then(model::service).map_or(ProtocolKind::Query, |s| s.protocol)
}

/// The principal behind a signed request.
pub fn authenticate(
    engine: &Engine,
    parts: &Parts,
    body_sha256: &str,
    service: Option<&str>,
    peer: &Peer,
) -> Result<Caller, WireError> {
    let signer = signer(engine, parts, service)?;
    proven(engine, parts, signer, body_sha256, service, peer)
}

/// The caller, if the holder of the key signed this request and this body.
pub(super) fn proven(
    engine: &Engine,
    parts: &Parts,
    (signature, key): (Signature, AccessKey),
    body_sha256: &str,
    service: Option<&str>,
    peer: &Peer,
) -> Result<Caller, WireError> {
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    let signing = signing_key(engine, &signature, &key.secret);
    signature
        .verify(parts.method.as_str(), path, query, &parts.headers, body_sha256, &signing, engine.now())
        .map_err(|error| sigv4::in_protocol(error, protocol(service)))?;
    last_used::note(engine, &key, &signature.service, &signature.region);
    let user_agent = parts.headers.get("user-agent").and_then(|v| v.to_str().ok()).unwrap_or_default();
    Ok(Caller {
        principal: key.principal,
        access_key_id: Some(signature.access_key_id),
        session_issued: key.session.map(|session| session.issued),
        region: signature.region,
        source_ip: peer.ip.to_string(),
        user_agent: user_agent.to_owned(),
        request_id: String::new(),
        invoked_by: None,
        secure: peer.secure,
    })
}

/// The active key a signature names; `None` if there is none. A session's token must be the key's and not expired.
pub fn credential(engine: &Engine, signature: &Signature) -> Result<Option<AccessKey>, WireError> {
    let root = &engine.config().root_key;
    if signature.access_key_id == root.access_key_id {
        return Ok(Some(AccessKey {
            id: root.access_key_id.clone(),
            secret: root.secret_access_key.clone(),
            principal: Principal::Root,
            status: KeyStatus::Active,
            created: engine.now(),
            session: None,
        }));
    }
    let found = engine.store().read(|tx| AccessKey::get(tx, &signature.access_key_id));
    let key = found.and_then(|inner| inner).map_err(|error| {
        tracing::error!(%error, "a key could not be looked up");
        WireError::new(
            "InternalFailure",
            500,
            "The request processing has failed because of an unknown error.",
        )
    })?;
    let Some(key) = key.filter(|key| key.status == KeyStatus::Active) else { return Ok(None) };
    match (&key.session, &signature.security_token) {
        (None, _) => Ok(Some(key)),
        (Some(session), Some(token)) if session.token.as_bytes().ct_eq(token.as_bytes()).into() => {
            if session.expires <= engine.now() {
                return Err(sigv4::expired_token(ProtocolKind::Query));
            }
            Ok(Some(key))
        }
        (Some(_), _) => Ok(None),
    }
}

/// The key that signs for a signature's scope.
pub(crate) fn signing_key(engine: &Engine, signature: &Signature, secret: &str) -> SigningKey {
    let scope = (
        signature.access_key_id.clone(),
        signature.date.clone(),
        signature.region.clone(),
        signature.service.clone(),
    );
    let cache = engine.cache::<SigningKeys>();
    let mut keys = cache.0.lock().expect("nobody panics while holding the keys");
    if let Some(key) = keys.get(&scope) {
        return key.clone();
    }
    let key = sigv4::signing_key(secret, &signature.date, &signature.region, &signature.service);
    if keys.len() >= KEPT_SIGNING_KEYS {
        keys.clear();
    }
    keys.insert(scope, key.clone());
    key
}
