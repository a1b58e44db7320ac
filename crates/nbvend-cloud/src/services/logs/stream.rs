//! `DescribeLogStreams`, `DeleteLogStream`.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::page;
use super::reconcile::LOGS;
use super::state::{Group, group_keys, group_name, group_resource, stream_resource};
use super::table::{self, Stream};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// Lists a group's streams by name, or by the time of their last event.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct DescribeLogStreams {
    pub log_group_name: Option<String>,
    pub log_group_identifier: Option<String>,
    pub log_stream_name_prefix: Option<String>,
    pub order_by: Option<String>,
    pub descending: bool,
    pub next_token: Option<String>,
    pub limit: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeLogStreamsOutput {
    pub log_streams: Vec<StreamView>,
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamView {
    pub log_stream_name: String,
    pub creation_time: Timestamp,
    pub first_event_timestamp: Option<Timestamp>,
    pub last_event_timestamp: Option<Timestamp>,
    pub last_ingestion_time: Option<Timestamp>,
    pub upload_sequence_token: String,
    pub arn: String,
    /// Always 0, as on AWS since 2019.
    pub stored_bytes: i64,
}

/// Where a page ended.
#[derive(Debug, Serialize, Deserialize)]
struct After {
    last_event: i64,
    name: String,
}

const PAGE: usize = 50;

impl DescribeLogStreams {
    fn group(&self, cx: &Cx<'_>) -> Result<String, Error> {
        group_name(cx, self.log_group_name.as_deref(), self.log_group_identifier.as_deref())
    }
}

impl Operation for DescribeLogStreams {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "DescribeLogStreams";
    const KIND: Kind = Kind::Read;
    type Output = DescribeLogStreamsOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        group_resource(cx, &self.group(cx).unwrap_or_default())
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        group_keys(cx, &self.group(cx).unwrap_or_default(), keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<DescribeLogStreamsOutput, Error> {
        let group = Group::find(cx, &self.group(cx)?)?;
        let limit = self.limit.unwrap_or(PAGE).clamp(1, PAGE);
        let after: Option<After> = self.next_token.as_deref().map(page::read).transpose()?;
        let by_time = self.order_by.as_deref() == Some("LastEventTime");
        if by_time && self.log_stream_name_prefix.is_some() {
            let text = "Cannot order by LastEventTime with a logStreamNamePrefix.";
            return Err(Error::Parameter(text.to_owned()));
        }
        let many = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let mut streams = if by_time {
            let after = after.as_ref().map(|after| (after.last_event, after.name.as_str()));
            table::streams_by_last_event(cx.tx, group.id, after, self.descending, many)?
        } else {
            let prefix = self.log_stream_name_prefix.as_deref().unwrap_or_default();
            let after = after.as_ref().map(|after| after.name.as_str());
            table::streams_by_name(cx.tx, group.id, prefix, after, self.descending, many)?
        };
        let more = streams.len() > limit;
        streams.truncate(limit);
        let next_token = streams
            .last()
            .filter(|_| more)
            .map(|last| page::write(&After { last_event: last.last_event, name: last.name.clone() }));
        let arn = Group::arn(cx, &group.name);
        let log_streams = streams.into_iter().map(|stream| view(&arn, stream)).collect();
        Ok(DescribeLogStreamsOutput { log_streams, next_token })
    }
}

fn view(group_arn: &str, stream: Stream) -> StreamView {
    let time = |ms: i64| (ms > 0).then_some(Timestamp(ms));
    StreamView {
        arn: format!("{group_arn}:log-stream:{}", stream.name),
        log_stream_name: stream.name,
        creation_time: stream.created,
        first_event_timestamp: time(stream.first_event),
        last_event_timestamp: time(stream.last_event),
        last_ingestion_time: time(stream.last_ingestion),
        upload_sequence_token: format!("{:056}", stream.last_ingestion),
        stored_bytes: 0,
    }
}

/// Deletes a stream with its events.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteLogStream {
    pub log_group_name: String,
    pub log_stream_name: String,
}

impl Operation for DeleteLogStream {
    const SERVICE: &'static str = "logs";
    const NAME: &'static str = "DeleteLogStream";
    const KIND: Kind = Kind::Write;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        stream_resource(cx, &self.log_group_name, &self.log_stream_name)
    }

    fn context(&self, cx: &Cx<'_>, keys: &mut ContextKeys) {
        group_keys(cx, &self.log_group_name, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        let group = Group::find(cx, &self.log_group_name)?;
        let stream = table::stream(cx.tx, group.id, &self.log_stream_name)?;
        table::drop_stream(cx.tx, group.id, stream.id)?;
        cx.wake(LOGS);
        Ok(())
    }
}
