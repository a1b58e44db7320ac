//! From one bus to another: `PutEvents` for an event that is whole already, as EventBridge makes it for a rule's target.
//!
//! The event keeps its id, time and region. As on AWS, an event that came from another bus goes no further: that also ends
//! every loop.

use nbvend_wire::error::WireError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::Error;
use super::names::{self, DEFAULT};
use super::state::Bus;
use crate::context::{ContextKeys, Cx};
use crate::error::EngineError;
use crate::operation::{Kind, Operation};
use crate::outbox;

/// Where the outbox remembers that an event came from another bus. No client can write at this level of an event, and it
/// is taken off before anybody sees it.
const HOPS: &str = "nbvend:hops";

/// Takes the mark off an event from the outbox.
pub fn hops(event: &mut Value) -> u32 {
    let mark = event.as_object_mut().and_then(|members| members.shift_remove(HOPS));
    mark.and_then(|mark| mark.as_u64()).and_then(|hops| u32::try_from(hops).ok()).unwrap_or(0)
}

/// Never decoded from the wire: it stands in no list.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Forward {
    pub bus: String,
    /// The event, JSON text.
    pub event: String,
    pub hops: u32,
}

impl Operation for Forward {
    const SERVICE: &'static str = "events";
    const NAME: &'static str = "PutEvents";
    const KIND: Kind = Kind::Write;
    const DATA: bool = true;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![names::bus_arn(cx, &self.bus)]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        keys.insert("events:eventBusInvocation".to_owned(), vec!["true".to_owned()]);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        if self.bus != DEFAULT && cx.get::<Bus>(&self.bus)?.is_none() {
            return Err(Error::NoBus(self.bus));
        }
        if self.hops > 1 {
            return Err(Error::validation(
                "an event that came from another event bus is not sent to a third",
            ));
        }
        let mut event: Value = serde_json::from_str(&self.event).unwrap_or_default();
        let whole = ["id", "source", "detail-type", "time", "detail"]
            .iter()
            .all(|member| event.get(member).is_some());
        if !whole {
            // An input transformer or InputPath left no event.
            let error = WireError::new("MalformedDetail", 400, "the target's input is not an event");
            return Err(EngineError::Called(error).into());
        }
        event[HOPS] = json!(self.hops);
        Ok(outbox::push_envelope(cx.tx, cx.region(), &self.bus, &event)?)
    }
}
