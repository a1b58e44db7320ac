//! `CreateEventBus`, `DescribeEventBus`, `ListEventBuses`, `UpdateEventBus`, `DeleteEventBus`.

use std::collections::BTreeMap;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::names::{self, DEFAULT};
use super::page;
use super::state::{Bus, Rule};
use super::tags::{self, Tag};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// An existing bus.
pub fn load(cx: &Cx<'_>, given: &str) -> Result<Bus, Error> {
    let name = names::bus(cx, Some(given))?;
    Ok(cx.get::<Bus>(&name)?.unwrap_or_else(|| unmade(name)))
}

/// The default bus, of which nothing was said yet.
fn unmade(name: String) -> Bus {
    Bus { name, description: None, policy: None, created: None, modified: None, tags: BTreeMap::new() }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateEventBus {
    pub name: String,
    pub description: Option<String>,
    pub tags: Vec<Tag>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateEventBusOutput {
    pub event_bus_arn: String,
    pub description: Option<String>,
}

impl Operation for CreateEventBus {
    const SERVICE: &'static str = "events";
    const NAME: &'static str = "CreateEventBus";
    const KIND: Kind = Kind::Write;
    type Output = CreateEventBusOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![names::bus_arn(cx, &self.name)]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        tags::request_keys(&self.tags, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<CreateEventBusOutput, Error> {
        if self.name == DEFAULT || cx.get::<Bus>(&self.name)?.is_some() {
            return Err(Error::BusExists(self.name));
        }
        if self.name.contains('/') {
            // The model allows the sign for partners' buses only.
            return Err(Error::validation("Event bus name cannot contain '/'."));
        }
        let tags = tags::checked(cx, &self.tags)?;
        let event_bus_arn = names::bus_arn(cx, &self.name);
        let now = Some(cx.now());
        let description = self.description;
        cx.put(&Bus {
            name: self.name,
            description: description.clone(),
            policy: None,
            created: now,
            modified: now,
            tags,
        })?;
        Ok(CreateEventBusOutput { event_bus_arn, description })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DescribeEventBus {
    pub name: Option<String>,
}

/// A bus as clients see it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Shown {
    pub name: String,
    pub arn: String,
    pub description: Option<String>,
    pub policy: Option<String>,
    pub creation_time: Option<Timestamp>,
    pub last_modified_time: Option<Timestamp>,
}

fn shown(cx: &Cx<'_>, bus: Bus) -> Shown {
    Shown {
        arn: names::bus_arn(cx, &bus.name),
        name: bus.name,
        description: bus.description,
        policy: bus.policy.map(|policy| policy.to_string()),
        creation_time: bus.created,
        last_modified_time: bus.modified,
    }
}

impl Operation for DescribeEventBus {
    const SERVICE: &'static str = "events";
    const NAME: &'static str = "DescribeEventBus";
    const KIND: Kind = Kind::Read;
    type Output = Shown;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![names::bus_arn(cx, names::bus_name(self.name.as_deref()))]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<Shown, Error> {
        let bus = load(cx, self.name.as_deref().unwrap_or(DEFAULT))?;
        Ok(shown(cx, bus))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListEventBuses {
    pub name_prefix: Option<String>,
    pub next_token: Option<String>,
    pub limit: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListEventBusesOutput {
    pub event_buses: Vec<Shown>,
    pub next_token: Option<String>,
}

impl Operation for ListEventBuses {
    const SERVICE: &'static str = "events";
    const NAME: &'static str = "ListEventBuses";
    const KIND: Kind = Kind::Read;
    type Output = ListEventBusesOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<ListEventBusesOutput, Error> {
        let prefix = self.name_prefix.unwrap_or_default();
        let after = page::after(self.next_token.as_deref())?;
        let limit = self.limit.unwrap_or(page::LIMIT);
        let mut buses = cx.tx.list::<Bus>(cx.region(), &prefix, after.as_deref(), limit + 1)?;
        let wanted = DEFAULT.starts_with(&prefix) && after.is_none_or(|after| DEFAULT > after.as_str());
        if wanted && !buses.iter().any(|bus| bus.name == DEFAULT) {
            let at = buses.partition_point(|bus| bus.name.as_str() < DEFAULT);
            buses.insert(at, unmade(DEFAULT.to_owned()));
        }
        let (page, next_token) = page::cut(buses, limit, |bus| bus.name.clone());
        Ok(ListEventBusesOutput {
            event_buses: page.into_iter().map(|bus| shown(cx, bus)).collect(),
            next_token,
        })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateEventBus {
    pub name: Option<String>,
    pub description: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateEventBusOutput {
    pub arn: String,
    pub name: String,
    pub description: Option<String>,
}

impl Operation for UpdateEventBus {
    const SERVICE: &'static str = "events";
    const NAME: &'static str = "UpdateEventBus";
    const KIND: Kind = Kind::Write;
    type Output = UpdateEventBusOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![names::bus_arn(cx, names::bus_name(self.name.as_deref()))]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<UpdateEventBusOutput, Error> {
        let mut bus = load(cx, self.name.as_deref().unwrap_or(DEFAULT))?;
        bus.description = self.description;
        bus.modified = Some(cx.now());
        cx.put(&bus)?;
        Ok(UpdateEventBusOutput {
            arn: names::bus_arn(cx, &bus.name),
            name: bus.name,
            description: bus.description,
        })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteEventBus {
    pub name: String,
}

impl Operation for DeleteEventBus {
    const SERVICE: &'static str = "events";
    const NAME: &'static str = "DeleteEventBus";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![names::bus_arn(cx, &self.name)]
    }

    /// Deleting a bus that is not there is no error: recorded from AWS.
    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        if self.name == DEFAULT {
            return Err(Error::validation("Cannot delete event bus default."));
        }
        let prefix = Rule::key_of(&self.name, "");
        if !cx.tx.list::<Rule>(cx.region(), &prefix, None, 1)?.is_empty() {
            return Err(Error::validation("Event bus can't be deleted since it has rules."));
        }
        cx.delete::<Bus>(&self.name)?;
        Ok(())
    }
}
