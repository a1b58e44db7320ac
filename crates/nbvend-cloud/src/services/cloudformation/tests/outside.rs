//! What stacks need of other services: a role to act as, parameters in Parameter Store.

use serde_json::json;

use super::*;

const ONE: &str = "Resources: {A: {Type: 'Test::Thing', Properties: {Name: a}}}";

async fn role(world: &World, name: &str, service: &str) -> String {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]});
    let input = json!({"RoleName": name, "AssumeRolePolicyDocument": trust.to_string()});
    world.wire("iam", "CreateRole", input).await.unwrap()["Role"]["Arn"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_stack_acts_as_its_role() {
    let world = World::new();
    let arn = role(&world, "stacks", "cloudformation.amazonaws.com").await;
    let input = json!({"StackName": "s", "TemplateBody": ONE, "RoleARN": arn});
    cfn(&world, "CreateStack", input).await.unwrap();
    settle(&world).await;
    assert_eq!(status(&world, "s").await, "CREATE_COMPLETE");
    assert_eq!(things(&world)[0].by, "arn:aws:sts::123456789012:assumed-role/stacks/AWSCloudFormation");
    // Without one, as whoever asked.
    create(&world, "t", "Resources: {A: {Type: 'Test::Thing', Properties: {Name: b}}}").await;
    settle(&world).await;
    assert_eq!(things(&world)[1].by, "arn:aws:iam::123456789012:root");
    // A session that ended meanwhile is taken anew.
    world.clock.advance(2 * 3600);
    cfn(&world, "DeleteStack", json!({"StackName": "s"})).await.unwrap();
    settle(&world).await;
    assert_eq!(things(&world).len(), 1);
}

#[tokio::test]
async fn a_role_that_does_not_trust_cloudformation_makes_nothing() {
    let world = World::new();
    let arn = role(&world, "other", "lambda.amazonaws.com").await;
    let input = json!({"StackName": "s", "TemplateBody": ONE, "RoleARN": arn});
    cfn(&world, "CreateStack", input).await.unwrap();
    settle(&world).await;
    let text = events(&world, "s").await.join("\n");
    assert!(
        text.contains(&format!("ROLLBACK_IN_PROGRESS Role {arn} is invalid or cannot be assumed")),
        "{text}"
    );
    assert!(things(&world).is_empty());
}

#[tokio::test]
async fn values_come_from_parameter_store() {
    let world = World::new();
    let put = json!({"Name": "/app/size", "Value": "12", "Type": "String"});
    world.wire("ssm", "PutParameter", put).await.unwrap();
    let template = "
Parameters: {Size: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /app/size}}
Resources: {A: {Type: 'Test::Thing', Properties: {Size: !Ref Size, Note: 'is {{resolve:ssm:/app/size}}'}}}
";
    create(&world, "s", template).await;
    settle(&world).await;
    let thing = &things(&world)[0];
    assert_eq!((&thing.properties["Size"], &thing.properties["Note"]), (&json!("12"), &json!("is 12")));
    let shown = stack(&world, "s").await["Parameters"][0].clone();
    assert_eq!((&shown["ParameterValue"], &shown["ResolvedValue"]), (&json!("/app/size"), &json!("12")));
    let missing = json!({"StackName": "t", "TemplateBody": template,
        "Parameters": [{"ParameterKey": "Size", "ParameterValue": "/app/none"}]});
    let error = cfn(&world, "CreateStack", missing).await.unwrap_err();
    assert_eq!(
        error.message,
        "Unable to fetch parameters [/app/none] from parameter store for this account."
    );
    create(
        &world,
        "u",
        "Resources: {A: {Type: 'Test::Thing', Properties: {Note: '{{resolve:secretsmanager:x}}'}}}",
    )
    .await;
    settle(&world).await;
    let text = events(&world, "u").await.join("\n");
    assert!(text.contains("{{resolve:secretsmanager:x}} is not supported"), "{text}");
}

#[tokio::test]
async fn the_trail_tells_who_made_what_and_hides_values() {
    let world = World::new();
    let input = json!({"StackName": "s", "TemplateBody": "Parameters: {P: {Type: String, NoEcho: true}}\nResources: {A: {Type: 'Test::Thing'}}",
        "Parameters": [{"ParameterKey": "P", "ParameterValue": "hush-hush"}]});
    cfn(&world, "CreateStack", input).await.unwrap();
    let sent = world.engine.store().read(|tx| crate::outbox::oldest(tx, 100)).unwrap().unwrap();
    let calls: Vec<Value> =
        sent.into_iter().map(|p| p.event).filter(|e| e["detail"]["eventName"] == "CreateStack").collect();
    assert_eq!(calls.len(), 1);
    assert!(!calls[0].to_string().contains("hush-hush"), "{}", calls[0]);
}
