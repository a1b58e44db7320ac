use serde_json::{Value, json};

use crate::identity::Caller;
use crate::testing::World;

async fn lookup(world: &World, input: Value) -> Vec<Value> {
    let answer = world.wire("cloudtrail", "LookupEvents", input).await.unwrap();
    answer["Events"].as_array().unwrap().clone()
}

fn by(key: &str, value: &str) -> Value {
    json!({"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]})
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["EventName"].as_str().unwrap()).collect()
}

/// A world in which two people did something, a second apart.
async fn busy() -> World {
    let world = World::new();
    let ada = Caller {
        access_key_id: Some("AKIAADA".to_owned()),
        ..world.user("ada", &["ssm:PutParameter"]).await
    };
    // How she came to be is not what the tests are about.
    let forget = |tx: &crate::store::Tx<'_>| {
        tx.connection().execute_batch("DELETE FROM trail; DELETE FROM trail_resource")
    };
    world.engine.store().write(move |tx| forget(tx)).await.unwrap().unwrap();
    for name in ["/one", "/two"] {
        let input = json!({"Name": name, "Value": "v", "Type": "String"});
        world.wire_as(ada.clone(), "ssm", "PutParameter", input).await.unwrap();
        world.clock.advance(1);
    }
    world.wire("ssm", "DeleteParameter", json!({"Name": "/one"})).await.unwrap();
    world.clock.advance(1);
    world.wire("ssm", "DeleteParameter", json!({"Name": "/one"})).await.unwrap_err();
    world.clock.advance(1);
    world.wire("ssm", "GetParameter", json!({"Name": "/two"})).await.unwrap();
    world.wire("events", "CreateEventBus", json!({"Name": "b"})).await.unwrap();
    world
}

#[tokio::test]
async fn every_attribute_finds_its_events_newest_first() {
    let world = busy().await;
    world.clock.advance(1);
    world.settle().await;
    let world = world.restart();
    let all = lookup(&world, json!({})).await;
    // Made in the same millisecond as the bus, the queued read was written after it.
    assert_eq!(
        names(&all),
        [
            "GetParameter",
            "CreateEventBus",
            "DeleteParameter",
            "DeleteParameter",
            "PutParameter",
            "PutParameter"
        ]
    );
    let id = all[3]["EventId"].as_str().unwrap();
    for (key, value, expected) in [
        ("EventId", id, vec!["DeleteParameter"]),
        ("EventName", "PutParameter", vec!["PutParameter", "PutParameter"]),
        ("ReadOnly", "true", vec!["GetParameter"]),
        ("Username", "ada", vec!["PutParameter", "PutParameter"]),
        ("AccessKeyId", "AKIAADA", vec!["PutParameter", "PutParameter"]),
        ("EventSource", "events.amazonaws.com", vec!["CreateEventBus"]),
        ("ResourceName", "one", vec!["DeleteParameter", "DeleteParameter", "PutParameter"]),
        (
            "ResourceName",
            "arn:aws:ssm:us-east-1:123456789012:parameter/two",
            vec!["GetParameter", "PutParameter"],
        ),
        ("ResourceType", "AWS::Events::EventBus", vec!["CreateEventBus"]),
        ("EventName", "Nothing", vec![]),
    ] {
        assert_eq!(names(&lookup(&world, by(key, value)).await), expected, "{key} {value}");
    }
    let put = &lookup(&world, by("EventName", "PutParameter")).await[0];
    assert_eq!(
        (&put["ReadOnly"], &put["Username"], &put["AccessKeyId"], &put["EventTime"]),
        (&json!("false"), &json!("ada"), &json!("AKIAADA"), &json!(1_795_348_801_000_i64))
    );
    assert_eq!(put["Resources"], json!([{"ResourceType": "AWS::SSM::Parameter", "ResourceName": "two"}]));
    let record: Value = serde_json::from_str(put["CloudTrailEvent"].as_str().unwrap()).unwrap();
    assert_eq!(record["eventID"], put["EventId"]);
    assert_eq!(record["requestParameters"]["name"], "/two");
    let failed = &lookup(&world, by("ResourceName", "one")).await[0];
    let record: Value = serde_json::from_str(failed["CloudTrailEvent"].as_str().unwrap()).unwrap();
    assert_eq!(record["errorCode"], "ParameterNotFound");
}

#[tokio::test]
async fn time_ranges_and_pages() {
    let world = busy().await;
    let start = 1_795_348_800_000_i64;
    let between = json!({"StartTime": start + 1000, "EndTime": start + 2000});
    assert_eq!(names(&lookup(&world, between).await), ["DeleteParameter", "PutParameter"]);
    let (mut seen, mut token) = (Vec::new(), Value::Null);
    loop {
        let mut input = json!({"MaxResults": 2, "LookupAttributes": [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}]});
        if !token.is_null() {
            input["NextToken"] = token;
        }
        let page = world.wire("cloudtrail", "LookupEvents", input).await.unwrap();
        seen.extend(names(page["Events"].as_array().unwrap()).into_iter().map(str::to_owned));
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(
        seen,
        ["CreateEventBus", "DeleteParameter", "DeleteParameter", "PutParameter", "PutParameter"]
    );
    for (input, code) in [
        (json!({"StartTime": start + 1, "EndTime": start}), "InvalidTimeRangeException"),
        (json!({"NextToken": "%"}), "InvalidNextTokenException"),
        (by("ReadOnly", "maybe"), "InvalidLookupAttributesException"),
        (
            json!({"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "a"}, {"AttributeKey": "EventName", "AttributeValue": "b"}]}),
            "InvalidLookupAttributesException",
        ),
        (json!({"MaxResults": 51}), "ValidationException"),
    ] {
        assert_eq!(
            world.wire("cloudtrail", "LookupEvents", input.clone()).await.unwrap_err().code,
            code,
            "{input}"
        );
    }
}

fn count(world: &World, table: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM {table}");
    world.engine.store().read(|tx| tx.connection().query_row(&sql, [], |row| row.get(0)).unwrap()).unwrap()
}

#[tokio::test]
async fn records_leave_after_ninety_days() {
    let world = busy().await;
    world.clock.advance(1);
    world.settle().await;
    world.clock.advance(90 * 86_400 - 3600);
    world.wire("ssm", "DeleteParameter", json!({"Name": "/two"})).await.unwrap();
    world.settle().await;
    assert_eq!((count(&world, "trail"), count(&world, "trail_resource")), (7, 7));
    world.clock.advance(7200);
    let world = world.restart();
    // Gone from sight at once, from the file when the hour strikes.
    assert_eq!(names(&lookup(&world, json!({"EndTime": world.engine.now().0})).await), ["DeleteParameter"]);
    world.settle().await;
    assert_eq!(names(&lookup(&world, by("ReadOnly", "false")).await), ["DeleteParameter"]);
    assert_eq!(count(&world, "trail_resource"), 1);
}

#[tokio::test]
async fn a_record_of_a_clock_that_was_ahead_keeps_no_other() {
    let world = World::new();
    let put = |n: &str| json!({"Name": n, "Value": "x", "Type": "String"});
    let year = 365 * 86_400;
    world.clock.advance(year);
    world.wire("ssm", "PutParameter", put("/ahead")).await.unwrap();
    world.settle().await;
    world.clock.advance(-year);
    let mut elsewhere = world.root();
    elsewhere.region = "eu-west-1".to_owned();
    for caller in [world.root(), elsewhere] {
        world.wire_as(caller, "ssm", "PutParameter", put("/right")).await.unwrap();
    }
    world.clock.advance(1);
    world.settle().await;
    assert_eq!((count(&world, "trail"), count(&world, "trail_resource")), (3, 3));
    world.clock.advance(91 * 86_400);
    let world = world.restart();
    world.settle().await;
    assert_eq!((count(&world, "trail"), count(&world, "trail_resource")), (1, 1));
}

#[tokio::test]
async fn there_are_no_trails() {
    let world = World::new();
    assert_eq!(
        world.wire("cloudtrail", "DescribeTrails", json!({})).await.unwrap(),
        json!({"trailList": []})
    );
    assert_eq!(world.wire("cloudtrail", "ListTrails", json!({})).await.unwrap(), json!({"Trails": []}));
    for operation in ["GetTrail", "GetTrailStatus"] {
        let error = world.wire("cloudtrail", operation, json!({"Name": "t"})).await.unwrap_err();
        assert_eq!(error.code, "TrailNotFoundException");
        assert_eq!(
            error.message,
            "Unknown trail: arn:aws:cloudtrail:us-east-1:123456789012:trail/t for the user: 123456789012"
        );
    }
}
