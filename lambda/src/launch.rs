//! After a launch from the catalog: waits for the notebook, makes a link and stores it.
//!
//! The event names the launched product and what its requester typed, and a typed name proves nothing: somebody may
//! launch under the name of a colleague whose notebook is running. So the name only says where to look, and a link
//! is made when the notebook there carries the tag of this very launch.
//!
//! ```text
//!              not there, or another launch's          Pending, Updating
//!             ┌────────────────────────────┐        ┌─────────────────────┐
//!             ▼                            │        ▼                     │
//!   ask the catalog how the launch goes ───┴── look at the notebook ──────┘
//!      │ succeeded: look once more,           │InService   │Failed   │stopped or being deleted
//!      │   then: not a notebook of ours       ▼            ▼         ▼
//!      │ failed: error                      link         error     ignored
//! ```
//!
//! An error makes Lambda run the function again, twice; a link made twice does no harm.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::aws::{Client, SERVICE_CATALOG};
use crate::clock::Clock;
use crate::log;
use crate::notebook::{self, Notebook, Origin, Stored};
use crate::runtime::Failure;
use crate::user_name::UserName;

/// Shortest and longest pause between two looks. In between, a pause is an eighth of the time waited so far: an
/// engine's notebook is there in a tenth of a second and AWS's in some minutes, and neither is noticed much later
/// than it could be.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Kept back from Lambda's deadline, to make the link or say what was not reached.
const RESERVE: Duration = Duration::from_secs(8);

/// What the function is set up with.
pub struct Settings {
    /// Name that a launch without one gets: the product template's default.
    pub default_user: UserName,
    /// Length of the session that the link opens, 1800 to 43200.
    pub session_seconds: u32,
}

/// A launch, as the event tells of it.
#[derive(Debug, PartialEq)]
struct Launch {
    record: String,
    provisioned_product: String,
    user: UserName,
}

/// The function: `event` is EventBridge's envelope around the CloudTrail record of a ProvisionProduct call. Answers
/// what was done, without the link.
pub fn handle(
    aws: &Client<'_>,
    clock: &dyn Clock,
    settings: &Settings,
    event: &Value,
    deadline: SystemTime,
) -> Result<Value, Failure> {
    let launch = match launch(event, &settings.default_user) {
        Ok(launch) => launch,
        Err(reason) => return Ok(ignored(&reason)),
    };
    let start = clock.now();
    let mut succeeded = false;
    loop {
        match look(aws, &launch)? {
            Found::Ready(notebook, origin) => {
                let seconds = settings.session_seconds;
                notebook::link(aws, &notebook, &origin, seconds, Stored::NotYet)?;
                return Ok(json!({ "outcome": "stored", "parameter": notebook::parameter(&notebook) }));
            }
            Found::Failed(reason) => return Err(Failure::new("NotebookFailed", reason)),
            Found::Halted(status) => return Ok(ignored(&format!("the notebook is {status}"))),
            Found::NotThere if succeeded => return Ok(ignored("the launch made no notebook of that name")),
            Found::NotThere => match progress(aws, &launch) {
                // It may have become ready between the two questions.
                Progress::Succeeded => {
                    succeeded = true;
                    continue;
                }
                Progress::Failed(reason) => return Err(Failure::new("LaunchFailed", reason)),
                Progress::Unknown => {}
            },
            Found::NotYet => {}
        }
        let waited = clock.now().duration_since(start).unwrap_or_default();
        let pause = (waited / 8).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        if clock.now() + pause + RESERVE > deadline {
            let message = format!("{} is not in service yet", launch.user.notebook());
            return Err(Failure::new("NotebookNotReady", message));
        }
        clock.sleep(pause);
    }
}

fn ignored(reason: &str) -> Value {
    log::info("ignored", &json!({ "reason": reason }));
    json!({ "outcome": "ignored", "reason": reason })
}

/// Reads the launch from the event, or says why it is none.
fn launch(event: &Value, default_user: &UserName) -> Result<Launch, String> {
    let detail = &event["detail"];
    if detail["eventSource"] != "servicecatalog.amazonaws.com" || detail["eventName"] != "ProvisionProduct" {
        return Err("not a launch from the catalog".to_owned());
    }
    let record = &detail["responseElements"]["recordDetail"];
    let text = |member: &str| record[member].as_str().filter(|id| !id.is_empty()).map(str::to_owned);
    let (Some(id), Some(product)) = (text("recordId"), text("provisionedProductId")) else {
        return Err("the launch was refused".to_owned());
    };
    Ok(Launch { record: id, provisioned_product: product, user: user(detail, default_user)? })
}

/// The value of NotebookUserName, wherever in the list it stands.
fn user(detail: &Value, default_user: &UserName) -> Result<UserName, String> {
    let parameters = detail["requestParameters"]["provisioningParameters"].as_array();
    let mut values = parameters.into_iter().flatten().filter(|p| p["key"] == "NotebookUserName");
    let Some(first) = values.next() else { return Ok(default_user.clone()) };
    if values.any(|other| other["value"] != first["value"]) {
        return Err("NotebookUserName is given twice".to_owned());
    }
    let name = first["value"].as_str().and_then(UserName::parse);
    name.ok_or_else(|| "NotebookUserName is not a name a notebook can have".to_owned())
}

/// What there is under the launch's name.
enum Found {
    /// Ours, in service.
    Ready(Notebook, Origin),
    /// Starting; whose it is will be seen when it has.
    NotYet,
    /// Nothing, or another launch's notebook.
    NotThere,
    /// Ours, and it will not start.
    Failed(String),
    /// Ours, and somebody stopped or terminated it meanwhile.
    Halted(String),
}

fn look(aws: &Client<'_>, launch: &Launch) -> Result<Found, Failure> {
    let Some(notebook) = notebook::describe(aws, &launch.user.notebook())? else {
        return Ok(Found::NotThere);
    };
    if matches!(notebook.status.as_str(), "Pending" | "Updating") {
        return Ok(Found::NotYet);
    }
    let origin = notebook::origin(aws, &notebook)?;
    if !origin.is_product(&launch.provisioned_product) {
        return Ok(Found::NotThere);
    }
    Ok(match notebook.status.as_str() {
        "InService" => Found::Ready(notebook, origin),
        "Failed" => Found::Failed(format!("{} failed: {}", notebook.name, notebook.failure)),
        _ => Found::Halted(notebook.status),
    })
}

enum Progress {
    Succeeded,
    Failed(String),
    /// Under way, or the catalog would not say.
    Unknown,
}

fn progress(aws: &Client<'_>, launch: &Launch) -> Progress {
    let record = match aws.call(&SERVICE_CATALOG, "DescribeRecord", &json!({ "Id": launch.record })) {
        Ok(record) => record,
        // Only the reason for a failure is lost without it: the notebook is looked at until the deadline.
        Err(error) => {
            log::warn("cannot follow the launch", &json!({ "error": error.to_string() }));
            return Progress::Unknown;
        }
    };
    let detail = &record["RecordDetail"];
    match detail["Status"].as_str() {
        Some("SUCCEEDED") => Progress::Succeeded,
        Some("FAILED") => {
            let reason = detail["RecordErrors"][0]["Description"].as_str().unwrap_or("no reason given");
            Progress::Failed(format!("the launch of {} failed: {reason}", launch.user.notebook()))
        }
        _ => Progress::Unknown,
    }
}

#[cfg(test)]
mod tests;
