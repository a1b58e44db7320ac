//! `Schedule`: a rule that fires by the clock.

use super::{Event, rule};
use crate::sam::error::Result;
use crate::sam::resource::Resource;
use crate::sam::schema::{Kind, Property, optional, required};

pub(super) const PROPERTIES: &[Property] = &[
    required("Schedule", Kind::String),
    optional("RuleName", Kind::String),
    optional("Input", Kind::String),
    optional("Enabled", Kind::Bool),
    optional("State", Kind::String),
    optional("Name", Kind::String),
    optional("Description", Kind::String),
    optional("DeadLetterConfig", Kind::Map),
    optional("RetryPolicy", Kind::Map),
];

pub(super) fn make(event: &Event<'_>) -> Result<Vec<Resource>> {
    let mut made = event.make("", "AWS::Events::Rule");
    made.pass(event.properties, &["Description", "Name"]);
    made.set("ScheduleExpression", event.given("Schedule"));
    made.set("State", rule::state(event)?);
    let mut target = rule::target(event);
    for name in ["Input", "RetryPolicy"] {
        if let Some(value) = event.given(name).cloned() {
            target.insert(name, value);
        }
    }
    rule::finish(event, made, target)
}
