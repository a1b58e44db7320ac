//! Change sets, with and without a transform.

use serde_json::json;

use super::*;

const ONE: &str = "Resources: {A: {Type: 'Test::Thing', Properties: {Name: a, Size: 1}}}";

async fn make(
    world: &World,
    stack: &str,
    name: &str,
    kind: &str,
    template: &str,
) -> Result<Value, WireError> {
    let input = json!({"StackName": stack, "ChangeSetName": name, "ChangeSetType": kind, "TemplateBody": template,
        "Capabilities": ["CAPABILITY_IAM"], "Parameters": []});
    cfn(world, "CreateChangeSet", input).await
}

#[tokio::test]
async fn a_stack_is_reviewed_and_then_made() {
    let world = World::new();
    let made = make(&world, "s", "first", "CREATE", ONE).await.unwrap();
    let arn = made["Id"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:cloudformation:us-east-1:123456789012:changeSet/first/"), "{arn}");
    assert_eq!(status(&world, "s").await, "REVIEW_IN_PROGRESS");
    assert_eq!(events(&world, "s").await, ["s REVIEW_IN_PROGRESS User Initiated"]);
    let set = cfn(&world, "DescribeChangeSet", json!({"ChangeSetName": arn})).await.unwrap();
    assert_eq!((&set["Status"], &set["ExecutionStatus"]), (&json!("CREATE_COMPLETE"), &json!("AVAILABLE")));
    let change = &set["Changes"][0];
    assert_eq!(change["Type"], "Resource");
    assert_eq!(change["ResourceChange"]["Action"], "Add");
    assert_eq!(change["ResourceChange"]["LogicalResourceId"], "A");
    assert!(change["ResourceChange"]["Replacement"].is_null());
    world.settle().await;
    assert!(things(&world).is_empty(), "nothing is made before it is executed");
    let error = cfn(&world, "GetTemplateSummary", json!({"StackName": "s"})).await.unwrap_err();
    assert_eq!(error.message, "GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.");
    let taken = make(&world, "s", "first", "CREATE", ONE).await.unwrap_err();
    assert_eq!(taken.code, "AlreadyExistsException");
    make(&world, "s", "other", "CREATE", ONE).await.unwrap();
    cfn(&world, "ExecuteChangeSet", json!({"ChangeSetName": "first", "StackName": "s"})).await.unwrap();
    settle(&world).await;
    assert_eq!(status(&world, "s").await, "CREATE_COMPLETE");
    assert_eq!(stack(&world, "s").await["ChangeSetId"], arn);
    let set = cfn(&world, "DescribeChangeSet", json!({"ChangeSetName": arn})).await.unwrap();
    assert_eq!(set["ExecutionStatus"], "EXECUTE_COMPLETE");
    let other = cfn(&world, "DescribeChangeSet", json!({"ChangeSetName": "other", "StackName": "s"}))
        .await
        .unwrap_err();
    assert_eq!((other.code.as_ref(), other.status), ("ChangeSetNotFound", 404));
    assert_eq!(other.message, "ChangeSet [other] does not exist");
    let again = cfn(&world, "ExecuteChangeSet", json!({"ChangeSetName": arn})).await.unwrap_err();
    assert_eq!(again.code, "InvalidChangeSetStatus");
    let create = make(&world, "s", "c", "CREATE", ONE).await.unwrap_err();
    assert_eq!(
        create.message,
        "Stack [s] already exists and cannot be created again with the changeSet [c]."
    );
}

#[tokio::test]
async fn an_update_shows_what_it_would_do() {
    let world = World::new();
    create(&world, "s", ONE).await;
    settle(&world).await;
    let two =
        "Resources: {A: {Type: 'Test::Thing', Properties: {Name: b, Size: 1}}, N: {Type: 'Test::Thing'}}";
    let arn = make(&world, "s", "u", "UPDATE", two).await.unwrap()["Id"].clone();
    let set = cfn(&world, "DescribeChangeSet", json!({"ChangeSetName": arn})).await.unwrap();
    let changes = set["Changes"].as_array().unwrap();
    assert_eq!(changes[0]["ResourceChange"]["Action"], "Modify");
    assert_eq!(changes[0]["ResourceChange"]["Replacement"], "True");
    assert_eq!(changes[0]["ResourceChange"]["PhysicalResourceId"], "a");
    assert_eq!(changes[0]["ResourceChange"]["Details"][0]["Target"]["Name"], "Name");
    assert_eq!(changes[1]["ResourceChange"]["Action"], "Add");
    cfn(&world, "ExecuteChangeSet", json!({"ChangeSetName": arn})).await.unwrap();
    settle(&world).await;
    assert_eq!(status(&world, "s").await, "UPDATE_COMPLETE");
    // Without changes.
    let arn = make(&world, "s", "none", "UPDATE", two).await.unwrap()["Id"].clone();
    let set = cfn(&world, "DescribeChangeSet", json!({"ChangeSetName": arn})).await.unwrap();
    assert_eq!((&set["Status"], &set["ExecutionStatus"]), (&json!("FAILED"), &json!("UNAVAILABLE")));
    assert!(
        set["StatusReason"]
            .as_str()
            .unwrap()
            .starts_with("The submitted information didn't contain changes.")
    );
    let error = cfn(&world, "ExecuteChangeSet", json!({"ChangeSetName": arn})).await.unwrap_err();
    let want =
        format!("ChangeSet [{}] cannot be executed in its current status of [FAILED]", arn.as_str().unwrap());
    assert_eq!((error.code.as_ref(), error.message), ("InvalidChangeSetStatus", want));
    cfn(&world, "DeleteChangeSet", json!({"ChangeSetName": arn})).await.unwrap();
    let listed = cfn(&world, "ListChangeSets", json!({"StackName": "s"})).await.unwrap();
    assert_eq!(listed["Summaries"].as_array().unwrap().len(), 1, "the executed one");
    for (input, want) in [
        (json!({"ChangeSetName": "x", "StackName": "somestack"}), "Stack [somestack] does not exist"),
        (
            json!({"ChangeSetName": "x"}),
            "StackName must be specified if ChangeSetName is not specified as an ARN.",
        ),
    ] {
        assert_eq!(cfn(&world, "DeleteChangeSet", input).await.unwrap_err().message, want);
    }
}

#[tokio::test]
async fn a_stack_in_review_can_be_deleted() {
    let world = World::new();
    let made = make(&world, "s", "c", "CREATE", ONE).await.unwrap();
    cfn(&world, "DeleteStack", json!({"StackName": "s"})).await.unwrap();
    settle(&world).await;
    assert_eq!(status(&world, made["StackId"].as_str().unwrap()).await, "DELETE_COMPLETE");
    let gone = cfn(&world, "DescribeChangeSet", json!({"ChangeSetName": made["Id"]})).await.unwrap_err();
    assert_eq!(gone.code, "ChangeSetNotFound");
    make(&world, "s", "c", "CREATE", ONE).await.unwrap();
}

#[tokio::test]
async fn a_serverless_template_is_transformed() {
    let world = World::new();
    let plain = "Transform: AWS::Serverless-2016-10-31\nParameters: {N: {Type: String, Default: n}}\nResources: {A: {Type: 'Test::Thing', Properties: {Name: !Ref N}}}\n";
    let direct =
        cfn(&world, "CreateStack", json!({"StackName": "d", "TemplateBody": plain})).await.unwrap_err();
    assert_eq!(direct.code, "InsufficientCapabilitiesException");
    assert_eq!(direct.message, "Requires capabilities : [CAPABILITY_AUTO_EXPAND]");
    let arn = make(&world, "s", "c", "CREATE", plain).await.unwrap()["Id"].clone();
    let of = |stage: &str| json!({"ChangeSetName": arn, "TemplateStage": stage});
    let original = cfn(&world, "GetTemplate", of("Original")).await.unwrap();
    assert_eq!(original["TemplateBody"], plain);
    let processed = cfn(&world, "GetTemplate", of("Processed")).await.unwrap();
    let processed: Value = serde_json::from_str(processed["TemplateBody"].as_str().unwrap()).unwrap();
    assert!(processed.get("Transform").is_none());
    assert_eq!(processed["Resources"]["A"]["Type"], "Test::Thing");
    cfn(&world, "ExecuteChangeSet", json!({"ChangeSetName": arn})).await.unwrap();
    settle(&world).await;
    assert_eq!(things(&world)[0].id, "n");
    // A template the transform refuses makes a change set that says why.
    let bad =
        "Transform: AWS::Serverless-2016-10-31\nResources: {F: {Type: 'AWS::Serverless::SimpleTable'}}\n";
    let arn = make(&world, "t", "c", "CREATE", bad).await.unwrap()["Id"].clone();
    let set = cfn(&world, "DescribeChangeSet", json!({"ChangeSetName": arn})).await.unwrap();
    assert_eq!(set["Status"], "FAILED");
    let reason = set["StatusReason"].as_str().unwrap();
    assert!(
        reason.starts_with("Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless"),
        "{reason}"
    );
}

#[tokio::test]
async fn templates_are_summed_up() {
    let world = World::new();
    let template = "Description: d\nParameters: {P: {Type: Number, Default: 3, AllowedValues: [3, 4]}}\nResources: {R: {Type: 'AWS::IAM::Role'}, S: {Type: 'AWS::IAM::Role'}}\n";
    let summary = cfn(&world, "GetTemplateSummary", json!({"TemplateBody": template})).await.unwrap();
    assert_eq!(summary["ResourceTypes"], json!(["AWS::IAM::Role"]));
    assert_eq!(summary["Capabilities"], json!(["CAPABILITY_IAM"]));
    assert_eq!(summary["Parameters"][0]["ParameterConstraints"]["AllowedValues"], json!(["3", "4"]));
    assert_eq!(summary["ResourceIdentifierSummaries"][0]["LogicalResourceIds"], json!(["R", "S"]));
    let valid = cfn(&world, "ValidateTemplate", json!({"TemplateBody": template})).await.unwrap();
    assert_eq!(valid["Parameters"][0]["DefaultValue"], "3");
    let error = cfn(&world, "ValidateTemplate", json!({"TemplateBody": "{\"Resources\": {\"A\": x}}"}))
        .await
        .unwrap_err();
    assert_eq!(error.message, "Template format error: JSON not well-formed. (line 1, column 22)");
    for (input, want) in [
        (json!({}), "StackName is required if ChangeSetName is not specified."),
        (json!({"ChangeSetName": "c"}), "StackName is a required parameter."),
        (json!({"StackName": "does-not-exist"}), "Stack with id does-not-exist does not exist"),
    ] {
        assert_eq!(cfn(&world, "GetTemplate", input).await.unwrap_err().message, want);
    }
}

#[tokio::test]
async fn a_change_set_that_was_overtaken_is_obsolete() {
    let world = World::new();
    create(&world, "s", ONE).await;
    settle(&world).await;
    let arn =
        make(&world, "s", "slow", "UPDATE", &ONE.replace("Size: 1", "Size: 2")).await.unwrap()["Id"].clone();
    update(&world, "s", &ONE.replace("Size: 1", "Size: 3")).await.unwrap();
    settle(&world).await;
    let set = cfn(&world, "DescribeChangeSet", json!({"ChangeSetName": arn})).await.unwrap();
    assert_eq!(set["ExecutionStatus"], "OBSOLETE");
    let error = cfn(&world, "ExecuteChangeSet", json!({"ChangeSetName": arn})).await.unwrap_err();
    assert_eq!(error.code, "InvalidChangeSetStatus");
    assert_eq!(things(&world)[0].properties["Size"], 3);
}
