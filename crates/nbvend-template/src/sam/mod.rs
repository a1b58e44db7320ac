//! The SAM transform, `AWS::Serverless-2016-10-31`: a template with serverless functions and APIs becomes one of
//! plain CloudFormation resources, with the logical ids AWS gives them.
//!
//! Served are functions and REST APIs. Every other `AWS::Serverless` type, and every property that is not
//! served, is refused by name. The steps, in AWS's order:
//!
//! 1. [`marks`] notes which strings may reach an API document;
//! 2. [`implicit`] makes the API nobody wrote and enters the paths of all events;
//! 3. [`globals`] merges the `Globals` section into resources;
//! 4. functions are translated (their `Api` events edit the API documents), then APIs;
//! 5. references such as `Function.Alias` are rewritten ([`intrinsics`]).

mod api;
mod error;
mod events;
mod function;
mod globals;
mod ids;
mod implicit;
mod intrinsics;
mod marks;
mod node;
mod openapi;
mod policies;
mod py27;
mod resource;
mod schema;
mod tags;
#[cfg(test)]
mod tests;

pub use error::{SamError, message};

use serde_json::{Map, Value};

use error::Result;
use intrinsics::References;
use marks::{API, FUNCTION};
use node::{Dict, Node, Text};
use resource::Resource;

/// The transform's name in a template's `Transform`.
pub const TRANSFORM: &str = "AWS::Serverless-2016-10-31";

/// Where and when a template is transformed.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Decides the partition, and with it ARNs and endpoint types.
    pub region: &'a str,
    /// The template's parameters: the value given, or the default.
    pub parameters: &'a Map<String, Value>,
    /// Names the deployments of APIs that are deployed always.
    pub now_epoch_seconds: u64,
}

impl Context<'_> {
    /// `aws`, `aws-cn`, `aws-us-gov` and the like.
    pub fn partition(&self) -> &'static str {
        const PARTITIONS: [(&str, &str); 7] = [
            ("cn-", "aws-cn"),
            ("us-gov-", "aws-us-gov"),
            ("us-iso-", "aws-iso"),
            ("us-isob-", "aws-iso-b"),
            ("eu-isoe-", "aws-iso-e"),
            ("us-isof-", "aws-iso-f"),
            ("eusc-", "aws-eusc"),
        ];
        let found = PARTITIONS.iter().find(|(prefix, _)| self.region.starts_with(prefix));
        found.map_or("aws", |(_, partition)| partition)
    }
}

/// What the translation of one resource may read and change.
pub(crate) struct Transform<'a> {
    pub(crate) cx: Context<'a>,
    pub(crate) parameters: Dict,
    /// The template's resources; events edit the documents of APIs in it.
    pub(crate) resources: Dict,
    pub(crate) references: References,
    pub(crate) api: api::Shared,
    /// Conditions to be declared beside the template's own.
    conditions: Vec<(String, Node)>,
}

impl Transform<'_> {
    pub(crate) fn resolve(&self, node: &Node) -> Node {
        intrinsics::resolve_parameters(node, &self.parameters)
    }

    pub(crate) fn declare(&mut self, name: &str, condition: impl Into<Node>) {
        self.conditions.push((name.to_owned(), condition.into()));
    }

    /// Takes back what was declared under a name.
    pub(crate) fn withdraw(&mut self, name: &str) {
        self.conditions.retain(|(declared, _)| declared != name);
    }

    /// Declares the opposite of a condition and names it.
    pub(crate) fn negated(&mut self, condition: &Node, suffix: &str) -> Node {
        let name = format!("NOT{}{suffix}", condition.to_text());
        self.declare(
            &name,
            node::dict! { "Fn::Not" => node::list![node::dict! { "Condition" => condition.clone() }] },
        );
        name.into()
    }
}

/// Transforms a template whose short-form intrinsics are written out.
///
/// The result has neither `Transform` nor `Globals`. The caller decides whether the template asks for the
/// transform at all.
///
/// # Errors
/// Every resource that is not valid, in AWS's words; [`message`] joins them.
pub fn transform(template: &Value, cx: &Context<'_>) -> std::result::Result<Value, Vec<SamError>> {
    let Node::Dict(mut template) = Node::from_json(template) else {
        return Err(vec![SamError::template("A template must be a map.")]);
    };
    check(&template).map_err(|error| vec![error])?;
    let mut parameters = Dict::new();
    for (name, value) in cx.parameters {
        parameters.insert(name.as_str(), Node::from_json(value));
    }
    parameters.insert("AWS::Region", cx.region);
    parameters.insert("AWS::Partition", cx.partition());
    marks::mark(&mut template, &mut parameters);
    implicit::default_documents(&mut template);
    implicit::apply(&mut template)?;
    globals::merge(&mut template).map_err(|error| vec![error])?;
    api::note_versions(&mut template);

    let Some(Node::Dict(resources)) = template.get("Resources") else { return Err(Vec::new()) };
    let resources = resources.clone();
    let mut out = resources.deep_copy();
    let order = order(&resources);
    let mut state = Transform {
        cx: *cx,
        parameters,
        resources,
        references: References::default(),
        api: api::Shared::default(),
        conditions: Vec::new(),
    };
    let mut errors = Vec::new();
    for id in order {
        match translate(&id, &mut state) {
            Ok(made) => {
                out.remove(&id);
                for resource in made {
                    match check_unique(&id, &resource, &state.resources) {
                        Ok(()) => out.update(node::dict! { &resource.id => resource.to_node() }),
                        Err(error) => errors.push(error),
                    }
                }
            }
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    template.insert("Resources", out);
    if !state.conditions.is_empty()
        && let Some(declared) = template.entry("Conditions", || Dict::new().into()).as_dict_mut()
    {
        for (name, condition) in state.conditions {
            declared.insert(name, condition);
        }
    }
    template.remove("Transform");
    Ok(state.references.resolve(&Node::Dict(template)).to_json())
}

fn check(template: &Dict) -> Result<()> {
    let fault =
        |text: &str| Err(SamError::plain(format!("Structure of the SAM template is invalid. {text}")));
    let Some(resources) = template.get("Resources").and_then(Node::as_dict).filter(|all| !all.is_empty())
    else {
        return fault("'Resources' section is required");
    };
    for (id, resource) in resources.iter() {
        let Some(resource) = resource.as_dict() else {
            return fault(
                "All 'Resources' must be Objects. If you're using YAML, this may be an indentation issue.",
            );
        };
        if resource.given("Properties").is_some_and(|properties| properties.as_dict().is_none()) {
            return Err(SamError::resource(id, "Attribute 'Properties' should be a map."));
        }
    }
    Ok(())
}

/// The serverless resources: functions first, because their events edit APIs, then APIs, then what is refused.
fn order(resources: &Dict) -> Vec<Text> {
    let (mut functions, mut apis, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for (id, resource) in resources.iter() {
        match resource.get("Type").and_then(Node::as_str) {
            Some(FUNCTION) => functions.push(id.clone()),
            Some(API) => apis.push(id.clone()),
            Some(kind) if kind.starts_with("AWS::Serverless::") => others.push(id.clone()),
            _ => {}
        }
    }
    functions.extend(apis);
    functions.extend(others);
    functions
}

fn translate(id: &Text, state: &mut Transform<'_>) -> Result<Vec<Resource>> {
    let Some(Node::Dict(resource)) = state.resources.get(id) else { return Ok(Vec::new()) };
    let resource = resource.clone();
    if resource.contains("Connectors") {
        return Err(SamError::resource(id, "Attribute 'Connectors' is not supported."));
    }
    match resource.str("Type") {
        Some(FUNCTION) => function::translate(id, &resource, state),
        Some(API) => api::translate(id, &resource, state),
        kind => {
            let kind = kind.unwrap_or_default();
            Err(SamError::resource(id, format!("Resources of type {kind} are not supported.")))
        }
    }
}

/// A made resource must not take the place of one that the template has already, unless it is what that becomes.
fn check_unique(from: &str, made: &Resource, resources: &Dict) -> Result<()> {
    let Some(existing) = resources.get(&made.id) else { return Ok(()) };
    let before = existing.get("Type").and_then(Node::as_str).unwrap_or_default();
    let same = matches!(
        (made.kind, before),
        ("AWS::Lambda::Function", FUNCTION)
            | ("AWS::ApiGateway::RestApi", API)
            | ("AWS::S3::Bucket", "AWS::S3::Bucket")
            | ("AWS::SNS::Topic", "AWS::SNS::Topic")
    );
    if same {
        return Ok(());
    }
    Err(SamError {
        logical_id: Some(from.to_owned()),
        message: format!(
            "Transforming resource with id [{from}] attempts to create a new resource with id [{}] and type \"{}\". \
             A resource with that id already exists within this template. Please use a different id for that \
             resource.",
            made.id.as_str(),
            made.kind
        ),
    })
}
