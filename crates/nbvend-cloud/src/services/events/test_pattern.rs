//! `TestEventPattern`.

use nbvend_pattern::Pattern;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::Error;
use crate::context::Cx;
use crate::operation::{Kind, Operation};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct TestEventPattern {
    pub event_pattern: String,
    pub event: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TestEventPatternOutput {
    pub result: bool,
}

impl Operation for TestEventPattern {
    const SERVICE: &'static str = "events";
    const NAME: &'static str = "TestEventPattern";
    const KIND: Kind = Kind::Read;
    type Output = TestEventPatternOutput;
    type Error = Error;

    fn run(self, _cx: &mut Cx<'_>) -> Result<TestEventPatternOutput, Error> {
        let pattern =
            Pattern::parse(&self.event_pattern).map_err(|error| Error::InvalidPattern(error.message()))?;
        // Recorded from AWS for a plain string.
        let refuse = || Error::validation("Parameter Event is not valid.");
        let event: Value = serde_json::from_str(&self.event).map_err(|_| refuse())?;
        if !event.is_object() {
            return Err(refuse());
        }
        Ok(TestEventPatternOutput { result: pattern.matches(&event) })
    }
}
