//! Resource providers: how CloudFormation makes, changes and ends a resource without knowing its service.
//!
//! Each service implements a provider a resource type in its own `cfn.rs`, by calling its own operations. One step of
//! a provider runs in the same transaction as the stack's row about it, so a step is done or not done, never half.

pub mod lenient;

use serde_json::{Map, Value};

use crate::context::Cx;
use crate::error::EngineError;

/// What a change of a property does to a resource, as the resource type's page says "Update requires".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// No interruption, or some: the resource stays.
    InPlace,
    /// A new resource is made and the old one deleted.
    Replacement,
}

/// One property of a resource type.
#[derive(Debug, Clone, Copy)]
pub struct Property {
    pub name: &'static str,
    pub required: bool,
    pub update: Update,
}

/// A required property.
pub const fn required(name: &'static str, update: Update) -> Property {
    Property { name, required: true, update }
}

/// An optional property.
pub const fn optional(name: &'static str, update: Update) -> Property {
    Property { name, required: false, update }
}

/// What a template may say of a resource type. A property that is not listed is refused by name before anything is made.
#[derive(Debug)]
pub struct Schema {
    /// `AWS::S3::Bucket`.
    pub type_name: &'static str,
    pub properties: &'static [Property],
    /// What `Fn::GetAtt` may ask for.
    pub attributes: &'static [&'static str],
    /// The property that carries tags (`Tags`), if stack tags are to be put on the resource.
    pub tags: Option<&'static str>,
}

/// A resource to be made.
#[derive(Debug, Clone)]
pub struct Request {
    pub logical_id: String,
    pub stack_name: String,
    pub stack_id: String,
    /// Resolved properties: no intrinsic functions are left.
    pub properties: Value,
    /// The stack's tags with the engine's own (`aws:cloudformation:*`, `aws:servicecatalog:*`).
    pub tags: Vec<(String, String)>,
}

/// A resource that exists.
#[derive(Debug, Clone)]
pub struct Handle {
    pub logical_id: String,
    pub stack_name: String,
    pub stack_id: String,
    /// What `Ref` gives.
    pub physical_id: String,
    /// What it was last asked to be: while an update is on its way, the new properties.
    pub properties: Value,
}

/// How far a step came.
#[derive(Debug, Clone)]
pub enum Progress {
    /// The resource is as asked.
    Done { physical_id: String, attributes: Map<String, Value> },
    /// It has an id and is on its way: [`Provider::stabilize`] is asked again.
    Pending { physical_id: String },
    /// It failed, with a reason for a person. `physical_id` where something is left to be deleted.
    Failed { physical_id: Option<String>, reason: String },
}

impl Progress {
    /// Done, without attributes.
    pub fn done(physical_id: impl Into<String>) -> Self {
        Self::Done { physical_id: physical_id.into(), attributes: Map::new() }
    }
}

/// How far a deletion came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deletion {
    /// It is gone (or never was).
    Done,
    /// It is on its way: asked again.
    Pending,
}

/// One resource type. An `Err` of any step fails the resource with that error's message as the reason.
pub trait Provider: Send + Sync {
    fn schema(&self) -> &'static Schema;

    /// Makes the resource, as the caller of `cx`.
    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError>;

    /// Looks at a resource on its way. Must change nothing that matters if asked again.
    fn stabilize(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Progress, EngineError> {
        let _ = cx;
        Ok(Progress::done(&handle.physical_id))
    }

    /// Changes the resource from `handle.properties` (here still the old ones) to `request.properties`; only called where no changed property
    /// requires replacement.
    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError>;

    /// Begins or goes on deleting. A resource that is gone already is `Done`.
    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError>;
}

/// A name as CloudFormation generates it where the template gives none: `stack-Logical-1ABCDEFGH2345`, at most `max`
/// characters (the stack's name gives way first).
pub fn generated_name(cx: &Cx<'_>, request: &Request, max: usize) -> String {
    let suffix = cx.ids().upper(12);
    let logical: String = request.logical_id.chars().take(max.saturating_sub(suffix.len() + 2) / 2).collect();
    let room = max.saturating_sub(suffix.len() + 2 + logical.len());
    let stack: String = request.stack_name.chars().take(room).collect();
    format!("{stack}-{logical}-{suffix}")
}

/// Reads a resource's properties. What does not fit is AWS's answer to a malformed property.
pub fn properties<T: serde::de::DeserializeOwned>(
    schema: &Schema,
    properties: &Value,
) -> Result<T, EngineError> {
    serde_json::from_value(properties.clone()).map_err(|error| {
        let text = format!("Properties validation failed for resource of type {}: {error}", schema.type_name);
        EngineError::Called(nbvend_wire::error::WireError::new("ValidationError", 400, text))
    })
}
