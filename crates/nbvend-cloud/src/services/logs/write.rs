//! `CreateLogGroup`, `CreateLogStream`, `PutLogEvents`: what functions' and notebooks' logs are written by.

use std::collections::BTreeMap;

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::state::{Group, group_keys, group_resource, stream_resource};
use super::{table, tags};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// The largest event, and the largest batch by AWS's count, in bytes.
const LARGEST_EVENT: usize = 262_144;
const LARGEST_BATCH: i64 = 1_048_576;
const DAY_MS: i64 = 86_400_000;
/// Events older than this or further ahead are rejected one by one.
const OLDEST_MS: i64 = 14 * DAY_MS;
const AHEAD_MS: i64 = 2 * 3_600_000;

/// Makes a group.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateLogGroup {
    pub log_group_name: String,
    pub tags: Option<BTreeMap<String, String>>,
    /// `STANDARD` alone.
    pub log_group_class: Option<String>,
}

impl Operation for CreateLogGroup {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "CreateLogGroup";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        group_resource(cx, &self.log_group_name)
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        tags::request_keys(self.tags.iter().flatten(), keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        if let Some(class) = self.log_group_class.filter(|class| class != "STANDARD") {
            return Err(Error::Parameter(format!(
                "nbvend has no log groups of class {class}, only STANDARD"
            )));
        }
        if cx.get::<Group>(&self.log_group_name)?.is_some() {
            return Err(Error::GroupExists);
        }
        let mut tags = BTreeMap::new();
        tags::add(cx, &mut tags, self.tags.unwrap_or_default())?;
        cx.put(&Group {
            name: self.log_group_name,
            id: table::new_group(cx.tx)?,
            created: cx.now(),
            retention_days: None,
            tags,
        })?;
        Ok(())
    }
}

/// Makes a stream.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateLogStream {
    pub log_group_name: String,
    pub log_stream_name: String,
}

impl Operation for CreateLogStream {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "CreateLogStream";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        group_resource(cx, &self.log_group_name)
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        group_keys(cx, &self.log_group_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let group = Group::find(cx, &self.log_group_name)?;
        match table::new_stream(cx.tx, group.id, &self.log_stream_name, cx.now())? {
            true => Ok(()),
            false => Err(Error::StreamExists),
        }
    }
}

/// Appends events to a stream; they must be in the order of their times. Sequence tokens are taken and ignored, as AWS
/// does since 2023. CloudTrail does not record this call.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct PutLogEvents {
    pub log_group_name: String,
    pub log_stream_name: String,
    pub log_events: Vec<InputLogEvent>,
    pub sequence_token: Option<String>,
}

/// One event.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InputLogEvent {
    pub timestamp: Timestamp,
    pub message: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PutLogEventsOutput {
    pub next_sequence_token: Option<String>,
    pub rejected_log_events_info: Option<Rejected>,
}

/// Which events were not taken: the first that is too new, and after how many the too old ones and those beyond the
/// group's retention end.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rejected {
    pub too_new_log_event_start_index: Option<usize>,
    pub too_old_log_event_end_index: Option<usize>,
    pub expired_log_event_end_index: Option<usize>,
}

impl Operation for PutLogEvents {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "PutLogEvents";
    const KIND: Kind = Kind::Write;
    const DATA: bool = true;
    type Output = PutLogEventsOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        stream_resource(cx, &self.log_group_name, &self.log_stream_name)
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        group_keys(cx, &self.log_group_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<PutLogEventsOutput, Error> {
        let group = Group::find(cx, &self.log_group_name)?;
        let stream = table::stream(cx.tx, group.id, &self.log_stream_name)?;
        self.check()?;
        let now = cx.now();
        let older = |age: i64| self.log_events.partition_point(|event| event.timestamp.0 < now.0 - age);
        let too_old = older(OLDEST_MS);
        let expired = group.retention_days.map_or(0, |days| older(days * DAY_MS));
        let too_new = self.log_events.partition_point(|event| event.timestamp.0 <= now.0 + AHEAD_MS);
        let taken = self.log_events.get(too_old.max(expired)..too_new).unwrap_or_default();
        let events: Vec<(i64, &str)> =
            taken.iter().map(|event| (event.timestamp.0, event.message.as_str())).collect();
        table::append(cx.tx, group.id, &stream, &events, now)?;
        let rejected = Rejected {
            too_new_log_event_start_index: (too_new < self.log_events.len()).then_some(too_new),
            too_old_log_event_end_index: (too_old > 0).then_some(too_old),
            expired_log_event_end_index: (expired > 0).then_some(expired),
        };
        Ok(PutLogEventsOutput {
            next_sequence_token: Some(format!("{:056}", u128::from(now.0.unsigned_abs()))),
            rejected_log_events_info: (rejected != Rejected::default()).then_some(rejected),
        })
    }
}

impl PutLogEvents {
    /// The batch's rules, as `PutLogEvents` lists them.
    fn check(&self) -> Result<(), Error> {
        let refuse = |text: String| Err(Error::Parameter(text));
        let events = &self.log_events;
        if events.windows(2).any(|pair| pair[0].timestamp > pair[1].timestamp) {
            return refuse(
                "Log events in a single PutLogEvents request must be in chronological order.".to_owned(),
            );
        }
        if let Some(large) = events.iter().find(|event| event.message.len() > LARGEST_EVENT) {
            let size = large.message.len();
            return refuse(format!("Log event too large: {size} bytes exceeds limit of {LARGEST_EVENT}"));
        }
        let size: i64 = events.iter().map(|event| table::counted(&event.message)).sum();
        if size > LARGEST_BATCH {
            return refuse(format!("Upload too large: {size} bytes exceeds limit of {LARGEST_BATCH}"));
        }
        match (events.first(), events.last()) {
            (Some(first), Some(last)) if last.timestamp.0 - first.timestamp.0 > DAY_MS => refuse(
                "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
                    .to_owned(),
            ),
            _ => Ok(()),
        }
    }
}
