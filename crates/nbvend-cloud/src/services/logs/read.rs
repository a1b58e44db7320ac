//! `GetLogEvents`: one stream, forwards or backwards, by tokens that never end.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::state::{Group, group_keys, group_name, stream_resource};
use super::table::{self, Among, FIRST, Place};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// Events a page, and bytes a page, at the most.
pub const EVENTS: usize = 10_000;
pub const BYTES: i64 = 1 << 20;

/// Reads a stream. Without a token the newest events come first, a page at a time, each page in order of time; with
/// `startFromHead` the oldest. The forward token of the last page stays the same until there are new events.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct GetLogEvents {
    pub log_group_name: Option<String>,
    pub log_group_identifier: Option<String>,
    pub log_stream_name: String,
    /// Events of this time and later.
    pub start_time: Option<i64>,
    /// Events before this time.
    pub end_time: Option<i64>,
    pub next_token: Option<String>,
    pub limit: Option<usize>,
    pub start_from_head: bool,
    /// Nothing is masked here.
    pub unmask: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GetLogEventsOutput {
    pub events: Vec<EventView>,
    pub next_forward_token: String,
    pub next_backward_token: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventView {
    pub timestamp: Timestamp,
    pub message: String,
    pub ingestion_time: Timestamp,
}

impl GetLogEvents {
    fn group(&self, cx: &Cx<'_>) -> Result<String, Error> {
        group_name(cx, self.log_group_name.as_deref(), self.log_group_identifier.as_deref())
    }
}

impl Operation for GetLogEvents {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "GetLogEvents";
    const KIND: Kind = Kind::Read;
    const DATA: bool = true;
    type Output = GetLogEventsOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        stream_resource(cx, &self.group(cx).unwrap_or_default(), &self.log_stream_name)
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        group_keys(cx, &self.group(cx).unwrap_or_default(), keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GetLogEventsOutput, Error> {
        let token = self.next_token.as_deref().map(Token::read).transpose()?;
        let group = Group::find(cx, &self.group(cx)?)?;
        let stream = table::stream(cx.tx, group.id, &self.log_stream_name)?;
        let mut after = Place { time: self.start_time.unwrap_or(0), id: FIRST };
        let mut before = Place { time: self.end_time.unwrap_or(i64::MAX), id: FIRST };
        let backwards = match token {
            Some(Token { forward: true, place }) => {
                after = after.max(place);
                false
            }
            Some(Token { forward: false, place }) => {
                before = before.min(place);
                true
            }
            None => !self.start_from_head,
        };
        let limit = self.limit.unwrap_or(EVENTS).clamp(1, EVENTS);
        let (mut events, mut size) = (Vec::new(), 0);
        table::scan(cx.tx, Among::Stream(stream.id), after, before, backwards, |event| {
            size += table::counted(&event.message);
            if size > BYTES && !events.is_empty() {
                return false;
            }
            events.push(event);
            events.len() < limit
        })?;
        if backwards {
            events.reverse();
        }
        // An empty page leaves the reader where it stood.
        let here = token.map_or(if backwards { before_open(before) } else { after }, |token| token.place);
        let first = events.first().map_or(here, |event| event.place);
        let last = events.last().map_or(here, |event| event.place);
        let view = |event: table::Event| EventView {
            timestamp: Timestamp(event.place.time),
            message: event.message,
            ingestion_time: event.ingested,
        };
        Ok(GetLogEventsOutput {
            events: events.into_iter().map(view).collect(),
            next_forward_token: Token { forward: true, place: last }.write(),
            next_backward_token: Token { forward: false, place: first }.write(),
        })
    }
}

/// An empty stream read from its end: later events lie ahead of the start, not behind the end of time.
fn before_open(before: Place) -> Place {
    if before.time == i64::MAX { Place { time: 0, id: FIRST } } else { before }
}

/// A place to go on from: `f/` or `b/` and 56 digits, as AWS's look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Token {
    forward: bool,
    place: Place,
}

impl Token {
    fn write(self) -> String {
        let direction = if self.forward { 'f' } else { 'b' };
        format!("{direction}/{}", number(self.place))
    }

    fn read(text: &str) -> Result<Self, Error> {
        let (direction, digits) = text.split_once('/').ok_or(Error::Token)?;
        let forward = match direction {
            "f" => true,
            "b" => false,
            _ => return Err(Error::Token),
        };
        Ok(Self { forward, place: place(digits).ok_or(Error::Token)? })
    }
}

/// A place as one number of 56 digits: ids and tokens of events sort as their events do.
pub fn number(place: Place) -> String {
    format!("{:028}{:028}", place.time, place.id)
}

pub fn place(digits: &str) -> Option<Place> {
    if digits.len() != 56 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (time, id) = digits.split_at(28);
    Some(Place { time: time.parse().ok()?, id: id.parse().ok()? })
}
