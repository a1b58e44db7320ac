//! Rules and buses: what they are given and how they are listed.

use super::*;

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
