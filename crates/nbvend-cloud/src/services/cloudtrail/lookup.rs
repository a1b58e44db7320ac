//! `LookupEvents`: the management events of the last 90 days in one region.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use crate::context::Cx;
use crate::operation::{Kind, Operation};
use crate::trail::prune::DAYS;
use crate::trail::query::{self, Attribute, Found, Place, Query, resource_type};

/// AWS's largest page, and the one where none is asked for.
const LIMIT: usize = 50;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct LookupEvents {
    pub lookup_attributes: Vec<LookupAttribute>,
    pub start_time: Option<Timestamp>,
    pub end_time: Option<Timestamp>,
    pub max_results: Option<usize>,
    pub next_token: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct LookupAttribute {
    pub attribute_key: String,
    pub attribute_value: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LookupEventsOutput {
    pub events: Vec<Event>,
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Event {
    pub event_id: String,
    pub event_name: String,
    /// `true` or `false`, as text.
    pub read_only: String,
    pub access_key_id: Option<String>,
    pub event_time: Timestamp,
    pub event_source: String,
    pub username: String,
    pub resources: Vec<Resource>,
    /// The record, JSON text.
    pub cloud_trail_event: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Resource {
    pub resource_type: Option<&'static str>,
    pub resource_name: String,
}

impl LookupAttribute {
    fn read(self) -> Result<Attribute, Error> {
        let value = self.attribute_value;
        Ok(match self.attribute_key.as_str() {
            "EventId" => Attribute::EventId(value),
            "EventName" => Attribute::EventName(value),
            "Username" => Attribute::Username(value),
            "ResourceType" => Attribute::ResourceType(value),
            "ResourceName" => Attribute::ResourceName(value),
            "EventSource" => Attribute::EventSource(value),
            "AccessKeyId" => Attribute::AccessKeyId(value),
            _ => Attribute::ReadOnly(
                value.to_ascii_lowercase().parse().map_err(|_| Error::AttributeValue(value))?,
            ),
        })
    }
}

/// Where a page ended, opaque to clients.
fn token(place: Place) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}.{}", place.time.0, place.id))
}

fn place(token: &str) -> Option<Place> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (time, id) = text.split_once('.')?;
    Some(Place { time: Timestamp(time.parse().ok()?), id: id.parse().ok()? })
}

fn shown(found: Found) -> Event {
    let resource = |arn: &String| Resource {
        resource_type: resource_type(arn),
        resource_name: arn.rsplit(['/', ':']).next().unwrap_or(arn).to_owned(),
    };
    Event {
        event_id: found.event_id,
        event_name: found.name,
        read_only: found.read_only.to_string(),
        access_key_id: Some(found.access_key).filter(|key| !key.is_empty()),
        event_time: found.place.time,
        event_source: found.source,
        username: found.principal,
        resources: found.resources.iter().map(resource).collect(),
        cloud_trail_event: found.body,
    }
}

impl Operation for LookupEvents {
    const SERVICE: &'static str = "cloudtrail";
    const NAME: &'static str = "LookupEvents";
    const KIND: Kind = Kind::Read;
    type Output = LookupEventsOutput;
    type Error = Error;

    fn run(self, cx: &mut Cx<'_>) -> Result<LookupEventsOutput, Error> {
        if self.lookup_attributes.len() > 1 {
            return Err(Error::Attributes);
        }
        if let (Some(start), Some(end)) = (self.start_time, self.end_time)
            && start > end
        {
            return Err(Error::TimeRange);
        }
        let oldest = cx.now().plus_seconds(-DAYS * 86_400);
        let before = self.next_token.as_deref().filter(|token| !token.is_empty());
        let before = before.map(|token| place(token).ok_or(Error::NextToken)).transpose()?;
        let query = Query {
            attribute: self.lookup_attributes.into_iter().next().map(LookupAttribute::read).transpose()?,
            from: Some(self.start_time.map_or(oldest, |start| start.max(oldest))),
            to: self.end_time,
            before,
            limit: self.max_results.unwrap_or(LIMIT),
        };
        let page = query::lookup(cx.tx, cx.region(), &query)?;
        Ok(LookupEventsOutput {
            events: page.found.into_iter().map(shown).collect(),
            next_token: page.next.map(token),
        })
    }
}
