//! `POST /refreshurl`: a new link to a notebook, for its owner.
//!
//! The body is `{"notebook_user_name": "<name>"}`, whatever content type the client gives it (curl says form), the
//! answer `{"PreSignedURL": "<link>"}`. With [`Authorization::Iam`] API Gateway has verified the caller's
//! signature and says who it is; the link is made only if that is who launched the notebook.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::aws::{Client, Error};
use crate::log;
use crate::notebook::{self, Origin, Stored};
use crate::owner;
use crate::user_name::{self, UserName};

/// How requests reach the function, by the template's parameter of that name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Authorization {
    /// Signed, with the caller's ARN in the request's context.
    Iam,
    /// By anyone: as the published solution has it, the address and a user's name are enough.
    Open,
}

impl Authorization {
    /// From the parameter's value. Anything but `NONE` is the safe one.
    pub fn parse(value: &str) -> Self {
        if value == "NONE" { Self::Open } else { Self::Iam }
    }
}

/// What the function is set up with.
pub struct Settings {
    pub authorization: Authorization,
    /// Length of the session that the link opens, 1800 to 43200.
    pub session_seconds: u32,
}

/// An answer other than a link: its HTTP status and what it tells the caller.
struct Refusal(u16, String);

impl Refusal {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Self(status, message.into())
    }
}

impl From<Error> for Refusal {
    /// What AWS said is for the log; the caller can only try again or tell whoever runs this.
    fn from(error: Error) -> Self {
        log::warn("cannot make a link", &json!({ "error": error.to_string() }));
        if error.is_transient() {
            Self::new(503, "The notebook service is busy; try again in a moment.")
        } else {
            Self::new(500, "The link could not be made; the function's log says why.")
        }
    }
}

/// The function: `event` is API Gateway's proxy event, the answer its proxy response.
pub fn handle(aws: &Client<'_>, settings: &Settings, event: &Value) -> Value {
    match refresh(aws, settings, event) {
        Ok(url) => respond(200, &json!({ "PreSignedURL": url })),
        Err(Refusal(status, message)) => {
            log::info("no link", &json!({ "status": status, "reason": message }));
            respond(status, &json!({ "message": message }))
        }
    }
}

fn respond(status: u16, body: &Value) -> Value {
    json!({
        "statusCode": status,
        "headers": { "Content-Type": "application/json", "Cache-Control": "no-store" },
        "isBase64Encoded": false,
        "body": body.to_string(),
    })
}

fn refresh(aws: &Client<'_>, settings: &Settings, event: &Value) -> Result<String, Refusal> {
    let name = requested(event)?.notebook();
    let nothing = || Refusal::new(404, format!("There is no notebook {name}."));
    let notebook = notebook::describe(aws, &name)?.ok_or_else(nothing)?;
    let origin = notebook::origin(aws, &notebook)?;
    // Not from the catalog: none of this function's business, which is also what its role says.
    if origin.provisioned_product.is_none() {
        return Err(nothing());
    }
    if settings.authorization == Authorization::Iam {
        let account = notebook.arn.split(':').nth(4).unwrap_or_default();
        check_owner(event, &origin, account)
            .map_err(|()| Refusal::new(403, format!("{name} was launched by somebody else.")))?;
    }
    let name = &notebook.name;
    match notebook.status.as_str() {
        "InService" => {
            let seconds = settings.session_seconds;
            Ok(notebook::link(aws, &notebook, &origin, seconds, Stored::Before)?.reveal())
        }
        "Pending" | "Updating" => {
            Err(Refusal::new(409, format!("{name} is starting; try again in a moment.")))
        }
        "Stopped" => Err(Refusal::new(
            409,
            format!(
                "{name} is stopped; start it (aws sagemaker start-notebook-instance --notebook-instance-name \
                 {name}), then try again."
            ),
        )),
        "Failed" => Err(Refusal::new(409, format!("{name} failed: {}", notebook.failure))),
        status => Err(Refusal::new(409, format!("{name} is {status}; there is nothing to open."))),
    }
}

/// The user's name, from the body.
fn requested(event: &Value) -> Result<UserName, Refusal> {
    let wrong = || Refusal::new(400, r#"The body must be {"notebook_user_name": "<name>"}."#);
    let body = event["body"].as_str().ok_or_else(wrong)?;
    let body = if event["isBase64Encoded"] == true {
        STANDARD.decode(body).map_err(|_| wrong())?
    } else {
        body.as_bytes().to_vec()
    };
    let body: Value = serde_json::from_slice(&body).map_err(|_| wrong())?;
    let name = body["notebook_user_name"].as_str().ok_or_else(wrong)?;
    UserName::parse(name).ok_or_else(|| Refusal::new(400, format!("notebook_user_name {}.", user_name::RULE)))
}

/// Whether the caller launched the notebook. A notebook whose owner is not known has none, so only root opens it.
fn check_owner(event: &Value, origin: &Origin, account: &str) -> Result<(), ()> {
    let caller = event["requestContext"]["identity"]["userArn"].as_str().ok_or(())?;
    let owner = origin.principal.as_deref().unwrap_or_default();
    if owner::may_open(caller, owner, account) { Ok(()) } else { Err(()) }
}

#[cfg(test)]
mod tests;
