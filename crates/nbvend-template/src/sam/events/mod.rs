//! What invokes a function: one file a family of event sources. A type that is not served is refused by name.

mod api;
mod mapping;
mod rule;
mod s3;
mod schedule;
mod sns;

use super::Transform;
use super::error::{Result, SamError};
use super::function::{Function, Target};
use super::ids;
use super::node::{Dict, Node, Text};
use super::resource::Resource;
use super::schema::{self, Property};

/// One event of a function.
pub(crate) struct Event<'a> {
    /// Its name within the function.
    pub(crate) name: &'a Text,
    /// Function and event name together: the id of its main resource.
    pub(crate) id: String,
    pub(crate) kind: &'a str,
    pub(crate) properties: &'a Dict,
    pub(crate) function: &'a Function<'a>,
    pub(crate) target: &'a Target,
}

impl Event<'_> {
    pub(crate) fn given(&self, name: &str) -> Option<&Node> {
        self.properties.given(name)
    }

    pub(crate) fn fault(&self, message: impl AsRef<str>) -> SamError {
        SamError::event(self.function.id, self.name, message)
    }

    /// A resource named after the event.
    pub(crate) fn make(&self, suffix: &str, kind: &'static str) -> Resource {
        Resource::new(format!("{}{suffix}", self.id), kind, &self.function.inherited)
    }

    /// Leave for a service to invoke the function.
    pub(crate) fn permission(&self, service: &str, source: Option<Node>, suffix: &str) -> Resource {
        let id = if !suffix.is_empty() && !suffix.chars().all(char::is_alphanumeric) {
            ids::hashed("Permission", suffix)
        } else {
            format!("Permission{suffix}")
        };
        let mut permission = self.make(&id, "AWS::Lambda::Permission");
        permission.set("Action", "lambda:InvokeFunction");
        permission.set("FunctionName", self.target.reference.clone());
        permission.set("Principal", service);
        permission.set("SourceArn", source);
        permission
    }
}

/// The properties of an event type that is served.
fn table(kind: &str) -> Option<&'static [Property]> {
    Some(match kind {
        "Api" => api::PROPERTIES,
        "Schedule" => schedule::PROPERTIES,
        "EventBridgeRule" | "CloudWatchEvent" => rule::PROPERTIES,
        "SNS" => sns::PROPERTIES,
        "SQS" => mapping::SQS,
        "Kinesis" | "DynamoDB" => mapping::STREAM,
        "S3" => s3::PROPERTIES,
        _ => return None,
    })
}

/// An event's type and properties, and the id of its main resource.
fn parts<'a>(
    function: &Function<'_>,
    name: &str,
    event: &'a Node,
) -> Result<(String, &'a str, Option<&'a Dict>)> {
    let id = format!("{}{name}", function.id.as_str());
    let kind = event.get("Type").and_then(Node::as_str);
    let Some(kind) = kind.filter(|kind| table(kind).is_some()) else {
        let kind = kind.unwrap_or("None");
        return Err(SamError::event(
            function.id,
            name,
            format!("Resource dict has missing or invalid value for key Type. Event Type is: {kind}."),
        ));
    };
    match event.get("Properties") {
        None => Ok((id, kind, None)),
        Some(Node::Dict(properties)) => Ok((id, kind, Some(properties))),
        Some(_) => Err(SamError::resource(&id, "Properties of a resource must be an object.")),
    }
}

/// Checks the properties of all events, before anything of the function is looked at.
///
/// # Errors
/// The first event of a type that is not served, or whose properties are not those of its type.
pub(crate) fn check(function: &Function<'_>) -> Result<()> {
    let empty = Dict::new();
    let events = function.given("Events").and_then(Node::as_dict).unwrap_or(&empty);
    for (name, event) in events.iter() {
        let (id, kind, properties) = parts(function, name, event)?;
        schema::check(&id, kind, table(kind).unwrap_or_default(), properties.unwrap_or(&empty))?;
    }
    Ok(())
}

/// Translates every event; `role` is the function's made role, to which sources may add what they need.
pub(crate) fn translate(
    function: &Function<'_>,
    target: &Target,
    mut role: Option<&mut Resource>,
    state: &mut Transform<'_>,
) -> Result<Vec<Resource>> {
    let Some(events) = function.given("Events").and_then(Node::as_dict) else { return Ok(Vec::new()) };
    let empty = Dict::new();
    let mut made = Vec::new();
    // Api events come first, by path.
    let mut events: Vec<_> = events.iter().collect();
    events.sort_by_key(|(_, event)| {
        let path =
            event.get("Properties").and_then(|properties| properties.get("Path")).and_then(Node::as_str);
        match event.get("Type").and_then(Node::as_str) {
            Some("Api") => (false, path.unwrap_or_default()),
            _ => (true, ""),
        }
    });
    for (name, event) in events {
        let (id, kind, properties) = parts(function, name, event)?;
        let event = Event { name, id, kind, properties: properties.unwrap_or(&empty), function, target };
        made.extend(match kind {
            "Api" => api::make(&event, state)?,
            "Schedule" => schedule::make(&event)?,
            "EventBridgeRule" | "CloudWatchEvent" => rule::make(&event)?,
            "SNS" => sns::make(&event)?,
            "S3" => s3::make(&event, state)?,
            _ => mapping::make(&event, role.as_deref_mut(), state.cx.partition())?,
        });
    }
    Ok(made)
}
