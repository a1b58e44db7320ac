//! Deliveries whose target fails, and the engine dying at each commit on their way: nothing is lost, what a transaction
//! delivers arrives once and in its order, and what is given up is given up once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use serde_json::json;

use super::{GROUP, failed, function, log_group, logged, make_function, parked, permit, plan, rule, send};
use crate::scenario::{Start, deaths};
use crate::testing::World;

/// Lets time pass, or less of it if the engine dies.
async fn pass_time(world: &World, seconds: i64, step: i64) {
    for _ in 0..seconds / step {
        if world.engine.settle().await.is_err() {
            return;
        }
        world.clock.advance(step);
    }
}

/// Three events are in the outbox for a target that fails, one that is well and one that refuses.
async fn sent() -> Start {
    let world = World::new();
    log_group(&world).await;
    for name in ["bad", "good", "shut"] {
        rule(&world, name, json!([{"Id": name, "Arn": GROUP, "InputPath": "$.detail.n"}])).await;
    }
    world.settle().await;
    for n in 0..3 {
        send(&world, "shop", json!({"n": n})).await;
    }
    Start::of(world)
}

/// What the targets meet. An engine that begins anew meets less of it: the trouble is nearly over.
fn trouble(world: &World, times: u32) {
    plan(world, "bad", "TooManyRequestsException", 429, times);
    plan(world, "shut", "AccessDeniedException", 403, u32::MAX);
}

async fn delivered_once(world: &World, what: &str) {
    assert_eq!(logged(world, "bad").await, ["0", "1", "2"], "{what}");
    assert_eq!(logged(world, "good").await, ["0", "1", "2"], "{what}");
    assert!(parked(world).is_empty(), "{what}");
    let mut given_up: Vec<_> =
        failed(world).into_iter().map(|failed| (failed.delivery.target, failed.delivery.payload)).collect();
    given_up.sort();
    let expected = ["0", "1", "2"].map(|n| ("shut".to_owned(), n.to_owned()));
    assert_eq!(given_up, expected, "{what}");
}

#[tokio::test]
async fn deliveries_to_a_failing_target_survive_death_at_every_commit() {
    let start = sent().await;
    let world = start.world();
    trouble(&world, 3);
    let before = world.engine.store().commits();
    pass_time(&world, 15, 1).await;
    delivered_once(&world, "nobody died").await;
    let commits = world.engine.store().commits() - before;
    assert!(commits >= 5, "only {commits} commits: where are the retries?");
    for death in deaths(commits) {
        let world = start.world();
        trouble(&world, 3);
        death.strike(&world);
        pass_time(&world, 15, 1).await;
        let world = world.restart();
        trouble(&world, 1);
        pass_time(&world, 15, 1).await;
        delivered_once(&world, &format!("{death:?}")).await;
    }
}

/// A function that fails at its first two runs in this life.
fn fails_twice(world: &World) -> Arc<AtomicU32> {
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    *world.functions.body.lock().unwrap() = Some(Box::new(move |_, event| {
        if counted.fetch_add(1, Ordering::SeqCst) < 2 {
            return Err(("Unhandled", Bytes::from_static(b"{}")));
        }
        Ok(event.payload.clone())
    }));
    runs
}

#[tokio::test]
async fn an_invocation_that_is_retried_survives_death_at_every_commit() {
    let world = World::new();
    make_function(&world, "f").await;
    rule(&world, "r", json!([{"Id": "t", "Arn": function("f"), "InputPath": "$.detail"}])).await;
    permit(&world, "f", "r").await;
    world.settle().await;
    send(&world, "shop", json!({"n": 7})).await;
    let start = Start::of(world);

    let world = start.world();
    let runs = fails_twice(&world);
    let before = world.engine.store().commits();
    pass_time(&world, 240, 20).await;
    assert_eq!(runs.load(Ordering::SeqCst), 3, "the run and two retries");
    assert!(world.store_keys("lambda.event").is_empty());
    let commits = world.engine.store().commits() - before;
    for death in deaths(commits) {
        let world = start.world();
        let runs = fails_twice(&world);
        death.strike(&world);
        pass_time(&world, 240, 20).await;
        let world = world.restart();
        pass_time(&world, 240, 20).await;
        // A run whose end was not committed is run again: at least once, as on AWS.
        let ran = runs.load(Ordering::SeqCst);
        assert!((3..=4).contains(&ran), "{death:?}: ran {ran} times");
        assert!(world.functions.calls.lock().unwrap().iter().all(|(_, payload)| *payload == json!({"n": 7})));
        assert!(world.store_keys("lambda.event").is_empty(), "{death:?}");
        assert!(world.store_keys("lambda.event-payload").is_empty(), "{death:?}");
        assert!(parked(&world).is_empty() && failed(&world).is_empty(), "{death:?}");
    }
}
