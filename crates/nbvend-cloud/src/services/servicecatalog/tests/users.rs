//! As users find it: who sees what, and what is asked of them before a launch.

use super::*;

async fn names(world: &World, caller: Caller) -> Vec<String> {
    let found = sc_as(world, caller, "SearchProducts", json!({})).await.unwrap();
    found["ProductViewSummaries"].as_array().unwrap().iter().map(|p| text(&p["Name"])).collect()
}

#[tokio::test]
async fn a_portfolio_opens_to_its_principals_only() {
    let shop = shop().await;
    let world = &shop.world;
    let ada = user(world, "ada").await;
    let bob = user(world, "bob").await;
    let eve = user(world, "eve").await;
    world.wire("iam", "CreateGroup", json!({"GroupName": "team"})).await.unwrap();
    world.wire("iam", "AddUserToGroup", json!({"GroupName": "team", "UserName": "bob"})).await.unwrap();
    let analyst = session(world, "/data/", "Analyst", "carol").await;
    let other = session(world, "/", "Other", "carol").await;
    let reader = session(world, "/", "Reader_1", "dan").await;
    for caller in [&ada, &bob, &eve, &analyst, &other, &reader] {
        assert!(names(world, caller.clone()).await.is_empty());
    }
    open_to(world, &shop.portfolio, "IAM", "arn:aws:iam::123456789012:user/ada").await;
    open_to(world, &shop.portfolio, "IAM", "arn:aws:iam::123456789012:group/team").await;
    open_to(world, &shop.portfolio, "IAM", "arn:aws:iam::123456789012:role/data/Analyst").await;
    open_to(world, &shop.portfolio, "IAM", "arn:aws:iam::123456789012:root").await;
    open_to(world, &shop.portfolio, "IAM_PATTERN", "arn:aws:iam:::role/Reader_*").await;
    for caller in [&ada, &bob, &analyst, &reader] {
        assert_eq!(names(world, caller.clone()).await, ["Thing"], "{caller:?}");
    }
    assert_eq!(names(world, world.root()).await, ["Thing"]);
    for caller in [&eve, &other] {
        assert!(names(world, caller.clone()).await.is_empty(), "{caller:?}");
        let product = json!({"Id": shop.product});
        let hidden = refusal(sc_as(world, caller.clone(), "DescribeProduct", product).await);
        assert_eq!(hidden, format!("ResourceNotFoundException Product {} not found.", shop.product));
        let launch =
            sc_as(world, caller.clone(), "ProvisionProduct", shop.order("x", &[("Name", "abc")])).await;
        let expected =
            format!("ResourceNotFoundException No launch paths found for resource: {}", shop.product);
        assert_eq!(refusal(launch), expected);
        let paths = sc_as(world, caller.clone(), "ListLaunchPaths", json!({"ProductId": shop.product})).await;
        assert_eq!(refusal(paths), expected);
    }
    // Leaving the group closes it.
    world.wire("iam", "RemoveUserFromGroup", json!({"GroupName": "team", "UserName": "bob"})).await.unwrap();
    assert!(names(world, bob).await.is_empty());
}

#[tokio::test]
async fn a_product_in_two_portfolios_has_two_paths() {
    let shop = shop().await;
    let world = &shop.world;
    let second = portfolio(world, "More things").await;
    associate(world, &second, &shop.product).await;
    let paths = sc(world, "ListLaunchPaths", json!({"ProductId": shop.product})).await.unwrap();
    let paths = paths["LaunchPathSummaries"].as_array().unwrap().clone();
    assert_eq!(paths.len(), 2);
    assert!(paths.iter().all(|path| text(&path["Id"]).starts_with("lpv3-")));
    let launch = paths.iter().find(|path| path["Name"] == "Things").unwrap();
    assert_eq!(launch["ConstraintSummaries"], json!([{"Type": "LAUNCH"}]));
    let order = shop.order("x", &[("Name", "abc")]);
    let many = refusal(sc(world, "ProvisionProduct", order.clone()).await);
    assert_eq!(
        many,
        "InvalidParametersException More than one launch path ids exist. Please specify the launch path id"
    );
    for (member, value, role) in [
        ("PathId", launch["Id"].clone(), json!(LAUNCH_ROLE)),
        ("PathName", json!("More things"), Value::Null),
    ] {
        let mut order = order.clone();
        order[member] = value;
        order["ProvisionedProductName"] = json!(member);
        let record = sc(world, "ProvisionProduct", order).await.unwrap();
        assert_eq!(record["RecordDetail"]["LaunchRoleArn"], role);
    }
    let described = sc(world, "DescribeProduct", json!({"Name": "Thing"})).await.unwrap();
    assert_eq!(described["LaunchPaths"].as_array().unwrap().len(), 2);
    assert_eq!(described["ProductViewSummary"]["HasDefaultPath"], false);
    let both = json!({"Name": "Thing", "Id": shop.product});
    assert!(refusal(sc(world, "DescribeProduct", both).await).contains("but not both"));
    let view = json!({"Id": described["ProductViewSummary"]["Id"]});
    let view = sc(world, "DescribeProductView", view).await.unwrap();
    assert_eq!(view["ProvisioningArtifacts"], described["ProvisioningArtifacts"]);
}

#[tokio::test]
async fn parameters_are_told_in_the_order_of_the_template() {
    let shop = shop().await;
    let ask = json!({"ProductId": shop.product, "ProvisioningArtifactId": shop.artifact});
    let told = sc(&shop.world, "DescribeProvisioningParameters", ask).await.unwrap();
    let all = told["ProvisioningArtifactParameters"].as_array().unwrap();
    let keys: Vec<_> = all.iter().map(|p| text(&p["ParameterKey"])).collect();
    assert_eq!(keys, ["Size", "Name", "Secret", "Fail", "Slow"]);
    assert_eq!(
        all[0],
        json!({"ParameterKey": "Size", "DefaultValue": "small", "ParameterType": "String", "IsNoEcho": false,
            "Description": "How big", "ParameterConstraints": {"AllowedValues": ["small", "large"]}})
    );
    assert_eq!(
        all[1]["ParameterConstraints"],
        json!({"AllowedValues": [], "AllowedPattern": "[a-z]+", "ConstraintDescription": "lower case please",
            "MaxLength": "9", "MinLength": "2"})
    );
    assert_eq!((&all[2]["IsNoEcho"], &all[2]["DefaultValue"]), (&json!(true), &json!("****")));
    assert_eq!(told["ConstraintSummaries"], json!([{"Type": "LAUNCH"}]));
    assert_eq!(
        told["ProvisioningArtifactOutputKeys"],
        json!([{"Key": "ThingId", "Description": "What it is called"}])
    );
    assert!(
        told["UsageInstructions"]
            .as_array()
            .unwrap()
            .contains(&json!({"Type": "version", "Value": "2010-09-09"}))
    );
}

#[tokio::test]
async fn a_bad_parameter_is_refused_at_once_in_cloudformations_words() {
    let shop = shop().await;
    for (parameters, expected) in [
        (&[][..], "Parameters: [Name] must have values"),
        (&[("Name", "abc"), ("Size", "huge")], "Parameter 'Size' must be one of AllowedValues"),
        (&[("Name", "ABC")], "Parameter Name failed to satisfy constraint: lower case please"),
        (&[("Name", "abc"), ("Slow", "very")], "Parameter 'Slow' must be a number."),
        (&[("Name", "abc"), ("Colour", "red")], "Parameters: [Colour] do not exist in the template"),
        (&[("Name", "abc"), ("Name", "abd")], "Parameter Name is given more than once"),
    ] {
        let refused = refusal(sc(&shop.world, "ProvisionProduct", shop.order("x", parameters)).await);
        assert_eq!(refused, format!("InvalidParametersException {expected}"));
    }
    let missing = sc(&shop.world, "DescribeProvisionedProduct", json!({"Name": "x"})).await;
    assert_eq!(
        refusal(missing),
        "ResourceNotFoundException Provisioned product x not found.",
        "nothing was made"
    );
}

#[tokio::test]
async fn old_versions_are_hidden_or_discouraged() {
    let shop = shop().await;
    let world = &shop.world;
    let version = |change: Value| {
        let mut input = json!({"ProductId": shop.product, "ProvisioningArtifactId": shop.artifact});
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        input
    };
    sc(world, "UpdateProvisioningArtifact", version(json!({"Guidance": "DEPRECATED"}))).await.unwrap();
    let described = sc(world, "DescribeProduct", json!({"Id": shop.product})).await.unwrap();
    assert_eq!(described["ProvisioningArtifacts"][0]["Guidance"], "DEPRECATED");
    let order = shop.order("x", &[("Name", "abc")]);
    let refused = refusal(sc(world, "ProvisionProduct", order.clone()).await);
    assert!(refused.contains("deprecated"), "{refused}");
    let change = json!({"Guidance": "DEFAULT", "Active": false});
    sc(world, "UpdateProvisioningArtifact", version(change)).await.unwrap();
    let described = sc(world, "DescribeProduct", json!({"Id": shop.product})).await.unwrap();
    assert_eq!(described["ProvisioningArtifacts"], json!([]));
    let refused = refusal(sc(world, "ProvisionProduct", order).await);
    assert!(refused.starts_with("ResourceNotFoundException Provisioning artifact"), "{refused}");
}
