//! What IAM is asked about: API Gateway's actions are named after HTTP methods, its resources after paths, and the
//! ARNs have no account (service authorization reference, "Actions, resources, and condition keys for API Gateway").

use nbvend_wire::arn::Arn;

use super::error::Error;
use super::state::{RestApi, Texts};
use crate::context::{ContextKeys, Cx};

pub const GET: Option<&str> = Some("apigateway:GET");
pub const POST: Option<&str> = Some("apigateway:POST");
pub const PUT: Option<&str> = Some("apigateway:PUT");
pub const PATCH: Option<&str> = Some("apigateway:PATCH");
pub const DELETE: Option<&str> = Some("apigateway:DELETE");

/// `arn:aws:apigateway:us-east-1::/restapis/abc`
pub fn arn(cx: &Cx<'_>, path: &str) -> String {
    Arn::new("apigateway", cx.region(), "", path).to_string()
}

/// The ARN of an API, or of what is below it: `below` begins with a slash or is empty.
pub fn api(cx: &Cx<'_>, id: &str, below: &str) -> Vec<String> {
    vec![arn(cx, &format!("/restapis/{id}{below}"))]
}

/// `aws:RequestTag/…` and `aws:TagKeys`.
pub fn request_tags(tags: &Texts, keys: &mut ContextKeys) {
    for (key, value) in tags {
        keys.insert(format!("aws:RequestTag/{key}"), vec![value.clone()]);
    }
    if !tags.is_empty() {
        keys.insert("aws:TagKeys".to_owned(), tags.keys().cloned().collect());
    }
}

/// `aws:ResourceTag/…` of an API.
pub fn resource_tags(cx: &Cx<'_>, id: &str, keys: &mut ContextKeys) {
    if let Ok(Some(api)) = cx.get::<RestApi>(id) {
        for (key, value) in api.tags {
            keys.insert(format!("aws:ResourceTag/{key}"), vec![value]);
        }
    }
}

/// Tags that AWS stamps are taken only from callers inside the engine.
pub fn check_tags<'a>(cx: &Cx<'_>, mut keys: impl Iterator<Item = &'a String>) -> Result<(), Error> {
    if cx.caller.invoked_by.is_none()
        && let Some(key) = keys.find(|key| key.to_ascii_lowercase().starts_with("aws:"))
    {
        return Err(Error::bad(format!("Invalid tag key '{key}'. Tag keys cannot start with 'aws:'")));
    }
    Ok(())
}
