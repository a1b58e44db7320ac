//! `AWS::Events::Rule`: a rule and its targets are one resource.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::names::{self, DEFAULT};
use super::super::rule::{DeleteRule, DescribeRule, PutRule};
use super::super::tags::{Tag, TagResource};
use super::super::target::{EntriesOutput, ListTargetsByRule, PutTargets, RemoveTargets, TargetEntry};
use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::{
    Deletion, Handle, Progress, Provider, Request, Schema, Update, generated_name, optional, properties,
};

pub struct Rule;

static SCHEMA: Schema = Schema {
    type_name: "AWS::Events::Rule",
    properties: &[
        optional("Description", Update::InPlace),
        optional("EventBusName", Update::Replacement),
        optional("EventPattern", Update::InPlace),
        optional("Name", Update::Replacement),
        optional("ScheduleExpression", Update::InPlace),
        optional("State", Update::InPlace),
        optional("Tags", Update::InPlace),
        optional("Targets", Update::InPlace),
    ],
    attributes: &["Arn"],
    tags: Some("Tags"),
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    description: Option<String>,
    event_bus_name: Option<String>,
    event_pattern: Option<Value>,
    name: Option<String>,
    schedule_expression: Option<String>,
    state: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    targets: Vec<Value>,
}

impl Properties {
    /// A pattern may be written as an object or as JSON text.
    fn pattern(&self) -> Option<String> {
        self.event_pattern.as_ref().map(|pattern| match pattern {
            Value::String(text) => text.clone(),
            object => object.to_string(),
        })
    }

    /// Targets as the API has them; template parameters make numbers arrive as text.
    fn targets(&self) -> Result<Vec<TargetEntry>, EngineError> {
        let mut targets = Value::Array(self.targets.clone());
        for target in targets.as_array_mut().into_iter().flatten() {
            for member in ["MaximumRetryAttempts", "MaximumEventAgeInSeconds"] {
                if let Some(value) = target.get_mut("RetryPolicy").and_then(|policy| policy.get_mut(member))
                    && let Some(number) = value.as_str().and_then(|text| text.parse::<u32>().ok())
                {
                    *value = number.into();
                }
            }
        }
        properties(&SCHEMA, &targets)
    }

    fn tags(&self, stack: &[(String, String)]) -> Vec<Tag> {
        let mut tags = self.tags.clone();
        for (key, value) in stack {
            if !tags.iter().any(|own| own.key == *key) {
                tags.push(Tag { key: key.clone(), value: value.clone() });
            }
        }
        tags
    }
}

/// The bus, if it is not the default one, and the name in a physical id.
fn parts(physical_id: &str) -> (Option<String>, String) {
    match physical_id.split_once('|') {
        Some((bus, name)) => (Some(bus.to_owned()), name.to_owned()),
        None => (None, physical_id.to_owned()),
    }
}

/// Failed entries fail the resource with their reasons.
fn all_taken(output: EntriesOutput) -> Result<(), String> {
    let reasons: Vec<String> = output.failed_entries.into_iter().map(|failed| failed.error_message).collect();
    if reasons.is_empty() { Ok(()) } else { Err(reasons.join("; ")) }
}

fn put(
    cx: &mut Cx<'_>,
    name: String,
    asked: &Properties,
    stack_tags: &[(String, String)],
) -> Result<Progress, EngineError> {
    let bus = names::bus_name(asked.event_bus_name.as_deref()).to_owned();
    let physical_id = if bus == DEFAULT { name.clone() } else { format!("{bus}|{name}") };
    let targets = asked.targets()?;
    let made = cx.call(PutRule {
        name: name.clone(),
        schedule_expression: asked.schedule_expression.clone(),
        event_pattern: asked.pattern(),
        state: asked.state.clone(),
        description: asked.description.clone(),
        tags: asked.tags(stack_tags),
        event_bus_name: asked.event_bus_name.clone(),
        ..PutRule::default()
    })?;
    let now = cx.call(ListTargetsByRule {
        rule: name.clone(),
        event_bus_name: asked.event_bus_name.clone(),
        ..ListTargetsByRule::default()
    })?;
    let gone =
        now.targets.into_iter().map(|target| target.id).filter(|id| !targets.iter().any(|t| t.id == *id));
    let gone: Vec<String> = gone.collect();
    if !gone.is_empty() {
        cx.call(RemoveTargets {
            rule: name.clone(),
            event_bus_name: asked.event_bus_name.clone(),
            ids: gone,
            ..RemoveTargets::default()
        })?;
    }
    if !targets.is_empty() {
        let answer =
            cx.call(PutTargets { rule: name, event_bus_name: asked.event_bus_name.clone(), targets })?;
        if let Err(reason) = all_taken(answer) {
            return Ok(Progress::Failed { physical_id: Some(physical_id), reason });
        }
    }
    let attributes = Map::from_iter([("Arn".to_owned(), Value::String(made.rule_arn))]);
    Ok(Progress::Done { physical_id, attributes })
}

impl Provider for Rule {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let asked: Properties = properties(&SCHEMA, &request.properties)?;
        let name = match &asked.name {
            Some(name) => name.clone(),
            None => generated_name(cx, request, 64),
        };
        // PutRule would take over a rule that somebody else made.
        let describe = DescribeRule { name: name.clone(), event_bus_name: asked.event_bus_name.clone() };
        if cx.call(describe).is_ok() {
            let reason =
                format!("Resource of type 'AWS::Events::Rule' with identifier '{name}' already exists.");
            return Ok(Progress::Failed { physical_id: None, reason });
        }
        put(cx, name, &asked, &request.tags)
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let asked: Properties = properties(&SCHEMA, &request.properties)?;
        let (_, name) = parts(&handle.physical_id);
        let progress = put(cx, name.clone(), &asked, &request.tags)?;
        let tags = asked.tags(&request.tags);
        if !tags.is_empty() {
            let bus = names::bus_name(asked.event_bus_name.as_deref());
            let resource_arn = names::rule_arn(cx, bus, &name);
            cx.call(TagResource { resource_arn, tags })?;
        }
        Ok(progress)
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        let (event_bus_name, rule) = parts(&handle.physical_id);
        let list = ListTargetsByRule {
            rule: rule.clone(),
            event_bus_name: event_bus_name.clone(),
            ..ListTargetsByRule::default()
        };
        let targets = match cx.call(list) {
            Ok(now) => now.targets,
            Err(error) if error.code == "ResourceNotFoundException" => return Ok(Deletion::Done),
            Err(error) => return Err(error.into()),
        };
        if !targets.is_empty() {
            cx.call(RemoveTargets {
                rule: rule.clone(),
                event_bus_name: event_bus_name.clone(),
                ids: targets.into_iter().map(|target| target.id).collect(),
                ..RemoveTargets::default()
            })?;
        }
        cx.call(DeleteRule { name: rule, event_bus_name, ..DeleteRule::default() })?;
        Ok(Deletion::Done)
    }
}
