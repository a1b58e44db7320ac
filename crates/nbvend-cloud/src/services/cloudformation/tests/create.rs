//! Creation: order, events, outputs, failures, rollback.

use serde_json::json;

use super::*;

const CHAIN: &str = "
Parameters:
  Size: {Type: String, Default: '3'}
Resources:
  Last: {Type: 'Test::Thing', DependsOn: Middle}
  Middle: {Type: 'Test::Thing', Properties: {Note: !GetAtt First.Arn, Tags: [{Key: own, Value: '1'}]}}
  First: {Type: 'Test::Thing', Properties: {Name: !Sub '${AWS::StackName}-first', Size: !Ref Size}}
Outputs:
  Arn: {Value: !GetAtt First.Arn, Description: of the first, Export: {Name: !Sub '${AWS::StackName}-Arn'}}
  Stack: {Value: !Ref 'AWS::StackName'}
";

#[tokio::test]
async fn resources_come_in_their_order_and_the_events_say_so() {
    let world = World::new();
    let made = create(&world, "chain", CHAIN).await;
    let id = made["StackId"].as_str().unwrap();
    assert!(id.starts_with("arn:aws:cloudformation:us-east-1:123456789012:stack/chain/"), "{id}");
    assert_eq!(status(&world, "chain").await, "CREATE_IN_PROGRESS");
    world.settle().await;
    assert_eq!(
        events(&world, id).await,
        [
            "chain CREATE_IN_PROGRESS User Initiated",
            "First CREATE_IN_PROGRESS",
            "First CREATE_IN_PROGRESS Resource creation Initiated",
            "First CREATE_COMPLETE",
            "Middle CREATE_IN_PROGRESS",
            "Middle CREATE_IN_PROGRESS Resource creation Initiated",
            "Middle CREATE_COMPLETE",
            "Last CREATE_IN_PROGRESS",
            "Last CREATE_IN_PROGRESS Resource creation Initiated",
            "Last CREATE_COMPLETE",
            "chain CREATE_COMPLETE",
        ]
    );
    let stack = stack(&world, "chain").await;
    assert_eq!(
        stack["Outputs"],
        json!([
            {"OutputKey": "Arn", "OutputValue": "arn:test:chain-first", "Description": "of the first", "ExportName": "chain-Arn"},
            {"OutputKey": "Stack", "OutputValue": "chain", "Description": null, "ExportName": null},
        ])
    );
    assert_eq!(stack["Parameters"][0]["ParameterValue"], "3");
    let things = things(&world);
    assert_eq!(things.len(), 3);
    assert!(things.iter().any(|t| t.id.starts_with("chain-Last-")), "{things:?}");
    let middle = things.iter().find(|t| t.id.starts_with("chain-Middle-")).unwrap();
    assert_eq!(middle.properties["Note"], "arn:test:chain-first");
    assert!(middle.tags.contains(&("aws:cloudformation:logical-id".to_owned(), "Middle".to_owned())));
    let exports = cfn(&world, "ListExports", json!({})).await.unwrap();
    assert_eq!(exports["Exports"][0]["Name"], "chain-Arn");
}

#[tokio::test]
async fn what_depends_on_nothing_is_made_together() {
    let world = World::new();
    let slow = "Resources:\n  A: {Type: 'Test::Thing', Properties: {Slow: 2}}\n  B: {Type: 'Test::Thing', Properties: {Slow: 3}}\n";
    create(&world, "pair", slow).await;
    settle(&world).await;
    let events = events(&world, "pair").await;
    let at = |line: &str| events.iter().position(|e| e == line).unwrap();
    assert!(at("B CREATE_IN_PROGRESS Resource creation Initiated") < at("A CREATE_COMPLETE"), "{events:?}");
    assert_eq!(events.last().unwrap(), "pair CREATE_COMPLETE");
}

#[tokio::test]
async fn a_failure_takes_back_what_was_made() {
    let world = World::new();
    let template = "
Resources:
  Good: {Type: 'Test::Thing'}
  Slow: {Type: 'Test::Thing', Properties: {Slow: 50}}
  Bad: {Type: 'Test::Thing', DependsOn: Good, Properties: {Fail: create}}
";
    create(&world, "doomed", template).await;
    settle(&world).await;
    assert_eq!(status(&world, "doomed").await, "ROLLBACK_COMPLETE");
    assert!(things(&world).is_empty());
    let events = events(&world, "doomed").await;
    let failed = events.iter().find(|e| e.starts_with("Bad CREATE_FAILED")).unwrap();
    assert!(
        failed.contains(
            "Resource handler returned message: \"no create today (Service: Thing, Status Code: 400"
        ),
        "{failed}"
    );
    assert!(failed.contains("HandlerErrorCode: InvalidRequest)"), "{failed}");
    assert!(events.contains(&"Slow CREATE_FAILED Resource creation cancelled".to_owned()), "{events:?}");
    let rollback = "doomed ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [Slow, Bad]. Rollback requested by user.";
    assert!(events.contains(&rollback.to_owned()), "{events:?}");
    assert!(events.contains(&"Good DELETE_COMPLETE".to_owned()));
    assert!(events.contains(&"Bad DELETE_COMPLETE".to_owned()));
    assert_eq!(events.last().unwrap(), "doomed ROLLBACK_COMPLETE");
    let update = cfn(&world, "UpdateStack", json!({"StackName": "doomed", "TemplateBody": template}))
        .await
        .unwrap_err();
    assert!(
        update.message.ends_with("is in ROLLBACK_COMPLETE state and can not be updated."),
        "{}",
        update.message
    );
}

#[tokio::test]
async fn a_failure_while_waited_for_is_a_failure() {
    let world = World::new();
    create(&world, "later", "Resources: {A: {Type: 'Test::Thing', Properties: {Slow: 9, Fail: later}}}")
        .await;
    settle(&world).await;
    assert_eq!(status(&world, "later").await, "ROLLBACK_COMPLETE");
    assert!(things(&world).is_empty());
    assert!(events(&world, "later").await.iter().any(|e| e.contains("\"it broke\"")));
}

#[tokio::test]
async fn a_provider_that_panics_fails_its_resource() {
    let world = World::new();
    let template = "Resources:\n  A: {Type: 'Test::Thing'}\n  B: {Type: 'Test::Thing', DependsOn: A, Properties: {Fail: panic}}\n";
    create(&world, "s", template).await;
    settle(&world).await;
    assert_eq!(status(&world, "s").await, "ROLLBACK_COMPLETE");
    assert!(things(&world).is_empty());
    let reason = stack(&world, "s").await["StackStatusReason"].as_str().unwrap().to_owned();
    assert_eq!(reason, "The following resource(s) failed to create: [B]. Rollback requested by user.");
}

#[tokio::test]
async fn what_is_to_happen_on_failure_is_the_callers_choice() {
    let world = World::new();
    let template = "Resources:\n  A: {Type: 'Test::Thing'}\n  B: {Type: 'Test::Thing', DependsOn: A, Properties: {Fail: create}}\n";
    for (name, member, value, status_then, left) in [
        ("keep", "OnFailure", json!("DO_NOTHING"), "CREATE_FAILED", 1),
        ("keep2", "DisableRollback", json!(true), "CREATE_FAILED", 2),
        ("back", "OnFailure", json!("ROLLBACK"), "ROLLBACK_COMPLETE", 2),
        ("gone", "OnFailure", json!("DELETE"), "DELETE_COMPLETE", 2),
    ] {
        let mut input = json!({"StackName": name, "TemplateBody": template});
        input[member] = value;
        let id = cfn(&world, "CreateStack", input).await.unwrap()["StackId"].as_str().unwrap().to_owned();
        settle(&world).await;
        assert_eq!(status(&world, &id).await, status_then);
        assert_eq!(things(&world).len(), left, "{name}");
    }
    let reason = stack(&world, "keep").await["StackStatusReason"].as_str().unwrap().to_owned();
    assert_eq!(reason, "The following resource(s) failed to create: [B]. ");
}

#[tokio::test]
async fn bad_templates_make_nothing() {
    let world = World::new();
    let thing = "Type: 'Test::Thing'";
    for (template, want) in [
        (
            "Resources: {A: {Type: 'Test::Nothing'}}".to_owned(),
            "Unrecognized resource types: [Test::Nothing]",
        ),
        ("Resources: {A: {Type: 'Custom::X'}}".to_owned(), "Unrecognized resource types: [Custom::X]"),
        (
            format!("Resources: {{A: {{{thing}, Properties: {{Sice: 1}}}}}}"),
            "Encountered unsupported property Sice (resource A, Test::Thing) (line 1, column 57)",
        ),
        (
            format!("Resources:\n  A:\n    {thing}\n    Properties: {{Note: !Ref X}}\n"),
            "Unresolved resource dependencies [X] in the Resources block of the template (line 4,",
        ),
        (format!("Resources: {{A: {{{thing}, Properties: {{Note: !GetAtt A.Nothing}}}}}}"), "A"),
        (
            format!("Resources: {{A: {{{thing}}}, B: {{{thing}, Properties: {{Note: !GetAtt A.Nope}}}}}}"),
            "resource A does not support attribute type Nope in Fn::GetAtt",
        ),
        (
            format!("Resources: {{A: {{{thing}, DeletionPolicy: Snapshot}}}}"),
            "does not support deletion policy Snapshot",
        ),
        (format!("Transform: My-Macro\nResources: {{A: {{{thing}}}}}"), "No transform named My-Macro found."),
        ("Resources: {A: ".to_owned(), "Template format error: YAML not well-formed. (line 2,"),
        ("{}".to_owned(), "At least one Resources member must be defined."),
    ] {
        let error = cfn(&world, "CreateStack", json!({"StackName": "bad", "TemplateBody": template}))
            .await
            .unwrap_err();
        assert_eq!((error.code.as_ref(), error.status), ("ValidationError", 400), "{template}");
        assert!(error.message.contains(want), "{template}: {}", error.message);
    }
    for name in ["*@da591fa3_$", "1a", "a_b", &"x".repeat(129)] {
        let input = json!({"StackName": name, "TemplateBody": format!("Resources: {{A: {{{thing}}}}}")});
        let error = cfn(&world, "CreateStack", input).await.unwrap_err();
        assert!(
            error.message.contains("at 'stackName' failed to satisfy constraint: Member must"),
            "{}",
            error.message
        );
    }
    let none = cfn(&world, "DescribeStacks", json!({"StackName": "bad"})).await.unwrap_err();
    assert_eq!(none.message, "Stack with id bad does not exist");
    assert_eq!(cfn(&world, "ListStacks", json!({})).await.unwrap()["StackSummaries"], json!([]));
}

#[tokio::test]
async fn a_token_makes_a_call_repeatable_and_a_name_is_taken_once() {
    let world = World::new();
    let template = "Resources: {A: {Type: 'Test::Thing'}}";
    let with = |token: &str| json!({"StackName": "s", "TemplateBody": template, "ClientRequestToken": token});
    let first = cfn(&world, "CreateStack", with("t1")).await.unwrap();
    assert_eq!(cfn(&world, "CreateStack", with("t1")).await.unwrap(), first);
    let other = cfn(&world, "CreateStack", with("t2")).await.unwrap_err();
    assert_eq!(
        (other.code.as_ref(), other.message.as_str()),
        ("AlreadyExistsException", "Stack [s] already exists")
    );
    settle(&world).await;
    assert_eq!(things(&world).len(), 1);
}

#[tokio::test]
async fn parameters_are_checked_and_hidden() {
    let world = World::new();
    let template = "
Parameters:
  Kind: {Type: String, AllowedValues: [a, b]}
  Secret: {Type: String, NoEcho: true, Default: hush}
Resources:
  A: {Type: 'Test::Thing', Properties: {Note: !Ref Secret}}
";
    let with = |value: &str| json!({"StackName": "p", "TemplateBody": template, "Parameters": [{"ParameterKey": "Kind", "ParameterValue": value}]});
    let error = cfn(&world, "CreateStack", with("c")).await.unwrap_err();
    assert!(error.message.contains("'Kind' must be one of AllowedValues"), "{}", error.message);
    let missing =
        cfn(&world, "CreateStack", json!({"StackName": "p", "TemplateBody": template})).await.unwrap_err();
    assert_eq!(missing.message, "Parameters: [Kind] must have values");
    cfn(&world, "CreateStack", with("a")).await.unwrap();
    settle(&world).await;
    assert_eq!(things(&world)[0].properties["Note"], "hush");
    let shown = stack(&world, "p").await;
    assert_eq!(shown["Parameters"][1]["ParameterValue"], "****");
    let events = cfn(&world, "DescribeStackEvents", json!({"StackName": "p"})).await.unwrap();
    assert!(!events.to_string().contains("hush"), "{events}");
    assert!(events.to_string().contains("****"));
}

#[tokio::test]
async fn imports_need_exports_and_hold_them() {
    let world = World::new();
    let user = "
Resources:
  A: {Type: 'Test::Thing', Properties: {Note: {'Fn::ImportValue': !Sub 'chain-Arn'}}}
";
    create(&world, "early", user).await;
    settle(&world).await;
    assert_eq!(status(&world, "early").await, "ROLLBACK_COMPLETE");
    let reason = "early ROLLBACK_IN_PROGRESS No export named chain-Arn found. Rollback requested by user.";
    assert!(events(&world, "early").await.contains(&reason.to_owned()));
    create(&world, "chain", CHAIN).await;
    settle(&world).await;
    create(&world, "user", user).await;
    settle(&world).await;
    assert!(
        things(&world)
            .iter()
            .any(|t| t.properties["Note"] == "arn:test:chain-first" && t.id.starts_with("user-"))
    );
    let held = cfn(&world, "DeleteStack", json!({"StackName": "chain"})).await.unwrap_err();
    assert_eq!(held.message, "Export chain-Arn cannot be deleted as it is in use by user");
    let imports = cfn(&world, "ListImports", json!({"ExportName": "chain-Arn"})).await.unwrap();
    assert_eq!(imports["Imports"], json!(["user"]));
    // The same export from another stack.
    let thief = "Resources: {A: {Type: 'Test::Thing'}}\nOutputs: {X: {Value: x, Export: {Name: chain-Arn}}}";
    create(&world, "thief", thief).await;
    settle(&world).await;
    assert_eq!(status(&world, "thief").await, "ROLLBACK_COMPLETE");
    let text = events(&world, "thief").await.join("\n");
    assert!(text.contains("Export with name chain-Arn is already exported by stack chain"), "{text}");
    for name in ["user", "chain"] {
        cfn(&world, "DeleteStack", json!({"StackName": name})).await.unwrap();
        settle(&world).await;
    }
    assert_eq!(cfn(&world, "ListExports", json!({})).await.unwrap()["Exports"], json!([]));
    assert!(things(&world).is_empty());
}

#[tokio::test]
async fn a_creation_that_takes_too_long_is_given_up() {
    let world = World::new();
    let input = json!({"StackName": "slow", "TimeoutInMinutes": 1, "TemplateBody": "Resources: {A: {Type: 'Test::Thing', Properties: {Slow: 90}}}"});
    cfn(&world, "CreateStack", input).await.unwrap();
    world.settle().await;
    assert_eq!(status(&world, "slow").await, "CREATE_IN_PROGRESS");
    world.clock.advance(61);
    settle(&world).await;
    assert_eq!(status(&world, "slow").await, "ROLLBACK_COMPLETE");
    assert!(things(&world).is_empty());
}

#[tokio::test]
async fn only_callers_inside_may_give_tags_of_aws() {
    let world = World::new();
    let input = json!({"StackName": "t", "TemplateBody": "Resources: {A: {Type: 'Test::Thing'}}",
        "Tags": [{"Key": "aws:x", "Value": "1"}, {"Key": "team", "Value": "2"}]});
    let error = cfn(&world, "CreateStack", input.clone()).await.unwrap_err();
    assert!(error.message.contains("aws: prefixed tag key names"), "{}", error.message);
    let inside = world.root().through("servicecatalog.amazonaws.com");
    world.wire_as(inside, "cloudformation", "CreateStack", input).await.unwrap();
    settle(&world).await;
    let tags = &things(&world)[0].tags;
    for key in ["aws:x", "team", "aws:cloudformation:stack-name", "aws:cloudformation:stack-id"] {
        assert!(tags.iter().any(|(k, _)| k == key), "{key} in {tags:?}");
    }
}
