//! Asynchronous invocation from inside the engine: `Invoke` with `InvocationType=Event`, as a transactional call.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::invoke::{LARGEST_EVENT, check_json};
use super::name::{Named, function_keys, resource};
use super::queue;
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// Queues an event for a function in the caller's transaction; EventBridge calls it as `events.amazonaws.com`, and the
/// function's resource policy decides (`source_arn` is the rule).
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct InvokeEvent {
    /// In any form that `Invoke` takes: a target's ARN, qualifier and all.
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
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        resource(cx, &self.function_name, None)
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        function_keys(cx, &self.function_name, keys);
        if let Some(source) = &self.source_arn {
            keys.insert("aws:SourceArn".to_owned(), vec![source.clone()]);
        }
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let named = Named::read(cx, &self.function_name, None)?;
        let function = named.function(cx)?;
        named.version(cx, &function)?;
        let size = self.payload.len();
        if size > LARGEST_EVENT {
            return Err(Error::PayloadTooLarge { size, limit: LARGEST_EVENT, kind: "Event" });
        }
        check_json(self.payload.as_bytes())?;
        let request_id = cx.ids().uuid();
        queue::push(cx, &named, request_id, &Bytes::from(self.payload), None)
    }
}
