//! Temporary credentials: made, stored, and removed some time after they ended.

use base64::Engine as _;
use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::assume_role::Credentials;
use crate::context::Cx;
use crate::identity::{AccessKey, KeyStatus, Principal, Session};
use crate::store::{Record, StoreError};

/// What a session carries beside its keys.
#[derive(Debug, Default)]
pub struct Carried {
    pub policies: Vec<String>,
    pub tags: Vec<(String, String)>,
    pub transitive: Vec<String>,
    pub source_identity: Option<String>,
}

/// Makes and stores credentials of `principal` for so many seconds from now.
pub fn issue(
    cx: &Cx<'_>,
    principal: Principal,
    seconds: i64,
    carried: Carried,
) -> Result<Credentials, StoreError> {
    let ids = cx.ids();
    let mut token = [0u8; 192];
    ids.fill(&mut token);
    let key = AccessKey {
        id: format!("ASIA{}", ids.upper(16)),
        secret: secret(cx),
        principal,
        status: KeyStatus::Active,
        created: cx.now(),
        session: Some(Session {
            token: base64::engine::general_purpose::STANDARD.encode(token),
            issued: cx.now(),
            expires: cx.now().plus_seconds(seconds),
            policies: carried.policies,
            tags: carried.tags,
            transitive: carried.transitive,
            source_identity: carried.source_identity,
        }),
    };
    key.put(cx.tx)?;
    Sweep::begin(cx)?;
    let session = key.session.expect("set above");
    Ok(Credentials {
        access_key_id: key.id,
        secret_access_key: key.secret,
        session_token: session.token,
        expiration: session.expires,
    })
}

/// A secret access key: 40 characters of base64, which is 30 bytes.
pub(crate) fn secret(cx: &Cx<'_>) -> String {
    let mut bytes = [0u8; 30];
    cx.ids().fill(&mut bytes);
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// The hour of a moment, as the index `session-hour` of access keys has it.
pub fn hour(time: Timestamp) -> i64 {
    time.0.div_euclid(3_600_000)
}

/// How far ended sessions have been removed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Sweep {
    /// The first hour that may still hold sessions.
    pub next: i64,
}

impl Record for Sweep {
    const KIND: &'static str = "sts.sweep";

    fn key(&self) -> String {
        Self::KEY.to_owned()
    }
}

impl Sweep {
    pub const KEY: &'static str = "sessions";

    /// The first session says from where there is something to sweep.
    fn begin(cx: &Cx<'_>) -> Result<(), StoreError> {
        if cx.get_global::<Self>(Self::KEY)?.is_none() {
            cx.put_global(&Self { next: hour(cx.now()) })?;
        }
        Ok(())
    }
}
