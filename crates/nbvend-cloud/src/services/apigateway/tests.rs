//! The control plane through the door, by wire names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::testing::World;

/// A call that is expected to succeed.
pub async fn ok(world: &World, operation: &str, input: Value) -> Value {
    let answer = world.wire("apigateway", operation, input.clone()).await;
    answer.unwrap_or_else(|error| panic!("{operation} {input}: {error}"))
}

/// Code, status and message of a call that is expected to fail.
pub async fn fails(world: &World, operation: &str, input: Value) -> (String, u16, String) {
    match world.wire("apigateway", operation, input.clone()).await {
        Ok(answer) => panic!("{operation} {input} succeeded: {answer}"),
        Err(error) => (error.code.to_string(), error.status, error.message),
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Imports a document; answers the API's id.
pub async fn import(world: &World, document: &Value) -> String {
    text(&ok(world, "ImportRestApi", json!({"body": STANDARD.encode(document.to_string())})).await["id"])
}

async fn empty_api(world: &World) -> (String, String) {
    let api = ok(world, "CreateRestApi", json!({"name": "pets"})).await;
    (text(&api["id"]), text(&api["rootResourceId"]))
}

/// An API with one mock method at `/pets`, and the id of that resource.
async fn mock_api(world: &World) -> (String, String) {
    let (api, root) = empty_api(world).await;
    let pets =
        ok(world, "CreateResource", json!({"restApiId": api, "parentId": root, "pathPart": "pets"})).await;
    let at = json!({"restApiId": api, "resourceId": pets["id"], "httpMethod": "GET"});
    let with = |more: Value| {
        let mut input = at.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    ok(world, "PutMethod", with(json!({"authorizationType": "NONE"}))).await;
    ok(world, "PutMethodResponse", with(json!({"statusCode": "200"}))).await;
    let template = json!({"application/json": "{\"statusCode\": 200}"});
    ok(world, "PutIntegration", with(json!({"type": "MOCK", "requestTemplates": template}))).await;
    ok(world, "PutIntegrationResponse", with(json!({"statusCode": "200"}))).await;
    (api, text(&pets["id"]))
}

#[tokio::test]
async fn an_api_is_made_shown_changed_and_deleted() {
    let world = World::new();
    let input = json!({"name": "pets", "description": "all of them", "tags": {"team": "zoo"},
        "binaryMediaTypes": ["image/png"], "endpointConfiguration": {"types": ["REGIONAL"]}});
    let made = ok(&world, "CreateRestApi", input).await;
    let id = text(&made["id"]);
    assert!(id.len() == 10 && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{id}");
    assert_eq!(made["apiKeySource"], "HEADER");
    assert_eq!(made["endpointConfiguration"], json!({"types": ["REGIONAL"], "ipAddressType": "ipv4"}));

    let world = world.restart();
    assert_eq!(ok(&world, "GetRestApi", json!({"restApiId": id})).await, made);
    let patch = json!([
        {"op": "replace", "path": "/name", "value": "animals"},
        {"op": "remove", "path": "/description"},
        {"op": "add", "path": "/binaryMediaTypes/image~1gif"},
        {"op": "replace", "path": "/binaryMediaTypes/image~1png", "value": "image/webp"},
        {"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "true"},
    ]);
    let changed = ok(&world, "UpdateRestApi", json!({"restApiId": id, "patchOperations": patch})).await;
    assert_eq!(changed["name"], "animals");
    assert_eq!(changed["description"], Value::Null);
    assert_eq!(changed["binaryMediaTypes"], json!(["image/webp", "image/gif"]));
    assert_eq!(changed["disableExecuteApiEndpoint"], true);

    let arn = format!("arn:aws:apigateway:us-east-1::/restapis/{id}");
    ok(&world, "TagResource", json!({"resourceArn": arn, "tags": {"a": "1"}})).await;
    ok(&world, "UntagResource", json!({"resourceArn": arn, "tagKeys": ["team"]})).await;
    assert_eq!(ok(&world, "GetTags", json!({"resourceArn": arn})).await, json!({"tags": {"a": "1"}}));

    ok(&world, "DeleteRestApi", json!({"restApiId": id})).await;
    let gone = fails(&world, "GetRestApi", json!({"restApiId": id})).await;
    let message = format!("Invalid API identifier specified 123456789012:{id}");
    assert_eq!(gone, ("NotFoundException".to_owned(), 404, message));
}

#[tokio::test]
async fn apis_are_listed_in_pages() {
    let world = World::new();
    for n in 0..7 {
        ok(&world, "CreateRestApi", json!({"name": format!("api-{n}")})).await;
    }
    let (mut names, mut position, mut pages) = (Vec::new(), Value::Null, 0);
    loop {
        let mut input = json!({"limit": 3});
        if !position.is_null() {
            input["position"] = position;
        }
        let page = ok(&world, "GetRestApis", input).await;
        names.extend(page["items"].as_array().unwrap().iter().map(|api| text(&api["name"])));
        pages += 1;
        position = page["position"].clone();
        if position.is_null() {
            break;
        }
    }
    names.sort();
    assert_eq!((pages, names.len()), (3, 7));
    names.dedup();
    assert_eq!(names.len(), 7);
}

#[tokio::test]
async fn wrong_settings_get_awss_errors() {
    let world = World::new();
    let (api, _) = empty_api(&world).await;
    let bad = [
        ("CreateRestApi", json!({"name": " "}), "API name cannot be blank"),
        ("CreateRestApi", json!({"name": "a", "description": ""}), "Description cannot be an empty string"),
        (
            "CreateRestApi",
            json!({"name": "a", "endpointConfiguration": {"types": []}}),
            "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.",
        ),
        (
            "CreateRestApi",
            json!({"name": "a", "endpointConfiguration": {"types": ["EDGE", "REGIONAL"]}}),
            "Cannot create an api with multiple Endpoint Types.",
        ),
        (
            "CreateRestApi",
            json!({"name": "a", "endpointConfiguration": {"types": ["PRIVATE"]}}),
            "The endpoint type PRIVATE is not supported by nbvend",
        ),
        (
            "CreateRestApi",
            json!({"name": "a", "minimumCompressionSize": 5}),
            "minimumCompressionSize of CreateRestApi is not supported by nbvend",
        ),
        (
            "CreateRestApi",
            json!({"name": "a", "policy": "{\"Statement\": 1}"}),
            "Invalid policy document. Please check the policy syntax and ensure that Principals are valid.",
        ),
        (
            "CreateRestApi",
            json!({"name": "a", "tags": {"aws:cloudformation:stack-name": "x"}}),
            "Invalid tag key 'aws:cloudformation:stack-name'. Tag keys cannot start with 'aws:'",
        ),
        (
            "UpdateRestApi",
            json!({"restApiId": api, "patchOperations": [{"op": "add", "path": "/binaryMediaTypes"}]}),
            "Invalid patch path /binaryMediaTypes",
        ),
        (
            "UpdateRestApi",
            json!({"restApiId": api, "patchOperations": [{"op": "add", "path": "/name", "value": "x"}]}),
            "Invalid patch operation specified. Must be one of: [replace]",
        ),
        ("GetRestApis", json!({"position": "not a position"}), "Invalid position specified"),
    ];
    for (operation, input, message) in bad {
        let error = fails(&world, operation, input).await;
        assert_eq!(error, ("BadRequestException".to_owned(), 400, message.to_owned()));
    }
}

#[tokio::test]
async fn a_policy_is_written_out_and_shown_as_aws_shows_it() {
    let world = World::new();
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*",
        "Action": "execute-api:Invoke", "Resource": ["execute-api:/Prod/GET/pets"]}]});
    let made = ok(&world, "CreateRestApi", json!({"name": "a", "policy": policy.to_string()})).await;
    let shown = text(&made["policy"]);
    // What Terraform's provider does to read it.
    let undone: String = serde_json::from_str(&format!("\"{shown}\"")).unwrap();
    let undone: Value = serde_json::from_str(&undone).unwrap();
    let arn = format!("arn:aws:execute-api:us-east-1:123456789012:{}/Prod/GET/pets", text(&made["id"]));
    assert_eq!(undone["Statement"][0]["Resource"], json!([arn]));
}

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

/// A document that says everything that is served, in both versions.
fn zoo(v3: bool) -> Value {
    let uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\
        arn:aws:lambda:us-east-1:123456789012:function:zoo/invocations";
    let proxy = json!({"type": "aws_proxy", "httpMethod": "POST", "uri": uri, "connectionType": "INTERNET"});
    let preflight = json!({"type": "mock",
        "requestTemplates": {"application/json": "{ statusCode: 204 }"},
        "responses": {"default": {"statusCode": 204, "responseParameters": {
            "method.response.header.Access-Control-Allow-Origin": "'https://zoo.example.org'"},
            "responseTemplates": {"application/json": ""}}}});
    let mut document = json!({
        "info": {"title": "zoo", "version": "3", "description": "animals"},
        "paths": {
            "/animals/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": true, "type": "string"}],
                "get": {"operationId": "getAnimal", "security": [{"iam": []}], "x-amazon-apigateway-integration": proxy,
                    "responses": {"200": {"description": "one", "headers": {"etag": {"type": "string"}}}}},
                "options": {"x-amazon-apigateway-integration": preflight, "responses": {"204": {"description": "-"}}},
            },
            "/{proxy+}": {"x-amazon-apigateway-any-method": {"security": [{"NONE": []}],
                "x-amazon-apigateway-integration": proxy}},
        },
        "x-amazon-apigateway-binary-media-types": ["image/*"],
        "x-amazon-apigateway-gateway-responses": {"DEFAULT_4XX": {
            "responseParameters": {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
            "responseTemplates": {"application/json": "{\"why\":$context.error.messageString}"}}},
        "x-amazon-apigateway-policy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*",
            "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}]},
    });
    let scheme = json!({"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"});
    let unused = json!({"type": "apiKey", "name": "x-api-key", "in": "header"});
    let schemes = json!({"iam": scheme, "key": unused});
    let models = json!({"Animal": {"type": "object", "description": "an animal"}});
    if v3 {
        document["openapi"] = json!("3.0.1");
        document["components"] = json!({"securitySchemes": schemes, "schemas": models});
    } else {
        document["swagger"] = json!("2.0");
        document["securityDefinitions"] = schemes;
        document["definitions"] = models;
    }
    document
}

#[tokio::test]
async fn both_versions_of_openapi_make_the_same_api() {
    let world = World::new();
    for v3 in [false, true] {
        let api = import(&world, &zoo(v3)).await;
        let shown = ok(&world, "GetRestApi", json!({"restApiId": api})).await;
        assert_eq!((&shown["name"], &shown["version"]), (&json!("zoo"), &json!("3")));
        assert_eq!(shown["binaryMediaTypes"], json!(["image/*"]));
        let resources = ok(&world, "GetResources", json!({"restApiId": api, "embed": ["methods"]})).await;
        let resource = |path: &str| {
            let all = resources["items"].as_array().unwrap();
            all.iter().find(|resource| resource["path"] == path).unwrap()["resourceMethods"].clone()
        };
        assert_eq!(resource("/animals"), Value::Null);
        let get = &resource("/animals/{id}")["GET"];
        assert_eq!(get["authorizationType"], "AWS_IAM");
        assert_eq!(get["operationName"], "getAnimal");
        assert_eq!(get["requestParameters"], json!({"method.request.path.id": true}));
        assert_eq!(
            get["methodResponses"]["200"]["responseParameters"],
            json!({"method.response.header.etag": false})
        );
        assert_eq!(get["methodIntegration"]["type"], "AWS_PROXY");
        let options = &resource("/animals/{id}")["OPTIONS"]["methodIntegration"];
        assert_eq!(options["integrationResponses"]["204"]["statusCode"], "204");
        assert_eq!(resource("/{proxy+}")["ANY"]["authorizationType"], "NONE");
        let response = json!({"restApiId": api, "responseType": "DEFAULT_4XX"});
        assert_eq!(ok(&world, "GetGatewayResponse", response).await["defaultResponse"], false);
        let model = ok(&world, "GetModel", json!({"restApiId": api, "modelName": "Animal"})).await;
        assert_eq!(
            (&model["contentType"], &model["description"]),
            (&json!("application/json"), &json!("an animal"))
        );
    }
}

#[tokio::test]
async fn an_export_with_integrations_can_be_imported_again() {
    let world = World::new();
    let api = import(&world, &zoo(false)).await;
    ok(&world, "CreateDeployment", json!({"restApiId": api, "stageName": "s"})).await;
    for kind in ["swagger", "oas30"] {
        let input = json!({"restApiId": api, "stageName": "s", "exportType": kind, "parameters": {"extensions": "integrations"}});
        let export = ok(&world, "GetExport", input).await;
        let document: Value =
            serde_json::from_slice(&STANDARD.decode(text(&export["body"])).unwrap()).unwrap();
        let again = import(&world, &document).await;
        let list = |api: String| json!({"restApiId": api, "embed": ["methods"]});
        let methods = |resources: Value| {
            let mut all: Vec<String> = resources["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|r| {
                    let mut methods = r["resourceMethods"].clone();
                    // Ids differ.
                    for (_, method) in methods.as_object_mut().into_iter().flatten() {
                        method["methodIntegration"]["cacheNamespace"] = Value::Null;
                    }
                    format!("{} {methods}", r["path"])
                })
                .collect();
            all.sort();
            all
        };
        let before = methods(ok(&world, "GetResources", list(api.clone())).await);
        assert_eq!(methods(ok(&world, "GetResources", list(again)).await), before, "{kind}");
    }
}

#[tokio::test]
async fn putting_a_document_merges_or_overwrites() {
    let world = World::new();
    let (api, _) = mock_api(&world).await;
    let paths = |mode: &'static str| {
        let (world, api) = (&world, api.clone());
        async move {
            let body = STANDARD.encode(zoo(false).to_string());
            ok(world, "PutRestApi", json!({"restApiId": api, "mode": mode, "body": body})).await;
            let resources = ok(world, "GetResources", json!({"restApiId": api})).await;
            let mut paths: Vec<String> = resources["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|resource| text(&resource["path"]))
                .collect();
            paths.sort();
            paths
        }
    };
    assert_eq!(paths("merge").await, ["/", "/animals", "/animals/{id}", "/pets", "/{proxy+}"]);
    assert_eq!(paths("overwrite").await, ["/", "/animals", "/animals/{id}", "/{proxy+}"]);
}

#[tokio::test]
async fn what_would_be_ignored_in_a_document_is_refused_by_name() {
    let world = World::new();
    let refused = |change: fn(&mut Value)| {
        let mut document = zoo(false);
        change(&mut document);
        let world = &world;
        async move {
            let input = json!({"body": STANDARD.encode(document.to_string())});
            let (code, status, message) = fails(world, "ImportRestApi", input).await;
            assert_eq!((code.as_str(), status), ("BadRequestException", 400));
            message
        }
    };
    let at = |text: &str| format!("{text} (at /animals/{{id}}) is not supported by nbvend");
    let message = refused(|d| d["paths"]["/animals/{id}"]["get"]["security"] = json!([{"key": []}])).await;
    assert_eq!(message, at("API keys (the security scheme key)"));
    let message = refused(|d| {
        d["securityDefinitions"]["mine"] = json!({"type": "apiKey", "x-amazon-apigateway-authtype": "custom",
            "x-amazon-apigateway-authorizer": {"type": "token"}});
        d["paths"]["/animals/{id}"]["get"]["security"] = json!([{"mine": []}]);
    })
    .await;
    assert_eq!(message, at("The authorizer mine (custom)"));
    let message = refused(|d| d["security"] = json!([{"nobody": []}])).await;
    assert!(message.contains("Security scheme nobody is not defined"), "{message}");
    let message = refused(|d| {
        d["paths"]["/animals/{id}"]["get"]["x-amazon-apigateway-request-validator"] = json!("all");
    })
    .await;
    assert_eq!(message, at("x-amazon-apigateway-request-validator"));
    let message = refused(|d| d["x-amazon-apigateway-minimum-compression-size"] = json!(5)).await;
    assert_eq!(message, "x-amazon-apigateway-minimum-compression-size is not supported by nbvend");
    let message = refused(|d| {
        d["paths"]["/animals/{id}"]["get"]["x-amazon-apigateway-integration"] =
            json!({"type": "http_proxy", "httpMethod": "GET", "uri": "https://example.org"});
    })
    .await;
    assert_eq!(message, at("The integration type HTTP_PROXY"));
    let message = refused(|d| {
        d["paths"]["/animals/{id}"]["get"]["x-amazon-apigateway-integration"]["tlsConfig"] = json!({});
    })
    .await;
    assert_eq!(message, at("tlsConfig of x-amazon-apigateway-integration"));
    let message = refused(|d| d["swagger"] = json!("1.2")).await;
    assert_eq!(message, "Invalid OpenAPI input.");
    let bad = fails(&world, "ImportRestApi", json!({"body": STANDARD.encode("a: [")})).await;
    assert_eq!(bad.2, "Invalid OpenAPI input.");
    // Nothing was made by any of them.
    assert_eq!(ok(&world, "GetRestApis", json!({})).await["items"], json!([]));
}

#[tokio::test]
async fn a_document_may_be_yaml() {
    let world = World::new();
    let yaml = "swagger: '2.0'\ninfo: {title: y, version: '1'}\npaths:\n  /a:\n    get:\n      responses: {}\n      \
        x-amazon-apigateway-integration: {type: mock}\n";
    let made = ok(&world, "ImportRestApi", json!({"body": STANDARD.encode(yaml)})).await;
    assert_eq!(made["name"], "y");
}

#[tokio::test]
async fn the_account_keeps_its_role() {
    let world = World::new();
    let role = "arn:aws:iam::123456789012:role/logs";
    let patch = json!([{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}]);
    ok(&world, "UpdateAccount", json!({"patchOperations": patch})).await;
    assert_eq!(ok(&world, "GetAccount", json!({})).await["cloudwatchRoleArn"], role);
}
