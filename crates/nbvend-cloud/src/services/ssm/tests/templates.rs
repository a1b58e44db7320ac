//! Parameters made by CloudFormation.

use super::*;

#[tokio::test]
async fn templates_make_change_and_end_parameters() {
    let world = World::new();
    let run = async |operation: &str, template: &Value| {
        let input = json!({"StackName": "s", "TemplateBody": template.to_string()});
        world.wire("cloudformation", operation, input).await.unwrap();
        world.settle().await;
        let all = world.wire("cloudformation", "DescribeStacks", json!({"StackName": "s"})).await.unwrap();
        (all["Stacks"][0]["StackStatus"].as_str().unwrap().to_owned(), all["Stacks"][0]["Outputs"].clone())
    };
    let mut template = json!({
        "Resources": {
            "Named": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/n", "Type": "String", "Value": 7,
                "Description": "d", "AllowedPattern": "[0-9]+", "Tags": {"team": "ml"}}},
            "Unnamed": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "StringList", "Value": "a,b"}},
        },
        "Outputs": {"Named": {"Value": {"Ref": "Named"}}, "Value": {"Value": {"Fn::GetAtt": ["Unnamed", "Value"]}}},
    });
    let (status, outputs) = run("CreateStack", &template).await;
    assert_eq!(status, "CREATE_COMPLETE");
    assert_eq!(outputs[0]["OutputValue"], "/n");
    assert_eq!(outputs[1]["OutputValue"], "a,b");
    assert_eq!(get(&world, "/n").await.unwrap()["Value"], "7");
    let tags = call(&world, "ListTagsForResource", json!({"ResourceType": "Parameter", "ResourceId": "/n"}))
        .await
        .unwrap();
    assert!(tags["TagList"].as_array().unwrap().contains(&json!({"Key": "team", "Value": "ml"})), "{tags}");

    let named = &mut template["Resources"]["Named"]["Properties"];
    *named = json!({"Name": "/n", "Type": "String", "Value": "eight"});
    assert_eq!(run("UpdateStack", &template).await.0, "UPDATE_COMPLETE");
    let now =
        call(&world, "DescribeParameters", json!({"ParameterFilters": [{"Key": "Name", "Values": ["/n"]}]}))
            .await
            .unwrap();
    assert_eq!(now["Parameters"][0]["AllowedPattern"], Value::Null);
    assert_eq!(get(&world, "/n").await.unwrap()["Value"], "eight");
    let tags = call(&world, "ListTagsForResource", json!({"ResourceType": "Parameter", "ResourceId": "/n"}))
        .await
        .unwrap();
    assert!(!tags["TagList"].as_array().unwrap().iter().any(|tag| tag["Key"] == "team"), "{tags}");

    template["Resources"]["Named"]["Properties"]["Type"] = json!("SecureString");
    assert_eq!(run("UpdateStack", &template).await.0, "UPDATE_ROLLBACK_COMPLETE");
    world.wire("cloudformation", "DeleteStack", json!({"StackName": "s"})).await.unwrap();
    world.settle().await;
    assert_eq!(call(&world, "DescribeParameters", json!({})).await.unwrap()["Parameters"], json!([]));
}
