//! The catalog's resource types, and the solution's own templates from the first stack to a notebook.

use super::*;

async fn deploy(
    world: &World,
    operation: &str,
    name: &str,
    template: &str,
    parameters: &[(&str, &str)],
) -> Value {
    let list: Vec<Value> =
        parameters.iter().map(|(key, value)| json!({"ParameterKey": key, "ParameterValue": value})).collect();
    let input = json!({"StackName": name, "TemplateBody": template, "Parameters": list,
        "Capabilities": ["CAPABILITY_NAMED_IAM"]});
    world.wire("cloudformation", operation, input).await.unwrap();
    settle(world).await;
    let seen = world.wire("cloudformation", "DescribeStacks", json!({"StackName": name})).await.unwrap();
    seen["Stacks"][0].clone()
}

fn output(stack: &Value, key: &str) -> String {
    let all = stack["Outputs"].as_array().unwrap_or_else(|| panic!("no outputs: {stack}"));
    text(
        &all.iter().find(|output| output["OutputKey"] == key).unwrap_or_else(|| panic!("no {key}: {stack}"))
            ["OutputValue"],
    )
}

const CATALOG: &str = "
Parameters: {Names: {Type: CommaDelimitedList, Default: 'v1,v2'}, Title: {Type: String, Default: Thing}}
Resources:
  Portfolio:
    Type: AWS::ServiceCatalog::Portfolio
    Properties: {DisplayName: P, ProviderName: IT, Tags: [{Key: team, Value: data}]}
  Product:
    Type: AWS::ServiceCatalog::CloudFormationProduct
    Properties:
      Name: !Ref Title
      Owner: IT
      ProvisioningArtifactParameters:
        - {Name: !Select [0, !Ref Names], Info: {LoadTemplateFromURL: 'https://templates.s3.amazonaws.com/t.yml'}}
        - {Name: !Select [1, !Ref Names], Info: {LoadTemplateFromURL: 'https://templates.s3.amazonaws.com/t.yml'}}
  Association:
    Type: AWS::ServiceCatalog::PortfolioProductAssociation
    Properties: {PortfolioId: !Ref Portfolio, ProductId: !Ref Product}
  Users:
    Type: AWS::ServiceCatalog::PortfolioPrincipalAssociation
    Properties: {PortfolioId: !Ref Portfolio, PrincipalARN: 'arn:aws:iam:::role/*', PrincipalType: IAM_PATTERN}
  Role:
    Type: AWS::ServiceCatalog::LaunchRoleConstraint
    DependsOn: Association
    Properties: {PortfolioId: !Ref Portfolio, ProductId: !Ref Product, LocalRoleName: Launch}
Outputs:
  Portfolio: {Value: !Ref Portfolio}
  PortfolioName: {Value: !GetAtt Portfolio.PortfolioName}
  Product: {Value: !Ref Product}
  ProductName: {Value: !GetAtt Product.ProductName}
  Ids: {Value: !GetAtt Product.ProvisioningArtifactIds}
  Versions: {Value: !GetAtt Product.ProvisioningArtifactNames}
  Constraint: {Value: !Ref Role}
";

#[tokio::test]
async fn a_catalog_as_a_stack() {
    let world = World::new();
    upload(&world, "t.yml", TEMPLATE).await;
    let made = deploy(&world, "CreateStack", "catalog", CATALOG, &[]).await;
    assert_eq!(made["StackStatus"], "CREATE_COMPLETE", "{made}");
    assert_eq!(
        (output(&made, "PortfolioName"), output(&made, "ProductName")),
        ("P".to_owned(), "Thing".to_owned())
    );
    assert_eq!(output(&made, "Versions"), "v1,v2");
    assert!(output(&made, "Constraint").starts_with("cons-"));
    let seen = sc(&world, "DescribePortfolio", json!({"Id": output(&made, "Portfolio")})).await.unwrap();
    let tags = seen["Tags"].as_array().unwrap();
    assert!(tags.contains(&json!({"Key": "team", "Value": "data"})), "{tags:?}");
    assert!(tags.contains(&json!({"Key": "aws:cloudformation:stack-name", "Value": "catalog"})), "{tags:?}");
    let paths = sc(&world, "ListLaunchPaths", json!({"ProductId": output(&made, "Product")})).await.unwrap();
    assert_eq!(paths["LaunchPathSummaries"][0]["ConstraintSummaries"][0]["Type"], "LAUNCH");

    // A version that stays keeps its id; one that is new is added before the one that is gone goes.
    let first: Vec<String> = output(&made, "Ids").split(',').map(str::to_owned).collect();
    let changed =
        CATALOG.replace("LocalRoleName: Launch", "RoleArn: 'arn:aws:iam::123456789012:role/Launch'");
    let changed =
        deploy(&world, "UpdateStack", "catalog", &changed, &[("Names", "v1,v3"), ("Title", "Gadget")]).await;
    assert_eq!(changed["StackStatus"], "UPDATE_COMPLETE", "{changed}");
    assert_eq!(
        (output(&changed, "Versions"), output(&changed, "ProductName")),
        ("v1,v3".to_owned(), "Gadget".to_owned())
    );
    let second: Vec<String> = output(&changed, "Ids").split(',').map(str::to_owned).collect();
    assert_eq!(second[0], first[0]);
    assert_ne!(second[1], first[1]);
    assert_eq!(output(&changed, "Constraint"), output(&made, "Constraint"));

    world.wire("cloudformation", "DeleteStack", json!({"StackName": "catalog"})).await.unwrap();
    settle(&world).await;
    let left = sc(&world, "ListPortfolios", json!({})).await.unwrap();
    assert_eq!(left["PortfolioDetails"], json!([]));
    assert_eq!(
        sc(&world, "SearchProductsAsAdmin", json!({})).await.unwrap()["ProductViewDetails"],
        json!([])
    );
}

#[tokio::test]
async fn a_missing_template_fails_the_stack_with_the_reason() {
    let world = World::new();
    upload(&world, "other.yml", TEMPLATE).await;
    let made = deploy(&world, "CreateStack", "catalog", CATALOG, &[]).await;
    assert_eq!(made["StackStatus"], "ROLLBACK_COMPLETE");
    let events =
        world.wire("cloudformation", "DescribeStackEvents", json!({"StackName": "catalog"})).await.unwrap();
    let reasons = events["StackEvents"].as_array().unwrap().iter();
    let why = reasons.filter_map(|e| e["ResourceStatusReason"].as_str()).find(|why| why.contains("t.yml"));
    assert!(why.is_some_and(|why| why.contains("key does not exist")), "{events}");
    assert_eq!(sc(&world, "ListPortfolios", json!({})).await.unwrap()["PortfolioDetails"], json!([]));
}

const FIRST: &str = include_str!("../../../../../../templates/s3-iam-config.yml");
const SECOND: &str = include_str!("../../../../../../templates/service-catalog.yml");
const PRODUCT: &str = include_str!("../../../../../../templates/sm-notebook.yml");

#[tokio::test]
async fn the_solution_vends_a_notebook() {
    let world = World::new();
    let role = "SageMakerNotebookInstanceRole";
    let first =
        deploy(&world, "CreateStack", "s3-iam-config", FIRST, &[("SageMakerNotebookInstanceRoleName", role)])
            .await;
    let bucket = output(&first, "S3BucketName");
    put(&world, &bucket, "sm-notebook.yml", PRODUCT).await;
    let ada = user(&world, "ada").await;
    let second = deploy(
        &world,
        "CreateStack",
        "service-catalog-config",
        SECOND,
        &[
            ("NotebookInstanceType", "ml.t2.medium"),
            ("S3IAMConfigStackName", "s3-iam-config"),
            ("ServiceCatalogTemplateName", "sm-notebook.yml"),
            ("S3BucketName", &bucket),
            ("UserIAMPrincipal", "arn:aws:iam::123456789012:user/ada"),
        ],
    )
    .await;
    assert_eq!(second["StackStatus"], "CREATE_COMPLETE", "{second}");

    // As the walkthrough does it, as a user.
    let found = sc_as(&world, ada.clone(), "SearchProducts", json!({})).await.unwrap();
    let product_id = found["ProductViewSummaries"][0]["ProductId"].clone();
    let described = sc_as(&world, ada.clone(), "DescribeProduct", json!({"Id": product_id})).await.unwrap();
    let artifact = described["ProvisioningArtifacts"][0]["Id"].clone();
    let ask = json!({"ProductId": product_id, "ProvisioningArtifactId": artifact});
    let told = sc_as(&world, ada.clone(), "DescribeProvisioningParameters", ask).await.unwrap();
    assert_eq!(told["ProvisioningArtifactParameters"].as_array().unwrap().len(), 3);
    let order = json!({"ProductId": product_id, "ProvisioningArtifactId": artifact, "ProvisionedProductName": "ada-1",
        "ProvisioningParameters": [{"Key": "NotebookUserName", "Value": "Ada"}]});
    let launch = sc_as(&world, ada.clone(), "ProvisionProduct", order).await.unwrap()["RecordDetail"].clone();
    settle(&world).await;
    assert_eq!(outcome(&world, &launch["RecordId"]).await, "SUCCEEDED");
    let notebook = json!({"NotebookInstanceName": "Ada-Notebook"});
    let seen = world.wire("sagemaker", "DescribeNotebookInstance", notebook.clone()).await.unwrap();
    assert_eq!(seen["NotebookInstanceStatus"], "InService");
    let tags = world
        .wire("sagemaker", "ListTags", json!({"ResourceArn": seen["NotebookInstanceArn"]}))
        .await
        .unwrap();
    let pp = text(&launch["ProvisionedProductId"]);
    for (key, value) in [
        ("provisioningPrincipalArn", "arn:aws:iam::123456789012:user/ada".to_owned()),
        ("provisionedProductArn", format!("arn:aws:servicecatalog:us-east-1:123456789012:stack/ada-1/{pp}")),
    ] {
        let tag = json!({"Key": format!("aws:servicecatalog:{key}"), "Value": value});
        assert!(tags["Tags"].as_array().unwrap().contains(&tag), "{tags}");
    }

    // A name already taken ends with the reason.
    let order = json!({"ProductId": product_id, "ProvisioningArtifactId": artifact, "ProvisionedProductName": "ada-2",
        "ProvisioningParameters": [{"Key": "NotebookUserName", "Value": "Ada"}]});
    let twin = sc_as(&world, ada.clone(), "ProvisionProduct", order).await.unwrap()["RecordDetail"].clone();
    settle(&world).await;
    let why = outcome(&world, &twin["RecordId"]).await;
    assert!(
        why.starts_with("FAILED SageMakerNotebookInstance: ") && why.contains("Ada-Notebook")
            || why.contains("ada-notebook"),
        "{why}"
    );

    let end = json!({"ProvisionedProductName": "ada-1"});
    let end = sc_as(&world, ada, "TerminateProvisionedProduct", end).await.unwrap();
    settle(&world).await;
    assert_eq!(outcome(&world, &end["RecordDetail"]["RecordId"]).await, "SUCCEEDED");
    let gone = world.wire("sagemaker", "DescribeNotebookInstance", notebook).await.unwrap_err();
    assert_eq!(gone.message, "RecordNotFound");
}
