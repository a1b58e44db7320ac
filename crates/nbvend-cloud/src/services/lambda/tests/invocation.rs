//! Synchronous invocation: answers, errors, limits, logs.

use nbvend_wire::timestamp::Timestamp;
use serde_json::json;

use super::super::concurrency::{LIMIT, Running, Share};
use super::*;

#[tokio::test]
async fn a_function_answers() {
    let world = world().await;
    create(&world, "f").await;
    let (payload, answer) =
        invoke(&world, json!({"FunctionName": "f", "Payload": encode(&json!({"a": 1}))})).await;
    assert_eq!(payload, json!({"a": 1}), "the event is echoed");
    assert_eq!((&answer["StatusCode"], &answer["ExecutedVersion"]), (&json!(200), &json!("$LATEST")));
    assert!(answer["FunctionError"].is_null() && answer["LogResult"].is_null());
    let (payload, _) = invoke(&world, json!({"FunctionName": "f"})).await;
    assert_eq!(payload, json!({}), "no payload is an empty event");
    let dry = call(&world, "Invoke", json!({"FunctionName": "f", "InvocationType": "DryRun"})).await;
    assert_eq!(dry["StatusCode"], 204);
    assert_eq!(runs(&world), 2);
}

#[tokio::test]
async fn the_host_is_told_all_it_needs() {
    let world = world().await;
    let mut input = definition("f");
    input["Environment"] = json!({"Variables": {"AB": "1"}});
    input["MemorySize"] = json!(256);
    input["EphemeralStorage"] = json!({"Size": 600});
    call(&world, "CreateFunction", input).await;
    body(&world, |spec, event| {
        let facts = json!({
            "environment": spec.environment, "memory": spec.memory_mb, "storage": spec.ephemeral_mb,
            "timeout": spec.timeout_seconds, "runtime": spec.runtime, "handler": spec.handler,
            "group": spec.log_group, "endpoint": spec.endpoint, "region": spec.region,
            "zip": spec.code_zip.is_file(), "key": spec.credentials.access_key_id,
            "arn": event.function_arn, "trace": event.trace_id, "context": event.client_context,
        });
        Ok(facts.to_string().into())
    });
    let context = STANDARD.encode(r#"{"custom":1}"#);
    let (seen, _) = invoke(&world, json!({"FunctionName": "f:$LATEST", "ClientContext": context})).await;
    assert_eq!(seen["environment"], json!([["AB", "1"], ["AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"]]));
    assert_eq!((&seen["memory"], &seen["storage"], &seen["timeout"]), (&json!(256), &json!(600), &json!(3)));
    assert_eq!((&seen["runtime"], &seen["handler"]), (&json!("python3.12"), &json!("index.handler")));
    assert_eq!((&seen["group"], &seen["region"]), (&json!("/aws/lambda/f"), &json!("us-east-1")));
    assert_eq!((&seen["zip"], &seen["context"]), (&json!(true), &json!("{\"custom\":1}")));
    assert_eq!(seen["arn"], "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST");
    assert!(seen["trace"].as_str().unwrap().starts_with("Root=1-"));
    assert!(seen["key"].as_str().unwrap().starts_with("ASIA"), "{seen}");
}

#[tokio::test]
async fn failures_are_answers_with_a_word() {
    let world = world().await;
    create(&world, "f").await;
    for kind in ["Handled", "Unhandled"] {
        body(&world, move |_, _| {
            Err((kind, Bytes::from(r#"{"errorMessage":"Task timed out after 3.00 seconds"}"#)))
        });
        let (payload, answer) = invoke(&world, json!({"FunctionName": "f", "LogType": "Tail"})).await;
        assert_eq!((&answer["StatusCode"], &answer["FunctionError"]), (&json!(200), &json!(kind)));
        assert_eq!(payload["errorMessage"], "Task timed out after 3.00 seconds");
        assert_eq!(STANDARD.decode(answer["LogResult"].as_str().unwrap()).unwrap(), b"ran\n");
    }
}

#[tokio::test]
async fn what_cannot_be_invoked_is_refused() {
    let world = world().await;
    create(&world, "f").await;
    let cases = [
        (json!({"FunctionName": "none"}), "ResourceNotFoundException", 404),
        (json!({"FunctionName": "f:none"}), "ResourceNotFoundException", 404),
        (json!({"FunctionName": "f:7"}), "ResourceNotFoundException", 404),
        (
            json!({"FunctionName": "f", "Payload": STANDARD.encode("{no json")}),
            "InvalidRequestContentException",
            400,
        ),
        (json!({"FunctionName": "f", "ClientContext": "!"}), "InvalidRequestContentException", 400),
        (
            json!({"FunctionName": "f", "Payload": STANDARD.encode(format!("\"{}\"", "x".repeat(6_291_456)))}),
            "RequestTooLargeException",
            413,
        ),
        (
            json!({"FunctionName": "f", "InvocationType": "Event", "Payload": STANDARD.encode(format!("\"{}\"", "x".repeat(1_048_576)))}),
            "RequestTooLargeException",
            413,
        ),
    ];
    for (input, code, status) in cases {
        let error = fail(&world, "Invoke", input).await;
        assert_eq!((error.code.as_ref(), error.status), (code, status), "{error}");
    }
    assert_eq!(runs(&world), 0);
}

#[tokio::test]
async fn a_tail_is_the_last_4_kb() {
    let world = world().await;
    create(&world, "f").await;
    let now = world.engine.now();
    *world.functions.log.lock().unwrap() = (0..1000).map(|n| (now, format!("line {n}"))).collect();
    let (_, answer) = invoke(&world, json!({"FunctionName": "f", "LogType": "Tail"})).await;
    let tail = String::from_utf8(STANDARD.decode(answer["LogResult"].as_str().unwrap()).unwrap()).unwrap();
    assert_eq!(tail.len(), 4096);
    assert!(tail.ends_with("line 998\nline 999\n"));
}

#[tokio::test]
async fn logs_can_be_read_afterwards() {
    let world = world().await;
    create(&world, "f").await;
    let now = world.engine.now().0;
    *world.functions.log.lock().unwrap() = vec![
        (Timestamp(now - 2), "START".to_owned()),
        (Timestamp(now - 1), String::new()),
        (Timestamp(now), "END".to_owned()),
    ];
    for _ in 0..2 {
        invoke(&world, json!({"FunctionName": "f"})).await;
        world.settle().await;
    }
    let found =
        world.wire("logs", "FilterLogEvents", json!({"logGroupName": "/aws/lambda/f"})).await.unwrap();
    let lines: Vec<&str> =
        found["events"].as_array().unwrap().iter().map(|e| e["message"].as_str().unwrap()).collect();
    assert_eq!(lines, ["START", "START", "\n", "\n", "END", "END"]);
    assert_eq!(found["events"][0]["logStreamName"], "2026/11/22/[$LATEST]0");
    call(
        &world,
        "UpdateFunctionConfiguration",
        json!({"FunctionName": "f", "LoggingConfig": {"LogGroup": "mine"}}),
    )
    .await;
    invoke(&world, json!({"FunctionName": "f"})).await;
    world.settle().await;
    let found = world.wire("logs", "FilterLogEvents", json!({"logGroupName": "mine"})).await.unwrap();
    assert_eq!(found["events"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn concurrency_is_limited_for_each_and_all() {
    let world = world().await;
    for name in ["f", "g"] {
        create(&world, name).await;
    }
    let reserve = |n: u32| json!({"FunctionName": "f", "ReservedConcurrentExecutions": n});
    call(&world, "PutFunctionConcurrency", reserve(1)).await;
    assert_eq!(
        call(&world, "GetFunctionConcurrency", json!({"FunctionName": "f"})).await["ReservedConcurrentExecutions"],
        1
    );
    let share = Share { reserved: Some(1), unreserved: LIMIT - 1 };
    let slot = Running::enter(&world.engine, "us-east-1", "f", share, false).unwrap();
    let full = fail(&world, "Invoke", json!({"FunctionName": "f"})).await;
    assert_eq!(
        (full.code.as_ref(), full.status, full.message.as_str()),
        ("TooManyRequestsException", 429, "Rate Exceeded.")
    );
    assert_eq!(full.members["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded");
    invoke(&world, json!({"FunctionName": "g"})).await;
    drop(slot);
    invoke(&world, json!({"FunctionName": "f"})).await;

    let share = Share { reserved: None, unreserved: LIMIT - 1 };
    let slots: Vec<_> =
        (1..LIMIT).map(|_| Running::enter(&world.engine, "us-east-1", "g", share, false).unwrap()).collect();
    let full = fail(&world, "Invoke", json!({"FunctionName": "g"})).await;
    assert_eq!(full.members["Reason"], "ConcurrentInvocationLimitExceeded");
    invoke(&world, json!({"FunctionName": "f"})).await;
    drop(slots);
    invoke(&world, json!({"FunctionName": "g"})).await;

    call(&world, "PutFunctionConcurrency", reserve(0)).await;
    assert_eq!(fail(&world, "Invoke", json!({"FunctionName": "f"})).await.status, 429);
    let greedy = fail(&world, "PutFunctionConcurrency", reserve(91)).await;
    assert!(greedy.message.contains("below its minimum value of [10]"), "{greedy}");
    let qualified = json!({"FunctionName": "f:1", "ReservedConcurrentExecutions": 1});
    assert!(
        fail(&world, "PutFunctionConcurrency", qualified)
            .await
            .message
            .starts_with("This operation is permitted on Lambda functions only.")
    );
    call(&world, "DeleteFunctionConcurrency", json!({"FunctionName": "f"})).await;
    invoke(&world, json!({"FunctionName": "f"})).await;
}

#[tokio::test]
async fn sessions_of_the_role_last_and_are_renewed() {
    let world = world().await;
    create(&world, "f").await;
    body(&world, |spec, _| Ok(json!([spec.key, spec.credentials.access_key_id]).to_string().into()));
    let (first, _) = invoke(&world, json!({"FunctionName": "f"})).await;
    world.clock.advance(50 * 60);
    let (second, _) = invoke(&world, json!({"FunctionName": "f"})).await;
    assert_eq!(first, second);
    world.clock.advance(6 * 60);
    let (third, _) = invoke(&world, json!({"FunctionName": "f"})).await;
    assert_ne!(second[0], third[0], "processes with old credentials are not used again");
    assert_ne!(second[1], third[1]);
    world.forbid("Role", "runner").await;
    world.wire("iam", "DeleteRole", json!({"RoleName": "runner"})).await.unwrap();
    world.clock.advance(3600);
    let gone = fail(&world, "Invoke", json!({"FunctionName": "f"})).await;
    assert_eq!((gone.code.as_ref(), gone.status), ("AccessDeniedException", 403));
}

#[tokio::test]
async fn processes_of_old_code_are_ended() {
    let world = world().await;
    for name in ["f", "g"] {
        create(&world, name).await;
        invoke(&world, json!({"FunctionName": name})).await;
    }
    world.settle().await;
    assert!(world.functions.forgotten.lock().unwrap().is_empty());
    call(&world, "UpdateFunctionCode", json!({"FunctionName": "f", "ZipFile": zip("2")})).await;
    world.settle().await;
    assert_eq!(world.functions.forgotten.lock().unwrap().len(), 1);
    call(&world, "DeleteFunction", json!({"FunctionName": "g"})).await;
    world.settle().await;
    assert_eq!(world.functions.forgotten.lock().unwrap().len(), 2);
}
