//! Targets that fail, and functions as targets.

use super::*;

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
    let counts = world.engine.store().read(crate::services::events::deliveries).unwrap().unwrap();
    assert_eq!(counts, crate::services::events::Deliveries { blocked_targets: 0, failed: 4 });

    send(&world, "shop", json!({"n": 3})).await;
    world.settle().await;
    let world = world.restart();
    world.clock.advance(61);
    world.settle().await;
    let last = failed(&world).pop().unwrap();
    assert_eq!((last.delivery.target.as_str(), last.code.as_str()), ("aged", "EventAgeExceeded"));
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
