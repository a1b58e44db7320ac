mod deaths;

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

#[tokio::test]
async fn a_rule_lives() {
    let world = World::new();
    let put = json!({"Name": "r", "EventPattern": r#"{"source":["shop"]}"#, "Description": "d",
        "Tags": [{"Key": "a", "Value": "b"}]});
    let arn = "arn:aws:events:us-east-1:123456789012:rule/r";
    assert_eq!(call(&world, "PutRule", put).await.unwrap(), json!({"RuleArn": arn}));
    let world = world.restart();
    let shown = json!({"Name": "r", "Arn": arn, "EventPattern": r#"{"source":["shop"]}"#, "ScheduleExpression": null,
        "State": "ENABLED", "Description": "d", "EventBusName": "default", "CreatedBy": "123456789012"});
    assert_eq!(call(&world, "DescribeRule", json!({"Name": "r"})).await.unwrap(), shown);
    call(&world, "DisableRule", json!({"Name": "r"})).await.unwrap();
    assert_eq!(call(&world, "ListRules", json!({})).await.unwrap()["Rules"][0]["State"], "DISABLED");
    call(&world, "EnableRule", json!({"Name": "r"})).await.unwrap();

    let target = json!({"Id": "1", "Arn": function("f")});
    call(&world, "PutTargets", json!({"Rule": "r", "Targets": [target]})).await.unwrap();
    // What PutRule does not say is gone; targets and tags stay.
    call(&world, "PutRule", json!({"Name": "r", "EventPattern": r#"{"source":["x"]}"#})).await.unwrap();
    let now = call(&world, "DescribeRule", json!({"Name": "r"})).await.unwrap();
    assert_eq!((&now["Description"], &now["EventPattern"]), (&Value::Null, &json!(r#"{"source":["x"]}"#)));
    let targets = call(&world, "ListTargetsByRule", json!({"Rule": "r"})).await.unwrap();
    assert_eq!(targets["Targets"], json!([target]));
    let tags = call(&world, "ListTagsForResource", json!({"ResourceARN": arn})).await.unwrap();
    assert_eq!(tags, json!({"Tags": [{"Key": "a", "Value": "b"}]}));
    let names = call(&world, "ListRuleNamesByTarget", json!({"TargetArn": function("f")})).await.unwrap();
    assert_eq!(names["RuleNames"], json!(["r"]));

    let error = call(&world, "DeleteRule", json!({"Name": "r"})).await.unwrap_err();
    assert_eq!(error, "400 ValidationException Rule can't be deleted since it has targets.");
    call(&world, "RemoveTargets", json!({"Rule": "r", "Ids": ["1"]})).await.unwrap();
    call(&world, "DeleteRule", json!({"Name": "r"})).await.unwrap();
    call(&world, "DeleteRule", json!({"Name": "r"})).await.unwrap();
    let gone = call(&world, "DescribeRule", json!({"Name": "r"})).await.unwrap_err();
    assert_eq!(gone, "400 ResourceNotFoundException Rule r does not exist on EventBus default.");
}

#[tokio::test]
async fn what_is_refused() {
    let world = World::new();
    let rule = json!({"Name": "r", "EventPattern": r#"{"source":["shop"]}"#});
    call(&world, "PutRule", rule).await.unwrap();
    let f = function("f");
    let transformer = json!({"InputPathsMap": {"a": "$.detail"}, "InputTemplate": "\"<b>\""});
    let target = |more: Value| {
        let mut target = json!({"Id": "t", "Arn": f});
        target.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"Rule": "r", "Targets": [target]})
    };
    for (operation, input, error) in [
        (
            "PutRule",
            json!({"Name": "x"}),
            "ValidationException Parameter(s) EventPattern or ScheduleExpression must be specified.",
        ),
        (
            "PutRule",
            json!({"Name": "x", "EventPattern": r#"{"source":[]}"#}),
            "InvalidEventPatternException Event pattern is not valid. Reason: Empty arrays are not allowed",
        ),
        (
            "PutRule",
            json!({"Name": "x", "ScheduleExpression": "rate(1 minutes)"}),
            "ValidationException Parameter ScheduleExpression is not valid.",
        ),
        (
            "PutRule",
            json!({"Name": "x", "EventPattern": r#"{"a":["b"]}"#, "EventBusName": "nowhere"}),
            "ResourceNotFoundException Event bus nowhere does not exist.",
        ),
        (
            "PutRule",
            json!({"Name": "x", "EventPattern": r#"{"a":["b"]}"#, "RoleArn": "arn:aws:iam::123456789012:role/x"}),
            "ValidationException RoleArn of PutRule is not supported by nbvend",
        ),
        (
            "PutRule",
            json!({"Name": "x", "EventPattern": r#"{"a":["b"]}"#, "Tags": [{"Key": "aws:x", "Value": ""}]}),
            "ValidationException System tags cannot be added/updated by requester: aws:x",
        ),
        (
            "PutTargets",
            target(json!({"Input": "{", })),
            "ValidationException JSON syntax error in Input for target t: EOF while parsing an object at line 1 column 1.",
        ),
        (
            "PutTargets",
            target(json!({"Input": "{}", "InputPath": "$"})),
            "ValidationException Only one of Input, InputPath, or InputTransformer must be provided for target t.",
        ),
        (
            "PutTargets",
            target(json!({"InputPath": "detail"})),
            "ValidationException InputPath for target t is invalid.",
        ),
        (
            "PutTargets",
            target(json!({"InputTransformer": transformer})),
            "ValidationException InputTemplate for target t contains invalid placeholder b.",
        ),
        (
            "PutTargets",
            target(json!({"SqsParameters": {"MessageGroupId": "x"}})),
            "ValidationException SqsParameters of PutTargets is not supported by nbvend",
        ),
        (
            "PutTargets",
            json!({"Rule": "no", "Targets": [{"Id": "t", "Arn": f}]}),
            "ResourceNotFoundException Rule no does not exist on EventBus default.",
        ),
        (
            "PutTargets",
            json!({"Rule": "r", "Targets": (0..6).map(|n| json!({"Id": n.to_string(), "Arn": f})).collect::<Vec<_>>()}),
            "LimitExceededException The requested resource exceeds the maximum number allowed.",
        ),
        (
            "CreateEventBus",
            json!({"Name": "default"}),
            "ResourceAlreadyExistsException Event bus default already exists.",
        ),
        (
            "DeleteEventBus",
            json!({"Name": "default"}),
            "ValidationException Cannot delete event bus default.",
        ),
        (
            "RemovePermission",
            json!({"StatementId": "x"}),
            "ResourceNotFoundException Statement with the provided id does not exist.",
        ),
        (
            "ListTagsForResource",
            json!({"ResourceARN": "arn:aws:events:us-east-1:123456789012:rule/b/x"}),
            "ResourceNotFoundException Event bus b does not exist.",
        ),
        (
            "TestEventPattern",
            json!({"EventPattern": r#"{"a":["b"]}"#, "Event": "\"text\""}),
            "ValidationException Parameter Event is not valid.",
        ),
    ] {
        let got = call(&world, operation, input.clone()).await.unwrap_err();
        assert_eq!(got, format!("400 {error}"), "{operation} {input}");
    }
    for (arn, more) in [
        ("arn:aws:sqs:us-east-1:123456789012:q", json!({})),
        (f.as_str(), json!({"DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:123456789012:q"}})),
        (f.as_str(), json!({"RoleArn": "arn:aws:iam::123456789012:role/x"})),
    ] {
        let mut input = target(more);
        input["Targets"][0]["Arn"] = json!(arn);
        let answer = call(&world, "PutTargets", input).await.unwrap();
        assert_eq!(answer["FailedEntryCount"], 1, "{arn} {answer}");
        assert_eq!(answer["FailedEntries"][0]["TargetId"], "t");
    }
    assert_eq!(call(&world, "ListTargetsByRule", json!({"Rule": "r"})).await.unwrap()["Targets"], json!([]));
}

#[tokio::test]
async fn each_entry_is_judged_by_itself() {
    let world = World::new();
    let entries = json!([
        {"Source": "shop", "DetailType": "T", "Detail": "{}"},
        {"Source": "aws.shop", "DetailType": "T", "Detail": "{}"},
        {"DetailType": "T", "Detail": "{}"},
        {"Source": "shop", "Detail": "{}"},
        {"Source": "shop", "DetailType": "T"},
        {"Source": "shop", "DetailType": "T", "Detail": "[]"},
        {"Source": "shop", "DetailType": "T", "Detail": "{}", "EventBusName": "nowhere"},
    ]);
    let answer = call(&world, "PutEvents", json!({"Entries": entries})).await.unwrap();
    assert_eq!(answer["FailedEntryCount"], 5);
    let codes: Vec<&Value> =
        answer["Entries"].as_array().unwrap().iter().map(|entry| &entry["ErrorCode"]).collect();
    assert_eq!(
        json!(codes),
        json!([
            null,
            "NotAuthorizedForSourceException",
            "InvalidArgument",
            "InvalidArgument",
            "InvalidArgument",
            "MalformedDetail",
            null
        ])
    );
    assert_eq!(answer["Entries"][1]["ErrorMessage"], "Not authorized for the source.");
    let big = json!({"x": "x".repeat(256 * 1024)}).to_string();
    let entries = json!([{"Source": "shop", "DetailType": "T", "Detail": big}]);
    let error = call(&world, "PutEvents", json!({"Entries": entries})).await.unwrap_err();
    assert_eq!(error, "400 ValidationException Total size of the entries in the request is over the limit.");
}

#[tokio::test]
async fn pages() {
    let world = World::new();
    for n in 0..5 {
        let put = json!({"Name": format!("r{n}"), "EventPattern": r#"{"source":["shop"]}"#});
        call(&world, "PutRule", put).await.unwrap();
        call(&world, "CreateEventBus", json!({"Name": format!("{}{n}", if n < 3 { "a" } else { "z" })}))
            .await
            .unwrap();
    }
    for (operation, list, expected) in [
        ("ListRules", "Rules", json!(["r0", "r1", "r2", "r3", "r4"])),
        ("ListEventBuses", "EventBuses", json!(["a0", "a1", "a2", "default", "z3", "z4"])),
    ] {
        let mut seen = Vec::new();
        let mut token = Value::Null;
        loop {
            let mut input = json!({"Limit": 2});
            if !token.is_null() {
                input["NextToken"] = token;
            }
            let page = call(&world, operation, input).await.unwrap();
            seen.extend(page[list].as_array().unwrap().iter().map(|item| item["Name"].clone()));
            token = page["NextToken"].clone();
            if token.is_null() {
                break;
            }
        }
        assert_eq!(json!(seen), expected);
    }
    let prefixed = call(&world, "ListRules", json!({"NamePrefix": "r3"})).await.unwrap();
    assert_eq!(prefixed["Rules"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_bus_keeps_its_policy() {
    let world = World::new();
    call(&world, "CreateEventBus", json!({"Name": "b", "Description": "d"})).await.unwrap();
    let statement = |id: &str, who: &str| json!({"EventBusName": "b", "Action": "events:PutEvents", "Principal": who, "StatementId": id});
    call(&world, "PutPermission", statement("one", "210987654321")).await.unwrap();
    call(&world, "PutPermission", statement("two", "*")).await.unwrap();
    let world = world.restart();
    let bus = call(&world, "DescribeEventBus", json!({"Name": "b"})).await.unwrap();
    let policy: Value = serde_json::from_str(bus["Policy"].as_str().unwrap()).unwrap();
    let resource = "arn:aws:events:us-east-1:123456789012:event-bus/b";
    assert_eq!(
        policy,
        json!({"Version": "2012-10-17", "Statement": [
            {"Sid": "one", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
             "Action": "events:PutEvents", "Resource": resource},
            {"Sid": "two", "Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": resource},
        ]})
    );
    call(&world, "RemovePermission", json!({"EventBusName": "b", "StatementId": "one"})).await.unwrap();
    call(&world, "RemovePermission", json!({"EventBusName": "b", "RemoveAllPermissions": true}))
        .await
        .unwrap();
    let bus = call(&world, "DescribeEventBus", json!({"Name": "b"})).await.unwrap();
    assert_eq!((&bus["Policy"], &bus["Description"]), (&Value::Null, &json!("d")));
    call(&world, "PutRule", json!({"Name": "r", "EventBusName": "b", "EventPattern": r#"{"a":["b"]}"#}))
        .await
        .unwrap();
    let error = call(&world, "DeleteEventBus", json!({"Name": "b"})).await.unwrap_err();
    assert!(error.contains("since it has rules"), "{error}");
    call(&world, "DeleteRule", json!({"Name": "r", "EventBusName": resource})).await.unwrap();
    call(&world, "DeleteEventBus", json!({"Name": "b"})).await.unwrap();
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

#[tokio::test]
async fn a_target_that_fails_is_tried_again_and_holds_up_no_other() {
    let world = World::new();
    log_group(&world).await;
    for name in ["bad", "good"] {
        rule(&world, name, json!([{"Id": name, "Arn": GROUP, "InputPath": "$.detail.n"}])).await;
    }
    plan(&world, "bad", "TooManyRequestsException", 429, 3);
    send(&world, "shop", json!({"n": 1})).await;
    world.settle().await;
    send(&world, "shop", json!({"n": 2})).await;
    world.settle().await;
    assert_eq!(logged(&world, "good").await, ["1", "2"]);
    assert_eq!(
        parked(&world).iter().map(|d| (d.payload.as_str(), d.attempts)).collect::<Vec<_>>(),
        [("1", 1), ("2", 0)]
    );
    // One second, then two, then four.
    for (seconds, attempts) in [(1, Some(2)), (1, Some(2)), (1, Some(3)), (3, Some(3))] {
        world.clock.advance(seconds);
        world.settle().await;
        assert_eq!(parked(&world).first().map(|d| d.attempts), attempts);
    }
    send(&world, "shop", json!({"n": 3})).await;
    let world = world.restart();
    world.clock.advance(1);
    world.settle().await;
    assert_eq!(logged(&world, "bad").await, ["1", "2", "3"]);
    assert!(parked(&world).is_empty() && failed(&world).is_empty());
    send(&world, "shop", json!({"n": 4})).await;
    world.settle().await;
    assert_eq!(logged(&world, "bad").await, ["1", "2", "3", "4"]);
}

#[tokio::test]
async fn what_cannot_be_delivered_is_given_up() {
    let world = World::new();
    log_group(&world).await;
    let target = |id: &str, retry: Value| json!([{"Id": id, "Arn": GROUP, "InputPath": "$.detail.n", "RetryPolicy": retry}]);
    rule(&world, "denied", target("denied", json!({}))).await;
    rule(&world, "twice", target("twice", json!({"MaximumRetryAttempts": 2}))).await;
    rule(&world, "aged", target("aged", json!({"MaximumEventAgeInSeconds": 60}))).await;
    plan(&world, "denied", "AccessDeniedException", 403, 1);
    plan(&world, "twice", "InternalFailure", 500, 3);
    plan(&world, "aged", "InternalFailure", 500, 1000);
    send(&world, "shop", json!({"n": 1})).await;
    send(&world, "shop", json!({"n": 2})).await;
    for _ in 0..200 {
        world.settle().await;
        world.clock.advance(1);
    }
    let mut given_up: Vec<_> = failed(&world)
        .into_iter()
        .map(|f| (f.delivery.target, f.delivery.payload, f.code, f.delivery.attempts))
        .collect();
    given_up.sort();
    let expected = [
        ("aged", "1", "InternalFailure", 6),
        ("aged", "2", "InternalFailure", 5),
        ("denied", "1", "AccessDeniedException", 1),
        ("twice", "1", "InternalFailure", 3),
    ];
    let given_up: Vec<_> =
        given_up.iter().map(|(t, p, c, n)| (t.as_str(), p.as_str(), c.as_str(), *n)).collect();
    assert_eq!(given_up, expected);
    assert_eq!(logged(&world, "twice").await, ["2"]);
    assert_eq!(logged(&world, "denied").await, ["2"]);
    let counts = world.engine.store().read(super::deliveries).unwrap().unwrap();
    assert_eq!(counts, super::Deliveries { blocked_targets: 0, failed: 4 });

    send(&world, "shop", json!({"n": 3})).await;
    world.settle().await;
    let world = world.restart();
    world.clock.advance(61);
    world.settle().await;
    let last = failed(&world).pop().unwrap();
    assert_eq!((last.delivery.target.as_str(), last.code.as_str()), ("aged", "EventAgeExceeded"));
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

#[tokio::test]
async fn a_function_is_invoked_by_the_rule_that_may() {
    let mut world = World::new();
    make_function(&world, "f").await;
    for name in ["may", "may-not"] {
        rule(&world, name, json!([{"Id": "t", "Arn": function("f"), "InputPath": "$.detail"}])).await;
    }
    permit(&world, "f", "may").await;
    let before = world.functions.calls.lock().unwrap().len();
    for n in 0..3 {
        send(&world, "shop", json!({"n": n})).await;
        world = world.restart();
    }
    world.settle().await;
    // Lambda runs queued events side by side: their order is not promised.
    let mut calls = world.functions.calls.lock().unwrap()[before..].to_vec();
    calls.sort_by_key(|(_, payload)| payload["n"].as_i64());
    assert_eq!(calls, (0..3).map(|n| ("f".to_owned(), json!({"n": n}))).collect::<Vec<_>>());
    let failed = failed(&world);
    assert_eq!(failed.len(), 3);
    assert!(
        failed.iter().all(|f| f.delivery.rule == "may-not" && f.code == "AccessDeniedException"),
        "{failed:?}"
    );
}

async fn stack(world: &World, operation: &str, template: &Value) -> (String, Value) {
    let input = json!({"StackName": "s", "TemplateBody": template.to_string(), "Tags": [{"Key": "team", "Value": "ml"}]});
    world.wire("cloudformation", operation, input).await.unwrap();
    world.settle().await;
    let all = world.wire("cloudformation", "DescribeStacks", json!({"StackName": "s"})).await.unwrap();
    let stack = &all["Stacks"][0];
    (stack["StackStatus"].as_str().unwrap().to_owned(), stack["Outputs"].clone())
}

#[tokio::test]
async fn templates_make_change_and_end_rules_and_buses() {
    let world = World::new();
    log_group(&world).await;
    let mut template = json!({
        "Resources": {
            "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "b"}},
            "Named": {"Type": "AWS::Events::Rule", "Properties": {
                "Name": "named", "State": "ENABLED", "EventPattern": {"source": ["shop"]},
                "Targets": [{"Id": "log", "Arn": GROUP, "InputPath": "$.detail.n", "RetryPolicy": {"MaximumRetryAttempts": "4"}}],
            }},
            "OnBus": {"Type": "AWS::Events::Rule", "Properties": {
                "Name": "x", "EventBusName": {"Ref": "Bus"}, "EventPattern": {"source": ["shop"]},
            }},
            "Unnamed": {"Type": "AWS::Events::Rule", "Properties": {"ScheduleExpression": "rate(1 hour)", "State": "DISABLED"}},
        },
        "Outputs": {
            "Named": {"Value": {"Fn::GetAtt": ["Named", "Arn"]}}, "OnBus": {"Value": {"Ref": "OnBus"}},
            "Unnamed": {"Value": {"Ref": "Unnamed"}}, "Bus": {"Value": {"Fn::GetAtt": ["Bus", "Arn"]}},
        },
    });
    let (status, outputs) = stack(&world, "CreateStack", &template).await;
    assert_eq!(status, "CREATE_COMPLETE");
    let output = |key: &str| {
        let all = outputs.as_array().unwrap();
        all.iter().find(|o| o["OutputKey"] == key).unwrap()["OutputValue"].as_str().unwrap().to_owned()
    };
    assert_eq!(output("Named"), "arn:aws:events:us-east-1:123456789012:rule/named");
    assert_eq!(output("OnBus"), "b|x");
    assert_eq!(output("Bus"), "arn:aws:events:us-east-1:123456789012:event-bus/b");
    assert!(output("Unnamed").starts_with("s-Unnamed-"), "{}", output("Unnamed"));
    let targets = call(&world, "ListTargetsByRule", json!({"Rule": "named"})).await.unwrap();
    assert_eq!(targets["Targets"][0]["RetryPolicy"]["MaximumRetryAttempts"], 4);
    let tags = call(&world, "ListTagsForResource", json!({"ResourceARN": output("Named")})).await.unwrap();
    assert!(tags["Tags"].as_array().unwrap().contains(&json!({"Key": "team", "Value": "ml"})));

    template["Resources"]["Named"]["Properties"]["EventPattern"] = json!({"source": ["other"]});
    template["Resources"]["Named"]["Properties"]["Targets"][0]["Id"] = json!("renamed");
    assert_eq!(stack(&world, "UpdateStack", &template).await.0, "UPDATE_COMPLETE");
    send(&world, "shop", json!({"n": 1})).await;
    send(&world, "other", json!({"n": 2})).await;
    world.settle().await;
    assert_eq!(logged(&world, "named").await, ["2"]);
    let targets = call(&world, "ListTargetsByRule", json!({"Rule": "named"})).await.unwrap();
    assert_eq!(targets["Targets"].as_array().unwrap().len(), 1);

    // A target that cannot be fails the resource, and what there was comes back.
    template["Resources"]["Named"]["Properties"]["Targets"][0]["Arn"] =
        json!("arn:aws:sqs:us-east-1:123456789012:q");
    assert_eq!(stack(&world, "UpdateStack", &template).await.0, "UPDATE_ROLLBACK_COMPLETE");
    let targets = call(&world, "ListTargetsByRule", json!({"Rule": "named"})).await.unwrap();
    assert_eq!(targets["Targets"][0]["Arn"], GROUP);

    world.wire("cloudformation", "DeleteStack", json!({"StackName": "s"})).await.unwrap();
    world.settle().await;
    assert_eq!(call(&world, "ListRules", json!({})).await.unwrap()["Rules"], json!([]));
    assert_eq!(
        call(&world, "ListEventBuses", json!({})).await.unwrap()["EventBuses"].as_array().unwrap().len(),
        1
    );
}
