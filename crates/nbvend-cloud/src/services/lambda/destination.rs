//! Destinations of asynchronous invocations: the document about how one ended, and its sending to another function or
//! to an event bus.

use nbvend_wire::timestamp::Timestamp;
use serde_json::{Value, json};

use super::attempt::Attempt;
use super::invoke_event::InvokeEvent;
use super::run::Ran;
use crate::context::Cx;
use crate::identity::Caller;
use crate::services::events::put::{Entry, PutEvents};

/// Why an event was given up; AWS's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    RetriesExhausted,
    EventAgeExceeded,
}

/// The invocation record, version 1.0 ("Capturing records of Lambda asynchronous invocations" in the Lambda guide).
pub fn document(attempt: &Attempt, now: Timestamp, reason: Option<Reason>, ran: Option<&Ran>) -> Value {
    let event = &attempt.event;
    let condition = match reason {
        None => "Success",
        Some(Reason::RetriesExhausted) => "RetriesExhausted",
        Some(Reason::EventAgeExceeded) => "EventAgeExceeded",
    };
    let version = &attempt.config.version;
    let arn = match event.qualifier {
        Some(_) => attempt.arn.clone(),
        None => format!("{}:{version}", attempt.arn),
    };
    let mut document = json!({
        "version": "1.0",
        "timestamp": now.iso8601_millis(),
        "requestContext": {
            "requestId": event.id,
            "functionArn": arn,
            "condition": condition,
            "approximateInvokeCount": event.attempts + u32::from(ran.is_some()),
        },
        "requestPayload": parsed(attempt.payload.as_bytes()),
    });
    if let Some(ran) = ran {
        let (payload, error) = match &ran.result {
            Ok(answer) => (answer, None),
            Err((kind, answer)) => (answer, Some(*kind)),
        };
        document["responseContext"] = json!({"statusCode": 200, "executedVersion": version});
        if let Some(kind) = error {
            document["responseContext"]["functionError"] = json!(kind);
        }
        document["responsePayload"] = parsed(payload);
    }
    document
}

fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(bytes)))
}

/// The bus's ARN, if the destination is one.
pub fn event_bus(to: &str) -> Option<&str> {
    (to.starts_with("arn:aws:events:") && to.contains(":event-bus/")).then_some(to)
}

/// Sends it. A destination that is gone or may not be used is passed over, as on AWS.
pub fn tell(cx: &mut Cx<'_>, caller: Caller, to: &str, document: &Value) {
    let told = match event_bus(to) {
        Some(bus) => {
            let success = document["requestContext"]["condition"] == "Success";
            let end = if success { "Success" } else { "Failure" };
            let arn = document["requestContext"]["functionArn"].as_str().map(str::to_owned);
            let entry = Entry {
                source: Some("lambda".to_owned()),
                detail_type: Some(format!("Lambda Function Invocation Result - {end}")),
                resources: Some([to.to_owned()].into_iter().chain(arn).collect()),
                detail: Some(document.to_string()),
                event_bus_name: Some(bus.to_owned()),
                ..Default::default()
            };
            cx.call_as(caller, PutEvents::new(vec![entry])).map(|_| ())
        }
        None => {
            let payload = document.to_string();
            cx.call_as(caller, InvokeEvent { function_name: to.to_owned(), payload, source_arn: None })
        }
    };
    if let Err(error) = told {
        tracing::info!(to, %error, "a destination was not told");
    }
}
