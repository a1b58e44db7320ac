//! APIs themselves: made, listed, changed, refused; the account.

use super::*;

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
async fn the_account_keeps_its_role() {
    let world = World::new();
    let role = "arn:aws:iam::123456789012:role/logs";
    let patch = json!([{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}]);
    ok(&world, "UpdateAccount", json!({"patchOperations": patch})).await;
    assert_eq!(ok(&world, "GetAccount", json!({})).await["cloudwatchRoleArn"], role);
}
