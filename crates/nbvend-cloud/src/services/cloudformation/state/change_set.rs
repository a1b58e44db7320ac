//! Change sets.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::Record;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangeSet {
    pub uuid: String,
    pub arn: String,
    pub name: String,
    /// UUID of the stack.
    pub stack: String,
    pub description: Option<String>,
    pub created: Timestamp,
    /// `CREATE_COMPLETE`, `FAILED`.
    pub status: String,
    pub reason: Option<String>,
    /// `AVAILABLE`, `UNAVAILABLE`, `OBSOLETE`, `EXECUTE_IN_PROGRESS`, `EXECUTE_COMPLETE`, `EXECUTE_FAILED`.
    pub execution: String,
    /// Whether executing it creates the stack.
    pub creates: bool,
    /// The version it brings; none where it failed before there was one.
    pub version: Option<String>,
    /// The version the changes were worked out against.
    pub based_on: Option<String>,
    pub role_arn: Option<String>,
    /// `DO_NOTHING`, `ROLLBACK` or `DELETE`.
    pub on_failure: Option<String>,
    pub token: Option<String>,
    pub face: super::Face,
    /// As they are shown; nothing else reads them.
    pub changes: Vec<Value>,
}

impl Record for ChangeSet {
    const KIND: &'static str = "cloudformation.change-set";
    const INDEXES: &'static [&'static str] = &["id"];

    fn key(&self) -> String {
        format!("{}/{}", self.stack, self.name)
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        vec![("id", self.uuid.clone())]
    }
}
