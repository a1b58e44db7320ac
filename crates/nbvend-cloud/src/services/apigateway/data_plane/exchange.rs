//! One request on its way: what is known of it so far, and what every answer carries.

use std::sync::Arc;

use base64::Engine as _;
use http::request::Parts;
use http::{HeaderValue, Response};
use nbvend_wire::timestamp::Timestamp;
use serde_json::{Map, Value, json};

use super::address::{self, Address};
use super::compiled::Compiled;
use super::routes::Route;
use crate::Engine;
use crate::door::{Body, Peer};
use crate::identity::{Caller, Principal};

pub struct Exchange {
    pub parts: Parts,
    pub peer: Peer,
    pub account: String,
    pub now: Timestamp,
    pub request_id: String,
    /// `x-amz-apigw-id`
    pub extended_id: String,
    /// `Root=1-…`
    pub trace: String,
    pub address: Option<Address>,
    pub stage: Option<Arc<Compiled>>,
    pub route: Option<Route>,
    pub caller: Option<Caller>,
}

impl Exchange {
    pub fn new(engine: &Engine, parts: Parts, peer: Peer) -> Self {
        let now = engine.now();
        let mut noise = [0u8; 23];
        engine.ids().fill(&mut noise);
        let (id, trace) = noise.split_at(11);
        let given =
            parts.headers.get("x-amzn-trace-id").and_then(|value| value.to_str().ok()).and_then(root_of);
        let trace = given.unwrap_or_else(|| format!("Root=1-{:08x}-{}", now.0 / 1000, hex::encode(trace)));
        Self {
            parts,
            peer,
            account: engine.config().account.clone(),
            now,
            request_id: engine.ids().uuid(),
            extended_id: base64::engine::general_purpose::STANDARD.encode(id),
            trace,
            address: None,
            stage: None,
            route: None,
            caller: None,
        }
    }

    /// What the client calls the API: host and port.
    pub fn domain(&self) -> &str {
        address::host(&self.parts)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// `requestContext` of an event, and `$context` of a template, as far as the request has come.
    pub fn context(&self) -> Map<String, Value> {
        let mut context = Map::new();
        let mut set = |name: &str, value: Value| {
            context.insert(name.to_owned(), value);
        };
        if let Some(route) = &self.route {
            set("resourceId", json!(route.resource_id));
            set("resourcePath", json!(route.resource_path));
        }
        set("httpMethod", json!(self.parts.method.as_str()));
        set("extendedRequestId", json!(self.extended_id));
        set("requestTime", json!(clf_time(self.now)));
        set("path", json!(self.address.as_ref().map_or(self.parts.uri.path(), |address| &address.full_path)));
        set("accountId", json!(self.account));
        set("protocol", json!(format!("{:?}", self.parts.version)));
        if let Some(address) = &self.address {
            set("stage", json!(address.stage));
            set("domainPrefix", json!(address.api));
        }
        set("requestTimeEpoch", json!(self.now.0));
        set("requestId", json!(self.request_id));
        set("identity", self.identity());
        set("domainName", json!(self.domain()));
        if let Some(stage) = &self.stage {
            set("deploymentId", json!(stage.deployment));
            set("apiId", json!(stage.api));
        }
        context
    }

    /// Who calls. Without a signature all but address and agent are null.
    fn identity(&self) -> Value {
        let signed = self.caller.as_ref().filter(|caller| caller.principal != Principal::Anonymous);
        let id = signed.map(|caller| caller.principal.id(&self.account));
        json!({
            "cognitoIdentityPoolId": null,
            "accountId": signed.map(|_| &self.account),
            "cognitoIdentityId": null,
            "caller": id,
            "sourceIp": self.peer.ip.to_string(),
            "principalOrgId": null,
            "accessKey": signed.and_then(|caller| caller.access_key_id.as_deref()),
            "cognitoAuthenticationType": null,
            "cognitoAuthenticationProvider": null,
            "userArn": signed.map(|caller| caller.principal.arn(&self.account)),
            "userAgent": self.header("user-agent"),
            "user": id,
        })
    }

    /// A reference of a template: `context.requestId`, `stageVariables.x`.
    pub fn lookup(&self, name: &str) -> Option<String> {
        if let Some(variable) = name.strip_prefix("stageVariables.") {
            return self.stage.as_ref()?.variables.get(variable).cloned();
        }
        let context = Value::Object(self.context());
        match context.pointer(&format!("/{}", name.strip_prefix("context.")?.replace('.', "/")))? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    /// Puts on an answer what all of them carry.
    pub fn finish(&self, mut response: Response<Body>) -> Response<Body> {
        for (name, value) in [
            ("x-amzn-requestid", &self.request_id),
            ("x-amz-apigw-id", &self.extended_id),
            ("x-amzn-trace-id", &self.trace),
        ] {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// The root of a trace that the client began.
fn root_of(header: &str) -> Option<String> {
    let root = header.split(';').map(str::trim).find(|part| part.starts_with("Root=1-"))?;
    let plain = root.len() <= 64 && root.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'=');
    plain.then(|| root.to_owned())
}

/// `22/Nov/2026:14:00:00 +0000`
fn clf_time(time: Timestamp) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // 2026-11-22T14:00:00Z
    let iso = time.iso8601();
    let month = iso.get(5..7).and_then(|month| month.parse::<usize>().ok()).unwrap_or(1);
    let part = |range| iso.get(range).unwrap_or_default();
    format!("{}/{}/{}:{} +0000", part(8..10), MONTHS[(month - 1) % 12], part(0..4), part(11..19))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_written_as_in_access_logs() {
        assert_eq!(clf_time(Timestamp(1_795_348_800_000)), "22/Nov/2026:12:00:00 +0000");
    }

    #[test]
    fn only_a_plain_trace_is_taken_over() {
        let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
        assert_eq!(root_of(&format!("Self=1-x;{root};Sampled=1")).as_deref(), Some(root));
        assert_eq!(root_of("Root=1-\"}{"), None);
        assert_eq!(root_of("Sampled=1"), None);
    }
}
