//! Policies of parameters: expiry and what is told before it.

use super::*;

/// Events waiting in the outbox: detail types with the policy or operation they tell of.
fn told(world: &World) -> Vec<(String, String)> {
    let events = world.engine.store().read(|tx| outbox::oldest(tx, 1000)).unwrap().unwrap();
    let ours = events.iter().map(|pending| &pending.event).filter(|event| event["source"] == "aws.ssm");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    ours.filter(|event| event["detail-type"] != "AWS API Call via CloudTrail")
        .map(|event| {
            let detail = &event["detail"];
            let what =
                if detail["operation"].is_null() { &detail["policy-type"] } else { &detail["operation"] };
            (text(&event["detail-type"]), text(what))
        })
        .collect()
}

#[tokio::test]
async fn policies_act_when_they_are_due() {
    use crate::reconcile::Reconciler as _;
    let world = World::new();
    let policies = json!([
        {"Type": "Expiration", "Version": "1.0", "Attributes": {"Timestamp": "2026-11-25T12:00:00.000Z"}},
        {"Type": "ExpirationNotification", "Version": "1.0", "Attributes": {"Before": "1", "Unit": "Days"}},
        {"Type": "NoChangeNotification", "Version": "1.0", "Attributes": {"After": "30", "Unit": "Hours"}},
    ]);
    let input = json!({"Name": "/p", "Value": "v", "Type": "String", "Tier": "Intelligent-Tiering", "Policies": policies.to_string()});
    assert_eq!(call(&world, "PutParameter", input).await.unwrap()["Tier"], "Advanced");
    let act = async |world: &World| {
        while crate::services::ssm::reconcile::Policies.pass(&world.engine).await.unwrap()
            == crate::reconcile::Next::Again
        {}
    };
    let statuses = async |world: &World| {
        let all = call(world, "DescribeParameters", json!({})).await.unwrap();
        let all = all["Parameters"][0]["Policies"].as_array().unwrap();
        all.iter().map(|policy| policy["PolicyStatus"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    world.clock.advance(29 * 3600);
    act(&world).await;
    assert_eq!(statuses(&world).await, ["Pending"; 3]);
    // A change begins the wait anew.
    call(&world, "PutParameter", json!({"Name": "/p", "Value": "w", "Overwrite": true})).await.unwrap();
    let world = world.restart();
    world.clock.advance(20 * 3600);
    act(&world).await;
    assert_eq!(statuses(&world).await, ["Pending", "Finished", "Pending"]);
    world.clock.advance(10 * 3600);
    act(&world).await;
    assert_eq!(statuses(&world).await, ["Pending", "Finished", "Finished"]);
    world.clock.advance(13 * 3600);
    act(&world).await;
    assert_eq!(get(&world, "/p").await.unwrap_err(), "400 ParameterNotFound ");
    let change = |what: &str| ("Parameter Store Change".to_owned(), what.to_owned());
    let action = |what: &str| ("Parameter Store Policy Action".to_owned(), what.to_owned());
    assert_eq!(
        told(&world),
        [
            change("Create"),
            change("Update"),
            action("ExpirationNotification"),
            action("NoChangeNotification"),
            change("Delete"),
            action("Expiration"),
        ]
    );
    // Policies can be taken away, and a deleted parameter's never act on its successor.
    let input = json!({"Name": "/p", "Value": "v", "Type": "String", "Tier": "Advanced",
        "Policies": json!([{"Type": "Expiration", "Version": "1.0", "Attributes": {"Timestamp": "2026-12-01T12:00:00Z"}}]).to_string()});
    call(&world, "PutParameter", input.clone()).await.unwrap();
    call(&world, "PutParameter", json!({"Name": "/p", "Value": "v", "Overwrite": true, "Policies": "[{}]"}))
        .await
        .unwrap();
    call(&world, "PutParameter", json!({"Name": "/q", "Value": "v", "Type": "String", "Tier": "Advanced", "Policies": input["Policies"]})).await.unwrap();
    call(&world, "DeleteParameter", json!({"Name": "/q"})).await.unwrap();
    put(&world, "/q", "new").await;
    world.clock.advance(30 * 86_400);
    act(&world).await;
    assert!(get(&world, "/p").await.is_ok() && get(&world, "/q").await.is_ok());
}
