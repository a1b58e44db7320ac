//! As administrators keep it.

use super::*;

#[tokio::test]
async fn a_portfolio_is_made_once_a_token_and_ends_when_empty() {
    let shop = shop().await;
    let world = &shop.world;
    let input = json!({"DisplayName": "P", "ProviderName": "IT", "IdempotencyToken": "t1",
        "Tags": [{"Key": "team", "Value": "data"}]});
    let first = sc(world, "CreatePortfolio", input.clone()).await.unwrap();
    assert_eq!(sc(world, "CreatePortfolio", input.clone()).await.unwrap(), first);
    let mut other = input;
    other["DisplayName"] = json!("Q");
    let text_of = refusal(sc(world, "CreatePortfolio", other).await);
    assert_eq!(
        text_of,
        "InvalidParametersException Idempotency token t1 was used before with different parameters"
    );
    let id = text(&first["PortfolioDetail"]["Id"]);
    assert_eq!(id.len(), "port-".len() + 13);
    assert_eq!(
        first["PortfolioDetail"]["ARN"],
        format!("arn:aws:catalog:us-east-1:123456789012:portfolio/{id}")
    );
    let change = json!({"Id": id, "Description": "new", "AddTags": [{"Key": "a", "Value": "b"}], "RemoveTags": ["team"]});
    sc(world, "UpdatePortfolio", change).await.unwrap();
    let seen = sc(world, "DescribePortfolio", json!({"Id": id})).await.unwrap();
    assert_eq!(seen["Tags"], json!([{"Key": "a", "Value": "b"}]));
    assert_eq!(
        (&seen["PortfolioDetail"]["Description"], &seen["PortfolioDetail"]["DisplayName"]),
        (&json!("new"), &json!("P"))
    );
    let full = refusal(sc(world, "DeletePortfolio", json!({"Id": shop.portfolio})).await);
    assert_eq!(
        full,
        format!("ResourceInUseException Portfolio {} still has associated Products", shop.portfolio)
    );
    open_to(world, &id, "IAM", "arn:aws:iam::123456789012:user/ada").await;
    let used = refusal(sc(world, "DeletePortfolio", json!({"Id": id})).await);
    assert_eq!(used, format!("ResourceInUseException Portfolio {id} still has associated Principals"));
    let gone = json!({"PortfolioId": id, "PrincipalARN": "arn:aws:iam::123456789012:user/ada"});
    sc(world, "DisassociatePrincipalFromPortfolio", gone.clone()).await.unwrap();
    let twice = refusal(sc(world, "DisassociatePrincipalFromPortfolio", gone).await);
    assert!(twice.starts_with("ResourceNotFoundException "), "{twice}");
    sc(world, "DeletePortfolio", json!({"Id": id})).await.unwrap();
    let missing = refusal(sc(world, "DescribePortfolio", json!({"Id": id})).await);
    assert_eq!(missing, format!("ResourceNotFoundException Portfolio {id} not found."));
}

#[tokio::test]
async fn a_template_must_be_there_and_be_one() {
    let world = World::new();
    upload(&world, "broken.yml", "Resources: {A: {Type: 'Test::Thing', Properties: {Note: !Ref Nothing}}}")
        .await;
    upload(&world, "garbage.yml", "Resources: [").await;
    for (key, start, part) in [
        (
            "broken.yml",
            "Invalid templateBody. Please make sure that your template is valid.",
            "Unresolved resource dependencies [Nothing]",
        ),
        ("garbage.yml", "Invalid templateBody.", "YAML not well-formed. (line 2, column 1)"),
        (
            "missing.yml",
            "The template cannot be read from https://templates.s3.amazonaws.com/missing.yml:",
            "key does not exist",
        ),
    ] {
        let refused = refusal(sc(&world, "CreateProduct", product_input("P", key)).await);
        let refused = refused.strip_prefix("InvalidParametersException ").expect("the code").to_owned();
        assert!(refused.starts_with(start) && refused.contains(part), "{refused}");
    }
    for (member, value, expected) in [
        ("Info", json!({"LoadTemplateFromURL": "https://example.com/t.yml"}), "supported URL"),
        ("Info", json!({"ImportFromPhysicalId": "arn"}), "ImportFromPhysicalId of Info is not supported"),
        ("Type", json!("TERRAFORM_CLOUD"), "not supported by nbvend"),
    ] {
        let mut input = product_input("P", "t.yml");
        input["ProvisioningArtifactParameters"][member] = value;
        let refused = refusal(sc(&world, "CreateProduct", input).await);
        assert!(refused.contains(expected), "{refused}");
    }
    // Asked not to look, the catalog takes it, and its launch says what is wrong.
    let mut input = product_input("P", "garbage.yml");
    input["ProvisioningArtifactParameters"]["DisableTemplateValidation"] = json!(true);
    sc(&world, "CreateProduct", input).await.unwrap();
    assert_eq!(
        sc(&world, "SearchProducts", json!({})).await.unwrap()["ProductViewSummaries"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_product_and_its_versions() {
    let shop = shop().await;
    let world = &shop.world;
    // The catalog has a copy of its own.
    s3(world, "DeleteObject", json!({"BucketName": "templates", "Key": "t.yml"})).await.unwrap();
    upload(world, "t2.yml", &TEMPLATE.replace("Default: small", "Default: large")).await;
    let second = json!({"ProductId": shop.product, "IdempotencyToken": "v2", "Parameters": {"Name": "v2",
        "Description": "bigger", "Info": {"LoadTemplateFromURL": url("t2.yml")}}});
    let made = sc(world, "CreateProvisioningArtifact", second.clone()).await.unwrap();
    assert_eq!(sc(world, "CreateProvisioningArtifact", second).await.unwrap(), made);
    assert_eq!(made["Info"]["TemplateUrl"], url("t2.yml"));
    let id = text(&made["ProvisioningArtifactDetail"]["Id"]);
    let list = sc(world, "ListProvisioningArtifacts", json!({"ProductId": shop.product})).await.unwrap();
    let names: Vec<_> =
        list["ProvisioningArtifactDetails"].as_array().unwrap().iter().map(|a| text(&a["Name"])).collect();
    assert_eq!(names, ["v1", "v2"]);
    let ask = json!({"ProductName": "Thing", "ProvisioningArtifactName": "v2", "Verbose": true,
        "IncludeProvisioningArtifactParameters": true});
    let seen = sc(world, "DescribeProvisioningArtifact", ask).await.unwrap();
    assert!(text(&seen["Info"]["CloudFormationTemplate"]).contains("Default: large"));
    assert_eq!(seen["ProvisioningArtifactParameters"][0]["DefaultValue"], "large");
    let admin = sc(world, "DescribeProductAsAdmin", json!({"Name": "Thing"})).await.unwrap();
    assert_eq!(admin["ProvisioningArtifactSummaries"].as_array().unwrap().len(), 2);
    assert_eq!(
        admin["ProductViewDetail"]["ProductARN"],
        format!("arn:aws:catalog:us-east-1:123456789012:product/{}", shop.product)
    );
    let change = json!({"Id": shop.product, "Name": "Gadget", "SupportUrl": "https://help"});
    let changed = sc(world, "UpdateProduct", change).await.unwrap();
    assert_eq!(changed["ProductViewDetail"]["ProductViewSummary"]["Name"], "Gadget");
    let lost = refusal(sc(world, "DescribeProduct", json!({"Name": "Thing"})).await);
    assert_eq!(lost, "ResourceNotFoundException Product with name Thing not found");
    let version = json!({"ProductId": shop.product, "ProvisioningArtifactId": id});
    sc(world, "DeleteProvisioningArtifact", version.clone()).await.unwrap();
    let gone = refusal(sc(world, "DeleteProvisioningArtifact", version).await);
    assert_eq!(gone, format!("ResourceNotFoundException Provisioning artifact {id} not found."));
    let last = json!({"ProductId": shop.product, "ProvisioningArtifactId": shop.artifact});
    let last = refusal(sc(world, "DeleteProvisioningArtifact", last).await);
    assert!(last.starts_with("ResourceInUseException "), "{last}");
    let used = refusal(sc(world, "DeleteProduct", json!({"Id": shop.product})).await);
    assert!(used.starts_with("ResourceInUseException "), "{used}");
}

#[tokio::test]
async fn constraints_say_what_holds_or_are_refused() {
    let shop = bare_shop(TEMPLATE).await;
    let world = &shop.world;
    for (kind, parameters, expected) in [
        ("LAUNCH", json!({}), "a LAUNCH constraint needs either RoleArn or LocalRoleName"),
        ("LAUNCH", json!({"RoleArn": LAUNCH_ROLE, "LocalRoleName": "x"}), "either RoleArn or LocalRoleName"),
        (
            "LAUNCH",
            json!({"RoleArn": "arn:aws:iam::123456789012:user/x"}),
            "RoleArn must be the ARN of an IAM role",
        ),
        ("TEMPLATE", json!({"Rules": {}}), "Constraints of type TEMPLATE are not supported by nbvend"),
        ("STACKSET", json!({}), "Constraints of type STACKSET are not supported by nbvend"),
        ("RESOURCE_UPDATE", json!({"Version": "2.0"}), "must be ALLOWED or NOT_ALLOWED"),
        ("WISH", json!({}), "Invalid constraint type: WISH"),
    ] {
        let refused = refusal(constrain(&shop, kind, &parameters).await);
        assert!(
            refused.starts_with("InvalidParametersException ") && refused.contains(expected),
            "{refused}"
        );
    }
    let made = constrain(&shop, "LAUNCH", &json!({"LocalRoleName": "Local"})).await.unwrap();
    let twice = refusal(constrain(&shop, "LAUNCH", &json!({"RoleArn": LAUNCH_ROLE})).await);
    assert!(twice.starts_with("DuplicateResourceException "), "{twice}");
    let id = text(&made["ConstraintDetail"]["ConstraintId"]);
    let change =
        json!({"Id": id, "Parameters": json!({"RoleArn": LAUNCH_ROLE}).to_string(), "Description": "d"});
    let changed = sc(world, "UpdateConstraint", change).await.unwrap();
    assert_eq!(changed, sc(world, "DescribeConstraint", json!({"Id": id})).await.unwrap());
    assert_eq!(changed["ConstraintDetail"]["Owner"], "123456789012");
    let list =
        sc(world, "ListConstraintsForPortfolio", json!({"PortfolioId": shop.portfolio})).await.unwrap();
    assert_eq!(list["ConstraintDetails"][0]["Description"], "d");
    let pair = json!({"PortfolioId": shop.portfolio, "ProductId": shop.product});
    let held = refusal(sc(world, "DisassociateProductFromPortfolio", pair.clone()).await);
    assert!(held.starts_with("ResourceInUseException "), "{held}");
    sc(world, "DeleteConstraint", json!({"Id": id})).await.unwrap();
    sc(world, "DisassociateProductFromPortfolio", pair.clone()).await.unwrap();
    let apart = refusal(constrain(&shop, "LAUNCH", &json!({"RoleArn": LAUNCH_ROLE})).await);
    assert!(apart.starts_with("ResourceNotFoundException Product "), "{apart}");
    sc(world, "DeleteProduct", json!({"Id": shop.product})).await.unwrap();
    sc(world, "DeletePortfolio", json!({"Id": shop.portfolio})).await.unwrap();
}

#[tokio::test]
async fn lists_come_in_pages() {
    let world = World::new();
    upload(&world, "t.yml", TEMPLATE).await;
    let mut portfolios = Vec::new();
    for at in 0..5 {
        portfolios.push(portfolio(&world, &format!("P{at}")).await);
        sc(&world, "CreateProduct", product_input(&format!("T-{}", 4 - at), "t.yml")).await.unwrap();
        world.clock.advance(1);
    }
    let all = pages(&world, "ListPortfolios", json!({"PageSize": 2}), "PortfolioDetails").await;
    let mut ids: Vec<_> = all.iter().map(|p| text(&p["Id"])).collect();
    ids.sort();
    portfolios.sort();
    assert_eq!(ids, portfolios);
    let title = json!({"PageSize": 2, "SortBy": "Title", "SortOrder": "DESCENDING"});
    for (operation, member) in
        [("SearchProducts", "ProductViewSummaries"), ("SearchProductsAsAdmin", "ProductViewDetails")]
    {
        let all = pages(&world, operation, title.clone(), member).await;
        let name = |p: &Value| text(p.get("ProductViewSummary").unwrap_or(p).get("Name").unwrap());
        assert_eq!(all.iter().map(name).collect::<Vec<_>>(), ["T-4", "T-3", "T-2", "T-1", "T-0"]);
    }
    let bad = refusal(sc(&world, "ListPortfolios", json!({"PageToken": "%%"})).await);
    assert_eq!(bad, "InvalidParametersException The page token is not valid");
    // Ids are searched too, and none holds this.
    let found = json!({"Filters": {"FullTextSearch": ["t-3"], "Owner": ["IT"]}});
    let found = sc(&world, "SearchProducts", found).await.unwrap();
    assert_eq!(found["ProductViewSummaries"].as_array().unwrap().len(), 1);
    assert_eq!(found["ProductViewAggregations"]["Owner"], json!([{"Value": "IT", "ApproximateCount": 1}]));
}

async fn pages(world: &World, operation: &str, mut input: Value, member: &str) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let page = sc(world, operation, input.clone()).await.unwrap();
        let items = page[member].as_array().unwrap();
        assert!(items.len() <= 2);
        all.extend(items.clone());
        match page["NextPageToken"].as_str() {
            Some(token) => input["PageToken"] = json!(token),
            None => return all,
        }
    }
}

#[tokio::test]
async fn principals_are_of_this_account() {
    let world = World::new();
    let id = portfolio(&world, "P").await;
    for (kind, arn, fits) in [
        ("IAM", "arn:aws:iam::123456789012:root", true),
        ("IAM", "arn:aws:iam::123456789012:role/a/b", true),
        ("IAM", "arn:aws:iam::210987654321:role/b", false),
        ("IAM", "arn:aws:iam::123456789012:role/*", false),
        ("IAM", "arn:aws:sts::123456789012:assumed-role/b/c", false),
        ("IAM", "ada", false),
        ("IAM_PATTERN", "arn:aws:iam:::role/*", true),
        ("IAM_PATTERN", "arn:aws:iam:::*/x", false),
        ("IAM_PATTERN", "arn:aws:iam::123456789012:role/*", false),
    ] {
        let input = json!({"PortfolioId": id, "PrincipalARN": arn, "PrincipalType": kind});
        let outcome = sc(&world, "AssociatePrincipalWithPortfolio", input).await;
        assert_eq!(outcome.is_ok(), fits, "{kind} {arn} {outcome:?}");
    }
    let list = sc(&world, "ListPrincipalsForPortfolio", json!({"PortfolioId": id})).await.unwrap();
    assert_eq!(list["Principals"].as_array().unwrap().len(), 3);
    for at in 0..9 {
        let arn = format!("arn:aws:iam:::role/{at}*");
        open_to(&world, &id, "IAM_PATTERN", &arn).await;
    }
    let input = json!({"PortfolioId": id, "PrincipalARN": "arn:aws:iam:::role/many*", "PrincipalType": "IAM_PATTERN"});
    let many = refusal(sc(&world, "AssociatePrincipalWithPortfolio", input).await);
    assert!(many.starts_with("LimitExceededException "), "{many}");
}

#[tokio::test]
async fn what_is_not_served_is_refused_by_name() {
    let shop = bare_shop(TEMPLATE).await;
    let mut order = shop.order("x", &[("Name", "abc")]);
    order["ProvisioningPreferences"] = json!({"StackSetRegions": ["us-east-1"]});
    let refused = refusal(sc(&shop.world, "ProvisionProduct", order).await);
    assert_eq!(
        refused,
        "InvalidParametersException ProvisioningPreferences of ProvisionProduct is not supported by nbvend"
    );
    let mut order = shop.order("x", &[("Name", "abc")]);
    order["NotificationArns"] = json!(["arn:aws:sns:us-east-1:123456789012:t"]);
    let refused = refusal(sc(&shop.world, "ProvisionProduct", order).await);
    assert!(refused.contains("NotificationArns of ProvisionProduct is not supported by nbvend"), "{refused}");
    let tagged = json!({"DisplayName": "P", "ProviderName": "IT", "Tags": [{"Key": "aws:x", "Value": "y"}]});
    let refused = refusal(sc(&shop.world, "CreatePortfolio", tagged).await);
    assert_eq!(
        refused,
        "InvalidParametersException aws: prefixed tag key names are not allowed for external use."
    );
}
