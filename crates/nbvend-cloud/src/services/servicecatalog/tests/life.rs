//! What was launched: found, changed, handed over, ended.

use super::*;

#[tokio::test]
async fn an_update_keeps_what_it_is_told_to_keep() {
    let shop = shop().await;
    let world = &shop.world;
    shop.launch("mine", &[("Name", "abc")]).await;
    let ada = user(world, "ada").await;
    open_to(world, &shop.portfolio, "IAM", "arn:aws:iam::123456789012:user/ada").await;
    let input = json!({"ProvisionedProductName": "mine", "UpdateToken": "u1", "ProvisioningParameters": [
        {"Key": "Name", "UsePreviousValue": true}, {"Key": "Size", "Value": "large"}]});
    let answer = sc_as(world, ada.clone(), "UpdateProvisionedProduct", input.clone()).await.unwrap();
    assert_eq!(answer["RecordDetail"]["RecordType"], "UPDATE_PROVISIONED_PRODUCT");
    assert_eq!(sc_as(world, ada, "UpdateProvisionedProduct", input).await.unwrap(), answer);
    let busy = json!({"ProvisionedProductName": "mine"});
    for operation in ["UpdateProvisionedProduct", "TerminateProvisionedProduct"] {
        let refused = refusal(sc(world, operation, busy.clone()).await);
        assert!(refused.starts_with("InvalidStateException Provisioned product pp-"), "{refused}");
    }
    settle(world).await;
    assert_eq!(outcome(world, &answer["RecordDetail"]["RecordId"]).await, "SUCCEEDED");
    let thing = &things(world)[0];
    assert_eq!(
        (thing.id.as_str(), &thing.properties["Size"], thing.changes),
        ("thing-abc", &json!("large"), 2)
    );
    // Whoever updates it, it stays its owner's.
    let owner =
        thing.tags.iter().find(|(key, _)| key == "aws:servicecatalog:provisioningPrincipalArn").unwrap();
    assert_eq!(owner.1, "arn:aws:iam::123456789012:root");
    // The same again changes nothing, and succeeds.
    let same = json!({"ProvisionedProductName": "mine", "ProvisioningParameters": [
        {"Key": "Name", "UsePreviousValue": true}, {"Key": "Size", "Value": "large"}]});
    let again = sc(world, "UpdateProvisionedProduct", same).await.unwrap();
    settle(world).await;
    assert_eq!(outcome(world, &again["RecordDetail"]["RecordId"]).await, "SUCCEEDED");
    assert_eq!(things(world)[0].changes, 2);
    assert_eq!(
        record(world, &again["RecordDetail"]["RecordId"]).await["RecordOutputs"].as_array().unwrap().len(),
        2
    );
}

#[tokio::test]
async fn an_update_to_another_version() {
    let shop = shop().await;
    let world = &shop.world;
    shop.launch("mine", &[("Name", "abc")]).await;
    upload(world, "t2.yml", &TEMPLATE.replace("Default: small", "Default: large")).await;
    let version = json!({"ProductId": shop.product, "Parameters": {"Name": "v2",
        "Info": {"LoadTemplateFromURL": url("t2.yml")}}});
    let made = sc(world, "CreateProvisioningArtifact", version).await.unwrap();
    let input = json!({"ProvisionedProductName": "mine", "ProvisioningArtifactName": "v2",
        "ProvisioningParameters": [{"Key": "Name", "UsePreviousValue": true}]});
    let unknown = json!({"ProvisionedProductName": "mine", "ProvisioningArtifactName": "v2",
        "ProvisioningParameters": [{"Key": "Nome", "UsePreviousValue": true}]});
    let refused = refusal(sc(world, "UpdateProvisionedProduct", unknown).await);
    assert_eq!(refused, "InvalidParametersException Parameters: [Nome] do not exist in the template");
    sc(world, "UpdateProvisionedProduct", input).await.unwrap();
    settle(world).await;
    let seen = product(world, "mine").await;
    assert_eq!(
        (&seen["Status"], &seen["ProvisioningArtifactId"]),
        (&json!("AVAILABLE"), &made["ProvisioningArtifactDetail"]["Id"])
    );
    assert_eq!(things(world)[0].properties["Size"], "large");
}

#[tokio::test]
async fn a_failed_update_taints_and_the_next_one_heals() {
    let shop = shop().await;
    let world = &shop.world;
    shop.launch("mine", &[("Name", "abc")]).await;
    let input = |fail: &str| {
        json!({"ProvisionedProductName": "mine", "ProvisioningParameters": [
        {"Key": "Name", "UsePreviousValue": true}, {"Key": "Size", "Value": "large"}, {"Key": "Fail", "Value": fail}]})
    };
    let bad = sc(world, "UpdateProvisionedProduct", input("update")).await.unwrap();
    settle(world).await;
    assert_eq!(outcome(world, &bad["RecordDetail"]["RecordId"]).await, "FAILED Thing: no update today");
    let seen = product(world, "mine").await;
    assert_eq!(seen["Status"], "TAINTED");
    assert_ne!(seen["LastSuccessfulProvisioningRecordId"], bad["RecordDetail"]["RecordId"]);
    assert_eq!(things(world)[0].properties["Size"], "small");
    let good = sc(world, "UpdateProvisionedProduct", input("")).await.unwrap();
    settle(world).await;
    assert_eq!(outcome(world, &good["RecordDetail"]["RecordId"]).await, "SUCCEEDED");
    let seen = product(world, "mine").await;
    assert_eq!((&seen["Status"], seen.get("StatusMessage")), (&json!("AVAILABLE"), None));
}

#[tokio::test]
async fn tags_change_only_where_a_constraint_allows_it() {
    let shop = shop().await;
    let world = &shop.world;
    shop.launch("mine", &[("Name", "abc")]).await;
    let input = json!({"ProvisionedProductName": "mine", "Tags": [{"Key": "team", "Value": "data"}],
        "ProvisioningParameters": [{"Key": "Name", "UsePreviousValue": true}]});
    let refused = refusal(sc(world, "UpdateProvisionedProduct", input.clone()).await);
    assert!(refused.contains("RESOURCE_UPDATE"), "{refused}");
    let allow = json!({"Version": "2.0", "Properties": {"TagUpdateOnProvisionedProduct": "ALLOWED"}});
    constrain(&shop, "RESOURCE_UPDATE", &allow).await.unwrap();
    sc(world, "UpdateProvisionedProduct", input).await.unwrap();
    settle(world).await;
    assert!(things(world)[0].tags.contains(&("team".to_owned(), "data".to_owned())));
}

#[tokio::test]
async fn an_end_deletes_the_stack_and_leaves_the_records() {
    let shop = shop().await;
    let world = &shop.world;
    let launch = shop.launch("mine", &[("Name", "abc")]).await;
    let input = json!({"ProvisionedProductId": launch["ProvisionedProductId"], "TerminateToken": "end"});
    let answer = sc(world, "TerminateProvisionedProduct", input.clone()).await.unwrap();
    let detail = &answer["RecordDetail"];
    assert_eq!(
        (&detail["Status"], &detail["RecordType"]),
        (&json!("CREATED"), &json!("TERMINATE_PROVISIONED_PRODUCT"))
    );
    assert_eq!((&detail["RecordErrors"], &detail["RecordTags"]), (&json!([]), &json!([])));
    assert_eq!(detail["LaunchRoleArn"], LAUNCH_ROLE);
    assert_eq!(sc(world, "TerminateProvisionedProduct", input.clone()).await.unwrap(), answer);
    settle(world).await;
    assert_eq!(outcome(world, &detail["RecordId"]).await, "SUCCEEDED");
    assert!(things(world).is_empty());
    let missing = format!(
        "ResourceNotFoundException Provisioned product {} not found.",
        text(&launch["ProvisionedProductId"])
    );
    assert_eq!(refusal(sc(world, "TerminateProvisionedProduct", input).await), missing);
    let filter =
        json!({"SearchFilter": {"Key": "provisionedproduct", "Value": launch["ProvisionedProductId"]}});
    let history = sc(world, "ListRecordHistory", filter).await.unwrap();
    let kinds: Vec<_> =
        history["RecordDetails"].as_array().unwrap().iter().map(|r| text(&r["RecordType"])).collect();
    assert_eq!(kinds, ["TERMINATE_PROVISIONED_PRODUCT", "PROVISION_PRODUCT"]);
    // The name is free again.
    let again = shop.launch("mine", &[("Name", "abc")]).await;
    assert_eq!(outcome(world, &again["RecordId"]).await, "SUCCEEDED");
}

#[tokio::test]
async fn what_cannot_be_deleted_is_kept_or_let_go() {
    let shop = shop().await;
    let world = &shop.world;
    shop.launch("stuck", &[("Name", "abc"), ("Fail", "delete")]).await;
    let end =
        sc(world, "TerminateProvisionedProduct", json!({"ProvisionedProductName": "stuck"})).await.unwrap();
    settle(world).await;
    let why = outcome(world, &end["RecordDetail"]["RecordId"]).await;
    assert_eq!(why, "FAILED Thing: no delete today");
    assert_eq!(product(world, "stuck").await["Status"], "ERROR");
    let input = json!({"ProvisionedProductName": "stuck", "IgnoreErrors": true});
    let end = sc(world, "TerminateProvisionedProduct", input).await.unwrap();
    settle(world).await;
    let why = outcome(world, &end["RecordDetail"]["RecordId"]).await;
    assert_eq!(why, "SUCCEEDED Thing: no delete today", "the record says what is left behind");
    assert!(sc(world, "DescribeProvisionedProduct", json!({"Name": "stuck"})).await.is_err());

    shop.launch("kept", &[("Name", "abd")]).await;
    let input = json!({"ProvisionedProductName": "kept", "RetainPhysicalResources": true});
    let end = sc(world, "TerminateProvisionedProduct", input).await.unwrap();
    settle(world).await;
    assert_eq!(outcome(world, &end["RecordDetail"]["RecordId"]).await, "SUCCEEDED");
    assert!(things(world).iter().any(|thing| thing.id == "thing-abd"));
}

#[tokio::test]
async fn a_stack_deleted_by_somebody_else_ends_well() {
    let shop = shop().await;
    let world = &shop.world;
    let launch = shop.launch("mine", &[("Name", "abc")]).await;
    let stack = format!("SC-123456789012-{}", text(&launch["ProvisionedProductId"]));
    world.wire("cloudformation", "DeleteStack", json!({"StackName": stack})).await.unwrap();
    settle(world).await;
    let end =
        sc(world, "TerminateProvisionedProduct", json!({"ProvisionedProductName": "mine"})).await.unwrap();
    settle(world).await;
    assert_eq!(outcome(world, &end["RecordDetail"]["RecordId"]).await, "SUCCEEDED");
}

#[tokio::test]
async fn lists_show_ones_own_unless_asked_for_more() {
    let shop = shop().await;
    let world = &shop.world;
    open_to(world, &shop.portfolio, "IAM", "arn:aws:iam::123456789012:role/Analyst").await;
    let carol = session(world, "/", "Analyst", "carol").await;
    let dan = session(world, "/", "Analyst", "dan").await;
    shop.launch("roots", &[("Name", "rr")]).await;
    for (caller, name) in [(&carol, "carols"), (&dan, "dans")] {
        let order = shop.order(name, &[("Name", name)]);
        sc_as(world, caller.clone(), "ProvisionProduct", order).await.unwrap();
    }
    settle(world).await;
    for (key, expected) in
        [("User", &["carols"][..]), ("Role", &["carols", "dans"]), ("Account", &["carols", "dans", "roots"])]
    {
        let filter = json!({"AccessLevelFilter": {"Key": key, "Value": "self"}});
        let found = sc_as(world, carol.clone(), "ScanProvisionedProducts", filter.clone()).await.unwrap();
        let mut names: Vec<_> =
            found["ProvisionedProducts"].as_array().unwrap().iter().map(|p| text(&p["Name"])).collect();
        names.sort();
        assert_eq!(names, expected, "{key}");
        let mut search = filter.clone();
        search["SortBy"] = json!("name");
        let found = sc_as(world, carol.clone(), "SearchProvisionedProducts", search).await.unwrap();
        let names: Vec<_> =
            found["ProvisionedProducts"].as_array().unwrap().iter().map(|p| text(&p["Name"])).collect();
        assert_eq!(
            (names, &found["TotalResultsCount"]),
            (expected.iter().map(|n| (*n).to_owned()).collect(), &json!(expected.len()))
        );
        let history = sc_as(world, carol.clone(), "ListRecordHistory", filter).await.unwrap();
        assert_eq!(history["RecordDetails"].as_array().unwrap().len(), expected.len(), "{key}");
    }
    let own = sc_as(world, carol.clone(), "ScanProvisionedProducts", json!({})).await.unwrap();
    assert_eq!(own["ProvisionedProducts"].as_array().unwrap().len(), 1);
    for (query, expected) in [
        ("name:dans", 1),
        ("status:AVAILABLE", 3),
        ("productName:thing", 3),
        ("userArnSession:*", 3),
        ("rol", 2),
        ("userArn:arn:aws:iam::123456789012:root", 1),
        ("name:da*", 1),
        ("status:ERROR", 0),
        ("type:CFN_STACK", 3),
    ] {
        let found = json!({"Filters": {"SearchQuery": [query]}});
        let found = sc_as(world, carol.clone(), "SearchProvisionedProducts", found).await.unwrap();
        assert_eq!(found["TotalResultsCount"], json!(expected), "{query}");
    }
    let wrong = json!({"Filters": {"SearchQuery": ["colour:red"]}});
    assert!(
        refusal(sc(world, "SearchProvisionedProducts", wrong).await).contains("Invalid search field: colour")
    );
    let other = json!({"AccessLevelFilter": {"Key": "User", "Value": "dan"}});
    assert!(refusal(sc(world, "ScanProvisionedProducts", other).await).contains("self"));
}

#[tokio::test]
async fn another_owner_and_another_role() {
    let shop = shop().await;
    let world = &shop.world;
    let launch = shop.launch("mine", &[("Name", "abc")]).await;
    let ada = user(world, "ada").await;
    open_to(world, &shop.portfolio, "IAM", "arn:aws:iam::123456789012:user/ada").await;
    let id = &launch["ProvisionedProductId"];
    let input = json!({"ProvisionedProductId": id, "ProvisionedProductProperties": {
        "OWNER": "arn:aws:iam::123456789012:user/ada", "LAUNCH_ROLE": "arn:aws:iam::123456789012:role/Other"}});
    let answer = sc(world, "UpdateProvisionedProductProperties", input).await.unwrap();
    assert_eq!(answer["Status"], "SUCCEEDED");
    let own = sc_as(world, ada, "ScanProvisionedProducts", json!({})).await.unwrap();
    assert_eq!(own["ProvisionedProducts"][0]["LaunchRoleArn"], "arn:aws:iam::123456789012:role/Other");
    for (key, value) in [
        ("OWNER", "arn:aws:iam::210987654321:user/ada"),
        ("OWNER", "ada"),
        ("LAUNCH_ROLE", "arn:aws:iam::123456789012:user/ada"),
    ] {
        let input = json!({"ProvisionedProductId": id, "ProvisionedProductProperties": {key: value}});
        let refused = refusal(sc(world, "UpdateProvisionedProductProperties", input).await);
        assert!(refused.starts_with("InvalidParametersException Invalid "), "{refused}");
    }
    // From now on the other role acts, and it is not there.
    let update =
        json!({"ProvisionedProductId": id, "ProvisioningParameters": [{"Key": "Name", "Value": "abd"}]});
    let update = sc(world, "UpdateProvisionedProduct", update).await.unwrap();
    settle(world).await;
    let why = outcome(world, &update["RecordDetail"]["RecordId"]).await;
    assert!(why.contains("role/Other"), "{why}");
    assert_eq!(product(world, "mine").await["Status"], "TAINTED");
}
