//! Rules and buses made by CloudFormation.

use super::*;

async fn stack(world: &World, operation: &str, template: &Value) -> (String, Value) {
    let input = json!({"StackName": "s", "TemplateBody": template.to_string(), "Tags": [{"Key": "team", "Value": "ml"}]});
    world.wire("cloudformation", operation, input).await.unwrap();
    world.settle().await;
    let all = world.wire("cloudformation", "DescribeStacks", json!({"StackName": "s"})).await.unwrap();
    let stack = &all["Stacks"][0];
    (stack["StackStatus"].as_str().unwrap().to_owned(), stack["Outputs"].clone())
}

#[tokio::test]
async fn templates_make_change_and_end_rules_and_buses() {
    let world = World::new();
    log_group(&world).await;
    let mut template = json!({
        "Resources": {
            "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "b"}},
            "Named": {"Type": "AWS::Events::Rule", "Properties": {
                "Name": "named", "State": "ENABLED", "EventPattern": {"source": ["shop"]},
                "Targets": [{"Id": "log", "Arn": GROUP, "InputPath": "$.detail.n", "RetryPolicy": {"MaximumRetryAttempts": "4"}}],
            }},
            "OnBus": {"Type": "AWS::Events::Rule", "Properties": {
                "Name": "x", "EventBusName": {"Ref": "Bus"}, "EventPattern": {"source": ["shop"]},
            }},
            "Unnamed": {"Type": "AWS::Events::Rule", "Properties": {"ScheduleExpression": "rate(1 hour)", "State": "DISABLED"}},
        },
        "Outputs": {
            "Named": {"Value": {"Fn::GetAtt": ["Named", "Arn"]}}, "OnBus": {"Value": {"Ref": "OnBus"}},
            "Unnamed": {"Value": {"Ref": "Unnamed"}}, "Bus": {"Value": {"Fn::GetAtt": ["Bus", "Arn"]}},
        },
    });
    let (status, outputs) = stack(&world, "CreateStack", &template).await;
    assert_eq!(status, "CREATE_COMPLETE");
    let output = |key: &str| {
        let all = outputs.as_array().unwrap();
        all.iter().find(|o| o["OutputKey"] == key).unwrap()["OutputValue"].as_str().unwrap().to_owned()
    };
    assert_eq!(output("Named"), "arn:aws:events:us-east-1:123456789012:rule/named");
    assert_eq!(output("OnBus"), "b|x");
    assert_eq!(output("Bus"), "arn:aws:events:us-east-1:123456789012:event-bus/b");
    assert!(output("Unnamed").starts_with("s-Unnamed-"), "{}", output("Unnamed"));
    let targets = call(&world, "ListTargetsByRule", json!({"Rule": "named"})).await.unwrap();
    assert_eq!(targets["Targets"][0]["RetryPolicy"]["MaximumRetryAttempts"], 4);
    let tags = call(&world, "ListTagsForResource", json!({"ResourceARN": output("Named")})).await.unwrap();
    assert!(tags["Tags"].as_array().unwrap().contains(&json!({"Key": "team", "Value": "ml"})));

    template["Resources"]["Named"]["Properties"]["EventPattern"] = json!({"source": ["other"]});
    template["Resources"]["Named"]["Properties"]["Targets"][0]["Id"] = json!("renamed");
    assert_eq!(stack(&world, "UpdateStack", &template).await.0, "UPDATE_COMPLETE");
    send(&world, "shop", json!({"n": 1})).await;
    send(&world, "other", json!({"n": 2})).await;
    world.settle().await;
    assert_eq!(logged(&world, "named").await, ["2"]);
    let targets = call(&world, "ListTargetsByRule", json!({"Rule": "named"})).await.unwrap();
    assert_eq!(targets["Targets"].as_array().unwrap().len(), 1);

    // A target that cannot be fails the resource, and what there was comes back.
    template["Resources"]["Named"]["Properties"]["Targets"][0]["Arn"] =
        json!("arn:aws:sqs:us-east-1:123456789012:q");
    assert_eq!(stack(&world, "UpdateStack", &template).await.0, "UPDATE_ROLLBACK_COMPLETE");
    let targets = call(&world, "ListTargetsByRule", json!({"Rule": "named"})).await.unwrap();
    assert_eq!(targets["Targets"][0]["Arn"], GROUP);

    world.wire("cloudformation", "DeleteStack", json!({"StackName": "s"})).await.unwrap();
    world.settle().await;
    assert_eq!(call(&world, "ListRules", json!({})).await.unwrap()["Rules"], json!([]));
    assert_eq!(
        call(&world, "ListEventBuses", json!({})).await.unwrap()["EventBuses"].as_array().unwrap().len(),
        1
    );
}
