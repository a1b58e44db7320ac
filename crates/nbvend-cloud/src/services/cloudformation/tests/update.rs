//! Updates: in place, by replacement, taken back.

use serde_json::json;

use super::*;

const BEFORE: &str = "
Resources:
  Same: {Type: 'Test::Thing', Properties: {Name: same}}
  Grown: {Type: 'Test::Thing', Properties: {Name: grown, Size: 1}}
  Renamed: {Type: 'Test::Thing', Properties: {Name: old, Note: !GetAtt Grown.Size}}
  Gone: {Type: 'Test::Thing', Properties: {Name: gone}}
Outputs:
  Name: {Value: !Ref Renamed, Export: {Name: renamed}}
";

const AFTER: &str = "
Resources:
  Same: {Type: 'Test::Thing', Properties: {Name: same}}
  Grown: {Type: 'Test::Thing', Properties: {Name: grown, Size: 2}}
  Renamed: {Type: 'Test::Thing', Properties: {Name: new, Note: !GetAtt Grown.Size}}
  Added: {Type: 'Test::Thing', Properties: {Name: added, Note: !Ref Renamed}}
Outputs:
  Name: {Value: !Ref Renamed, Export: {Name: renamed}}
";

/// One more resource, which leaves time to cancel.
const SLOW: &str = "  B: {Type: 'Test::Thing', DependsOn: A, Properties: {Slow: 90}}\n";

fn ids(world: &World) -> Vec<String> {
    things(world).into_iter().map(|thing| thing.id).collect()
}

fn after<'e>(events: &'e [String], line: &str) -> &'e [String] {
    &events[events.iter().rposition(|e| e == line).unwrap() + 1..]
}

#[tokio::test]
async fn only_what_differs_changes_and_the_old_goes_last() {
    let world = World::new();
    create(&world, "s", BEFORE).await;
    settle(&world).await;
    assert_eq!(update(&world, "s", BEFORE).await.unwrap_err().message, "No updates are to be performed.");
    update(&world, "s", AFTER).await.unwrap();
    settle(&world).await;
    assert_eq!(
        after(&events(&world, "s").await, "s UPDATE_IN_PROGRESS User Initiated"),
        [
            "Grown UPDATE_IN_PROGRESS",
            "Grown UPDATE_COMPLETE",
            "Renamed UPDATE_IN_PROGRESS Requested update requires the creation of a new physical resource; hence creating one.",
            "Renamed UPDATE_IN_PROGRESS Resource creation Initiated",
            "Renamed UPDATE_COMPLETE",
            "Added CREATE_IN_PROGRESS",
            "Added CREATE_IN_PROGRESS Resource creation Initiated",
            "Added CREATE_COMPLETE",
            "s UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            "Gone DELETE_IN_PROGRESS",
            "Renamed DELETE_IN_PROGRESS",
            "Gone DELETE_COMPLETE",
            "Renamed DELETE_COMPLETE",
            "s UPDATE_COMPLETE",
        ]
    );
    assert_eq!(ids(&world), ["added", "grown", "new", "same"]);
    let things = things(&world);
    assert_eq!(things[3].changes, 1, "untouched");
    assert_eq!(things[2].properties["Note"], 2);
    assert_eq!(stack(&world, "s").await["Outputs"][0]["OutputValue"], "new");
    assert!(!stack(&world, "s").await["LastUpdatedTime"].is_null());
    let resources = cfn(&world, "ListStackResources", json!({"StackName": "s"})).await.unwrap();
    let names: Vec<_> = resources["StackResourceSummaries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["LogicalResourceId"].clone())
        .collect();
    assert_eq!(names, ["Added", "Grown", "Renamed", "Same"]);
    let error = cfn(&world, "DescribeStackResource", json!({"StackName": "s", "LogicalResourceId": "Gone"}))
        .await
        .unwrap_err();
    assert_eq!(error.message, "Resource Gone does not exist for stack s");
}

#[tokio::test]
async fn a_failed_update_leaves_everything_as_it_was() {
    let world = World::new();
    create(&world, "s", BEFORE).await;
    settle(&world).await;
    let bad = AFTER.replace("{Name: added,", "{Name: added, Fail: create,");
    update(&world, "s", &bad).await.unwrap();
    settle(&world).await;
    let events = events(&world, "s").await;
    assert_eq!(
        after(&events, "s UPDATE_ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [Added]."),
        [
            "Grown UPDATE_IN_PROGRESS",
            "Grown UPDATE_COMPLETE",
            "Renamed UPDATE_IN_PROGRESS",
            "Renamed UPDATE_COMPLETE",
            "s UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
            "Added DELETE_COMPLETE",
            "Renamed DELETE_IN_PROGRESS",
            "Renamed DELETE_COMPLETE",
            "s UPDATE_ROLLBACK_COMPLETE",
        ],
        "{events:#?}"
    );
    assert_eq!(ids(&world), ["gone", "grown", "old", "same"]);
    assert_eq!(things(&world)[1].properties["Size"], 1);
    assert_eq!(stack(&world, "s").await["Outputs"][0]["OutputValue"], "old");
    let template = cfn(&world, "GetTemplate", json!({"StackName": "s"})).await.unwrap();
    assert_eq!(template["TemplateBody"], BEFORE);
    // And from there it can be updated again.
    update(&world, "s", AFTER).await.unwrap();
    settle(&world).await;
    assert_eq!(status(&world, "s").await, "UPDATE_COMPLETE");
    assert_eq!(ids(&world), ["added", "grown", "new", "same"]);
}

#[tokio::test]
async fn a_failed_update_can_be_kept_and_taken_back_later() {
    let world = World::new();
    create(&world, "s", BEFORE).await;
    settle(&world).await;
    let bad = AFTER.replace("{Name: added,", "{Name: added, Fail: create,");
    let keep = json!({"StackName": "s", "TemplateBody": bad, "DisableRollback": true});
    cfn(&world, "UpdateStack", keep.clone()).await.unwrap();
    settle(&world).await;
    assert_eq!(status(&world, "s").await, "UPDATE_FAILED");
    assert_eq!(ids(&world), ["gone", "grown", "new", "old", "same"]);
    // Once more with another replacement: the one in between is nobody's.
    let bad = keep["TemplateBody"].as_str().unwrap().replace("Name: new", "Name: newer");
    cfn(&world, "UpdateStack", json!({"StackName": "s", "TemplateBody": bad, "DisableRollback": true}))
        .await
        .unwrap();
    settle(&world).await;
    assert_eq!(ids(&world), ["gone", "grown", "new", "newer", "old", "same"]);
    cfn(&world, "RollbackStack", json!({"StackName": "s"})).await.unwrap();
    settle(&world).await;
    assert_eq!(status(&world, "s").await, "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(ids(&world), ["gone", "grown", "old", "same"]);
    let again = cfn(&world, "RollbackStack", json!({"StackName": "s"})).await.unwrap_err();
    assert!(again.message.contains("can not be rolled back"), "{}", again.message);
}

#[tokio::test]
async fn a_rollback_that_fails_is_continued() {
    let world = World::new();
    let template = |size: u32, extra: &str| {
        format!(
            "Resources:\n  A: {{Type: 'Test::Thing', Properties: {{Name: a, Size: {size}, Fail: storm}}}}\n{extra}"
        )
    };
    create(&world, "s", &template(1, "")).await;
    settle(&world).await;
    update(&world, "s", &template(2, SLOW)).await.unwrap();
    world.settle().await;
    storm(&world, "storm/update", true).await;
    cfn(&world, "CancelUpdateStack", json!({"StackName": "s"})).await.unwrap();
    settle(&world).await;
    assert_eq!(status(&world, "s").await, "UPDATE_ROLLBACK_FAILED");
    let error = update(&world, "s", &template(3, "")).await.unwrap_err();
    assert!(error.message.ends_with("is in UPDATE_ROLLBACK_FAILED state and can not be updated."));
    let reason = stack(&world, "s").await["StackStatusReason"].as_str().unwrap().to_owned();
    assert_eq!(reason, "The following resource(s) failed to update: [A]. ");
    storm(&world, "storm/update", false).await;
    cfn(&world, "ContinueUpdateRollback", json!({"StackName": "s"})).await.unwrap();
    settle(&world).await;
    assert_eq!(status(&world, "s").await, "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(things(&world).len(), 1);
    assert_eq!(things(&world)[0].properties["Size"], 1);
}

#[tokio::test]
async fn a_rollback_can_leave_a_resource_out() {
    let world = World::new();
    let template = |size: u32, extra: &str| {
        format!(
            "Resources:\n  A: {{Type: 'Test::Thing', Properties: {{Name: a, Size: {size}, Fail: storm}}}}\n{extra}"
        )
    };
    create(&world, "s", &template(1, "")).await;
    settle(&world).await;
    update(&world, "s", &template(2, SLOW)).await.unwrap();
    world.settle().await;
    storm(&world, "storm/update", true).await;
    cfn(&world, "CancelUpdateStack", json!({"StackName": "s"})).await.unwrap();
    settle(&world).await;
    let skip = json!({"StackName": "s", "ResourcesToSkip": ["A"]});
    cfn(&world, "ContinueUpdateRollback", skip).await.unwrap();
    settle(&world).await;
    assert_eq!(status(&world, "s").await, "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(things(&world)[0].properties["Size"], 2, "left as it was");
}

#[tokio::test]
async fn an_update_can_be_cancelled() {
    let world = World::new();
    create(&world, "s", "Resources: {A: {Type: 'Test::Thing', Properties: {Name: a, Size: 1}}}").await;
    settle(&world).await;
    let early = cfn(&world, "CancelUpdateStack", json!({"StackName": "s"})).await.unwrap_err();
    assert_eq!(early.message, "CancelUpdateStack cannot be called from current stack status");
    update(&world, "s", "Resources: {A: {Type: 'Test::Thing', Properties: {Name: a, Size: 2}}, B: {Type: 'Test::Thing', Properties: {Slow: 90}}}").await.unwrap();
    world.settle().await;
    cfn(&world, "CancelUpdateStack", json!({"StackName": "s"})).await.unwrap();
    settle(&world).await;
    assert_eq!(status(&world, "s").await, "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(things(&world).len(), 1);
    assert_eq!(things(&world)[0].properties["Size"], 1);
}

#[tokio::test]
async fn policies_keep_what_is_replaced_or_taken_out() {
    let world = World::new();
    let template = "
Resources:
  A: {Type: 'Test::Thing', UpdateReplacePolicy: Retain, Properties: {Name: a1}}
  B: {Type: 'Test::Thing', DeletionPolicy: Retain, Properties: {Name: b}}
";
    create(&world, "s", template).await;
    settle(&world).await;
    update(
        &world,
        "s",
        "Resources: {A: {Type: 'Test::Thing', UpdateReplacePolicy: Retain, Properties: {Name: a2}}}",
    )
    .await
    .unwrap();
    settle(&world).await;
    assert_eq!(status(&world, "s").await, "UPDATE_COMPLETE");
    assert_eq!(ids(&world), ["a1", "a2", "b"]);
    let text = events(&world, "s").await.join("\n");
    assert!(text.contains("A DELETE_SKIPPED") && text.contains("B DELETE_SKIPPED"), "{text}");
    cfn(&world, "DeleteStack", json!({"StackName": "s"})).await.unwrap();
    settle(&world).await;
    assert_eq!(ids(&world), ["a1", "b"]);
}

#[tokio::test]
async fn parameters_and_tags_are_changes_too() {
    let world = World::new();
    let template = "
Parameters: {Size: {Type: String}}
Resources: {A: {Type: 'Test::Thing', Properties: {Name: a, Size: !Ref Size}}}
";
    let input = json!({"StackName": "s", "TemplateBody": template, "Tags": [{"Key": "team", "Value": "x"}],
        "Parameters": [{"ParameterKey": "Size", "ParameterValue": "1"}]});
    cfn(&world, "CreateStack", input).await.unwrap();
    settle(&world).await;
    let with = |parameter: Value, tags: Option<Value>| {
        let mut input = json!({"StackName": "s", "UsePreviousTemplate": true, "Parameters": [parameter]});
        if let Some(tags) = tags {
            input["Tags"] = tags;
        }
        input
    };
    let previous = json!({"ParameterKey": "Size", "UsePreviousValue": true});
    let none = cfn(&world, "UpdateStack", with(previous.clone(), None)).await.unwrap_err();
    assert_eq!(none.message, "No updates are to be performed.");
    cfn(&world, "UpdateStack", with(json!({"ParameterKey": "Size", "ParameterValue": "2"}), None))
        .await
        .unwrap();
    settle(&world).await;
    assert_eq!(things(&world)[0].properties["Size"], "2");
    assert!(things(&world)[0].tags.iter().any(|(key, _)| key == "team"), "tags are kept");
    cfn(&world, "UpdateStack", with(previous, Some(json!([])))).await.unwrap();
    settle(&world).await;
    assert_eq!(status(&world, "s").await, "UPDATE_COMPLETE");
    assert!(!things(&world)[0].tags.iter().any(|(key, _)| key == "team"), "an empty list takes them away");
    assert_eq!(things(&world)[0].properties["Size"], "2");
}

#[tokio::test]
async fn an_export_in_use_holds_its_value() {
    let world = World::new();
    create(&world, "s", BEFORE).await;
    settle(&world).await;
    create(
        &world,
        "user",
        "Resources: {A: {Type: 'Test::Thing', Properties: {Name: u, Note: !ImportValue renamed}}}",
    )
    .await;
    settle(&world).await;
    update(&world, "s", AFTER).await.unwrap();
    settle(&world).await;
    assert_eq!(status(&world, "s").await, "UPDATE_ROLLBACK_COMPLETE");
    let text = events(&world, "s").await.join("\n");
    assert!(
        text.contains("UPDATE_ROLLBACK_IN_PROGRESS Export renamed cannot be updated as it is in use by user"),
        "{text}"
    );
    assert_eq!(ids(&world), ["gone", "grown", "old", "same", "u"]);
    // Once nobody uses it any more, it may change.
    update(&world, "user", "Resources: {A: {Type: 'Test::Thing', Properties: {Name: u}}}").await.unwrap();
    settle(&world).await;
    update(&world, "s", AFTER).await.unwrap();
    settle(&world).await;
    assert_eq!(status(&world, "s").await, "UPDATE_COMPLETE");
}

#[tokio::test]
async fn a_type_cannot_change_under_a_name() {
    let world = World::new();
    create(&world, "s", BEFORE).await;
    settle(&world).await;
    let error = update(&world, "none", BEFORE).await.unwrap_err();
    assert_eq!(error.message, "Stack [none] does not exist");
    let error =
        update(&world, "s", &BEFORE.replace("Test::Thing', Properties: {Name: gone}", "Test::Other'"))
            .await
            .unwrap_err();
    assert!(error.message.contains("Unrecognized resource types: [Test::Other]"));
    assert_eq!(status(&world, "s").await, "CREATE_COMPLETE");
}

#[tokio::test]
async fn a_creation_that_was_kept_is_tried_again() {
    let world = World::new();
    let template = "Resources:\n  A: {Type: 'Test::Thing', Properties: {Name: a}}\n  B: {Type: 'Test::Thing', DependsOn: A, Properties: {Name: b, Fail: storm}}\n";
    storm(&world, "storm/create", true).await;
    let keep = json!({"StackName": "s", "TemplateBody": template, "OnFailure": "DO_NOTHING"});
    cfn(&world, "CreateStack", keep).await.unwrap();
    settle(&world).await;
    assert_eq!(status(&world, "s").await, "CREATE_FAILED");
    storm(&world, "storm/create", false).await;
    update(&world, "s", template).await.unwrap();
    settle(&world).await;
    assert_eq!(status(&world, "s").await, "UPDATE_COMPLETE");
    assert_eq!(ids(&world), ["a", "b"]);
    assert_eq!(things(&world)[0].changes, 1, "untouched");
}
