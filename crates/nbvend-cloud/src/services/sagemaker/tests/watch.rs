//! Idle stop and the longest life, with a clock that jumps.

use serde_json::{Value, json};

use super::{call, caught, create, events, status, world};
use crate::config::NotebookSettings;
use crate::ports::Activity;
use crate::services::sagemaker::watch::view;
use crate::testing::{REGION, World};

fn seen(world: &World, name: &str, change: impl FnOnce(&mut Activity)) {
    let mut all = world.notebooks.seen.lock().unwrap();
    let now = world.engine.now();
    let one = all.entry(name.to_owned()).or_insert(Activity {
        started: now,
        busy_kernels: 0,
        kernel_active: None,
        terminal_output: None,
        requested: None,
        connections: 0,
        cpu_seconds: None,
    });
    change(one);
}

async fn tag(world: &World, name: &str, key: &str, value: &str) -> Result<Value, String> {
    let arn = format!("arn:aws:sagemaker:us-east-1:123456789012:notebook-instance/{name}");
    let input = json!({"ResourceArn": arn, "Tags": [{"Key": key, "Value": value}]});
    call(world, "AddTags", input).await
}

async fn running(idle: &str) -> World {
    let world = world().await;
    create(&world, "x").await.unwrap();
    seen(&world, "x", |_| {});
    tag(&world, "x", "nbvend:idle-stop-minutes", idle).await.unwrap();
    world.settle().await;
    world
}

/// Half a minute at a time, as the reconciler does.
async fn pass(world: &World, minutes: i64) {
    for _ in 0..minutes * 2 {
        world.clock.advance(30);
        world.settle().await;
    }
}

async fn overview(world: &World) -> Value {
    json!(view::of(&world.engine, REGION, "X").await.unwrap())
}

#[tokio::test]
async fn idle_for_long_enough_is_stopped_with_a_warning_and_a_reason() {
    let world = running("20").await;
    caught(&world, r#"{"source":["nbvend.notebooks"]}"#).await;
    pass(&world, 14).await;
    let now = overview(&world).await;
    assert_eq!(now["verdict"]["warning"], false);
    assert_eq!(now["verdict"]["in_words"], "stops in 6 min (idle since 2026-11-22T12:00:00Z)");
    assert_eq!(
        (&now["evidence"]["busy_kernels"], &now["verdict"]["last_by"]),
        (&json!(0), &json!("its start"))
    );
    assert_eq!((&now["price_per_hour"], &now["isolation"]), (&json!(0.05), &json!("full")));
    pass(&world, 2).await;
    assert_eq!(overview(&world).await["verdict"]["warning"], true);
    pass(&world, 3).await;
    assert_eq!(status(&world, "x").await, "InService");
    pass(&world, 1).await;
    assert_eq!(status(&world, "x").await, "Stopped");
    assert_eq!(overview(&world).await["stopped_because"], "idle since 2026-11-22T12:00:00Z");
    assert!(world.notebooks.running.lock().unwrap().is_empty());
    let said = events(&world).await;
    assert_eq!(said.len(), 1, "warned once: {said:?}");
    let event = &said[0];
    assert_eq!(event["detail"]["StopsAt"], "2026-11-22T12:20:00Z");
    let name = json!({"NotebookInstanceName": "x"});
    call(&world, "StartNotebookInstance", name).await.unwrap();
    seen(&world, "x", |one| one.started = world.engine.now());
    world.settle().await;
    assert_eq!(overview(&world).await["stopped_because"], Value::Null);
    pass(&world, 19).await;
    assert_eq!(status(&world, "x").await, "InService", "a new start is a new life");
}

#[tokio::test]
async fn work_is_never_stopped_and_an_open_tab_is_no_work() {
    let world = running("10").await;
    seen(&world, "x", |one| (one.busy_kernels, one.connections) = (1, 2));
    pass(&world, 600).await;
    assert_eq!(status(&world, "x").await, "InService", "ten hours of computing");
    let ended = world.engine.now();
    seen(&world, "x", |one| (one.busy_kernels, one.kernel_active) = (0, Some(ended)));
    pass(&world, 9).await;
    assert_eq!(status(&world, "x").await, "InService");
    pass(&world, 1).await;
    assert_eq!(status(&world, "x").await, "Stopped", "with its tab still open");
}

#[tokio::test]
async fn a_silent_program_in_a_terminal_is_work() {
    let world = running("10").await;
    for look in 0..120 {
        // A tenth of a core.
        seen(&world, "x", |one| one.cpu_seconds = Some(f64::from(look) * 3.0));
        world.clock.advance(30);
        world.settle().await;
    }
    assert_eq!(status(&world, "x").await, "InService");
    let verdict = overview(&world).await["verdict"].clone();
    assert!(verdict["busy"].as_str().is_some_and(|busy| busy.contains("of a core")), "{verdict}");
    pass(&world, 12).await;
    assert_eq!(status(&world, "x").await, "Stopped", "it ended");
}

#[tokio::test]
async fn nothing_known_stops_nothing() {
    let world = running("5").await;
    world.notebooks.seen.lock().unwrap().clear();
    pass(&world, 60).await;
    assert_eq!(status(&world, "x").await, "InService");
    assert_eq!(overview(&world).await["evidence"], Value::Null);
}

#[tokio::test]
async fn work_seen_is_remembered_over_a_restart() {
    let world = running("10").await;
    pass(&world, 5).await;
    let now = world.engine.now();
    seen(&world, "x", |one| one.requested = Some(now));
    pass(&world, 1).await;
    let world = world.restart();
    // The host that saw the request is gone too.
    seen(&world, "x", |one| one.requested = None);
    pass(&world, 8).await;
    assert_eq!(status(&world, "x").await, "InService");
    let verdict = overview(&world).await["verdict"].clone();
    assert_eq!(verdict["last_by"], "work seen earlier");
    pass(&world, 2).await;
    assert_eq!(status(&world, "x").await, "Stopped");
}

#[tokio::test]
async fn settings_hold_where_tags_are_silent_and_a_tag_may_switch_them_off() {
    let settings = NotebookSettings {
        idle_stop_minutes: Some(10),
        max_lifetime_hours: Some(1),
        ..NotebookSettings::default()
    };
    let world = world().await.restart_with(settings);
    for name in ["plain", "long", "busy"] {
        create(&world, name).await.unwrap();
        seen(&world, name, |_| {});
    }
    tag(&world, "long", "nbvend:idle-stop-minutes", "off").await.unwrap();
    tag(&world, "long", "nbvend:max-lifetime-hours", "2").await.unwrap();
    seen(&world, "busy", |one| one.busy_kernels = 1);
    world.settle().await;
    pass(&world, 11).await;
    assert_eq!(status(&world, "plain").await, "Stopped");
    pass(&world, 55).await;
    assert_eq!(
        (status(&world, "long").await, status(&world, "busy").await),
        ("InService".into(), "InService".into())
    );
    pass(&world, 56).await;
    assert_eq!(status(&world, "long").await, "Stopped");
    assert_eq!(status(&world, "busy").await, "InService", "older than its life, and computing");
    let all = json!(view::all(&world.engine).await.unwrap());
    let busy = all.as_array().unwrap().iter().find(|one| one["name"] == "busy").unwrap();
    let words = busy["verdict"]["in_words"].as_str().unwrap();
    assert!(words.starts_with("stops when its work ends (started 1 hours ago"), "{words}");
    seen(&world, "busy", |one| one.busy_kernels = 0);
    pass(&world, 1).await;
    assert_eq!(status(&world, "busy").await, "Stopped");
    assert!(
        tag(&world, "plain", "nbvend:idle-stop-minutes", "soon")
            .await
            .unwrap_err()
            .contains("whole number of minutes")
    );
}
