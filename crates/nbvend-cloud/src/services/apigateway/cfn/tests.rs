//! APIs in stacks: made, changed and taken away by CloudFormation.

use serde_json::{Value, json};

use crate::services::apigateway::tests::{ok, text};
use crate::testing::World;

/// Lets time pass until the stack is done; answers its status and outputs.
async fn done(world: &World) -> (String, Value) {
    for _ in 0..100 {
        world.settle().await;
        let answer = world.wire("cloudformation", "DescribeStacks", json!({"StackName": "zoo"})).await;
        let Ok(answer) = answer else { return ("DELETED".to_owned(), Value::Null) };
        let stack = &answer["Stacks"][0];
        let status = text(&stack["StackStatus"]);
        if !status.ends_with("IN_PROGRESS") {
            let outputs = stack["Outputs"].as_array().cloned().unwrap_or_default();
            let outputs = outputs.iter().map(|o| (text(&o["OutputKey"]), o["OutputValue"].clone()));
            return (status, Value::Object(outputs.collect()));
        }
        world.clock.advance(1);
    }
    panic!("the stack is never done");
}

async fn why(world: &World) -> String {
    let events =
        world.wire("cloudformation", "DescribeStackEvents", json!({"StackName": "zoo"})).await.unwrap();
    let failed = events["StackEvents"].as_array().unwrap().iter();
    let failed = failed.filter(|event| text(&event["ResourceStatus"]).ends_with("FAILED"));
    failed
        .map(|event| format!("{}: {}\n", event["LogicalResourceId"], event["ResourceStatusReason"]))
        .collect()
}

async fn stack(world: &World, operation: &str, template: &Value, expected: &str) -> Value {
    let input = json!({"StackName": "zoo", "TemplateBody": template.to_string(),
        "Tags": [{"Key": "team", "Value": "zoo"}]});
    world.wire("cloudformation", operation, input).await.unwrap();
    let (status, outputs) = done(world).await;
    assert_eq!(status, expected, "{}", why(world).await);
    outputs
}

/// What SAM makes: an API from a document, a deployment with the odd `StageName`, a stage.
fn from_document(path: &str, deployment: &str) -> Value {
    let mock = json!({"type": "mock", "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
        "responses": {"default": {"statusCode": "200"}}});
    json!({
        "Resources": {
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {
                "Body": {"swagger": "2.0", "info": {"title": {"Ref": "AWS::StackName"}, "version": "1.0"},
                    "paths": {path: {"get": {"x-amazon-apigateway-integration": mock, "responses": {}}}}},
                "Parameters": {"endpointConfigurationTypes": "REGIONAL"},
                "EndpointConfiguration": {"Types": ["REGIONAL"]},
                "BinaryMediaTypes": ["image~1png"],
            }},
            deployment: {"Type": "AWS::ApiGateway::Deployment", "Properties": {
                "RestApiId": {"Ref": "Api"}, "Description": deployment, "StageName": "Stage"}},
            "ApiProdStage": {"Type": "AWS::ApiGateway::Stage", "Properties": {
                "RestApiId": {"Ref": "Api"}, "DeploymentId": {"Ref": deployment}, "StageName": "Prod",
                "TracingEnabled": "true", "Variables": {"v": deployment},
                "MethodSettings": [{"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 5, "ThrottlingBurstLimit": "9"}]}},
        },
        "Outputs": {"Api": {"Value": {"Ref": "Api"}}, "Root": {"Value": {"Fn::GetAtt": ["Api", "RootResourceId"]}},
            "Stage": {"Value": {"Ref": "ApiProdStage"}}},
    })
}

#[tokio::test]
async fn a_stack_as_sam_makes_it_is_made_changed_and_taken_away() {
    let world = World::new();
    let outputs = stack(&world, "CreateStack", &from_document("/a", "First"), "CREATE_COMPLETE").await;
    let api = text(&outputs["Api"]);
    let shown = ok(&world, "GetRestApi", json!({"restApiId": api})).await;
    assert_eq!((&shown["name"], &outputs["Root"]), (&json!("zoo"), &shown["rootResourceId"]));
    assert_eq!(shown["binaryMediaTypes"], json!(["image/png"]));
    assert_eq!(shown["endpointConfiguration"]["types"], json!(["REGIONAL"]));
    assert_eq!(
        (&shown["tags"]["team"], &shown["tags"]["aws:cloudformation:logical-id"]),
        (&json!("zoo"), &json!("Api"))
    );
    let stages = async || {
        let all = ok(&world, "GetStages", json!({"restApiId": api})).await;
        let all = all["item"].as_array().unwrap().clone();
        all.into_iter()
            .map(|stage| (text(&stage["stageName"]), stage))
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let before = stages().await;
    assert_eq!(before.keys().collect::<Vec<_>>(), ["Prod", "Stage"]);
    assert_eq!(before["Prod"]["tracingEnabled"], true);
    assert_eq!(before["Prod"]["methodSettings"]["*/*"]["throttlingBurstLimit"], 9);

    // A changed API is a new deployment: the stages move to it and the old one goes.
    stack(&world, "UpdateStack", &from_document("/b", "Second"), "UPDATE_COMPLETE").await;
    let after = stages().await;
    for name in ["Prod", "Stage"] {
        assert_ne!(after[name]["deploymentId"], before[name]["deploymentId"], "{name}");
    }
    assert_eq!(after["Prod"]["variables"], json!({"v": "Second"}));
    let deployments = ok(&world, "GetDeployments", json!({"restApiId": api})).await;
    assert_eq!(deployments["items"].as_array().unwrap().len(), 1);
    let resources = ok(&world, "GetResources", json!({"restApiId": api})).await;
    let paths: Vec<String> =
        resources["items"].as_array().unwrap().iter().map(|r| text(&r["path"])).collect();
    assert!(paths.contains(&"/b".to_owned()) && !paths.contains(&"/a".to_owned()), "{paths:?}");

    world.wire("cloudformation", "DeleteStack", json!({"StackName": "zoo"})).await.unwrap();
    assert_eq!(done(&world).await.0, "DELETED");
    assert_eq!(ok(&world, "GetRestApis", json!({})).await["items"], json!([]));
}

/// The same piece by piece.
fn from_pieces(authorization: &str) -> Value {
    let at = json!({"RestApiId": {"Ref": "Api"}, "ResourceId": {"Ref": "Pets"}, "HttpMethod": "GET",
        "AuthorizationType": authorization, "MethodResponses": [{"StatusCode": 200}],
        "Integration": {"Type": "MOCK", "TimeoutInMillis": "1000",
            "RequestTemplates": {"application/json": "{\"statusCode\": 200}"},
            "IntegrationResponses": [{"StatusCode": "200", "ResponseTemplates": {"application/json": "hello"}}]}});
    json!({
        "Resources": {
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "pieces", "Description": authorization}},
            "Pets": {"Type": "AWS::ApiGateway::Resource", "Properties": {"RestApiId": {"Ref": "Api"},
                "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]}, "PathPart": "pets"}},
            "Get": {"Type": "AWS::ApiGateway::Method", "Properties": at},
            "Deployment": {"Type": "AWS::ApiGateway::Deployment", "DependsOn": "Get",
                "Properties": {"RestApiId": {"Ref": "Api"}}},
            "Account": {"Type": "AWS::ApiGateway::Account",
                "Properties": {"CloudWatchRoleArn": "arn:aws:iam::123456789012:role/logs"}},
        },
        "Outputs": {"Api": {"Value": {"Ref": "Api"}}, "Pets": {"Value": {"Ref": "Pets"}}},
    })
}

#[tokio::test]
async fn an_api_is_made_of_single_resources_too() {
    let world = World::new();
    let outputs = stack(&world, "CreateStack", &from_pieces("NONE"), "CREATE_COMPLETE").await;
    let at = json!({"restApiId": outputs["Api"], "resourceId": outputs["Pets"], "httpMethod": "GET"});
    let method = ok(&world, "GetMethod", at.clone()).await;
    assert_eq!(method["authorizationType"], "NONE");
    assert_eq!(method["methodIntegration"]["timeoutInMillis"], 1000);
    assert_eq!(
        method["methodIntegration"]["integrationResponses"]["200"]["responseTemplates"]["application/json"],
        "hello"
    );
    stack(&world, "UpdateStack", &from_pieces("AWS_IAM"), "UPDATE_COMPLETE").await;
    assert_eq!(ok(&world, "GetMethod", at).await["authorizationType"], "AWS_IAM");
    world.wire("cloudformation", "DeleteStack", json!({"StackName": "zoo"})).await.unwrap();
    assert_eq!(done(&world).await.0, "DELETED");
    assert_eq!(ok(&world, "GetRestApis", json!({})).await["items"], json!([]));
}

#[tokio::test]
async fn an_api_that_cannot_be_made_leaves_nothing() {
    let world = World::new();
    let mut template = from_document("/a", "First");
    template["Resources"]["Api"]["Properties"]["Body"]["paths"]["/a"]["get"]["x-amazon-apigateway-integration"] =
        json!({"type": "http", "httpMethod": "GET", "uri": "http://example.org"});
    stack(&world, "CreateStack", &template, "ROLLBACK_COMPLETE").await;
    assert!(why(&world).await.contains("The integration type HTTP"), "{}", why(&world).await);
    assert_eq!(ok(&world, "GetRestApis", json!({})).await["items"], json!([]));
    let mut template = from_pieces("NONE");
    template["Resources"]["Get"]["Properties"]["Integration"]["ContentHandling"] = json!("CONVERT_TO_TEXT");
    world.wire("cloudformation", "DeleteStack", json!({"StackName": "zoo"})).await.unwrap();
    done(&world).await;
    stack(&world, "CreateStack", &template, "ROLLBACK_COMPLETE").await;
    assert!(why(&world).await.contains("unsupported property ContentHandling"), "{}", why(&world).await);
    assert_eq!(ok(&world, "GetRestApis", json!({})).await["items"], json!([]));
}
