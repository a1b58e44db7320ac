//! `nbvend why-denied`: a denial from the trail, explained.

use std::path::Path;

use clap::Args;
use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::Failure;
use crate::home::Home;
use crate::printer::Printer;

#[derive(Args)]
pub struct WhyDenied {
    /// The event's id, or the name of an operation, or of a user [default: the last denial there is]
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    event: Option<String>,
}

/// So many pages of the trail are looked through for a denial, 50 records each.
const PAGES: usize = 40;

impl WhyDenied {
    pub async fn run(self, data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
        let client = Client::acting(&Home::open(data)?).await?;
        let record = self.find(&client).await?;
        let told = Told::of(&record);
        printer.document(&told.document(&record));
        printer.line(&told.text(&record));
        Ok(())
    }

    async fn find(&self, client: &Client) -> Result<Value, Failure> {
        let Some(wanted) = &self.event else {
            let found = last_denial(client, None).await?;
            return found.ok_or_else(|| Failure::new("nothing was denied lately"));
        };
        if let Some(record) = by_id(client, wanted).await? {
            if record["errorCode"].is_null() {
                return Err(Failure::new(format!("the call {wanted} was not denied: it was done")));
            }
            return Ok(record);
        }
        for attribute in ["EventName", "Username"] {
            if let Some(record) = last_denial(client, Some((attribute, wanted))).await? {
                return Ok(record);
            }
        }
        Err(Failure::new(format!(
            "the trail of {} has no event {wanted}, and no denial of an operation or a user of that name",
            client.region
        )))
    }
}

fn asked(attribute: Option<(&str, &str)>) -> Value {
    match attribute {
        Some((key, value)) => {
            json!({"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}], "MaxResults": 50})
        }
        None => json!({"MaxResults": 50}),
    }
}

async fn by_id(client: &Client, id: &str) -> Result<Option<Value>, Failure> {
    let page = client.json("cloudtrail", "LookupEvents", asked(Some(("EventId", id)))).await?;
    Ok(records(&page).next())
}

/// The newest record of a denial.
async fn last_denial(client: &Client, attribute: Option<(&str, &str)>) -> Result<Option<Value>, Failure> {
    let mut input = asked(attribute);
    for _ in 0..PAGES {
        let page = client.json("cloudtrail", "LookupEvents", input.clone()).await?;
        if let Some(found) = records(&page).find(is_denial) {
            return Ok(Some(found));
        }
        if page["NextToken"].is_null() {
            break;
        }
        input["NextToken"] = page["NextToken"].clone();
    }
    Ok(None)
}

fn records(page: &Value) -> impl Iterator<Item = Value> {
    let events = page["Events"].as_array().into_iter().flatten();
    events.filter_map(|event| serde_json::from_str(event["CloudTrailEvent"].as_str()?).ok())
}

/// The codes that a service may give a denial.
fn is_denial(record: &Value) -> bool {
    let code = record["errorCode"].as_str().unwrap_or_default();
    code.starts_with("AccessDenied") || ["UnauthorizedOperation", "InvalidClientTokenId"].contains(&code)
}

/// What the record tells of a denial.
struct Told<'a> {
    why: &'a Value,
}

impl<'a> Told<'a> {
    fn of(record: &'a Value) -> Self {
        Self { why: &record["additionalEventData"] }
    }

    fn document(&self, record: &Value) -> Value {
        json!({
            "event_id": record["eventID"],
            "time": record["eventTime"],
            "event": record["eventName"],
            "principal": record["userIdentity"]["arn"],
            "error_code": record["errorCode"],
            "error_message": record["errorMessage"],
            "action": self.why["deniedAction"],
            "resource": self.why["deniedResource"],
            "layer": self.why["layer"],
            "explanation": self.why["explanation"],
            "would_allow": self.why["wouldAllow"],
        })
    }

    fn text(&self, record: &Value) -> String {
        let say = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut text = format!(
            "{} {} at {}\n{}: {}\n",
            say(&record["eventID"]),
            say(&record["eventName"]),
            say(&record["eventTime"]),
            say(&record["errorCode"]),
            say(&record["errorMessage"]),
        );
        match self.why["explanation"].as_str() {
            Some(why) => {
                // The statement is printed whole below.
                let lines = why.lines().filter(|line| !line.starts_with("This statement in "));
                text.push('\n');
                lines.for_each(|line| {
                    text.push_str(line);
                    text.push('\n');
                });
            }
            None => text.push_str("\nNo policy was asked: the operation itself refused the call.\n"),
        }
        if !self.why["wouldAllow"].is_null() {
            let layer = self.why["layer"].as_str().unwrap_or("policy");
            let article = if layer.starts_with('i') { "an" } else { "a" };
            text.push_str(&format!("\nThis statement in {article} {layer} would allow it:\n"));
            text.push_str(&format!("{:#}", self.why["wouldAllow"]));
        }
        text.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_is_told_with_the_statement_it_lacks() {
        let record = json!({
            "eventID": "e", "eventName": "StopNotebookInstance", "eventTime": "2026-11-22T12:00:00Z",
            "errorCode": "AccessDeniedException", "errorMessage": "User: x is not authorized",
            "additionalEventData": {
                "deniedAction": "sagemaker:StopNotebookInstance", "deniedResource": "arn:x",
                "explanation": "x asked.\nDenied: no identity-based policy allows it.\nThis statement in an identity-based policy would allow it: {}\n",
                "layer": "identity-based policy",
                "wouldAllow": {"Effect": "Allow"},
            },
        });
        let text = Told::of(&record).text(&record);
        assert!(is_denial(&record));
        assert!(text.contains("Denied: no identity-based policy allows it.\n"), "{text}");
        assert_eq!(text.matches("would allow it").count(), 1, "{text}");
        assert!(text.ends_with("would allow it:\n{\n  \"Effect\": \"Allow\"\n}"), "{text}");
        assert!(!is_denial(&json!({"errorCode": "ValidationException"})));
        assert!(!is_denial(&json!({"errorCode": null})));
    }
}
