//! CloudWatch Logs through the door.

use serde_json::{Value, json};

use crate::testing::World;

const GROUP: &str = "/aws/lambda/f";

async fn with_stream(world: &World, streams: &[&str]) {
    world.wire("logs", "CreateLogGroup", json!({"logGroupName": GROUP})).await.unwrap();
    for stream in streams {
        let make = json!({"logGroupName": GROUP, "logStreamName": stream});
        world.wire("logs", "CreateLogStream", make).await.unwrap();
    }
}

async fn put(world: &World, stream: &str, events: &[(i64, &str)]) -> Value {
    let events: Vec<Value> = events.iter().map(|(t, m)| json!({"timestamp": t, "message": m})).collect();
    let input = json!({"logGroupName": GROUP, "logStreamName": stream, "logEvents": events});
    world.wire("logs", "PutLogEvents", input).await.unwrap()
}

fn messages(answer: &Value) -> Vec<String> {
    answer["events"].as_array().unwrap().iter().map(|e| e["message"].as_str().unwrap().to_owned()).collect()
}

async fn error(world: &World, operation: &str, input: Value) -> (String, String) {
    let error = world.wire("logs", operation, input).await.unwrap_err();
    (error.code.into_owned(), error.message)
}

#[tokio::test]
async fn a_stream_is_read_forwards_and_backwards_by_tokens() {
    let world = World::new();
    let now = world.engine.now().0;
    with_stream(&world, &["s"]).await;
    put(&world, "s", &[(now - 4, "a"), (now - 3, "b"), (now - 3, "c")]).await;
    put(&world, "s", &[(now - 2, "d"), (now - 1, "e")]).await;
    let get = async |more: Value| {
        let mut input = json!({"logGroupName": GROUP, "logStreamName": "s", "limit": 2});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.wire("logs", "GetLogEvents", input).await.unwrap()
    };
    let end = get(json!({})).await;
    assert_eq!(messages(&end), ["d", "e"]);
    let back = get(json!({"nextToken": end["nextBackwardToken"]})).await;
    assert_eq!(messages(&back), ["b", "c"]);
    let forth = get(json!({"nextToken": back["nextForwardToken"]})).await;
    assert_eq!(messages(&forth), ["d", "e"]);

    let head = get(json!({"startFromHead": true})).await;
    assert_eq!(messages(&head), ["a", "b"]);
    let mut token = head["nextForwardToken"].clone();
    let mut seen = Vec::new();
    loop {
        let page = get(json!({"nextToken": token})).await;
        seen.extend(messages(&page));
        // The end is where the token stays the same.
        if page["nextForwardToken"] == token {
            break;
        }
        token = page["nextForwardToken"].clone();
    }
    assert_eq!(seen, ["c", "d", "e"]);
    put(&world, "s", &[(now, "f")]).await;
    assert_eq!(messages(&get(json!({"nextToken": token})).await), ["f"]);

    let some = get(json!({"startTime": now - 3, "endTime": now - 2, "limit": 10})).await;
    assert_eq!(messages(&some), ["b", "c"]);
    let wrong = json!({"logGroupName": GROUP, "logStreamName": "s", "nextToken": "f/1"});
    assert_eq!(error(&world, "GetLogEvents", wrong).await.1, "The specified nextToken is invalid.");
}

#[tokio::test]
async fn an_empty_stream_can_be_followed() {
    for from_head in [true, false] {
        let world = World::new();
        with_stream(&world, &["s"]).await;
        let input = json!({"logGroupName": GROUP, "logStreamName": "s", "startFromHead": from_head});
        let empty = world.wire("logs", "GetLogEvents", input).await.unwrap();
        assert!(messages(&empty).is_empty());
        let now = world.engine.now().0;
        put(&world, "s", &[(now, "late")]).await;
        let input =
            json!({"logGroupName": GROUP, "logStreamName": "s", "nextToken": empty["nextForwardToken"]});
        let page = world.wire("logs", "GetLogEvents", input).await.unwrap();
        assert_eq!(messages(&page), ["late"]);
    }
}

#[tokio::test]
async fn a_group_is_searched_across_its_streams() {
    let world = World::new();
    let now = world.engine.now().0;
    with_stream(&world, &["a/1", "a/2", "b"]).await;
    put(&world, "a/1", &[(now - 30, "ERROR one"), (now - 10, "fine")]).await;
    put(&world, "a/2", &[(now - 20, "ERROR two")]).await;
    put(&world, "b", &[(now - 15, "ERROR three")]).await;
    let filter = async |more: Value| {
        let mut input = json!({"logGroupName": GROUP, "interleaved": true});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.wire("logs", "FilterLogEvents", input).await.unwrap()
    };
    let cases = [
        (json!({}), vec!["ERROR one", "ERROR two", "ERROR three", "fine"]),
        (json!({"filterPattern": "ERROR"}), vec!["ERROR one", "ERROR two", "ERROR three"]),
        (json!({"logStreamNamePrefix": "a/"}), vec!["ERROR one", "ERROR two", "fine"]),
        (json!({"logStreamNames": ["b"]}), vec!["ERROR three"]),
        (json!({"logStreamNames": ["b", "a/2"]}), vec!["ERROR two", "ERROR three"]),
        (json!({"startTime": now - 20, "endTime": now - 15}), vec!["ERROR two", "ERROR three"]),
    ];
    for (input, expected) in cases {
        assert_eq!(messages(&filter(input.clone()).await), expected, "{input}");
    }
    // Page by page, with tokens, the same.
    let (mut seen, mut token) = (Vec::new(), Value::Null);
    loop {
        let page = match token.as_str() {
            Some(token) => filter(json!({"limit": 1, "nextToken": token})).await,
            None => filter(json!({"limit": 1})).await,
        };
        seen.extend(messages(&page));
        token = page["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(seen, ["ERROR one", "ERROR two", "ERROR three", "fine"]);
    let ids: Vec<Value> =
        filter(json!({})).await["events"].as_array().unwrap().iter().map(|e| e["eventId"].clone()).collect();
    assert_eq!(ids.len(), 4);
    assert!(ids.windows(2).all(|pair| pair[0].as_str() < pair[1].as_str()));

    let (code, text) =
        error(&world, "FilterLogEvents", json!({"logGroupName": GROUP, "filterPattern": "[a]"})).await;
    assert_eq!(code, "InvalidParameterException");
    assert!(text.contains("columns"), "{text}");
    let none = json!({"logGroupName": GROUP, "logStreamNames": ["nope"]});
    assert_eq!(error(&world, "FilterLogEvents", none).await.1, "The specified log stream does not exist.");
}

#[tokio::test]
async fn a_batch_follows_the_rules() {
    let world = World::new();
    let now = world.engine.now().0;
    with_stream(&world, &["s"]).await;
    let day = 86_400_000;
    let refused = [
        (
            vec![(now, "b"), (now - 1, "a")],
            "Log events in a single PutLogEvents request must be in chronological order.",
        ),
        (
            vec![(now - day - 1, "a"), (now, "b")],
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ),
    ];
    for (events, text) in refused {
        let events: Vec<Value> = events.iter().map(|(t, m)| json!({"timestamp": t, "message": m})).collect();
        let input = json!({"logGroupName": GROUP, "logStreamName": "s", "logEvents": events});
        assert_eq!(
            error(&world, "PutLogEvents", input).await,
            ("InvalidParameterException".to_owned(), text.to_owned())
        );
    }
    let large = "x".repeat(262_145);
    let input = json!({"logGroupName": GROUP, "logStreamName": "s", "logEvents": [{"timestamp": now, "message": large}]});
    assert!(error(&world, "PutLogEvents", input).await.1.starts_with("Log event too large"));

    let old = put(&world, "s", &[(now - 14 * day - 2, "old"), (now - 14 * day, "kept")]).await;
    assert_eq!(
        old["rejectedLogEventsInfo"],
        json!({"tooNewLogEventStartIndex": null, "tooOldLogEventEndIndex": 1, "expiredLogEventEndIndex": null})
    );
    let new = put(&world, "s", &[(now, "kept too"), (now + 3 * 3_600_000, "new")]).await;
    assert_eq!(new["rejectedLogEventsInfo"]["tooNewLogEventStartIndex"], 1);
    let all = world
        .wire("logs", "GetLogEvents", json!({"logGroupName": GROUP, "logStreamName": "s"}))
        .await
        .unwrap();
    assert_eq!(messages(&all), ["kept", "kept too"]);
}

#[tokio::test]
async fn names_are_taken_once_and_found_again() {
    let world = World::new();
    let none = json!({"logGroupName": GROUP, "logStreamName": "s"});
    assert_eq!(
        error(&world, "CreateLogStream", none.clone()).await.1,
        "The specified log group does not exist."
    );
    with_stream(&world, &["s"]).await;
    assert_eq!(
        error(&world, "CreateLogGroup", json!({"logGroupName": GROUP})).await,
        ("ResourceAlreadyExistsException".to_owned(), "The specified log group already exists".to_owned())
    );
    assert_eq!(error(&world, "CreateLogStream", none).await.1, "The specified log stream already exists");
    let mut put =
        json!({"logGroupName": GROUP, "logStreamName": "t", "logEvents": [{"timestamp": 1, "message": "m"}]});
    assert_eq!(
        error(&world, "PutLogEvents", put.clone()).await.1,
        "The specified log stream does not exist."
    );
    put["logGroupName"] = json!("none");
    assert_eq!(error(&world, "PutLogEvents", put).await.1, "The specified log group does not exist.");
}

#[tokio::test]
async fn groups_and_streams_are_listed_in_pages() {
    let world = World::new();
    for n in 0..5 {
        world.wire("logs", "CreateLogGroup", json!({"logGroupName": format!("g{n}")})).await.unwrap();
        world
            .wire("logs", "CreateLogStream", json!({"logGroupName": "g0", "logStreamName": format!("s{n}")}))
            .await
            .unwrap();
    }
    let now = world.engine.now().0;
    for (stream, time) in [("s3", now - 5), ("s1", now - 1)] {
        let events = json!([{"timestamp": time, "message": "m"}]);
        let put = json!({"logGroupName": "g0", "logStreamName": stream, "logEvents": events});
        world.wire("logs", "PutLogEvents", put).await.unwrap();
    }
    let cases = [
        ("DescribeLogGroups", "logGroups", "logGroupName", json!({}), "g0 g1 g2 g3 g4"),
        ("DescribeLogGroups", "logGroups", "logGroupName", json!({"logGroupNamePrefix": "g3"}), "g3"),
        (
            "DescribeLogGroups",
            "logGroups",
            "logGroupName",
            json!({"logGroupNamePattern": "G"}),
            "g0 g1 g2 g3 g4",
        ),
        ("DescribeLogGroups", "logGroups", "logGroupName", json!({"logGroupNamePattern": "4"}), "g4"),
        (
            "DescribeLogStreams",
            "logStreams",
            "logStreamName",
            json!({"logGroupName": "g0"}),
            "s0 s1 s2 s3 s4",
        ),
        (
            "DescribeLogStreams",
            "logStreams",
            "logStreamName",
            json!({"logGroupName": "g0", "descending": true}),
            "s4 s3 s2 s1 s0",
        ),
        (
            "DescribeLogStreams",
            "logStreams",
            "logStreamName",
            json!({"logGroupName": "g0", "logStreamNamePrefix": "s2"}),
            "s2",
        ),
        (
            "DescribeLogStreams",
            "logStreams",
            "logStreamName",
            json!({"logGroupName": "g0", "orderBy": "LastEventTime"}),
            "s0 s2 s4 s3 s1",
        ),
        (
            "DescribeLogStreams",
            "logStreams",
            "logStreamName",
            json!({"logGroupName": "g0", "orderBy": "LastEventTime", "descending": true}),
            "s1 s3 s4 s2 s0",
        ),
    ];
    for (operation, list, name, input, expected) in cases {
        let mut input = input;
        input["limit"] = json!(2);
        let mut names = Vec::new();
        loop {
            let page = world.wire("logs", operation, input.clone()).await.unwrap();
            let items = page[list].as_array().unwrap();
            assert!(items.len() <= 2);
            names.extend(items.iter().map(|item| item[name].as_str().unwrap().to_owned()));
            if page["nextToken"].is_null() {
                break;
            }
            input["nextToken"] = page["nextToken"].clone();
        }
        assert_eq!(names.join(" "), expected, "{operation} {input}");
    }
    let shown = world.wire("logs", "DescribeLogGroups", json!({"logGroupNamePrefix": "g0"})).await.unwrap();
    assert_eq!(shown["logGroups"][0]["storedBytes"], 2 * 27);
    assert_eq!(shown["logGroups"][0]["arn"], "arn:aws:logs:us-east-1:123456789012:log-group:g0:*");
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_a_name_begins_anew() {
    let world = World::new();
    let now = world.engine.now().0;
    with_stream(&world, &["s", "t"]).await;
    put(&world, "s", &[(now, "one")]).await;
    put(&world, "t", &[(now, "two")]).await;
    world
        .wire("logs", "DeleteLogStream", json!({"logGroupName": GROUP, "logStreamName": "s"}))
        .await
        .unwrap();
    let filter = json!({"logGroupName": GROUP});
    assert_eq!(messages(&world.wire("logs", "FilterLogEvents", filter.clone()).await.unwrap()), ["two"]);
    let world = world.restart();
    world.settle().await;
    let shown = world.wire("logs", "DescribeLogGroups", json!({})).await.unwrap();
    assert_eq!(shown["logGroups"][0]["storedBytes"], 3 + 26);
    world.wire("logs", "DeleteLogGroup", filter.clone()).await.unwrap();
    assert_eq!(error(&world, "FilterLogEvents", filter.clone()).await.0, "ResourceNotFoundException");
    with_stream(&world, &["t"]).await;
    assert!(messages(&world.wire("logs", "FilterLogEvents", filter).await.unwrap()).is_empty());
    world.settle().await;
    let rows = world.engine.store().read(|tx| {
        let count = |table: &str| {
            tx.connection()
                .query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get::<_, i64>(0))
                .unwrap()
        };
        ["log_group", "log_stream", "log_event", "log_debris"].map(count)
    });
    assert_eq!(rows.unwrap(), [1, 1, 0, 0]);
}

#[tokio::test]
async fn retention_is_kept() {
    let world = World::new();
    let now = world.engine.now().0;
    with_stream(&world, &["s"]).await;
    let wrong = json!({"logGroupName": GROUP, "retentionInDays": 2});
    assert_eq!(error(&world, "PutRetentionPolicy", wrong).await.0, "InvalidParameterException");
    put(&world, "s", &[(now, "today")]).await;
    world
        .wire("logs", "PutRetentionPolicy", json!({"logGroupName": GROUP, "retentionInDays": 1}))
        .await
        .unwrap();
    world.clock.advance(86_300);
    put(&world, "s", &[(world.engine.now().0, "tomorrow")]).await;
    world.settle().await;
    let filter = json!({"logGroupName": GROUP});
    assert_eq!(
        messages(&world.wire("logs", "FilterLogEvents", filter.clone()).await.unwrap()),
        ["today", "tomorrow"]
    );
    world.clock.advance(200);
    world.settle().await;
    assert_eq!(messages(&world.wire("logs", "FilterLogEvents", filter.clone()).await.unwrap()), ["tomorrow"]);
    world.wire("logs", "DeleteRetentionPolicy", filter.clone()).await.unwrap();
    world.clock.advance(10 * 86_400);
    world.settle().await;
    assert_eq!(messages(&world.wire("logs", "FilterLogEvents", filter).await.unwrap()), ["tomorrow"]);
}

#[tokio::test]
async fn groups_carry_tags() {
    let world = World::new();
    world.wire("logs", "CreateLogGroup", json!({"logGroupName": "g", "tags": {"a": "1"}})).await.unwrap();
    let arn = "arn:aws:logs:us-east-1:123456789012:log-group:g";
    world.wire("logs", "TagResource", json!({"resourceArn": arn, "tags": {"b": "2"}})).await.unwrap();
    world.wire("logs", "TagLogGroup", json!({"logGroupName": "g", "tags": {"c": "3"}})).await.unwrap();
    world.wire("logs", "UntagResource", json!({"resourceArn": arn, "tagKeys": ["a"]})).await.unwrap();
    let tags = world.wire("logs", "ListTagsForResource", json!({"resourceArn": arn})).await.unwrap();
    assert_eq!(tags["tags"], json!({"b": "2", "c": "3"}));
    world.wire("logs", "UntagLogGroup", json!({"logGroupName": "g", "tags": ["b"]})).await.unwrap();
    let tags = world.wire("logs", "ListTagsLogGroup", json!({"logGroupName": "g"})).await.unwrap();
    assert_eq!(tags["tags"], json!({"c": "3"}));
    let stamped = json!({"resourceArn": arn, "tags": {"aws:x": "1"}});
    assert_eq!(error(&world, "TagResource", stamped).await.0, "InvalidParameterException");
}
