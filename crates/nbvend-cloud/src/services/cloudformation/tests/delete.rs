//! Deletion: order, policies, failures, protection.

use serde_json::json;

use super::*;

#[tokio::test]
async fn what_needs_a_resource_goes_before_it() {
    let world = World::new();
    let template = "
Resources:
  Base: {Type: 'Test::Thing', Properties: {Name: base}}
  User: {Type: 'Test::Thing', Properties: {Note: !Ref Base, Slow: 1}}
  Kept: {Type: 'Test::Thing', DeletionPolicy: Retain, Properties: {Name: kept}}
";
    let id = create(&world, "s", template).await["StackId"].as_str().unwrap().to_owned();
    settle(&world).await;
    cfn(&world, "DeleteStack", json!({"StackName": "s"})).await.unwrap();
    settle(&world).await;
    let events = events(&world, &id).await;
    let from = events.iter().position(|e| e == "s DELETE_IN_PROGRESS User Initiated").unwrap();
    assert_eq!(
        &events[from + 1..],
        [
            "Kept DELETE_SKIPPED",
            "User DELETE_IN_PROGRESS",
            "User DELETE_COMPLETE",
            "Base DELETE_IN_PROGRESS",
            "Base DELETE_COMPLETE",
            "s DELETE_COMPLETE",
        ]
    );
    assert_eq!(things(&world).iter().map(|t| t.id.as_str()).collect::<Vec<_>>(), ["kept"]);
    // By name it is gone, by id it is described.
    let error = cfn(&world, "DescribeStacks", json!({"StackName": "s"})).await.unwrap_err();
    assert_eq!(error.message, "Stack with id s does not exist");
    let error = cfn(&world, "DescribeStackEvents", json!({"StackName": "s"})).await.unwrap_err();
    assert_eq!(error.message, "Stack [s] does not exist");
    assert_eq!(status(&world, &id).await, "DELETE_COMPLETE");
    assert!(!stack(&world, &id).await["DeletionTime"].is_null());
    // Again, and of what never was: no error.
    for name in ["s", id.as_str(), "never"] {
        cfn(&world, "DeleteStack", json!({"StackName": name})).await.unwrap();
    }
    // The name is free.
    create(&world, "s", "Resources: {A: {Type: 'Test::Thing'}}").await;
    settle(&world).await;
    assert_eq!(status(&world, "s").await, "CREATE_COMPLETE");
    let listed = cfn(&world, "ListStacks", json!({})).await.unwrap();
    assert_eq!(listed["StackSummaries"].as_array().unwrap().len(), 2);
    let live = cfn(&world, "DescribeStacks", json!({})).await.unwrap();
    assert_eq!(live["Stacks"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_deleted_can_be_retained() {
    let world = World::new();
    let template = "
Resources:
  Base: {Type: 'Test::Thing'}
  Stuck: {Type: 'Test::Thing', DependsOn: Base, Properties: {Fail: delete}}
  Free: {Type: 'Test::Thing'}
";
    create(&world, "s", template).await;
    settle(&world).await;
    let retain = json!({"StackName": "s", "RetainResources": ["Stuck"]});
    let early = cfn(&world, "DeleteStack", retain.clone()).await.unwrap_err();
    assert!(early.message.contains("RetainResources"), "{}", early.message);
    cfn(&world, "DeleteStack", json!({"StackName": "s"})).await.unwrap();
    settle(&world).await;
    let failed = stack(&world, "s").await;
    assert_eq!(failed["StackStatus"], "DELETE_FAILED");
    assert_eq!(failed["StackStatusReason"], "The following resource(s) failed to delete: [Stuck]. ");
    assert_eq!(things(&world).len(), 2, "what it needs stays with it");
    cfn(&world, "DeleteStack", retain).await.unwrap();
    settle(&world).await;
    assert!(cfn(&world, "DescribeStacks", json!({"StackName": "s"})).await.is_err());
    assert_eq!(things(&world).len(), 1);
}

#[tokio::test]
async fn a_protected_stack_stays() {
    let world = World::new();
    create(&world, "s", "Resources: {A: {Type: 'Test::Thing'}}").await;
    settle(&world).await;
    let protect = |on: bool| json!({"StackName": "s", "EnableTerminationProtection": on});
    cfn(&world, "UpdateTerminationProtection", protect(true)).await.unwrap();
    let error = cfn(&world, "DeleteStack", json!({"StackName": "s"})).await.unwrap_err();
    assert_eq!(error.message, "Stack [s] cannot be deleted while TerminationProtection is enabled");
    cfn(&world, "UpdateTerminationProtection", protect(false)).await.unwrap();
    cfn(&world, "DeleteStack", json!({"StackName": "s"})).await.unwrap();
    settle(&world).await;
    assert!(things(&world).is_empty());
}

#[tokio::test]
async fn a_creation_can_be_broken_off() {
    let world = World::new();
    let template = "Resources:\n  A: {Type: 'Test::Thing', Properties: {Slow: 90}}\n  B: {Type: 'Test::Thing', DependsOn: A}\n";
    let id = create(&world, "s", template).await["StackId"].as_str().unwrap().to_owned();
    world.settle().await;
    assert_eq!(things(&world).len(), 1);
    cfn(&world, "DeleteStack", json!({"StackName": "s"})).await.unwrap();
    settle(&world).await;
    assert_eq!(status(&world, &id).await, "DELETE_COMPLETE");
    assert!(things(&world).is_empty());
}

#[tokio::test]
async fn what_a_failed_update_replaced_goes_too() {
    let world = World::new();
    let template = |name: &str, fail: &str| {
        format!(
            "Resources:\n  A: {{Type: 'Test::Thing', Properties: {{Name: {name}}}}}\n  B: {{Type: 'Test::Thing', DependsOn: A, Properties: {{Name: b, Fail: {fail}, Note: {name}}}}}\n"
        )
    };
    create(&world, "s", &template("old", "no")).await;
    settle(&world).await;
    let keep = json!({"StackName": "s", "TemplateBody": template("new", "update"), "DisableRollback": true});
    cfn(&world, "UpdateStack", keep).await.unwrap();
    settle(&world).await;
    assert_eq!(status(&world, "s").await, "UPDATE_FAILED");
    assert_eq!(things(&world).len(), 3);
    cfn(&world, "DeleteStack", json!({"StackName": "s"})).await.unwrap();
    settle(&world).await;
    assert!(things(&world).is_empty(), "{:?}", things(&world));
}

#[tokio::test]
async fn a_deleted_stack_is_forgotten_after_90_days() {
    let world = World::new();
    let id = create(&world, "s", "Resources: {A: {Type: 'Test::Thing'}}").await["StackId"]
        .as_str()
        .unwrap()
        .to_owned();
    settle(&world).await;
    cfn(&world, "DeleteStack", json!({"StackName": "s"})).await.unwrap();
    settle(&world).await;
    world.clock.advance(89 * 24 * 3600);
    settle(&world).await;
    assert_eq!(status(&world, &id).await, "DELETE_COMPLETE");
    world.clock.advance(2 * 24 * 3600);
    settle(&world).await;
    assert!(cfn(&world, "DescribeStacks", json!({"StackName": id})).await.is_err());
    assert_eq!(cfn(&world, "ListStacks", json!({})).await.unwrap()["StackSummaries"], json!([]));
    let left = world
        .engine
        .store()
        .read(|tx| tx.list::<super::super::state::StackEvent>(REGION, "", None, 10))
        .unwrap()
        .unwrap();
    assert!(left.is_empty());
}
