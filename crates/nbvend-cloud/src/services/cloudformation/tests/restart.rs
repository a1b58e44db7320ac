//! The engine dies between any two commits; the next one finishes. Two stacks at once; regions.

use serde_json::json;

use super::super::work::Stacks;
use super::*;
use crate::reconcile::{Next, Reconciler};

const WIDE: &str = "
Parameters: {Size: {Type: String, Default: '1'}, Name: {Type: String, Default: first}}
Resources:
  Root: {Type: 'Test::Thing', Properties: {Name: !Sub 'root-${Name}', Slow: 2}}
  Left: {Type: 'Test::Thing', Properties: {Note: !Ref Root, Size: !Ref Size}}
  Right: {Type: 'Test::Thing', Properties: {Note: !GetAtt Root.Arn, Slow: 1}}
  Top: {Type: 'Test::Thing', DependsOn: [Left, Right], Properties: {Size: !Ref Size}}
Outputs: {Top: {Value: !Ref Top, Export: {Name: top}}}
";

/// One pass at a time, a new engine after each: as if it were killed at every commit.
async fn crawl(mut world: World) -> World {
    for _ in 0..200 {
        let next = Stacks.pass(&world.engine).await.unwrap();
        world = world.restart();
        world.clock.advance(1);
        if next == Next::WhenWoken {
            return world;
        }
    }
    panic!("it does not come to an end");
}

#[tokio::test]
async fn a_stack_lives_through_a_death_at_every_commit() {
    let world = World::new();
    create(&world, "s", WIDE).await;
    let world = crawl(world).await;
    assert_eq!(status(&world, "s").await, "CREATE_COMPLETE");
    assert_eq!(things(&world).len(), 4);
    assert!(things(&world).iter().all(|thing| thing.changes == 1), "nothing is made twice");
    let lines = events(&world, "s").await;
    let complete = lines.iter().filter(|line| line.ends_with("CREATE_COMPLETE")).count();
    assert_eq!((lines.len(), complete), (2 + 4 * 3, 5), "{lines:#?}");

    let change = json!({"StackName": "s", "UsePreviousTemplate": true, "Parameters": [
        {"ParameterKey": "Size", "ParameterValue": "2"}, {"ParameterKey": "Name", "ParameterValue": "second"}]});
    cfn(&world, "UpdateStack", change).await.unwrap();
    let world = crawl(world).await;
    assert_eq!(status(&world, "s").await, "UPDATE_COMPLETE");
    let all = things(&world);
    assert_eq!(all.len(), 4, "{all:#?}");
    assert!(all.iter().any(|thing| thing.id == "root-second"));
    assert!(all.iter().filter(|t| t.id.starts_with("s-")).all(|t| t.changes == 2), "{all:#?}");

    let bad = WIDE
        .replace(
            "DependsOn: [Left, Right], Properties: {",
            "DependsOn: [Left, Right], Properties: {Fail: update, ",
        )
        .replace("Default: first", "Default: third");
    cfn(&world, "UpdateStack", json!({"StackName": "s", "TemplateBody": bad})).await.unwrap();
    let world = crawl(world).await;
    assert_eq!(status(&world, "s").await, "UPDATE_ROLLBACK_COMPLETE");
    let all = things(&world);
    assert_eq!(all.len(), 4, "{all:#?}");
    assert!(all.iter().any(|thing| thing.id == "root-second"));
    let left = all.iter().find(|thing| thing.id.starts_with("s-Left")).unwrap();
    assert_eq!((&left.properties["Size"], &left.properties["Note"]), (&json!("2"), &json!("root-second")));

    cfn(&world, "DeleteStack", json!({"StackName": "s"})).await.unwrap();
    let world = crawl(world).await;
    assert!(things(&world).is_empty());
    assert!(cfn(&world, "DescribeStacks", json!({"StackName": "s"})).await.is_err());
}

#[tokio::test]
async fn a_failed_creation_is_taken_back_through_deaths() {
    let world = World::new();
    let bad = WIDE.replace(
        "DependsOn: [Left, Right], Properties: {",
        "DependsOn: [Left, Right], Properties: {Fail: create, ",
    );
    create(&world, "s", &bad).await;
    let world = crawl(world).await;
    assert_eq!(status(&world, "s").await, "ROLLBACK_COMPLETE");
    assert!(things(&world).is_empty());
}

#[tokio::test]
async fn stacks_go_on_side_by_side() {
    let world = World::new();
    let one = WIDE.replace("Name: top", "Name: top1").replace("'root-", "'one-");
    let two = WIDE.replace("Name: top", "Name: top2").replace("'root-", "'two-");
    create(&world, "one", &one).await;
    create(&world, "two", &two.replace("Slow: 2", "Slow: 20")).await;
    for _ in 0..8 {
        Stacks.pass(&world.engine).await.unwrap();
    }
    assert_eq!(status(&world, "one").await, "CREATE_COMPLETE");
    assert_eq!(status(&world, "two").await, "CREATE_IN_PROGRESS");
    settle(&world).await;
    assert_eq!(status(&world, "two").await, "CREATE_COMPLETE");
}

#[tokio::test]
async fn a_region_knows_its_own_stacks() {
    let world = World::new();
    create(&world, "s", WIDE).await;
    let away = crate::identity::Caller { region: "eu-west-1".to_owned(), ..world.root() };
    let input = json!({"StackName": "s", "TemplateBody": WIDE});
    let made = world.wire_as(away.clone(), "cloudformation", "CreateStack", input).await.unwrap();
    assert!(made["StackId"].as_str().unwrap().starts_with("arn:aws:cloudformation:eu-west-1:"));
    settle(&world).await;
    assert_eq!(status(&world, "s").await, "CREATE_COMPLETE");
    let there =
        world.wire_as(away, "cloudformation", "DescribeStacks", json!({"StackName": "s"})).await.unwrap();
    assert_eq!(there["Stacks"][0]["StackStatus"], "CREATE_COMPLETE");
}

#[tokio::test]
async fn many_resources_take_several_commits_and_all_come() {
    let world = World::new();
    let mut template = "Resources:\n".to_owned();
    for n in 0..120 {
        template += &format!("  R{n}: {{Type: 'Test::Thing'}}\n");
    }
    create(&world, "s", &template).await;
    let world = crawl(world).await;
    assert_eq!(status(&world, "s").await, "CREATE_COMPLETE");
    assert_eq!(things(&world).len(), 120);
    assert_eq!(events(&world, "s").await.len(), 120 * 3 + 2);
    let mut token = Value::Null;
    let mut listed = 0;
    loop {
        let mut input = json!({"StackName": "s"});
        if !token.is_null() {
            input["NextToken"] = token;
        }
        let page = cfn(&world, "ListStackResources", input).await.unwrap();
        listed += page["StackResourceSummaries"].as_array().unwrap().len();
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(listed, 120);
}

#[tokio::test]
async fn every_change_is_an_event_on_the_bus() {
    let world = World::new();
    create(&world, "s", "Resources: {A: {Type: 'Test::Thing'}}").await;
    // Not the other reconcilers: one of them takes what is in the outbox.
    while Stacks.pass(&world.engine).await.unwrap() != Next::WhenWoken {}
    let sent = world.engine.store().read(|tx| crate::outbox::oldest(tx, 100)).unwrap().unwrap();
    let own: Vec<Value> =
        sent.into_iter().map(|p| p.event).filter(|e| e["source"] == "aws.cloudformation").collect();
    let of = |kind: &str| own.iter().filter(|e| e["detail-type"] == kind).count();
    assert_eq!(of("CloudFormation Stack Status Change"), 2);
    assert_eq!(of("CloudFormation Resource Status Change"), 3);
    assert_eq!(own.last().unwrap()["detail"]["status-details"]["status"], "CREATE_COMPLETE");
}
