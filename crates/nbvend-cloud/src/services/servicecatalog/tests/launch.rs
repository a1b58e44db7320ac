//! A launch: accepted, recorded, made as the launch role.

use super::*;

#[tokio::test]
async fn a_launch_is_made_as_the_launch_role_and_stamped_with_who_asked() {
    let shop = shop().await;
    let world = &shop.world;
    let ada = user(world, "ada").await;
    open_to(world, &shop.portfolio, "IAM", "arn:aws:iam::123456789012:user/ada").await;
    let mut order = shop.order("mine", &[("Name", "abc"), ("Secret", "xyzzy")]);
    order["Tags"] = json!([{"Key": "team", "Value": "data"}]);
    order["ProvisionToken"] = json!("token-1");
    let answer = sc_as(world, ada, "ProvisionProduct", order).await.unwrap();
    let detail = &answer["RecordDetail"];
    assert_eq!((&detail["Status"], &detail["RecordType"]), (&json!("CREATED"), &json!("PROVISION_PRODUCT")));
    assert_eq!((&detail["RecordErrors"], &detail["LaunchRoleArn"]), (&json!([]), &json!(LAUNCH_ROLE)));
    assert_eq!(product(world, "mine").await["Status"], "UNDER_CHANGE");

    let trail = trail(world, "ProvisionProduct");
    assert_eq!(trail.len(), 1);
    let (request, response) = (&trail[0]["requestParameters"], &trail[0]["responseElements"]["recordDetail"]);
    assert_eq!(
        request["provisioningParameters"],
        json!([{"key": "Name", "value": "abc"}, {"key": "Secret", "value": "****"}])
    );
    assert_eq!((&request["notificationArns"], &request["provisionToken"]), (&json!([]), &json!("token-1")));
    assert_eq!(request["productId"], json!(shop.product));
    assert_eq!((&response["recordErrors"], &response["recordId"]), (&json!([]), &detail["RecordId"]));
    assert_eq!(response["recordTags"], json!([{"key": "team", "value": "data"}]));
    assert_eq!(response["provisionedProductId"], detail["ProvisionedProductId"]);
    assert_eq!(response["createdTime"], "Nov 22, 2026 12:00:00 PM");
    assert_eq!(trail[0]["userIdentity"]["arn"], "arn:aws:iam::123456789012:user/ada");

    settle(world).await;
    let pp = text(&detail["ProvisionedProductId"]);
    let done = record(world, &detail["RecordId"]).await;
    assert_eq!(done["RecordDetail"]["Status"], "SUCCEEDED");
    let stack = text(&done["RecordOutputs"][0]["OutputValue"]);
    assert_eq!(done["RecordOutputs"][0]["OutputKey"], "CloudformationStackARN");
    assert!(stack.contains(&format!(":stack/SC-123456789012-{pp}/")), "{stack}");
    assert_eq!(
        done["RecordOutputs"][1],
        json!({"OutputKey": "ThingId", "OutputValue": "thing-abc", "Description": "What it is called"})
    );
    let seen = product(world, "mine").await;
    assert_eq!(
        (&seen["Status"], &seen["LastSuccessfulProvisioningRecordId"]),
        (&json!("AVAILABLE"), &detail["RecordId"])
    );
    assert_eq!(seen["Arn"], format!("arn:aws:servicecatalog:us-east-1:123456789012:stack/mine/{pp}"));

    let things = things(world);
    assert_eq!(things[0].by, "arn:aws:sts::123456789012:assumed-role/Launch/servicecatalog");
    let tag = |key: &str| things[0].tags.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
    let own = |name: &str| tag(&format!("aws:servicecatalog:{name}")).unwrap();
    assert_eq!(tag("team").unwrap(), "data");
    assert_eq!(own("provisioningPrincipalArn"), "arn:aws:iam::123456789012:user/ada");
    assert_eq!(own("provisionedProductArn"), text(&seen["Arn"]));
    assert_eq!(own("productArn"), format!("arn:aws:catalog:us-east-1:123456789012:product/{}", shop.product));
    assert_eq!(
        own("portfolioArn"),
        format!("arn:aws:catalog:us-east-1:123456789012:portfolio/{}", shop.portfolio)
    );
    assert_eq!(own("provisioningArtifactIdentifier"), shop.artifact);
    let outputs = json!({"ProvisionedProductName": "mine", "OutputKeys": ["ThingId"]});
    let outputs = sc(world, "GetProvisionedProductOutputs", outputs).await.unwrap();
    assert_eq!(outputs["Outputs"].as_array().unwrap().len(), 1);
    // The values of parameters are not kept.
    let kept = world.engine.store().read(|tx| {
        let all = tx.list::<super::super::state::LaunchRecord>(REGION, "", None, 10).unwrap();
        all.iter().map(|record| serde_json::to_string(record).unwrap()).collect::<String>()
    });
    assert!(!kept.unwrap().contains("xyzzy"));
}

#[tokio::test]
async fn without_a_launch_role_it_is_made_as_who_asked() {
    let shop = bare_shop(TEMPLATE).await;
    let ada = shop.world.user("ada", &["servicecatalog:*", "cloudformation:*", "s3:*"]).await;
    open_to(&shop.world, &shop.portfolio, "IAM", "arn:aws:iam::123456789012:user/ada").await;
    let order = shop.order("mine", &[("Name", "abc")]);
    let answer = sc_as(&shop.world, ada, "ProvisionProduct", order).await.unwrap();
    assert_eq!(answer["RecordDetail"].get("LaunchRoleArn"), None);
    settle(&shop.world).await;
    assert_eq!(outcome(&shop.world, &answer["RecordDetail"]["RecordId"]).await, "SUCCEEDED");
    assert_eq!(things(&shop.world)[0].by, "arn:aws:iam::123456789012:user/ada");
}

#[tokio::test]
async fn a_token_launches_once_and_a_name_is_used_once() {
    let shop = shop().await;
    let world = &shop.world;
    let mut order = shop.order("mine", &[("Name", "abc")]);
    order["ProvisionToken"] = json!("once");
    let first = sc(world, "ProvisionProduct", order.clone()).await.unwrap();
    let again = sc(world, "ProvisionProduct", order.clone()).await.unwrap();
    assert_eq!(first, again);
    settle(world).await;
    let later = sc(world, "ProvisionProduct", order.clone()).await.unwrap();
    assert_eq!(later["RecordDetail"]["RecordId"], first["RecordDetail"]["RecordId"]);
    assert_eq!(things(world).len(), 1);
    order["ProvisioningParameters"][0]["Value"] = json!("abd");
    let other = refusal(sc(world, "ProvisionProduct", order.clone()).await);
    assert_eq!(
        other,
        "InvalidParametersException Idempotency token once was used before with different parameters"
    );
    order["ProvisionToken"] = json!("twice");
    let taken = refusal(sc(world, "ProvisionProduct", order).await);
    assert_eq!(taken, "DuplicateResourceException A stack named mine already exists.");
}

#[tokio::test]
async fn by_names_as_well_as_by_ids() {
    let shop = shop().await;
    let order = json!({"ProductName": "Thing", "ProvisioningArtifactName": "v1", "PathName": "Things",
        "ProvisionedProductName": "mine", "ProvisioningParameters": [{"Key": "Name", "Value": "abc"}]});
    let answer = sc(&shop.world, "ProvisionProduct", order).await.unwrap();
    assert_eq!(answer["RecordDetail"]["ProductId"], json!(shop.product));
    settle(&shop.world).await;
    assert_eq!(outcome(&shop.world, &answer["RecordDetail"]["RecordId"]).await, "SUCCEEDED");
}

#[tokio::test]
async fn a_failed_stack_says_why() {
    let shop = shop().await;
    let world = &shop.world;
    let record = shop.launch("bad", &[("Name", "abc"), ("Fail", "create")]).await;
    assert_eq!(outcome(world, &record["RecordId"]).await, "FAILED Thing: no create today");
    let seen = product(world, "bad").await;
    assert_eq!(seen["Status"], "ERROR");
    let message = text(&seen["StatusMessage"]);
    assert!(message.starts_with("AmazonCloudFormationException  Thing: "), "{message}");
    let form = " (Service: AmazonCloudFormation; Status Code: 400; Error Code: ValidationError; Request ID: ";
    assert!(
        message.contains("no create today") && message.contains(form) && message.ends_with(')'),
        "{message}"
    );
    assert!(things(world).is_empty(), "rolled back");
    assert!(seen.get("LastSuccessfulProvisioningRecordId").is_none());
    // It is terminated like any other.
    let end =
        sc(world, "TerminateProvisionedProduct", json!({"ProvisionedProductName": "bad"})).await.unwrap();
    settle(world).await;
    assert_eq!(outcome(world, &end["RecordDetail"]["RecordId"]).await, "SUCCEEDED");
}

#[tokio::test]
async fn a_refused_stack_or_role_says_why() {
    let shop = shop().await;
    let world = &shop.world;
    world.forbid("Role", "Launch").await;
    world.wire("iam", "DeleteRole", json!({"RoleName": "Launch"})).await.unwrap();
    let record = shop.launch("roleless", &[("Name", "abc")]).await;
    let why = outcome(world, &record["RecordId"]).await;
    assert!(
        why.starts_with(&format!("FAILED Access denied while assuming the role {LAUNCH_ROLE}: ")),
        "{why}"
    );
    assert_eq!(product(world, "roleless").await["Status"], "ERROR");
    let update = json!({"ProvisionedProductName": "roleless"});
    let stackless = refusal(sc(world, "UpdateProvisionedProduct", update).await);
    assert!(stackless.starts_with("InvalidStateException "), "{stackless}");
    let end = sc(world, "TerminateProvisionedProduct", json!({"ProvisionedProductName": "roleless"}))
        .await
        .unwrap();
    settle(world).await;
    assert_eq!(outcome(world, &end["RecordDetail"]["RecordId"]).await, "SUCCEEDED");

    // A resource type that is not served: CloudFormation refuses the template when its turn comes.
    let shop = bare_shop("Resources: {Q: {Type: 'AWS::SQS::Queue'}}").await;
    let record = shop.launch("queue", &[]).await;
    let why = outcome(&shop.world, &record["RecordId"]).await;
    assert!(why.starts_with("FAILED ") && why.contains("AWS::SQS::Queue"), "{why}");
    assert!(
        text(&product(&shop.world, "queue").await["StatusMessage"])
            .starts_with("AmazonCloudFormationException  ")
    );
}

#[tokio::test]
async fn many_at_once_do_not_wait_for_each_other() {
    let shop = shop().await;
    let world = &shop.world;
    let mut records = Vec::new();
    for name in ["slow", "ab", "bc", "cd", "de"] {
        let slow = if name == "slow" { "100" } else { "0" };
        let order = shop.order(name, &[("Name", name), ("Slow", slow)]);
        records.push(sc(world, "ProvisionProduct", order).await.unwrap()["RecordDetail"]["RecordId"].clone());
    }
    settle(world).await;
    assert_eq!(outcome(world, &records[0]).await, "IN_PROGRESS");
    for record in &records[1..] {
        assert_eq!(outcome(world, record).await, "SUCCEEDED");
    }
}

#[tokio::test]
async fn a_session_of_the_launch_role_that_ended_is_taken_anew() {
    let shop = shop().await;
    let world = &shop.world;
    let order = shop.order("slow", &[("Name", "slow"), ("Slow", "12")]);
    let record = sc(world, "ProvisionProduct", order).await.unwrap()["RecordDetail"]["RecordId"].clone();
    world.settle().await;
    let assumed = || {
        let all = world
            .engine
            .store()
            .read(|tx| tx.get::<super::super::state::LaunchRecord>(REGION, record.as_str().unwrap()));
        all.unwrap().unwrap().unwrap().work.and_then(|work| work.actor).unwrap().caller.access_key_id
    };
    let first = assumed();
    world.clock.advance(3590);
    world.settle().await;
    assert_ne!(assumed(), first);
    for _ in 0..4 {
        settle(world).await;
    }
    assert_eq!(outcome(world, &record).await, "SUCCEEDED");
}
