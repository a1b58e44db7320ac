//! `Test::Thing`: a resource that can be slow, fail and be replaced. `Test::Plain` has a name of its own.

use nbvend_wire::error::WireError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::context::Cx;
use crate::error::EngineError;
use crate::provider::{
    Deletion, Handle, Progress, Provider, Request, Schema, Update, generated_name, optional,
};
use crate::store::Record;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Thing {
    pub id: String,
    pub properties: Value,
    pub tags: Vec<(String, String)>,
    /// Looks until it is ready.
    pub looks: u64,
    /// How often it was made or changed.
    pub changes: u64,
    pub by: String,
}

impl Record for Thing {
    const KIND: &'static str = "test.thing";
    fn key(&self) -> String {
        self.id.clone()
    }
}

/// While this exists, things that say `FailWhen: <its key>` fail.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Storm {
    pub name: String,
}

impl Record for Storm {
    const KIND: &'static str = "test.storm";
    fn key(&self) -> String {
        self.name.clone()
    }
}

pub static PROVIDERS: &[&dyn Provider] = &[&ThingProvider];

static SCHEMA: Schema = Schema {
    type_name: "Test::Thing",
    properties: &[
        optional("Name", Update::Replacement),
        optional("Size", Update::InPlace),
        optional("Note", Update::InPlace),
        // Looks until it is made or changed.
        optional("Slow", Update::InPlace),
        // `create`, `update`, `delete`, `later` (fails while being waited for), or a storm's name.
        optional("Fail", Update::InPlace),
        optional("Tags", Update::InPlace),
    ],
    attributes: &["Arn", "Size"],
    tags: Some("Tags"),
};

struct ThingProvider;

fn refuse(cx: &Cx<'_>, properties: &Value, step: &str) -> Result<(), EngineError> {
    let fail = properties["Fail"].as_str().unwrap_or_default();
    if fail == step || (!fail.is_empty() && cx.get::<Storm>(&format!("{fail}/{step}"))?.is_some()) {
        return Err(WireError::new("ValidationException", 400, format!("no {step} today")).into());
    }
    Ok(())
}

fn looks(properties: &Value) -> u64 {
    properties["Slow"].as_u64().or_else(|| properties["Slow"].as_str()?.parse().ok()).unwrap_or(0)
}

fn progress(thing: &Thing) -> Progress {
    if thing.looks > 0 {
        return Progress::Pending { physical_id: thing.id.clone() };
    }
    let mut attributes = Map::new();
    attributes.insert("Arn".to_owned(), json!(format!("arn:test:{}", thing.id)));
    attributes.insert("Size".to_owned(), thing.properties["Size"].clone());
    Progress::Done { physical_id: thing.id.clone(), attributes }
}

impl Provider for ThingProvider {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn create(&self, cx: &mut Cx<'_>, request: &Request) -> Result<Progress, EngineError> {
        let name = request.properties["Name"].as_str().map(str::to_owned);
        let id = name.unwrap_or_else(|| generated_name(cx, request, 60));
        if cx.get::<Thing>(&id)?.is_some() {
            return Err(WireError::new("ThingAlreadyExists", 409, format!("{id} already exists")).into());
        }
        let thing = Thing {
            id,
            properties: request.properties.clone(),
            tags: request.tags.clone(),
            looks: looks(&request.properties),
            changes: 1,
            by: cx.caller.principal.arn(cx.account()),
        };
        cx.put(&thing)?;
        assert_ne!(request.properties["Fail"], "panic", "a defect of a provider");
        // After the write: what a failed step wrote must be undone.
        refuse(cx, &request.properties, "create")?;
        Ok(progress(&thing))
    }

    fn stabilize(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Progress, EngineError> {
        let Some(mut thing) = cx.get::<Thing>(&handle.physical_id)? else {
            return Ok(Progress::Failed { physical_id: None, reason: "gone".to_owned() });
        };
        if handle.properties["Fail"] == "later" {
            return Ok(Progress::Failed { physical_id: Some(thing.id), reason: "it broke".to_owned() });
        }
        thing.looks = thing.looks.saturating_sub(1);
        cx.put(&thing)?;
        Ok(progress(&thing))
    }

    fn update(&self, cx: &mut Cx<'_>, handle: &Handle, request: &Request) -> Result<Progress, EngineError> {
        let mut thing = cx.get::<Thing>(&handle.physical_id)?.expect("it exists");
        refuse(cx, &request.properties, "update")?;
        thing.properties = request.properties.clone();
        thing.tags.clone_from(&request.tags);
        thing.looks = looks(&request.properties);
        thing.changes += 1;
        cx.put(&thing)?;
        Ok(progress(&thing))
    }

    fn delete(&self, cx: &mut Cx<'_>, handle: &Handle) -> Result<Deletion, EngineError> {
        refuse(cx, &handle.properties, "delete")?;
        let Some(mut thing) = cx.get::<Thing>(&handle.physical_id)? else { return Ok(Deletion::Done) };
        if handle.properties["Slow"] != Value::Null && thing.looks < 100 {
            thing.looks = 100;
            cx.put(&thing)?;
            return Ok(Deletion::Pending);
        }
        cx.delete::<Thing>(&handle.physical_id)?;
        Ok(Deletion::Done)
    }
}
