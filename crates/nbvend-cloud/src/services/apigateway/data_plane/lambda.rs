//! Step 6 for a Lambda proxy integration: the function gets the request as an event and says the whole answer.
//!
//! The function is called as API Gateway itself, so that its own resource policy decides; with credentials, as that
//! role, or as the caller (`arn:aws:iam::*:user/*`).

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Response, StatusCode};
use nbvend_wire::arn::Arn;
use nbvend_wire::error::WireError;
use nbvend_wire::timestamp::Timestamp;
use serde_json::{Map, Value};

use super::LARGEST_BODY;
use super::compiled::Compiled;
use super::event;
use super::exchange::Exchange;
use super::headers;
use super::refusal::Refusal;
use super::routes::Route;
use crate::Engine;
use crate::door::{self, Body, full};
use crate::identity::{Caller, Principal};
use crate::services::apigateway::integration::function_arn;
use crate::services::apigateway::state::Integration;
use crate::services::lambda::invoke::{Invoke, InvokeOutput};
use crate::services::sts::assume_role::AssumeRole;

const SERVICE: &str = "apigateway.amazonaws.com";
/// The credentials that mean the caller's own rights.
const CALLER: &str = "arn:aws:iam::*:user/*";

pub async fn answer(
    engine: &Engine,
    exchange: &Exchange,
    stage: &Compiled,
    route: &Route,
    body: &Bytes,
) -> Result<Response<Body>, Refusal> {
    let integration = route.method.integration.as_ref().ok_or_else(Refusal::configuration)?;
    let event = event::of(exchange, stage, route, body).to_string();
    let invoke = invocation(exchange, stage, route, integration, &event)?;
    let caller = caller(engine, exchange, stage, integration, &invoke.function_name).await?;

    // The function goes on when nobody waits for it any more, as on AWS.
    let patience = Duration::from_millis(u64::try_from(integration.timeout_ms).unwrap_or_default());
    let output = match tokio::time::timeout(patience, door::wait_for(engine.clone(), caller, invoke)).await {
        Err(_) => return Err(Refusal::timed_out()),
        Ok(outcome) => outcome.map_err(|error| failed(exchange, &error))?,
    };
    proxied(exchange, stage, output)
}

fn invocation(
    exchange: &Exchange,
    stage: &Compiled,
    route: &Route,
    integration: &Integration,
    event: &str,
) -> Result<Invoke, Refusal> {
    let uri = integration.uri.clone().unwrap_or_default();
    let uri = stage
        .variables
        .iter()
        .fold(uri, |uri, (name, value)| uri.replace(&format!("${{stageVariables.{name}}}"), value));
    // Functions are called with POST and nothing else; AWS fails any other integration method (recorded).
    let function = function_arn(&uri).filter(|arn| arn.starts_with("arn:"));
    let (Some(function), Some("POST")) = (function, integration.http_method.as_deref()) else {
        return Err(Refusal::configuration());
    };
    let verb = exchange.parts.method.as_str();
    let source = format!("{}/{}/{verb}{}", stage.api, stage.name, route.resource_path);
    Ok(Invoke {
        function_name: function.to_owned(),
        payload: Some(STANDARD.encode(event)),
        source_arn: Some(Arn::new("execute-api", &stage.region, &exchange.account, source).to_string()),
        ..Invoke::default()
    })
}

/// As whom the function is called.
async fn caller(
    engine: &Engine,
    exchange: &Exchange,
    stage: &Compiled,
    integration: &Integration,
    function: &str,
) -> Result<Caller, Refusal> {
    let region = function.split(':').nth(3).unwrap_or(&stage.region);
    let gateway = Caller { request_id: engine.ids().uuid(), ..Caller::service(SERVICE, region) };
    let mut caller = match integration.credentials.as_deref() {
        None => return Ok(gateway),
        Some(CALLER) => {
            let caller = exchange.caller.as_ref().filter(|caller| caller.principal != Principal::Anonymous);
            caller.ok_or_else(Refusal::configuration)?.through(SERVICE)
        }
        Some(role) => assume(engine, gateway, role).await.map_err(|error| failed(exchange, &error))?,
    };
    caller.request_id = engine.ids().uuid();
    region.clone_into(&mut caller.region);
    Ok(caller)
}

/// Sessions of integration roles, by role and region, with the time until which they are used.
#[derive(Default)]
struct Sessions(Mutex<HashMap<(String, String), (Timestamp, Caller)>>);
/// As long as AWS may take to see that a role's trust changed; well within the hour that a session lasts.
const SESSION_SECONDS: i64 = 300;

async fn assume(engine: &Engine, gateway: Caller, role: &str) -> Result<Caller, WireError> {
    let sessions = engine.cache::<Sessions>();
    let slot = (role.to_owned(), gateway.region.clone());
    let kept = sessions.0.lock().expect("nobody panics while holding the sessions").get(&slot).cloned();
    if let Some((until, caller)) = kept
        && engine.now() < until
    {
        return Ok(caller);
    }
    let assume = AssumeRole {
        role_arn: role.to_owned(),
        // The name AWS gives to such sessions.
        role_session_name: "BackplaneAssumeRoleSession".to_owned(),
        ..AssumeRole::default()
    };
    let output = door::call(engine, gateway.clone(), assume).await?;
    let principal =
        output.assumed_role_user.principal.ok_or_else(|| WireError::new("InternalFailure", 500, ""))?;
    let caller = gateway.acting_as(principal, Some(output.credentials.access_key_id), Some(engine.now()));
    let until = engine.now().plus_seconds(SESSION_SECONDS);
    let mut all = sessions.0.lock().expect("nobody panics while holding the sessions");
    all.retain(|_, (until, _)| engine.now() < *until);
    all.insert(slot, (until, caller.clone()));
    Ok(caller)
}

/// A call that was refused: the API is set up wrongly, whatever the reason is.
fn failed(exchange: &Exchange, error: &WireError) -> Refusal {
    tracing::warn!(request = exchange.request_id, code = %error.code, message = error.message, "an integration's call was refused");
    match error.status {
        413 => Refusal::too_large(),
        _ => Refusal::configuration(),
    }
}

/// The function's answer as an HTTP answer; anything but an answer in AWS's form is a bad gateway.
fn proxied(exchange: &Exchange, stage: &Compiled, output: InvokeOutput) -> Result<Response<Body>, Refusal> {
    let payload = STANDARD.decode(output.payload.unwrap_or_default()).unwrap_or_default();
    if let Some(kind) = output.function_error {
        tracing::warn!(request = exchange.request_id, kind, "the function of an integration failed");
        return Err(Refusal::bad_gateway());
    }
    let malformed = |reason: &str| {
        tracing::warn!(request = exchange.request_id, reason, "malformed Lambda proxy response");
        Refusal::bad_gateway()
    };
    if payload.len() > LARGEST_BODY {
        return Err(malformed("too large"));
    }
    let answer: Map<String, Value> =
        serde_json::from_slice(&payload).map_err(|_| malformed("not a JSON object"))?;
    let parsed = Answer::read(answer).map_err(malformed)?;
    let body = match parsed.body {
        Some(text) if parsed.base64 && wants_binary(exchange, stage) => {
            Bytes::from(STANDARD.decode(text.trim()).map_err(|_| malformed("the body is not base64"))?)
        }
        text => Bytes::from(text.unwrap_or_default()),
    };
    let mut response = Response::new(full(body));
    *response.status_mut() = StatusCode::from_u16(parsed.status).map_err(|_| malformed("statusCode"))?;
    for (name, value) in &parsed.headers {
        headers::add(response.headers_mut(), name, value);
    }
    if !response.headers().contains_key("content-type") {
        headers::add(response.headers_mut(), "content-type", "application/json");
    }
    Ok(response)
}

/// Base64 is undone for clients whose first accepted type is one of the API's binary ones.
fn wants_binary(exchange: &Exchange, stage: &Compiled) -> bool {
    let first = exchange.header("accept").and_then(|accept| accept.split(',').next());
    headers::is_binary(&stage.binary_media_types, first)
}

/// A proxy answer, read.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Option<String>,
    base64: bool,
}

impl Answer {
    /// An unknown member makes the answer malformed (recorded); a missing status is 200.
    fn read(members: Map<String, Value>) -> Result<Self, &'static str> {
        let mut answer = Self { status: 200, headers: Vec::new(), body: None, base64: false };
        let mut single = Vec::new();
        let mut multi: Vec<(String, Vec<String>)> = Vec::new();
        for (name, value) in members {
            match (name.as_str(), value) {
                ("statusCode", Value::Number(number)) => {
                    answer.status =
                        number.as_u64().and_then(|n| u16::try_from(n).ok()).ok_or("statusCode")?;
                }
                ("statusCode", Value::String(text)) => {
                    answer.status = text.parse().map_err(|_| "statusCode")?;
                }
                ("body", Value::String(text)) => answer.body = Some(text),
                ("isBase64Encoded", Value::Bool(flag)) => answer.base64 = flag,
                ("headers", Value::Object(headers)) => {
                    for (name, value) in headers {
                        single.push((name, scalar(&value).ok_or("headers")?));
                    }
                }
                ("multiValueHeaders", Value::Object(headers)) => {
                    for (name, values) in headers {
                        let values = values.as_array().ok_or("multiValueHeaders")?;
                        let values = values.iter().map(|value| scalar(value).ok_or("multiValueHeaders"));
                        multi.push((name, values.collect::<Result<_, _>>()?));
                    }
                }
                ("body" | "isBase64Encoded" | "headers" | "multiValueHeaders", Value::Null) => {}
                ("statusCode", _) => return Err("statusCode"),
                ("body", _) => return Err("the body is not text"),
                _ => return Err("an unknown member"),
            }
        }
        if !(100..=999).contains(&answer.status) {
            return Err("statusCode");
        }
        // A name in both has the values of the list.
        single.retain(|(name, _)| !multi.iter().any(|(other, _)| other == name));
        answer.headers = single;
        answer.headers.extend(
            multi
                .into_iter()
                .flat_map(|(name, values)| values.into_iter().map(move |value| (name.clone(), value))),
        );
        Ok(answer)
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null => Some(String::new()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_are_read_as_aws_reads_them() {
        let good = [
            (json!({}), 200, ""),
            (json!({"statusCode": "201"}), 201, ""),
            (json!({"headers": {"a": "1", "b": true}}), 200, "a=1 b=true"),
            (json!({"statusCode": 200, "headers": null, "body": null}), 200, ""),
            (
                json!({"multiValueHeaders": {"a": ["1", "2"]}, "headers": {"a": "3", "A": "4"}}),
                200,
                "A=4 a=1 a=2",
            ),
        ];
        for (answer, status, headers) in good {
            let read = Answer::read(answer.as_object().unwrap().clone()).unwrap();
            let shown: Vec<String> =
                read.headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!((read.status, shown.join(" ").as_str()), (status, headers), "{answer}");
        }
        for bad in [
            json!({"statusCode": 200, "wrongValue": "value"}),
            json!({"statusCode": "test"}),
            json!({"statusCode": 20}),
            json!({"statusCode": 200, "body": {"a": 1}}),
            json!({"multiValueHeaders": {"a": "1"}}),
            json!({"headers": {"a": ["1"]}}),
        ] {
            assert!(Answer::read(bad.as_object().unwrap().clone()).is_err(), "{bad}");
        }
    }
}
