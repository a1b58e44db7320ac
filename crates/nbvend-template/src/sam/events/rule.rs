//! `EventBridgeRule` and its older name `CloudWatchEvent`: a rule that matches events.

use super::Event;
use crate::sam::error::{Result, SamError};
use crate::sam::intrinsics::{get_att, is_intrinsic, reference};
use crate::sam::node::{Dict, Node, dict, list};
use crate::sam::resource::Resource;
use crate::sam::schema::{Kind, Property, a_map, optional};

pub(super) const PROPERTIES: &[Property] = &[
    optional("Pattern", Kind::Map),
    optional("EventBusName", Kind::String),
    optional("RuleName", Kind::String),
    optional("Input", Kind::String),
    optional("InputPath", Kind::String),
    optional("InputTransformer", Kind::Any),
    optional("Target", Kind::Map),
    optional("DeadLetterConfig", Kind::Map),
    optional("RetryPolicy", Kind::Map),
    optional("State", Kind::String),
    optional("Enabled", Kind::Bool),
];

pub(super) fn make(event: &Event<'_>) -> Result<Vec<Resource>> {
    let mut rule = event.make("", "AWS::Events::Rule");
    rule.set("EventBusName", event.given("EventBusName"));
    rule.set("EventPattern", event.given("Pattern"));
    rule.set("Name", event.given("RuleName"));
    rule.set("State", state(event)?);
    let mut target = target(event);
    if let Some(id) = event.given("Target").and_then(|target| target.get("Id")) {
        target.insert("Id", id.clone());
    }
    for name in ["Input", "InputPath", "InputTransformer", "RetryPolicy"] {
        if let Some(value) = event.given(name) {
            target.insert(name, value.clone());
        }
    }
    finish(event, rule, target)
}

/// `State`, or what the older `Enabled` says.
pub(super) fn state(event: &Event<'_>) -> Result<Option<Node>> {
    match (event.given("State"), event.given("Enabled")) {
        (Some(_), Some(_)) => Err(event.fault("State and Enabled Properties cannot both be specified.")),
        (Some(state), None) => Ok(Some(state.clone())),
        (None, Some(enabled)) => Ok(Some(if enabled.truthy() { "ENABLED" } else { "DISABLED" }.into())),
        (None, None) => Ok(None),
    }
}

/// The function as a rule's target.
pub(super) fn target(event: &Event<'_>) -> Dict {
    dict! { "Arn" => event.target.arn.clone(), "Id" => format!("{}LambdaTarget", event.id) }
}

/// Adds the dead-letter queue to the target and the target to the rule; gives the rule leave to invoke.
pub(super) fn finish(event: &Event<'_>, mut rule: Resource, mut target: Dict) -> Result<Vec<Resource>> {
    let source = get_att(&rule.id, "Arn");
    let mut beside = Vec::new();
    if let Some(config) = event.given("DeadLetterConfig") {
        let config = a_map(&event.id, "DeadLetterConfig", config)?;
        let (arn, queue) = dead_letters(event, config, &source)?;
        target.insert("DeadLetterConfig", dict! { "Arn" => arn });
        beside = queue;
    }
    rule.set("Targets", list![target]);
    let permission = event.permission("events.amazonaws.com", Some(source), "");
    let mut made = vec![rule];
    made.extend(beside);
    made.push(permission);
    Ok(made)
}

/// The ARN of the queue for events that could not be delivered, and the queue with its policy if it is made.
fn dead_letters(event: &Event<'_>, config: &Dict, source: &Node) -> Result<(Node, Vec<Resource>)> {
    let fault = |text: &str| Err(SamError::event(event.function.id, &event.id, text));
    match (config.given("Arn"), config.given("Type")) {
        (Some(_), Some(_)) => fault("You can either define 'Arn' or 'Type' property of DeadLetterConfig."),
        (None, None) => fault("No 'Arn' or 'Type' property provided for DeadLetterConfig."),
        (Some(arn), None) => Ok((arn.clone(), Vec::new())),
        (None, Some(kind)) if kind.as_str() == Some("SQS") || is_intrinsic(kind) => {
            let mut queue = event.make("Queue", "AWS::SQS::Queue");
            if let Some(Node::Text(id)) = config.given("QueueLogicalId") {
                queue.id = id.clone();
            }
            let arn = get_att(&queue.id, "Arn");
            let mut policy = event.make("QueuePolicy", "AWS::SQS::QueuePolicy");
            let statement = dict! {
                "Action" => "sqs:SendMessage",
                "Effect" => "Allow",
                "Principal" => dict! { "Service" => "events.amazonaws.com" },
                "Resource" => arn.clone(),
                "Condition" => dict! { "ArnEquals" => dict! { "aws:SourceArn" => source.clone() } },
            };
            policy
                .set("PolicyDocument", dict! { "Version" => "2012-10-17", "Statement" => list![statement] });
            policy.set("Queues", list![reference(queue.id.clone())]);
            Ok((arn, vec![queue, policy]))
        }
        (None, Some(_)) => fault("The only valid value for 'Type' property of DeadLetterConfig is 'SQS'."),
    }
}
