//! Which event reaches which target, and as what.

use super::*;

#[tokio::test]
async fn each_target_gets_its_input() {
    let world = World::new();
    log_group(&world).await;
    let transformer = json!({"InputPathsMap": {"n": "$.detail.n"}, "InputTemplate": "{\"n\": <n>, \"rule\": \"<aws.events.rule-name>\"}"});
    for (name, input) in [
        ("whole", json!({})),
        ("constant", json!({"Input": "{\"fixed\": 1}"})),
        ("path", json!({"InputPath": "$.detail.n"})),
        ("nowhere", json!({"InputPath": "$.detail.m"})),
        ("transformed", json!({"InputTransformer": transformer})),
    ] {
        let mut target = json!({"Id": "t", "Arn": GROUP});
        target.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
        rule(&world, name, json!([target])).await;
    }
    let sent = send(&world, "shop", json!({"n": 7})).await;
    send(&world, "other", json!({"n": 8})).await;
    world.settle().await;
    let whole: Vec<Value> =
        logged(&world, "whole").await.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    assert_eq!(
        json!(whole),
        json!([{"version": "0", "id": sent["Entries"][0]["EventId"], "detail-type": "T", "source": "shop",
            "account": "123456789012", "time": "2026-11-22T12:00:00Z", "region": "us-east-1", "resources": [],
            "detail": {"n": 7}}])
    );
    assert_eq!(logged(&world, "constant").await, ["{\"fixed\": 1}"]);
    assert_eq!(logged(&world, "path").await, ["7"]);
    assert_eq!(logged(&world, "nowhere").await, ["null"]);
    assert_eq!(logged(&world, "transformed").await, ["{\"n\": 7, \"rule\": \"transformed\"}"]);
    assert!(failed(&world).is_empty());
}

#[tokio::test]
async fn rules_that_change_are_seen_and_disabled_ones_are_deaf() {
    let world = World::new();
    log_group(&world).await;
    rule(&world, "r", json!([{"Id": "t", "Arn": GROUP, "InputPath": "$.detail.n"}])).await;
    for (change, input, n) in [
        ("EnableRule", json!({"Name": "r"}), 1),
        ("DisableRule", json!({"Name": "r"}), 2),
        ("EnableRule", json!({"Name": "r"}), 3),
        ("PutRule", json!({"Name": "r", "EventPattern": r#"{"source":["other"]}"#}), 4),
        ("PutRule", json!({"Name": "r", "EventPattern": r#"{"detail":{"n":[5]}}"#}), 5),
        ("RemoveTargets", json!({"Rule": "r", "Ids": ["t"]}), 5),
    ] {
        call(&world, change, input).await.unwrap();
        send(&world, "shop", json!({"n": n})).await;
        world.settle().await;
    }
    assert_eq!(logged(&world, "r").await, ["1", "3", "5"]);
}

#[tokio::test]
async fn events_survive_every_death_and_arrive_once_in_order() {
    let mut world = World::new();
    log_group(&world).await;
    rule(&world, "r", json!([{"Id": "t", "Arn": GROUP, "InputPath": "$.detail.n"}])).await;
    for n in 0..100 {
        send(&world, "shop", json!({"n": n})).await;
        if n % 30 == 0 {
            world = world.restart();
        }
    }
    let world = world.restart();
    world.settle().await;
    let world = world.restart();
    world.settle().await;
    let expected: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    assert_eq!(logged(&world, "r").await, expected);
}

#[tokio::test]
async fn recorded_writes_arrive_and_reads_do_not() {
    let world = World::new();
    log_group(&world).await;
    let pattern = json!({"detail-type": ["AWS API Call via CloudTrail"], "detail": {"eventSource": ["events.amazonaws.com"]}});
    let put = json!({"Name": "r", "EventPattern": pattern.to_string()});
    call(&world, "PutRule", put).await.unwrap();
    world.settle().await;
    let target = json!({"Id": "t", "Arn": GROUP, "InputPath": "$.detail.eventName"});
    call(&world, "PutTargets", json!({"Rule": "r", "Targets": [target]})).await.unwrap();
    call(&world, "DescribeRule", json!({"Name": "r"})).await.unwrap();
    call(&world, "CreateEventBus", json!({"Name": "b"})).await.unwrap();
    call(&world, "DeleteEventBus", json!({"Name": "default"})).await.unwrap_err();
    world.settle().await;
    assert_eq!(logged(&world, "r").await, ["\"PutTargets\"", "\"CreateEventBus\"", "\"DeleteEventBus\""]);
}

#[tokio::test]
async fn an_event_goes_to_one_other_bus_and_no_further() {
    let world = World::new();
    log_group(&world).await;
    let bus = |name: &str| format!("arn:aws:events:us-east-1:123456789012:event-bus/{name}");
    for (name, on, targets) in [
        ("out", "default", json!([{"Id": "a", "Arn": bus("a")}, {"Id": "missing", "Arn": bus("missing")}])),
        (
            "on",
            "a",
            json!([{"Id": "back", "Arn": bus("default")}, {"Id": "log", "Arn": GROUP, "InputPath": "$.detail.n"}]),
        ),
    ] {
        if on != "default" {
            call(&world, "CreateEventBus", json!({"Name": on})).await.unwrap();
        }
        let put = json!({"Name": name, "EventBusName": on, "EventPattern": r#"{"source":["shop"]}"#});
        call(&world, "PutRule", put).await.unwrap();
        call(&world, "PutTargets", json!({"Rule": name, "EventBusName": on, "Targets": targets}))
            .await
            .unwrap();
    }
    send(&world, "shop", json!({"n": 1})).await;
    let world = world.restart();
    world.settle().await;
    assert_eq!(logged(&world, "on").await, ["1"]);
    let failed: Vec<_> = failed(&world).into_iter().map(|f| (f.delivery.target, f.message)).collect();
    assert_eq!(failed, [("missing".to_owned(), "Event bus missing does not exist.".to_owned())]);
}

#[tokio::test]
async fn schedules_fire_when_due_and_once_for_what_was_missed() {
    let world = World::new();
    log_group(&world).await;
    call(&world, "PutRule", json!({"Name": "tick", "ScheduleExpression": "rate(5 minutes)"})).await.unwrap();
    let target = json!({"Id": "t", "Arn": GROUP, "InputPath": "$.time"});
    call(&world, "PutTargets", json!({"Rule": "tick", "Targets": [target]})).await.unwrap();
    call(&world, "CreateEventBus", json!({"Name": "b"})).await.unwrap();
    let elsewhere = json!({"Name": "x", "EventBusName": "b", "ScheduleExpression": "rate(5 minutes)"});
    let error = call(&world, "PutRule", elsewhere).await.unwrap_err();
    assert_eq!(
        error,
        "400 ValidationException ScheduleExpression is supported only on the default event bus."
    );
    world.clock.advance(299);
    world.settle().await;
    assert!(logged(&world, "tick").await.is_empty());
    world.clock.advance(1);
    world.settle().await;
    world.settle().await;
    assert_eq!(logged(&world, "tick").await, ["\"2026-11-22T12:05:00Z\""]);
    // Down for an hour; the beat is kept.
    let world = world.restart();
    world.clock.advance(3601);
    world.settle().await;
    assert_eq!(logged(&world, "tick").await.len(), 2);
    call(&world, "DisableRule", json!({"Name": "tick"})).await.unwrap();
    world.clock.advance(600);
    world.settle().await;
    assert_eq!(logged(&world, "tick").await.len(), 2);
    call(&world, "EnableRule", json!({"Name": "tick"})).await.unwrap();
    world.clock.advance(300);
    world.settle().await;
    assert_eq!(logged(&world, "tick").await.len(), 3);
}
