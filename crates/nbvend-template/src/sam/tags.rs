//! Tags: maps in SAM, lists of Key and Value in CloudFormation.

use super::node::{Dict, Node, dict};
use super::resource::Resource;

/// The tag on every function and role the transform makes.
pub(crate) fn created_by_sam() -> Dict {
    dict! { "lambda:createdBy" => "SAM" }
}

/// `{k: v}` as `[{"Key": k, "Value": v}]`; a null value is an empty one.
pub(crate) fn list(tags: &Dict) -> Vec<Node> {
    tags.iter()
        .map(|(key, value)| {
            let value = if *value == Node::Null { Node::from("") } else { value.clone() };
            dict! { "Key" => key.clone(), "Value" => value }.into()
        })
        .collect()
}

/// The SAM tag followed by the resource's own.
pub(crate) fn with_sam(tags: Option<&Dict>) -> Node {
    let mut all = list(&created_by_sam());
    all.extend(tags.map(list).unwrap_or_default());
    Node::List(all)
}

/// Puts the tags of a serverless resource on those made for it, if it asks for that.
pub(crate) fn propagate(resources: &mut [Resource], tags: Option<&Dict>, asked: bool) {
    let Some(tags) = tags.filter(|tags| asked && !tags.is_empty()) else { return };
    for resource in resources {
        if takes_tags(resource.kind) {
            resource.set("Tags", Node::List(list(tags)));
        }
    }
}

fn takes_tags(kind: &str) -> bool {
    matches!(
        kind,
        "AWS::Lambda::Function"
            | "AWS::IAM::Role"
            | "AWS::SQS::Queue"
            | "AWS::SNS::Topic"
            | "AWS::ApiGateway::RestApi"
            | "AWS::ApiGateway::Stage"
            | "AWS::ApiGateway::DomainName"
            | "AWS::ApiGateway::UsagePlan"
            | "AWS::ApiGateway::ApiKey"
            | "AWS::CodeDeploy::Application"
            | "AWS::DynamoDB::Table"
    )
}
