//! Stacks, and the two lists they stand in.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Face, StackStatus};
use crate::identity::Caller;
use crate::store::Record;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stack {
    /// The UUID at the end of its ARN.
    pub uuid: String,
    pub arn: String,
    pub name: String,
    pub status: StackStatus,
    pub reason: Option<String>,
    /// The first resource that failed in the operation under way, or in the last one, and why.
    pub failure: Option<String>,
    pub created: Timestamp,
    pub updated: Option<Timestamp>,
    pub deleted: Option<Timestamp>,
    /// The version its resources were last brought to as a whole.
    pub current: Option<String>,
    /// The version an operation, or the one that failed last, was to bring them to.
    pub target: Option<String>,
    /// What is shown of the version in force.
    pub face: Face,
    pub outputs: Vec<OutputValue>,
    /// The role operations act as, once one was given.
    pub role_arn: Option<String>,
    pub disable_rollback: bool,
    /// `DO_NOTHING`, `ROLLBACK` or `DELETE`.
    pub on_failure: Option<String>,
    pub timeout_minutes: Option<i64>,
    pub protected: bool,
    /// The change set it was last made or changed by.
    pub change_set_arn: Option<String>,
    /// Under way, or the last one.
    pub operation: Option<Operation>,
    /// The token the stack was created with, for a repeated CreateStack.
    pub create_token: Option<String>,
    /// How many events there are.
    pub events: u64,
    /// Of the last event. Clients page by time, so no two events of a stack share one.
    pub last_event: Timestamp,
    /// Numbers what replacements leave to be deleted.
    pub leftovers: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperationKind {
    Create,
    Update,
    Delete,
    Rollback,
}

/// One run of the reconciler over a stack, from the call that asked for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Operation {
    pub kind: OperationKind,
    /// Who asked.
    pub caller: Caller,
    /// As whom the resources are made: the caller, or the stack's role once it is assumed.
    pub acting: Option<Caller>,
    /// When the role's session ends.
    pub acting_until: Option<Timestamp>,
    pub token: Option<String>,
    /// When a creation is given up.
    pub deadline: Option<Timestamp>,
    /// Whether the first step (the role, the imports) is done.
    pub begun: bool,
    /// Keep what was made when it fails.
    pub keep_on_failure: bool,
    /// Why it is to be given up though no resource failed.
    pub abort: Option<String>,
    /// Logical ids to leave alone: RetainResources, ResourcesToSkip.
    pub skip: Vec<String>,
    /// Leave what cannot be deleted: FORCE_DELETE_STACK.
    pub force: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputValue {
    pub key: String,
    pub value: String,
    pub description: Option<String>,
    pub export: Option<String>,
}

impl Record for Stack {
    const KIND: &'static str = "cloudformation.stack";
    const INDEXES: &'static [&'static str] = &["unfinished"];

    fn key(&self) -> String {
        self.uuid.clone()
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        if self.status.in_progress() { vec![("unfinished", "yes".to_owned())] } else { Vec::new() }
    }
}

/// The stack that has a name now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Live {
    pub name: String,
    pub uuid: String,
}

impl Record for Live {
    const KIND: &'static str = "cloudformation.live";

    fn key(&self) -> String {
        self.name.clone()
    }
}

/// A line of the list of all stacks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Listed {
    pub created: Timestamp,
    pub uuid: String,
}

impl Record for Listed {
    const KIND: &'static str = "cloudformation.listed";

    fn key(&self) -> String {
        format!("{:015}/{}", 999_999_999_999_999 - self.created.0, self.uuid)
    }
}

/// A line of the list of deleted stacks, oldest first; of no region.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Deleted {
    pub time: Timestamp,
    pub region: String,
    pub uuid: String,
}

impl Record for Deleted {
    const KIND: &'static str = "cloudformation.deleted";

    fn key(&self) -> String {
        format!("{:015}/{}", self.time.0, self.uuid)
    }
}
