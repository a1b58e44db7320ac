//! Asynchronous invocation from inside the engine: `Invoke` with `InvocationType=Event`, as a transactional call.

use nbvend_wire::error::WireError;
use serde::{Deserialize, Serialize};

use crate::context::Cx;
use crate::error::EngineError;
use crate::operation::{Kind, Operation};

/// Queues an event for a function in the caller's transaction; EventBridge calls it as `events.amazonaws.com`, and the function's resource policy decides (`source_arn` is the rule).
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct InvokeEvent {
    pub function_name: String,
    /// The event, JSON text.
    pub payload: String,
    /// `aws:SourceArn` of the call.
    pub source_arn: Option<String>,
}

impl Operation for InvokeEvent {
    const SERVICE: &'static str = "lambda";
    const NAME: &'static str = "Invoke";
    const ACTION: Option<&'static str> = Some("lambda:InvokeFunction");
    const DATA: bool = true;
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = EngineError;

    fn run(self, _cx: &mut Cx<'_>) -> Result<(), EngineError> {
        Err(WireError::new("NotImplemented", 501, "lambda:InvokeEvent").into())
    }
}
