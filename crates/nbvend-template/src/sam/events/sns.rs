//! `SNS`: a subscription to a topic.

use super::Event;
use crate::sam::error::Result;
use crate::sam::node::Node;
use crate::sam::resource::Resource;
use crate::sam::schema::{Kind, Property, optional, required};

pub(super) const PROPERTIES: &[Property] = &[
    required("Topic", Kind::String),
    optional("Region", Kind::String),
    optional("FilterPolicy", Kind::Map),
    optional("FilterPolicyScope", Kind::String),
    optional("SqsSubscription", Kind::Any),
    optional("RedrivePolicy", Kind::Map),
];

pub(super) fn make(event: &Event<'_>) -> Result<Vec<Resource>> {
    if event.given("SqsSubscription").is_some_and(Node::truthy) {
        return Err(event.fault("Property 'SqsSubscription' is not supported."));
    }
    let mut subscription = event.make("", "AWS::SNS::Subscription");
    subscription.set("Endpoint", event.target.arn.clone());
    subscription.set("Protocol", "lambda");
    subscription.set("TopicArn", event.given("Topic"));
    subscription.pass(event.properties, &["Region", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy"]);
    Ok(vec![event.permission("sns.amazonaws.com", event.given("Topic").cloned(), ""), subscription])
}
