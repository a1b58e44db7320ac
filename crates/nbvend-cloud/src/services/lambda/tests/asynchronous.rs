//! Queued events: tries, restarts, lanes, destinations.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::super::concurrency::{LIMIT, Running, Share};
use super::*;

async fn queue(world: &World, function: &str, payload: &Value) {
    let input = json!({"FunctionName": function, "InvocationType": "Event", "Payload": encode(payload)});
    assert_eq!(call(world, "Invoke", input).await["StatusCode"], 202);
}

fn failing(world: &World) -> Arc<Mutex<Vec<String>>> {
    let ids = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&ids);
    body(world, move |_, event| {
        seen.lock().unwrap().push(event.request_id.clone());
        Err(("Unhandled", Bytes::from("{}")))
    });
    ids
}

fn waiting(world: &World) -> i64 {
    let count = "SELECT COUNT(*) FROM record WHERE kind IN ('lambda.event', 'lambda.event-payload')";
    world.engine.store().read(|tx| tx.connection().query_row(count, [], |row| row.get(0)).unwrap()).unwrap()
}

#[tokio::test]
async fn an_event_runs_once_after_the_answer() {
    let world = world().await;
    create(&world, "f").await;
    queue(&world, "f", &json!({"n": 1})).await;
    assert_eq!(runs(&world), 0);
    world.settle().await;
    assert_eq!(*world.functions.calls.lock().unwrap(), [("f".to_owned(), json!({"n": 1}))]);
    world.settle().await;
    assert_eq!((runs(&world), waiting(&world)), (1, 0));
}

#[tokio::test]
async fn a_failure_is_tried_twice_more_under_the_same_id() {
    let world = world().await;
    create(&world, "f").await;
    let ids = failing(&world);
    queue(&world, "f", &json!({})).await;
    // (seconds later, tries so far): after one minute, then after two more.
    for (seconds, tries) in [(0, 1), (59, 1), (1, 2), (119, 2), (1, 3), (3600, 3)] {
        world.clock.advance(seconds);
        world.settle().await;
        assert_eq!(ids.lock().unwrap().len(), tries, "{seconds}");
    }
    let ids = ids.lock().unwrap();
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(waiting(&world), 0);
}

#[tokio::test]
async fn an_event_outlives_the_engine() {
    let world = world().await;
    create(&world, "f").await;
    queue(&world, "f", &json!({"n": 1})).await;
    let world = world.restart();
    let ids = failing(&world);
    world.settle().await;
    assert_eq!(ids.lock().unwrap().len(), 1);
    let world = world.restart();
    world.clock.advance(60);
    *world.functions.body.lock().unwrap() = None;
    world.settle().await;
    assert_eq!((runs(&world), waiting(&world)), (2, 0));
}

#[tokio::test]
async fn an_event_that_was_running_when_the_engine_died_runs_again() {
    let world = world().await;
    create(&world, "f").await;
    queue(&world, "f", &json!({})).await;
    let started = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&started);
    // The engine dies while the function runs: nothing after this is committed.
    let store = world.engine.store().clone();
    body(&world, move |_, _| {
        count.fetch_add(1, Ordering::SeqCst);
        store.close();
        Ok(Bytes::from("{}"))
    });
    assert!(world.engine.settle().await.is_err());
    *world.functions.body.lock().unwrap() = None;
    let world = world.restart();
    assert_eq!((started.load(Ordering::SeqCst), waiting(&world)), (1, 2));
    world.settle().await;
    assert_eq!((runs(&world), waiting(&world)), (2, 0));
}

#[tokio::test]
async fn settings_bound_tries_and_age() {
    let world = world().await;
    create(&world, "f").await;
    let set = json!({"FunctionName": "f", "MaximumRetryAttempts": 0});
    let shown = call(&world, "PutFunctionEventInvokeConfig", set).await;
    assert_eq!(shown["FunctionArn"], "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST");
    let ids = failing(&world);
    queue(&world, "f", &json!({})).await;
    world.settle().await;
    world.clock.advance(3600);
    world.settle().await;
    assert_eq!((ids.lock().unwrap().len(), waiting(&world)), (1, 0));

    let update = json!({"FunctionName": "f", "MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 90});
    call(&world, "UpdateFunctionEventInvokeConfig", update).await;
    queue(&world, "f", &json!({})).await;
    for _ in 0..3 {
        world.settle().await;
        world.clock.advance(120);
    }
    // Tried at once; the try after a minute comes late and finds the event too old.
    assert_eq!((ids.lock().unwrap().len(), waiting(&world)), (2, 0));
    let list = call(&world, "ListFunctionEventInvokeConfigs", json!({"FunctionName": "f"})).await;
    assert_eq!(list["FunctionEventInvokeConfigs"][0]["MaximumEventAgeInSeconds"], 90);
    call(&world, "DeleteFunctionEventInvokeConfig", json!({"FunctionName": "f"})).await;
    let none = fail(&world, "GetFunctionEventInvokeConfig", json!({"FunctionName": "f"})).await;
    assert_eq!(
        none.message,
        "The function arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST doesn't have an EventInvokeConfig"
    );
    for (input, text) in [
        (
            json!({"FunctionName": "f"}),
            "You must specify at least one of error handling or destination setting.",
        ),
        (json!({"FunctionName": "none", "MaximumRetryAttempts": 1}), "The function doesn't exist."),
        (
            json!({"FunctionName": "f", "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:q"}}}),
            "nbvend serves functions and event buses as destinations",
        ),
        (
            json!({"FunctionName": "f", "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:lambda:us-east-1:123456789012:function:f"}}}),
            "You can't specify the function as a destination for itself.",
        ),
    ] {
        let error = fail(&world, "PutFunctionEventInvokeConfig", input).await;
        assert!(error.message.contains(text), "{error}");
    }
}

#[tokio::test]
async fn destinations_hear_of_the_end() {
    let world = world().await;
    for name in ["f", "good", "bad"] {
        create(&world, name).await;
    }
    let to =
        |name: &str| json!({"Destination": format!("arn:aws:lambda:us-east-1:123456789012:function:{name}")});
    let set = json!({"FunctionName": "f", "MaximumRetryAttempts": 1,
        "DestinationConfig": {"OnSuccess": to("good"), "OnFailure": to("bad")}});
    call(&world, "PutFunctionEventInvokeConfig", set).await;
    body(&world, |spec, event| match (spec.name.as_str(), event.payload.as_ref()) {
        ("f", b"\"fail\"") => Err(("Unhandled", Bytes::from(r#"{"errorMessage":"no"}"#))),
        _ => Ok(Bytes::from("\"done\"")),
    });
    queue(&world, "f", &json!("fail")).await;
    queue(&world, "f", &json!("work")).await;
    world.settle().await;
    world.clock.advance(60);
    world.settle().await;
    let calls = world.functions.calls.lock().unwrap();
    let heard = |name: &str| {
        calls.iter().find(|(function, _)| function == name).map(|(_, event)| event.clone()).unwrap()
    };
    let (good, bad) = (heard("good"), heard("bad"));
    assert_eq!(good["requestContext"]["condition"], "Success");
    assert_eq!((&good["requestPayload"], &good["responsePayload"]), (&json!("work"), &json!("done")));
    assert_eq!(bad["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(bad["requestContext"]["approximateInvokeCount"], 2);
    assert_eq!(
        bad["requestContext"]["functionArn"],
        "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST"
    );
    assert_eq!(bad["responseContext"]["functionError"], "Unhandled");
    assert_eq!(bad["responsePayload"]["errorMessage"], "no");
}

#[tokio::test]
async fn a_function_without_room_holds_nobody_up() {
    let world = world().await;
    for name in ["f", "g"] {
        create(&world, name).await;
    }
    call(&world, "PutFunctionConcurrency", json!({"FunctionName": "f", "ReservedConcurrentExecutions": 1}))
        .await;
    let share = Share { reserved: Some(1), unreserved: LIMIT - 1 };
    let slot = Running::enter(&world.engine, "us-east-1", "f", share, false).unwrap();
    for n in 0..30 {
        queue(&world, "f", &json!(n)).await;
    }
    queue(&world, "g", &json!("g")).await;
    world.settle().await;
    assert_eq!(*world.functions.calls.lock().unwrap(), [("g".to_owned(), json!("g"))]);
    drop(slot);
    world.settle().await;
    assert_eq!((runs(&world), waiting(&world)), (31, 0));
}

#[tokio::test]
async fn an_event_whose_role_is_gone_waits_for_it() {
    let world = world().await;
    create(&world, "f").await;
    world.forbid("Role", "runner").await;
    world.wire("iam", "DeleteRole", json!({"RoleName": "runner"})).await.unwrap();
    queue(&world, "f", &json!({})).await;
    world.settle().await;
    world.clock.advance(1);
    world.settle().await;
    assert_eq!((runs(&world), waiting(&world)), (0, 2));
    role(&world, "runner", "lambda.amazonaws.com").await;
    world.clock.advance(2);
    world.settle().await;
    assert_eq!((runs(&world), waiting(&world)), (1, 0));
    queue(&world, "f", &json!({})).await;
    call(&world, "DeleteFunction", json!({"FunctionName": "f"})).await;
    world.settle().await;
    assert_eq!((runs(&world), waiting(&world)), (1, 0), "a function that is gone has no events");
}

#[tokio::test]
async fn an_event_bus_hears_of_the_end() {
    let world = world().await;
    for name in ["f", "listener"] {
        create(&world, name).await;
    }
    let events = async |operation: &str, input: Value| world.wire("events", operation, input).await.unwrap();
    let pattern = json!({"source": ["lambda"]}).to_string();
    let rule = events("PutRule", json!({"Name": "ends", "EventPattern": pattern})).await["RuleArn"].clone();
    let target = json!([{"Id": "t", "Arn": "arn:aws:lambda:us-east-1:123456789012:function:listener"}]);
    events("PutTargets", json!({"Rule": "ends", "Targets": target})).await;
    let allow = json!({"FunctionName": "listener", "StatementId": "s", "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com", "SourceArn": rule});
    call(&world, "AddPermission", allow).await;
    let bus = json!({"Destination": "arn:aws:events:us-east-1:123456789012:event-bus/default"});
    let set = json!({"FunctionName": "f", "DestinationConfig": {"OnSuccess": bus}});
    call(&world, "PutFunctionEventInvokeConfig", set).await;
    let may = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "events:PutEvents", "Resource": "*"}]});
    let grant = json!({"RoleName": "runner", "PolicyName": "p", "PolicyDocument": may.to_string()});
    world.wire("iam", "PutRolePolicy", grant).await.unwrap();
    queue(&world, "f", &json!({"n": 1})).await;
    world.settle().await;
    let calls = world.functions.calls.lock().unwrap();
    let (_, heard) = calls.iter().find(|(function, _)| function == "listener").unwrap();
    assert_eq!(heard["detail-type"], "Lambda Function Invocation Result - Success");
    assert_eq!(heard["detail"]["requestPayload"], json!({"n": 1}));
}
