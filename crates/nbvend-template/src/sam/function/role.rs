//! The execution role of a function that brings none.

use super::{Function, trust};
use crate::sam::Transform;
use crate::sam::error::Result;
use crate::sam::intrinsics::{get_att, is_if, is_no_value};
use crate::sam::node::{Dict, Node, dict, list};
use crate::sam::policies::{self, managed};
use crate::sam::resource::Resource;
use crate::sam::tags;

/// `Role` as `Fn::If`, where a branch is `AWS::NoValue`: the branch that needs a role made.
enum Wanted {
    Always,
    /// The condition under which it is made.
    If(Node),
    Unless(Node),
    Never,
}

fn wanted(function: &Function<'_>) -> Wanted {
    let Some(role) = function.given("Role") else { return Wanted::Always };
    if !is_if(role) {
        return Wanted::Never;
    }
    let parts = role.get("Fn::If").and_then(Node::as_list).cloned().unwrap_or_default();
    let [condition, yes, no] = parts.as_slice() else { return Wanted::Never };
    match (is_no_value(yes), is_no_value(no)) {
        (true, true) => Wanted::Always,
        (true, false) => Wanted::If(condition.clone()),
        (false, true) => Wanted::Unless(condition.clone()),
        (false, false) => Wanted::Never,
    }
}

/// The role, if one is to be made.
pub(super) fn make(
    function: &Function<'_>,
    mut inline: Vec<Node>,
    state: &mut Transform<'_>,
) -> Result<Option<Resource>> {
    let wanted = wanted(function);
    if matches!(wanted, Wanted::Never) {
        return Ok(None);
    }
    let mut role = function.make("Role", "AWS::IAM::Role");
    match wanted {
        Wanted::If(condition) => role.attributes.insert("Condition", condition),
        Wanted::Unless(condition) => role.attributes.insert("Condition", state.negated(&condition, "")),
        Wanted::Always | Wanted::Never => {}
    }
    let trust = function
        .given("AssumeRolePolicyDocument")
        .cloned()
        .unwrap_or_else(|| trust("lambda.amazonaws.com").into());
    role.set("AssumeRolePolicyDocument", trust);

    let partition = state.cx.partition();
    let mut arns = vec![Node::from(managed::arn(partition, basic_policy(function)))];
    if function.tracing(state).is_some() {
        arns.push(managed::arn(partition, tracing_policy(partition)).into());
    }
    if function.given("VpcConfig").is_some_and(Node::truthy) {
        arns.push(managed::arn(partition, "service-role/AWSLambdaVPCAccessExecutionRole").into());
    }
    if let Some(queue) = function.given("DeadLetterQueue").and_then(Node::as_dict) {
        inline.insert(0, dead_letter_policy(queue));
    }
    policies::add(function, partition, &mut arns, &mut inline)?;
    role.set("ManagedPolicyArns", unique(arns));
    if !inline.is_empty() {
        role.set("Policies", inline);
    }
    role.set("Path", function.given("RolePath"));
    role.set("PermissionsBoundary", function.given("PermissionsBoundary"));
    role.set("Tags", tags::with_sam(function.given("Tags").and_then(Node::as_dict)));
    Ok(Some(role))
}

/// Other partitions never had the older name.
fn tracing_policy(partition: &str) -> &'static str {
    if partition == "aws" { "AWSXrayWriteOnlyAccess" } else { "AWSXRayDaemonWriteAccess" }
}

fn basic_policy(function: &Function<'_>) -> &'static str {
    if function.given("DurableConfig").is_some() {
        "service-role/AWSLambdaBasicDurableExecutionRolePolicy"
    } else {
        "service-role/AWSLambdaBasicExecutionRole"
    }
}

pub(crate) fn unique(arns: Vec<Node>) -> Vec<Node> {
    let mut unique: Vec<Node> = Vec::new();
    for arn in arns {
        if !unique.contains(&arn) {
            unique.push(arn);
        }
    }
    unique
}

fn dead_letter_policy(queue: &Dict) -> Node {
    let action = if queue.str("Type") == Some("SNS") { "sns:Publish" } else { "sqs:SendMessage" };
    let statement = dict! {
        "Action" => action,
        "Resource" => queue.get("TargetArn").cloned().unwrap_or(Node::Null),
        "Effect" => "Allow",
    };
    dict! {
        "PolicyName" => "DeadLetterQueuePolicy",
        "PolicyDocument" => dict! { "Version" => "2012-10-17", "Statement" => list![statement] },
    }
    .into()
}

/// The function's `Role`: the made role's ARN, in the branch it is made for.
pub(super) fn reference_of(function: &Function<'_>, role: &Resource) -> Node {
    let arn = get_att(&role.id, "Arn");
    let parts = |role: &Node| role.get("Fn::If").and_then(Node::as_list).cloned().unwrap_or_default();
    match (wanted(function), function.given("Role")) {
        (Wanted::If(condition), Some(given)) => {
            let no = parts(given).pop().unwrap_or(Node::Null);
            dict! { "Fn::If" => list![condition, arn, no] }.into()
        }
        (Wanted::Unless(condition), Some(given)) => {
            let yes = parts(given).swap_remove(1);
            dict! { "Fn::If" => list![condition, yes, arn] }.into()
        }
        _ => arn,
    }
}
