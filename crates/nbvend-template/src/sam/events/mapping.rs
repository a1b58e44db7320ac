//! `SQS`, `Kinesis` and `DynamoDB`: Lambda polls the source by an event source mapping.

use super::Event;
use crate::sam::error::Result;
use crate::sam::function::{allow, inline_policy};
use crate::sam::node::{Dict, Node, dict};
use crate::sam::policies::managed;
use crate::sam::resource::Resource;
use crate::sam::schema::{Kind, Property, a_map, optional, required};

pub(super) const SQS: &[Property] = &[
    required("Queue", Kind::String),
    optional("BatchSize", Kind::Any),
    optional("Enabled", Kind::Bool),
    optional("FilterCriteria", Kind::Map),
    optional("FunctionResponseTypes", Kind::Any),
    optional("KmsKeyArn", Kind::Any),
    optional("LoggingConfig", Kind::Any),
    optional("MaximumBatchingWindowInSeconds", Kind::Any),
    optional("MetricsConfig", Kind::Any),
    optional("ProvisionedPollerConfig", Kind::Any),
    optional("ScalingConfig", Kind::Any),
];

pub(super) const STREAM: &[Property] = &[
    required("Stream", Kind::String),
    optional("BatchSize", Kind::Any),
    optional("BisectBatchOnFunctionError", Kind::Any),
    optional("DestinationConfig", Kind::Map),
    optional("Enabled", Kind::Bool),
    optional("FilterCriteria", Kind::Map),
    optional("FunctionResponseTypes", Kind::Any),
    optional("KmsKeyArn", Kind::Any),
    optional("MaximumBatchingWindowInSeconds", Kind::Any),
    optional("MaximumRecordAgeInSeconds", Kind::Any),
    optional("MaximumRetryAttempts", Kind::Any),
    optional("MetricsConfig", Kind::Any),
    optional("ParallelizationFactor", Kind::Any),
    optional("StartingPosition", Kind::Any),
    optional("StartingPositionTimestamp", Kind::Any),
    optional("TumblingWindowInSeconds", Kind::Any),
];

/// Properties of the mapping of the same name and form.
const HANDED_ON: &[&str] = &[
    "BatchSize",
    "BisectBatchOnFunctionError",
    "Enabled",
    "FilterCriteria",
    "FunctionResponseTypes",
    "KmsKeyArn",
    "LoggingConfig",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "MetricsConfig",
    "ParallelizationFactor",
    "ProvisionedPollerConfig",
    "ScalingConfig",
    "StartingPosition",
    "StartingPositionTimestamp",
    "TumblingWindowInSeconds",
];

pub(super) fn make(event: &Event<'_>, role: Option<&mut Resource>, partition: &str) -> Result<Vec<Resource>> {
    let (source, policy) = match event.kind {
        "SQS" => ("Queue", "AWSLambdaSQSQueueExecutionRole"),
        "Kinesis" => ("Stream", "AWSLambdaKinesisExecutionRole"),
        _ => ("Stream", "AWSLambdaDynamoDBExecutionRole"),
    };
    let mut mapping = event.make("", "AWS::Lambda::EventSourceMapping");
    mapping.set("EventSourceArn", event.given(source));
    mapping.set("FunctionName", event.target.reference.clone());
    mapping.pass(event.properties, HANDED_ON);
    let mut inline = None;
    if let Some(config) = event.given("DestinationConfig") {
        let config = a_map(&event.id, "DestinationConfig", config)?;
        let (made, policy) = failure_destination(event, config)?;
        mapping.set("DestinationConfig", made);
        inline = policy;
    }
    if let Some(role) = role {
        let arn = managed::arn(partition, &format!("service-role/{policy}"));
        append(role, "ManagedPolicyArns", arn.into());
        if let Some(inline) = inline {
            append(role, "Policies", inline);
        }
    }
    Ok(vec![mapping])
}

/// `OnFailure` without its SAM-only `Type`, and leave for the role to send there.
fn failure_destination(event: &Event<'_>, config: &Dict) -> Result<(Dict, Option<Node>)> {
    let Some(failure) = config.given("OnFailure") else {
        return Err(event.fault("'OnFailure' is a required field for 'DestinationConfig'"));
    };
    let failure = a_map(&event.id, "DestinationConfig.OnFailure", failure)?;
    let destination = failure.given("Destination").cloned().unwrap_or(Node::Null);
    let policy = match failure.str("Type") {
        None => None,
        Some(kind @ ("SQS" | "SNS")) => {
            let action = if kind == "SQS" { "sqs:SendMessage" } else { "sns:publish" };
            Some(inline_policy(
                format!("{}{kind}Policy", event.id),
                vec![allow(action, destination.clone()).into()],
            ))
        }
        Some(_) => {
            return Err(event.fault(
                "The only valid values for 'Type' are 'SQS' and 'SNS'; other destinations are not supported.",
            ));
        }
    };
    Ok((dict! { "OnFailure" => dict! { "Destination" => destination } }, policy))
}

/// Appends to a list property of the role, once.
fn append(role: &mut Resource, name: &str, item: Node) {
    let items = role.properties.entry(name, || Node::List(Vec::new()));
    if let Some(items) = items.as_list_mut()
        && !items.contains(&item)
    {
        items.push(item);
    }
}
