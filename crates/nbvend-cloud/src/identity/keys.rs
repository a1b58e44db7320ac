//! Access keys: long-lived ones of users, and the temporary ones of sessions. IAM and STS make and end them; the
//! door looks them up.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::Principal;
use crate::store::{GLOBAL, Record, StoreError, Tx};

/// `Active` or `Inactive`, as IAM has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyStatus {
    Active,
    Inactive,
}

/// What a temporary key carries besides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// The token the request must bring.
    pub token: String,
    pub issued: Timestamp,
    pub expires: Timestamp,
    /// Session policies, as JSON texts.
    pub policies: Vec<String>,
    /// Session tags.
    pub tags: Vec<(String, String)>,
    /// Keys of those that go on to sessions made from this one.
    #[serde(default)]
    pub transitive: Vec<String>,
    pub source_identity: Option<String>,
}

/// One access key and whose it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccessKey {
    /// `AKIA…` for users, `ASIA…` for sessions.
    pub id: String,
    pub secret: String,
    pub principal: Principal,
    pub status: KeyStatus,
    pub created: Timestamp,
    pub session: Option<Session>,
}

impl Record for AccessKey {
    const KIND: &'static str = "identity.access-key";
    const INDEXES: &'static [&'static str] = &["user", "session-hour", "user-session"];

    fn key(&self) -> String {
        self.id.clone()
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        match (&self.session, &self.principal) {
            (None, Principal::User { name, .. }) => vec![("user", name.clone())],
            // Found again by the hour they end in, when ended sessions are removed.
            (Some(session), principal) => {
                let mut entries = vec![("session-hour", (session.expires.0 / 3_600_000).to_string())];
                let behind = match principal {
                    Principal::FederatedUser { issuer, .. } => issuer,
                    other => other,
                };
                if let Principal::User { name, .. } = behind {
                    entries.push(("user-session", name.clone()));
                }
                entries
            }
            _ => Vec::new(),
        }
    }
}

impl AccessKey {
    /// The key of that id.
    pub fn get(tx: &Tx<'_>, id: &str) -> Result<Option<Self>, StoreError> {
        tx.get(GLOBAL, id)
    }

    /// Stores or replaces it.
    pub fn put(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        tx.put(GLOBAL, self)
    }

    /// Ends it; false if there was none.
    pub fn delete(tx: &Tx<'_>, id: &str) -> Result<bool, StoreError> {
        tx.delete::<Self>(GLOBAL, id)
    }

    /// The long-lived keys of a user.
    pub fn of_user(tx: &Tx<'_>, name: &str) -> Result<Vec<Self>, StoreError> {
        tx.find(GLOBAL, "user", name)
    }

    /// The sessions that a user has of itself, by `GetSessionToken`, or made for others, by `GetFederationToken`.
    pub fn sessions_of_user(tx: &Tx<'_>, name: &str) -> Result<Vec<Self>, StoreError> {
        tx.find(GLOBAL, "user-session", name)
    }
}
