//! OpenAPI documents, in and out.

use super::*;

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
