//! EventBridge through the door, with targets that fail as planned.

mod deaths;
mod routing;
mod rules;
mod targets;
mod templates;

use std::collections::BTreeMap;
use std::sync::Mutex;

use nbvend_wire::error::WireError;
use serde_json::{Value, json};

use super::state::{Delivery, Failed, Parked};
use crate::context::Cx;
use crate::store::GLOBAL;
use crate::testing::World;

/// Errors that the next calls of targets meet, by target id.
#[derive(Default)]
struct Faults(Mutex<BTreeMap<String, (&'static str, u16, u32)>>);

/// The error that a test has planned for this delivery.
pub(super) fn fault(cx: &Cx<'_>, delivery: &Delivery) -> Result<(), WireError> {
    let faults = cx.engine.cache::<Faults>();
    match faults.0.lock().unwrap().get_mut(&delivery.target) {
        Some((code, status, times)) if *times > 0 => {
            *times -= 1;
            Err(WireError::new(*code, *status, "planned"))
        }
        _ => Ok(()),
    }
}

fn plan(world: &World, target: &str, code: &'static str, status: u16, times: u32) {
    world.engine.cache::<Faults>().0.lock().unwrap().insert(target.to_owned(), (code, status, times));
}

async fn call(world: &World, operation: &str, input: Value) -> Result<Value, String> {
    let answer = world.wire("events", operation, input).await;
    answer.map_err(|error| format!("{} {} {}", error.status, error.code, error.message))
}

/// A rule of the default bus for events of the source `shop`, with targets.
async fn rule(world: &World, name: &str, targets: Value) {
    let pattern = json!({"source": ["shop"]}).to_string();
    call(world, "PutRule", json!({"Name": name, "EventPattern": pattern})).await.unwrap();
    let answer = call(world, "PutTargets", json!({"Rule": name, "Targets": targets})).await.unwrap();
    assert_eq!(answer, json!({"FailedEntryCount": 0, "FailedEntries": []}));
}

fn function(name: &str) -> String {
    format!("arn:aws:lambda:us-east-1:123456789012:function:{name}")
}

async fn send(world: &World, source: &str, detail: Value) -> Value {
    let entry = json!({"Source": source, "DetailType": "T", "Detail": detail.to_string()});
    call(world, "PutEvents", json!({"Entries": [entry]})).await.unwrap()
}

fn parked(world: &World) -> Vec<Delivery> {
    let all = world.engine.store().read(|tx| tx.list::<Parked>(GLOBAL, "", None, 100)).unwrap().unwrap();
    all.into_iter().map(|parked| parked.delivery).collect()
}

fn failed(world: &World) -> Vec<Failed> {
    world.engine.store().read(|tx| tx.list::<Failed>(GLOBAL, "", None, 100)).unwrap().unwrap()
}

const GROUP: &str = "arn:aws:logs:us-east-1:123456789012:log-group:events";

async fn log_group(world: &World) {
    world.wire("logs", "CreateLogGroup", json!({"logGroupName": "events"})).await.unwrap();
    let document = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"}, "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": "arn:aws:logs:us-east-1:123456789012:log-group:events:*"}});
    let policy = json!({"policyName": "events", "policyDocument": document.to_string()});
    world.wire("logs", "PutResourcePolicy", policy).await.unwrap();
}

/// What a rule wrote to the log group, in its order.
async fn logged(world: &World, rule: &str) -> Vec<String> {
    let input = json!({"logGroupName": "events", "logStreamName": rule, "startFromHead": true});
    match world.wire("logs", "GetLogEvents", input).await {
        Ok(answer) => {
            let events = answer["events"].as_array().unwrap();
            events.iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect()
        }
        Err(error) => {
            assert_eq!(error.code, "ResourceNotFoundException");
            Vec::new()
        }
    }
}

/// A function whose package is any zip: tests run closures in its place.
async fn make_function(world: &World, name: &str) {
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let role = json!({"RoleName": name, "AssumeRolePolicyDocument": trust.to_string()});
    world.wire("iam", "CreateRole", role).await.unwrap();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("bootstrap", zip::write::SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
    std::io::Write::write_all(&mut zip, b"#!/bin/sh\n").unwrap();
    let package = zip.finish().unwrap().into_inner();
    let input = json!({"FunctionName": name, "Runtime": "provided.al2023", "Handler": "bootstrap",
        "Role": format!("arn:aws:iam::123456789012:role/{name}"),
        "Code": {"ZipFile": base64::Engine::encode(&base64::engine::general_purpose::STANDARD, package)}});
    world.wire("lambda", "CreateFunction", input).await.unwrap();
    world.settle().await;
}

async fn permit(world: &World, name: &str, rule: &str) {
    let input = json!({"FunctionName": name, "StatementId": rule, "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com", "SourceArn": format!("arn:aws:events:us-east-1:123456789012:rule/{rule}")});
    world.wire("lambda", "AddPermission", input).await.unwrap();
}
