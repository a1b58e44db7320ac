//! The parts of an API: resources, methods, integrations, stages, deployments.

use super::*;

#[tokio::test]
async fn resources_form_a_tree() {
    let world = World::new();
    let (api, root) = empty_api(&world).await;
    let create = |parent: String, part: &str| {
        let input = json!({"restApiId": api, "parentId": parent, "pathPart": part});
        let world = &world;
        async move { world.wire("apigateway", "CreateResource", input).await }
    };
    let pets = create(root.clone(), "pets").await.unwrap();
    assert_eq!((text(&pets["path"]), text(&pets["parentId"])), ("/pets".to_owned(), root.clone()));
    let pet = create(text(&pets["id"]), "{id}").await.unwrap();
    let toys = create(text(&pet["id"]), "toys").await.unwrap();
    let rest = create(root.clone(), "{proxy+}").await.unwrap();
    assert_eq!(toys["path"], "/pets/{id}/toys");

    let errors = [
        (root.clone(), "pets", 409, "Another resource with the same parent already has this name: pets"),
        (
            text(&pets["id"]),
            "{other}",
            400,
            "A sibling ({id}) of this resource already has a variable path part -- only one is allowed",
        ),
        (
            text(&rest["id"]),
            "x",
            400,
            "Cannot create a child of a resource with a greedy path variable: {proxy+}",
        ),
        ("nothing".to_owned(), "x", 404, "Invalid Resource identifier specified"),
        (
            root.clone(),
            "a b",
            400,
            "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the \
             beginning and the end.",
        ),
    ];
    for (parent, part, status, message) in errors {
        let error = create(parent, part).await.unwrap_err();
        assert_eq!((error.status, error.message.as_str()), (status, message));
    }

    let update = |id: &Value, path: &str, value: &str| {
        let patch = json!([{"op": "replace", "path": path, "value": value}]);
        let input = json!({"restApiId": api, "resourceId": id, "patchOperations": patch});
        let world = &world;
        async move { world.wire("apigateway", "UpdateResource", input).await.map_err(|error| error.message) }
    };
    assert_eq!(
        update(&pets["id"], "/parentId", &text(&toys["id"])).await.unwrap_err(),
        "Resources cannot be cyclical."
    );
    assert_eq!(
        update(&json!(root), "/pathPart", "x").await.unwrap_err(),
        "Root resource cannot update its pathPart."
    );
    assert_eq!(
        update(&pets["id"], "/invalid", "x").await.unwrap_err(),
        "Invalid patch path  '/invalid' specified for op 'replace'. Must be one of: [/parentId, /pathPart]"
    );
    assert_eq!(update(&pets["id"], "/pathPart", "animals").await.unwrap()["path"], "/animals");
    let moved = ok(&world, "GetResource", json!({"restApiId": api, "resourceId": toys["id"]})).await;
    assert_eq!(moved["path"], "/animals/{id}/toys");

    ok(&world, "DeleteResource", json!({"restApiId": api, "resourceId": pets["id"]})).await;
    let left = ok(&world, "GetResources", json!({"restApiId": api})).await;
    let mut paths: Vec<String> =
        left["items"].as_array().unwrap().iter().map(|resource| text(&resource["path"])).collect();
    paths.sort();
    assert_eq!(paths, ["/", "/{proxy+}"]);
    let error = fails(&world, "DeleteResource", json!({"restApiId": api, "resourceId": root})).await;
    assert_eq!(error.1, 400);
}

#[tokio::test]
async fn methods_and_integrations_are_checked() {
    let world = World::new();
    let (api, root) = empty_api(&world).await;
    let at = json!({"restApiId": api, "resourceId": root, "httpMethod": "POST"});
    let with = |more: Value| {
        let mut input = at.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    assert_eq!(fails(&world, "GetMethod", at.clone()).await.2, "Invalid Method identifier specified");
    let wrong = [
        (
            json!({"authorizationType": "NONE", "httpMethod": "FETCH"}),
            "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY",
        ),
        (json!({"authorizationType": "CUSTOM"}), "authorizationType CUSTOM is not supported by nbvend"),
        (
            json!({"authorizationType": "NONE", "apiKeyRequired": true}),
            "apiKeyRequired is not supported by nbvend",
        ),
        (
            json!({"authorizationType": "NONE", "requestModels": {"application/json": "petModel"}}),
            "Invalid model identifier specified: petModel",
        ),
        (
            json!({"authorizationType": "NONE", "requestParameters": {
            "method.request.querystring.a": true, "method.request.header.a": false}}),
            "Parameter names must be unique across querystring, header and path",
        ),
    ];
    for (more, message) in wrong {
        assert_eq!(fails(&world, "PutMethod", with(more)).await.2, message);
    }
    ok(&world, "PutMethod", with(json!({"authorizationType": "AWS_IAM"}))).await;
    let twice = fails(&world, "PutMethod", with(json!({"authorizationType": "NONE"}))).await;
    assert_eq!((twice.0.as_str(), twice.1), ("ConflictException", 409));

    let lambda = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\
        arn:aws:lambda:us-east-1:123456789012:function:f/invocations";
    let wrong = [
        (json!({"type": "AWS_PROXY", "uri": lambda}), "Enumeration value for HttpMethod must be non-empty"),
        (json!({"type": "HTTP"}), "Enumeration value for HttpMethod must be non-empty"),
        (
            json!({"type": "HTTP_PROXY", "integrationHttpMethod": "GET", "uri": "http://example.org"}),
            "The integration type HTTP_PROXY is not supported by nbvend",
        ),
        (
            json!({"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": "f"}),
            "Invalid ARN specified in the request",
        ),
        (
            json!({"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": "arn:aws:lambda:us-east-1:1:function:f"}),
            "AWS ARN for integration must contain path or action",
        ),
        (
            json!({"type": "AWS_PROXY", "integrationHttpMethod": "POST",
            "uri": "arn:aws:apigateway:us-east-1:s3:path/bucket/key"}),
            "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.",
        ),
        (json!({"type": "MOCK", "timeoutInMillis": 29001}), "Timeout should be between 50 ms and 29000 ms"),
        (
            json!({"type": "MOCK", "requestTemplates": {"application/json": "$input.json('$')"}}),
            "$input.json in a mapping template is not supported by nbvend",
        ),
    ];
    for (more, message) in wrong {
        assert_eq!(fails(&world, "PutIntegration", with(more)).await.2, message);
    }
    assert_eq!(
        fails(&world, "GetIntegration", at.clone()).await.2,
        "Invalid Integration identifier specified"
    );
    let put = json!({"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": lambda});
    let made = ok(&world, "PutIntegration", with(put)).await;
    assert_eq!(
        (made["passthroughBehavior"].as_str(), made["timeoutInMillis"].as_i64()),
        (Some("WHEN_NO_MATCH"), Some(29000))
    );
    assert_eq!(made["cacheNamespace"], json!(root));

    let expression =
        |text: &str| json!({"statusCode": "200", "responseParameters": {"method.response.header.x": text}});
    let error = fails(&world, "PutIntegrationResponse", with(expression("true"))).await;
    assert_eq!(
        error.2,
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: true]"
    );
    ok(&world, "PutIntegrationResponse", with(expression("'true'"))).await;
    assert_eq!(
        fails(&world, "GetIntegrationResponse", with(json!({"statusCode": "404"}))).await.2,
        "Invalid Response status code specified"
    );

    let patch = json!([{"op": "replace", "path": "/timeoutInMillis", "value": "1000"}]);
    let changed = ok(&world, "UpdateIntegration", with(json!({"patchOperations": patch}))).await;
    assert_eq!(changed["timeoutInMillis"], 1000);
    let patch = json!([{"op": "replace", "path": "/authorizationType", "value": "NONE"}]);
    let changed = ok(&world, "UpdateMethod", with(json!({"patchOperations": patch}))).await;
    assert_eq!(changed["authorizationType"], "NONE");
    assert_eq!(changed["methodIntegration"]["integrationResponses"]["200"]["statusCode"], "200");
    ok(&world, "DeleteIntegration", at.clone()).await;
    ok(&world, "DeleteMethod", at.clone()).await;
    assert_eq!(fails(&world, "DeleteMethod", at.clone()).await.2, "Invalid Method identifier specified");
}

#[tokio::test]
async fn stages_point_to_deployments() {
    let world = World::new();
    let (empty, _) = empty_api(&world).await;
    assert_eq!(
        fails(&world, "CreateDeployment", json!({"restApiId": empty})).await.2,
        "The REST API doesn't contain any methods"
    );
    let (api, pets) = mock_api(&world).await;
    let in_api = |more: Value| {
        let mut input = json!({"restApiId": api});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let input = in_api(json!({"stageName": "dev", "variables": {"a": "1"}, "description": "first"}));
    let first = ok(&world, "CreateDeployment", input).await;
    let second = ok(&world, "CreateDeployment", in_api(json!({}))).await;
    let dev = ok(&world, "GetStage", in_api(json!({"stageName": "dev"}))).await;
    assert_eq!((&dev["deploymentId"], &dev["variables"]), (&first["id"], &json!({"a": "1"})));
    assert_eq!(dev["cacheClusterStatus"], "NOT_AVAILABLE");

    let stage = json!({"stageName": "Prod", "deploymentId": second["id"], "tags": {"t": "1"}});
    ok(&world, "CreateStage", in_api(stage.clone())).await;
    assert_eq!(fails(&world, "CreateStage", in_api(stage)).await.0, "ConflictException");
    let wrong = [
        (json!({"stageName": "x", "deploymentId": "none"}), "Deployment id does not exist"),
        (json!({"stageName": "a b", "deploymentId": second["id"]}), "Stage name only allows a-zA-Z0-9_"),
        (
            json!({"stageName": "x", "deploymentId": second["id"], "cacheClusterEnabled": true}),
            "cacheClusterEnabled is not supported by nbvend",
        ),
    ];
    for (more, message) in wrong {
        assert_eq!(fails(&world, "CreateStage", in_api(more)).await.2, message);
    }
    let pointing = ok(&world, "GetStages", in_api(json!({"deploymentId": second["id"]}))).await;
    assert_eq!(pointing["item"].as_array().unwrap().len(), 1);
    let used = fails(&world, "DeleteDeployment", in_api(json!({"deploymentId": second["id"]}))).await;
    assert_eq!(
        (used.1, used.2.as_str()),
        (400, "Active stages pointing to this deployment must be moved or deleted")
    );

    let patch = |operations: Value| in_api(json!({"stageName": "Prod", "patchOperations": operations}));
    let changed = ok(
        &world,
        "UpdateStage",
        patch(json!([
            {"op": "replace", "path": "/deploymentId", "value": first["id"]},
            {"op": "replace", "path": "/variables/color", "value": "red"},
            {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "10"},
            {"op": "replace", "path": "/~1pets/GET/throttling/burstLimit", "value": "2"},
            {"op": "replace", "path": "/*/*/logging/loglevel", "value": "OFF"},
        ])),
    )
    .await;
    assert_eq!(changed["methodSettings"]["*/*"]["throttlingRateLimit"], 10.0);
    assert_eq!(changed["methodSettings"]["pets/GET"]["throttlingBurstLimit"], 2);
    let errors = [
        (
            json!([{"op": "remove", "path": "/x/*"}]),
            "Cannot remove method setting x/* because there is no method setting for this method ",
        ),
        (
            json!([{"op": "replace", "path": "/*/*/logging/loglevel", "value": "INFO"}]),
            "logging/loglevel is not supported by nbvend",
        ),
        (
            json!([{"op": "replace", "path": "/deploymentId", "value": "none"}]),
            "Deployment id does not exist",
        ),
    ];
    for (operations, message) in errors {
        assert_eq!(fails(&world, "UpdateStage", patch(operations)).await.2, message);
    }
    let unknown =
        fails(&world, "UpdateStage", patch(json!([{"op": "replace", "path": "/tags/a", "value": "1"}])))
            .await;
    assert!(
        unknown.2.starts_with("Invalid method setting path: /tags/a. Must be one of: ["),
        "{}",
        unknown.2
    );

    ok(&world, "DeleteDeployment", in_api(json!({"deploymentId": second["id"]}))).await;
    let embedded = in_api(json!({"deploymentId": first["id"], "embed": ["apisummary"]}));
    let shown = ok(&world, "GetDeployment", embedded).await;
    assert_eq!(
        shown["apiSummary"]["/pets"]["GET"],
        json!({"authorizationType": "NONE", "apiKeyRequired": false})
    );
    // What was deployed does not change with the API.
    ok(&world, "DeleteResource", in_api(json!({"resourceId": pets}))).await;
    let export = ok(&world, "GetExport", in_api(json!({"stageName": "dev", "exportType": "swagger"}))).await;
    let export: Value = serde_json::from_slice(&STANDARD.decode(text(&export["body"])).unwrap()).unwrap();
    assert!(export["paths"]["/pets"]["get"].is_object(), "{export}");

    ok(&world, "DeleteStage", in_api(json!({"stageName": "dev"}))).await;
    assert_eq!(
        fails(&world, "GetStage", in_api(json!({"stageName": "dev"}))).await.2,
        "Invalid stage identifier specified"
    );
    ok(&world, "DeleteRestApi", in_api(json!({}))).await;
    assert_eq!(fails(&world, "GetStages", in_api(json!({}))).await.1, 404);
}
