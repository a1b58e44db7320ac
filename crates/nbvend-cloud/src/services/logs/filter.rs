//! `FilterLogEvents`: a group's streams together, in the order of their events. `aws logs tail` and `sam logs` read by
//! this.

use std::collections::HashSet;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::pattern::Pattern;
use super::read::{BYTES, EVENTS, number, place};
use super::state::{Group, group_keys, group_name, group_resource};
use super::table::{self, Among, FIRST, LAST, Place};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// Events looked at for one page: a pattern that matches little must not hold the reader's snapshot open. The page
/// then comes short or empty, with a token, as AWS's pages do.
const LOOKED_AT: usize = 50_000;
const BYTES_LOOKED_AT: i64 = 64 << 20;

/// Searches a group. Events are interleaved whether asked for or not, as on AWS since 2019.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct FilterLogEvents {
    pub log_group_name: Option<String>,
    pub log_group_identifier: Option<String>,
    pub log_stream_names: Option<Vec<String>>,
    pub log_stream_name_prefix: Option<String>,
    /// Events of this time and later.
    pub start_time: Option<i64>,
    /// Events up to this time, itself included (unlike `GetLogEvents`).
    pub end_time: Option<i64>,
    pub filter_pattern: Option<String>,
    pub next_token: Option<String>,
    pub limit: Option<usize>,
    pub interleaved: bool,
    /// Nothing is masked here.
    pub unmask: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FilterLogEventsOutput {
    pub events: Vec<FilteredEvent>,
    /// Always empty, as on AWS.
    pub searched_log_streams: Vec<()>,
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FilteredEvent {
    pub log_stream_name: String,
    pub timestamp: Timestamp,
    pub message: String,
    pub ingestion_time: Timestamp,
    pub event_id: String,
}

impl FilterLogEvents {
    fn group(&self, cx: &Cx<'_>) -> Result<String, Error> {
        group_name(cx, self.log_group_name.as_deref(), self.log_group_identifier.as_deref())
    }

    /// Whether a stream is asked for; named ones must exist.
    fn chosen(&self, cx: &Cx<'_>, group: &Group) -> Result<impl Fn(&str) -> bool + use<>, Error> {
        if self.log_stream_names.is_some() && self.log_stream_name_prefix.is_some() {
            let text = "logStreamNames and logStreamNamePrefix are mutually exclusive parameters.";
            return Err(Error::Parameter(text.to_owned()));
        }
        for name in self.log_stream_names.iter().flatten() {
            table::stream(cx.tx, group.id, name)?;
        }
        let names: Option<HashSet<String>> =
            self.log_stream_names.as_ref().map(|n| n.iter().cloned().collect());
        let prefix = self.log_stream_name_prefix.clone().unwrap_or_default();
        Ok(move |stream: &str| {
            names.as_ref().is_none_or(|names| names.contains(stream)) && stream.starts_with(&prefix)
        })
    }

    /// One stream is read by its own index.
    fn among(&self, cx: &Cx<'_>, group: &Group) -> Result<Among, Error> {
        match self.log_stream_names.as_deref() {
            Some([name]) => Ok(Among::Stream(table::stream(cx.tx, group.id, name)?.id)),
            _ => Ok(Among::Group(group.id)),
        }
    }
}

impl Operation for FilterLogEvents {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "FilterLogEvents";
    const KIND: Kind = Kind::Read;
    const DATA: bool = true;
    type Output = FilterLogEventsOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        group_resource(cx, &self.group(cx).unwrap_or_default())
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        group_keys(cx, &self.group(cx).unwrap_or_default(), keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<FilterLogEventsOutput, Error> {
        let mut after = Place { time: self.start_time.unwrap_or(0), id: FIRST };
        if let Some(token) = &self.next_token {
            after = after.max(place(token).ok_or(Error::Token)?);
        }
        let before = Place { time: self.end_time.unwrap_or(i64::MAX), id: LAST };
        let pattern = Pattern::parse(self.filter_pattern.as_deref().unwrap_or_default())
            .map_err(|why| Error::Parameter(format!("Invalid filter pattern: {why}")))?;
        let group = Group::find(cx, &self.group(cx)?)?;
        let (chosen, among) = (self.chosen(cx, &group)?, self.among(cx, &group)?);
        let limit = self.limit.unwrap_or(EVENTS).clamp(1, EVENTS);

        let (mut events, mut size, mut next) = (Vec::new(), 0, None);
        let (mut looked_at, mut bytes_looked_at, mut last) = (0, 0, after);
        table::scan(cx.tx, among, after, before, false, |event| {
            let counted = table::counted(&event.message);
            let matches = chosen(&event.stream) && pattern.matches(&event.message);
            let full = events.len() == limit || matches && size + counted > BYTES && !events.is_empty();
            if full || looked_at == LOOKED_AT || bytes_looked_at > BYTES_LOOKED_AT {
                next = Some(last);
                return false;
            }
            looked_at += 1;
            bytes_looked_at += counted;
            last = event.place;
            if matches {
                size += counted;
                events.push(event);
            }
            true
        })?;
        let view = |event: table::Event| FilteredEvent {
            log_stream_name: event.stream,
            timestamp: Timestamp(event.place.time),
            message: event.message,
            ingestion_time: event.ingested,
            event_id: number(event.place),
        };
        Ok(FilterLogEventsOutput {
            events: events.into_iter().map(view).collect(),
            searched_log_streams: Vec::new(),
            next_token: next.map(number),
        })
    }
}
