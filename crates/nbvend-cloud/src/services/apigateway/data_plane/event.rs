//! The event of a Lambda proxy integration, format 1.0: member for member as AWS sends it (recorded events and
//! developer guide, "Input format of a Lambda function for proxy integration").

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::compiled::Compiled;
use super::exchange::Exchange;
use super::headers;
use super::routes::Route;
use crate::services::apigateway::state::Authorization;

type Lists = BTreeMap<String, Vec<String>>;

pub fn of(exchange: &Exchange, stage: &Compiled, route: &Route, body: &Bytes) -> Value {
    let iam = route.method.authorization == Authorization::Iam;
    let headers = request_headers(exchange, iam);
    let query = query(exchange.parts.uri.query().unwrap_or_default(), iam);
    let binary = headers::is_binary(&stage.binary_media_types, exchange.header("content-type"));
    let text = if body.is_empty() {
        Value::Null
    } else if binary {
        json!(STANDARD.encode(body))
    } else {
        json!(String::from_utf8_lossy(body))
    };
    json!({
        "resource": route.resource_path,
        "path": exchange.address.as_ref().map(|address| &address.path),
        "httpMethod": exchange.parts.method.as_str(),
        "headers": last(&headers),
        "multiValueHeaders": all(&headers),
        "queryStringParameters": last(&query),
        "multiValueQueryStringParameters": all(&query),
        "pathParameters": texts(&route.parameters),
        "stageVariables": texts(&stage.variables),
        "requestContext": exchange.context(),
        "body": text,
        "isBase64Encoded": binary && !body.is_empty(),
    })
}

fn request_headers(exchange: &Exchange, iam: bool) -> Lists {
    let mut lists = Lists::new();
    for (name, value) in &exchange.parts.headers {
        // A verified signature is no business of the function's.
        if !headers::passes(name) || (iam && name == "authorization") {
            continue;
        }
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        lists.entry(headers::title_case(name.as_str())).or_default().push(value);
    }
    let mut set = |name: &str, value: String| {
        lists.insert(name.to_owned(), vec![value]);
    };
    let proto = if exchange.peer.secure { "https" } else { "http" };
    let port = exchange.domain().rsplit_once(':').map(|(_, port)| port);
    let port = port.filter(|port| port.bytes().all(|b| b.is_ascii_digit()));
    set("X-Forwarded-Port", port.unwrap_or(if exchange.peer.secure { "443" } else { "80" }).to_owned());
    set("X-Forwarded-Proto", proto.to_owned());
    set("X-Amzn-Trace-Id", exchange.trace.clone());
    // What the client claims stays in front; the last address is the one that was seen.
    let ip = exchange.peer.ip.to_string();
    let claimed = exchange.header("x-forwarded-for").map(|claimed| format!("{claimed}, {ip}"));
    set("X-Forwarded-For", claimed.unwrap_or(ip));
    if let Some(host) = Some(exchange.domain()).filter(|host| !host.is_empty()) {
        set("Host", host.to_owned());
    }
    lists
}

/// Query parameters, decoded. A signature in the query is left out once it was verified.
fn query(raw: &str, iam: bool) -> Lists {
    const SIGNATURE: [&str; 7] = [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-Security-Token",
        "X-Amz-Signature",
        "X-Amz-SignedHeaders",
    ];
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let mut lists = Lists::new();
    for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name);
        if !(iam && SIGNATURE.contains(&name.as_str())) {
            lists.entry(name).or_default().push(decode(value));
        }
    }
    lists
}

/// Of several values the last one stands for all; nothing at all is null.
fn last(lists: &Lists) -> Value {
    let members: Map<String, Value> =
        lists.iter().filter_map(|(name, values)| Some((name.clone(), json!(values.last()?)))).collect();
    object(members)
}

fn all(lists: &Lists) -> Value {
    object(lists.iter().map(|(name, values)| (name.clone(), json!(values))).collect())
}

fn texts(map: &BTreeMap<String, String>) -> Value {
    object(map.iter().map(|(name, value)| (name.clone(), json!(value))).collect())
}

fn object(members: Map<String, Value>) -> Value {
    if members.is_empty() { Value::Null } else { Value::Object(members) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_parameters_are_decoded_and_the_last_value_wins() {
        let lists = query("b=1&a=x%2By&a=z+z&flag&X-Amz-Signature=s", true);
        assert_eq!(last(&lists), json!({"a": "z z", "b": "1", "flag": ""}));
        assert_eq!(all(&lists)["a"], json!(["x+y", "z z"]));
        assert_eq!(last(&query("", true)), Value::Null);
        assert_eq!(last(&query("X-Amz-Signature=s", false)), json!({"X-Amz-Signature": "s"}));
    }
}
