//! What functions' and notebooks' logs are written by.

use nbvend_wire::error::WireError;
use serde::{Deserialize, Serialize};

use crate::context::Cx;
use crate::error::EngineError;
use crate::operation::{Kind, Operation};

/// Makes a group.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateLogGroup {
    pub log_group_name: String,
    pub tags: Option<std::collections::BTreeMap<String, String>>,
}

impl Operation for CreateLogGroup {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "CreateLogGroup";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = EngineError;

    fn run(self, _cx: &mut Cx<'_>) -> Result<(), EngineError> {
        Err(WireError::new("NotImplemented", 501, "logs:CreateLogGroup").into())
    }
}

/// Makes a stream.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateLogStream {
    pub log_group_name: String,
    pub log_stream_name: String,
}

impl Operation for CreateLogStream {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "CreateLogStream";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = EngineError;

    fn run(self, _cx: &mut Cx<'_>) -> Result<(), EngineError> {
        Err(WireError::new("NotImplemented", 501, "logs:CreateLogStream").into())
    }
}

/// Appends events to a stream; they must be in the order of their times.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct PutLogEvents {
    pub log_group_name: String,
    pub log_stream_name: String,
    pub log_events: Vec<InputLogEvent>,
    pub sequence_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PutLogEventsOutput {
    pub next_sequence_token: Option<String>,
}

impl Operation for PutLogEvents {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "PutLogEvents";
    const KIND: Kind = Kind::Write;
    type Output = PutLogEventsOutput;
    type Error = EngineError;

    fn run(self, _cx: &mut Cx<'_>) -> Result<PutLogEventsOutput, EngineError> {
        Err(WireError::new("NotImplemented", 501, "logs:PutLogEvents").into())
    }
}

/// One event.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InputLogEvent {
    pub timestamp: nbvend_wire::timestamp::Timestamp,
    pub message: String,
}
