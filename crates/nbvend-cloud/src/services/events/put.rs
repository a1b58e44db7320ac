//! `PutEvents`: a caller's own events, each accepted or refused by itself.

use nbvend_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::Error;
use super::names::{self, DEFAULT};
use super::state::Bus;
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};
use crate::outbox;

/// All entries of a request together, in bytes; the text of the refusal is recorded from AWS.
const LARGEST: usize = 256 * 1024;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutEvents {
    pub entries: Vec<Entry>,
    /// Details parsed by `prepare`, in the order of the entries.
    #[serde(skip)]
    details: Vec<Option<Value>>,
}

impl PutEvents {
    pub fn new(entries: Vec<Entry>) -> Self {
        Self { entries, details: Vec::new() }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct Entry {
    pub time: Option<Timestamp>,
    pub source: Option<String>,
    pub resources: Option<Vec<String>>,
    pub detail_type: Option<String>,
    /// A JSON object, as text.
    pub detail: Option<String>,
    pub event_bus_name: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutEventsOutput {
    pub failed_entry_count: usize,
    /// In the order of the request's entries.
    pub entries: Vec<Accepted>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Accepted {
    pub event_id: Option<String>,
    pub error_code: Option<&'static str>,
    pub error_message: Option<&'static str>,
}

impl Entry {
    /// As AWS's guide counts it: 14 bytes for a time, and the UTF-8 of everything else.
    fn size(&self) -> usize {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let resources: usize = self.resources.iter().flatten().map(String::len).sum();
        let time = if self.time.is_some() { 14 } else { 0 };
        time + length(&self.source) + length(&self.detail_type) + length(&self.detail) + resources
    }

    /// Why the entry is refused, if it is: AWS's code and text.
    fn refusal(&self, detail: Option<&Value>) -> Option<(&'static str, &'static str)> {
        let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        if !given(&self.source) {
            return Some((
                "InvalidArgument",
                "Parameter Source is not valid. Reason: Source is a required argument.",
            ));
        }
        // Only AWS's services send in their own name: rules that match `aws.` sources may rely on it.
        if self.source.as_ref().is_some_and(|source| source.starts_with("aws.")) {
            return Some(("NotAuthorizedForSourceException", "Not authorized for the source."));
        }
        if !given(&self.detail_type) {
            let text = "Parameter DetailType is not valid. Reason: DetailType is a required argument.";
            return Some(("InvalidArgument", text));
        }
        if !given(&self.detail) {
            return Some((
                "InvalidArgument",
                "Parameter Detail is not valid. Reason: Detail is a required argument.",
            ));
        }
        detail.is_none().then_some(("MalformedDetail", "Detail is malformed."))
    }

    fn parsed(&self) -> Option<Value> {
        serde_json::from_str(self.detail.as_deref()?).ok().filter(Value::is_object)
    }
}

impl Operation for PutEvents {
    const SERVICE: &'static str = "events";
    const NAME: &'static str = "PutEvents";
    const KIND: Kind = Kind::Write;
    const DATA: bool = true;
    const PREPARES: bool = true;
    type Output = PutEventsOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        let buses = self
            .entries
            .iter()
            .map(|entry| names::bus_arn(cx, names::bus_name(entry.event_bus_name.as_deref())));
        let mut arns: Vec<String> = buses.collect();
        arns.sort_unstable();
        arns.dedup();
        arns
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        let all = |of: fn(&Entry) -> &Option<String>| {
            self.entries.iter().filter_map(|entry| of(entry).clone()).collect()
        };
        keys.insert("events:source".to_owned(), all(|entry| &entry.source));
        keys.insert("events:detail-type".to_owned(), all(|entry| &entry.detail_type));
        keys.insert("events:eventBusInvocation".to_owned(), vec!["false".to_owned()]);
    }

    fn prepare(&mut self, _cx: &mut Cx<'_>) -> Result<(), Error> {
        self.details = self.entries.iter().map(Entry::parsed).collect();
        Ok(())
    }

    fn run(mut self, cx: &mut Cx<'_>) -> Result<PutEventsOutput, Error> {
        if self.details.len() != self.entries.len() {
            self.details = self.entries.iter().map(Entry::parsed).collect();
        }
        if self.entries.iter().map(Entry::size).sum::<usize>() > LARGEST {
            return Err(Error::validation("Total size of the entries in the request is over the limit."));
        }
        let mut entries = Vec::with_capacity(self.entries.len());
        for (entry, detail) in self.entries.into_iter().zip(self.details) {
            entries.push(match entry.refusal(detail.as_ref()) {
                Some((code, text)) => {
                    Accepted { error_code: Some(code), error_message: Some(text), ..Accepted::default() }
                }
                None => {
                    Accepted { event_id: Some(accept(cx, entry, detail.as_ref())?), ..Accepted::default() }
                }
            });
        }
        let failed_entry_count = entries.iter().filter(|entry| entry.error_code.is_some()).count();
        Ok(PutEventsOutput { failed_entry_count, entries })
    }
}

/// Puts an event on its bus. One for a bus that does not exist gets an id and goes nowhere, as on AWS.
fn accept(cx: &Cx<'_>, entry: Entry, detail: Option<&Value>) -> Result<String, Error> {
    let id = cx.ids().uuid();
    let given = entry.event_bus_name.as_deref();
    let bus = names::bus_name(given);
    let here = given.is_none_or(|given| !given.starts_with("arn:") || given == names::bus_arn(cx, bus));
    if !here || (bus != DEFAULT && cx.get::<Bus>(bus)?.is_none()) {
        return Ok(id);
    }
    let event = json!({
        "version": "0",
        "id": id,
        "detail-type": entry.detail_type,
        "source": entry.source,
        "account": cx.account(),
        "time": entry.time.unwrap_or_else(|| cx.now()).iso8601(),
        "region": cx.region(),
        "resources": entry.resources.unwrap_or_default(),
        "detail": detail,
    });
    outbox::push_envelope(cx.tx, cx.region(), bus, &event)?;
    Ok(id)
}
