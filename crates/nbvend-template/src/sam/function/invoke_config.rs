//! `EventInvokeConfig`: what becomes of asynchronous invocations. A queue or topic that is asked for by type
//! alone is made here.

use super::{Function, Target, allow, inline_policy};
use crate::sam::Transform;
use crate::sam::error::Result;
use crate::sam::globals::GLOBAL_INVOKE;
use crate::sam::ids;
use crate::sam::intrinsics::{get_att, is_if, is_no_value, reference};
use crate::sam::node::{Dict, Node, dict, list};
use crate::sam::resource::Resource;
use crate::sam::schema::a_map;

pub(super) fn make(
    function: &Function<'_>,
    config: &Dict,
    target: &Target,
    role_policies: &mut Vec<Node>,
    state: &mut Transform<'_>,
) -> Result<Vec<Resource>> {
    let mut made = Vec::new();
    let mut destinations = Dict::new();
    let mut settled = config.clone();
    if let Some(wanted) = config.given("DestinationConfig") {
        let wanted = a_map(function.id, "EventInvokeConfig.DestinationConfig", wanted)?;
        for side in ["OnSuccess", "OnFailure"] {
            let Some(destination) = wanted.given(side) else { continue };
            let path = format!("EventInvokeConfig.DestinationConfig.{side}");
            let destination = a_map(function.id, &path, destination)?;
            let wanted = Destination { function, side, wanted: destination };
            let (arn, resource) = wanted.resolve(state)?;
            role_policies.push(wanted.policy(&arn));
            settle(&mut settled, side, &arn);
            destinations.insert(side, dict! { "Destination" => arn });
            made.extend(resource);
        }
    }
    let mut main = Resource::new(
        format!("{}EventInvokeConfig", function.id.as_str()),
        "AWS::Lambda::EventInvokeConfig",
        &function.own,
    );
    if let Some(alias) = &target.alias {
        main.depends_on = Some(list![alias.clone()]);
    }
    main.set("DestinationConfig", destinations);
    main.set("FunctionName", reference(function.id.clone()));
    main.pass(config, &["MaximumEventAgeInSeconds", "MaximumRetryAttempts"]);
    main.set("Qualifier", alias_name(function, state));
    made.push(main);
    if function.properties.contains(GLOBAL_INVOKE) {
        share(&settled, state);
    }
    Ok(made)
}

fn settle(config: &mut Dict, side: &str, arn: &Node) {
    let destination = config
        .get_mut("DestinationConfig")
        .and_then(Node::as_dict_mut)
        .and_then(|sides| sides.get_mut(side))
        .and_then(Node::as_dict_mut);
    if let Some(destination) = destination {
        destination.insert("Destination", arn.clone());
    }
}

/// Functions that have the global configuration have one between them, on AWS too: what the first of them made,
/// the others use.
fn share(settled: &Dict, state: &mut Transform<'_>) {
    let functions =
        state.resources.values_mut().filter_map(|resource| resource.as_dict_mut()?.get_mut("Properties"));
    for function in
        functions.filter_map(Node::as_dict_mut).filter(|function| function.contains(GLOBAL_INVOKE))
    {
        function.insert("EventInvokeConfig", settled.clone());
    }
}

fn alias_name(function: &Function<'_>, state: &Transform<'_>) -> Node {
    function.given("AutoPublishAlias").map_or_else(|| "$LATEST".into(), |alias| state.resolve(alias))
}

/// Declares "this and that" and names it. The doubled `Condition` is AWS's own slip, kept as it is.
fn both(own: &Node, other: &Node, function: &str, state: &mut Transform<'_>) -> Node {
    let name = format!("{}AND{}{}", own.to_text(), other.to_text(), ids::hashed("", function));
    let doubled = |condition: &Node| dict! { "Condition" => dict! { "Condition" => condition.clone() } };
    state.declare(&name, dict! { "Fn::And" => list![doubled(own), doubled(other)] });
    name.into()
}

struct Destination<'a> {
    function: &'a Function<'a>,
    side: &'a str,
    wanted: &'a Dict,
}

impl Destination<'_> {
    fn kind(&self) -> &str {
        self.wanted.str("Type").unwrap_or("None")
    }

    /// The destination's ARN, and the queue or topic made for it.
    fn resolve(&self, state: &mut Transform<'_>) -> Result<(Node, Option<Resource>)> {
        if !matches!(self.kind(), "SQS" | "SNS" | "EventBridge" | "Lambda" | "S3Bucket") {
            return Err(self.function.fault(format!(
                "'Type: {}' must be one of ['SQS', 'SNS', 'EventBridge', 'Lambda', 'S3Bucket']",
                self.kind()
            )));
        }
        let makes = matches!(self.kind(), "SQS" | "SNS");
        let given = self.wanted.given("Destination");
        match given {
            None if !makes => {
                Err(self.function.fault("Destination is required if Type is not ['SQS', 'SNS']"))
            }
            None => {
                let (arn, resource) = self.make(None);
                Ok((arn, Some(resource)))
            }
            Some(given) if makes && is_if(given) => self.conditional(given, state),
            Some(given) => Ok((given.clone(), None)),
        }
    }

    /// `Fn::If` with `AWS::NoValue` in one branch: made under that branch's condition.
    fn conditional(&self, given: &Node, state: &mut Transform<'_>) -> Result<(Node, Option<Resource>)> {
        let parts = given.get("Fn::If").and_then(Node::as_list).cloned().unwrap_or_default();
        let [condition, yes, no] = parts.as_slice() else { return Ok((given.clone(), None)) };
        let (condition, other) = match (is_no_value(yes), is_no_value(no)) {
            (true, false) => (condition.clone(), no),
            (false, true) => {
                let seed = format!("{}EventInvokeConfig", self.function.id.as_str());
                (state.negated(condition, &ids::hashed("", &seed)), yes)
            }
            _ => return Ok((given.clone(), None)),
        };
        let made_if = match self.function.condition() {
            Some(own) => both(own, &condition, self.function.id, state),
            None => condition.clone(),
        };
        let (arn, resource) = self.make(Some(&made_if));
        Ok((dict! { "Fn::If" => list![condition, arn, other.clone()] }.into(), Some(resource)))
    }

    fn make(&self, condition: Option<&Node>) -> (Node, Resource) {
        let function = self.function;
        let (suffix, kind) = match self.kind() {
            "SNS" => ("Topic", "AWS::SNS::Topic"),
            _ => ("Queue", "AWS::SQS::Queue"),
        };
        let mut made = function.make(&format!("EventInvokeConfig{}{suffix}", self.side), kind);
        if let Some(condition) = condition {
            made.attributes.insert("Condition", condition.clone());
        }
        let arn = match self.kind() {
            "SNS" => reference(made.id.clone()),
            _ => get_att(&made.id, "Arn"),
        };
        (arn, made)
    }

    /// Leave for the function's role to send there.
    fn policy(&self, arn: &Node) -> Node {
        let statements: Vec<Node> = match self.kind() {
            "SQS" => vec![allow("sqs:SendMessage", arn.clone()).into()],
            "SNS" => vec![allow("sns:publish", arn.clone()).into()],
            "EventBridge" => vec![allow("events:PutEvents", arn.clone()).into()],
            "Lambda" => vec![allow("lambda:InvokeFunction", arn.clone()).into()],
            _ => {
                let objects = dict! { "Fn::Join" => list!["/", list![arn.clone(), "*"]] };
                vec![allow("s3:PutObject", objects).into(), allow("s3:ListBucket", arn.clone()).into()]
            }
        };
        let kind = if self.kind() == "S3Bucket" { "S3" } else { self.kind() };
        inline_policy(
            format!("{}EventInvokeConfig{}{kind}Policy", self.function.id.as_str(), self.side),
            statements,
        )
    }
}
