//! Resources of stacks, and how far the operation under way is with each.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ResourceStatus;
use crate::store::Record;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    pub stack: String,
    pub logical_id: String,
    /// Set on what a replacement or a rollback left to be deleted.
    pub leftover: Option<u32>,
    pub type_name: String,
    pub status: ResourceStatus,
    pub reason: Option<String>,
    pub updated: Timestamp,
    pub stage: Stage,
    /// The version it is settled at.
    pub at: Option<String>,
    pub body: Before,
    /// How it was before the step under way.
    pub from: Option<Before>,
    /// How it was before the operations that are not finished yet: what a rollback goes back to.
    pub before: Option<Before>,
    /// Whether `body` is another physical resource than `before`.
    pub replaced: bool,
}

/// What is known of the physical resource.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Before {
    pub physical_id: Option<String>,
    /// Resolved, as it was last asked for.
    pub properties: Value,
    /// What Fn::GetAtt finds.
    pub attributes: Map<String, Value>,
    pub metadata: Option<Value>,
    /// The stack's tags it was made with.
    pub tags: Vec<(String, String)>,
    /// Logical ids it needs: it goes before them.
    pub depends_on: Vec<String>,
    pub deletion_policy: Option<String>,
    pub replace_policy: Option<String>,
}

/// What is being done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Work {
    Create,
    Replace,
    Update,
    Revert,
    Delete,
}

/// How far that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Nothing is being done.
    Idle,
    /// Announced; the provider was not called yet.
    Started(Work),
    /// The provider said it takes time.
    Waiting(Work),
    /// The provider is done; to be announced.
    Made(Work),
    Failed(Work),
}

impl Stage {
    /// Whether something is yet to come of it.
    pub fn in_flight(self) -> bool {
        matches!(self, Self::Started(_) | Self::Waiting(_) | Self::Made(_))
    }
}

impl Record for Resource {
    const KIND: &'static str = "cloudformation.resource";
    const INDEXES: &'static [&'static str] = &["physical"];

    fn key(&self) -> String {
        // No logical id has a `~`.
        match self.leftover {
            None => format!("{}/{}", self.stack, self.logical_id),
            Some(number) => format!("{}/{}~{number:06}", self.stack, self.logical_id),
        }
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        match &self.body.physical_id {
            Some(physical) if self.leftover.is_none() => vec![("physical", physical.clone())],
            _ => Vec::new(),
        }
    }
}
