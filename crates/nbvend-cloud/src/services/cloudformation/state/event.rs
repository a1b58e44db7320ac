//! Stack events: written once, read newest first.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::Record;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StackEvent {
    pub stack: String,
    /// From 1, without gaps.
    pub number: u64,
    pub id: String,
    pub logical_id: String,
    pub physical_id: String,
    pub type_name: String,
    pub status: String,
    pub reason: Option<String>,
    pub time: Timestamp,
    /// JSON text.
    pub properties: Option<String>,
    pub token: Option<String>,
}

impl Record for StackEvent {
    const KIND: &'static str = "cloudformation.event";

    fn key(&self) -> String {
        format!("{}/{:012}", self.stack, 999_999_999_999 - self.number)
    }
}
