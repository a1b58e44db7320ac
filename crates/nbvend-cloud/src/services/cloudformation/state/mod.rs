//! What CloudFormation keeps.
//!
//! ```text
//! stack       key = the UUID of its id       index "unfinished": what the reconciler has to look at
//! live        key = name                     the stack of that name that is not deleted
//! listed      key = inverted time + UUID     every stack, newest first
//! deleted     key = time + UUID              deleted stacks, oldest first; of no region
//! version     key = stack/version            a template with its parameters; the current one and that of an operation
//! resource    key = stack/logical id         also what a replacement left to be deleted: stack/logical id~number
//! event       key = stack/inverted number    newest first
//! change set  key = stack/name               index "id"
//! export      key = name                     index "stack"
//! import      key = export, stack            index "stack"
//! ```

mod change_set;
mod event;
mod export;
mod resource;
mod stack;
mod status;
mod version;

pub use change_set::ChangeSet;
pub use event::StackEvent;
pub use export::{Export, Import};
pub use resource::{Before, Resource, Stage, Work};
pub use stack::{Deleted, Listed, Live, Operation, OperationKind, OutputValue, Stack};
pub use status::{ResourceStatus, StackStatus};
pub use version::{Face, ShownParameter, Version};

/// The UUID of a stack's ARN, `arn:…:stack/NAME/UUID`; `None` if `text` is no such ARN.
pub fn stack_uuid(text: &str) -> Option<&str> {
    let (_, rest) = text.strip_prefix("arn:")?.split_once(":stack/")?;
    rest.split_once('/').map(|(_, uuid)| uuid)
}
