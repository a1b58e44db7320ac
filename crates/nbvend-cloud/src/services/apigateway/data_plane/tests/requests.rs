//! What a method hands to its function, and what it answers.

use super::*;

#[tokio::test]
async fn an_open_method_hands_the_whole_request_to_the_function() {
    let world = World::new();
    function(&world, true).await;
    let api = deployed(&world, &sam_body("NONE")).await;
    answers(
        &world,
        &json!({"statusCode": 201, "headers": {"X-A": "1", "Date": "never"}, "body": "{\"a\":1}"}),
    );
    // curl's own content type, and the trailing slash of the template's output.
    let sent = Sent::new("POST", &api, "/Prod/refreshurl/?a=1&a=b%20c")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-many", "1")
        .header("x-many", "2")
        .header("x-forwarded-for", "6.6.6.6")
        .body(b"{\"notebook_user_name\": \"kim\"}");
    let got = sent.send(&world).await;
    assert_eq!(got.all(), (201, "", "{\"a\":1}"));
    assert_eq!(got.headers["content-type"], "application/json");
    assert_eq!(
        (&got.headers["x-a"], &got.headers["x-amzn-remapped-date"]),
        (&"1".parse().unwrap(), &"never".parse().unwrap())
    );

    let event = last_event(&world);
    let host = format!("{api}.execute-api.us-east-1.localhost:4566");
    let context = &event["requestContext"];
    let expected = json!({
        "resource": "/refreshurl",
        "path": "/refreshurl/",
        "httpMethod": "POST",
        "headers": {
            "Content-Type": "application/x-www-form-urlencoded", "Host": host, "User-Agent": "curl/8",
            "X-Amzn-Trace-Id": got.headers["x-amzn-trace-id"].to_str().unwrap(), "X-Forwarded-For": "6.6.6.6, 10.1.2.3",
            "X-Forwarded-Port": "4566", "X-Forwarded-Proto": "http", "X-Many": "2",
        },
        "multiValueHeaders": {
            "Content-Type": ["application/x-www-form-urlencoded"], "Host": [host], "User-Agent": ["curl/8"],
            "X-Amzn-Trace-Id": [got.headers["x-amzn-trace-id"].to_str().unwrap()],
            "X-Forwarded-For": ["6.6.6.6, 10.1.2.3"], "X-Forwarded-Port": ["4566"], "X-Forwarded-Proto": ["http"],
            "X-Many": ["1", "2"],
        },
        "queryStringParameters": {"a": "b c"},
        "multiValueQueryStringParameters": {"a": ["1", "b c"]},
        "pathParameters": null,
        "stageVariables": null,
        "requestContext": {
            "resourceId": context["resourceId"], "resourcePath": "/refreshurl", "httpMethod": "POST",
            "extendedRequestId": got.headers["x-amz-apigw-id"].to_str().unwrap(),
            "requestTime": "22/Nov/2026:12:00:00 +0000", "path": "/Prod/refreshurl/", "accountId": "123456789012",
            "protocol": "HTTP/1.1", "stage": "Prod", "domainPrefix": api, "requestTimeEpoch": 1_795_348_800_000_i64,
            "requestId": got.headers["x-amzn-requestid"].to_str().unwrap(),
            "identity": {
                "cognitoIdentityPoolId": null, "accountId": null, "cognitoIdentityId": null, "caller": null,
                "sourceIp": "10.1.2.3", "principalOrgId": null, "accessKey": null, "cognitoAuthenticationType": null,
                "cognitoAuthenticationProvider": null, "userArn": null, "userAgent": "curl/8", "user": null,
            },
            "domainName": host, "deploymentId": context["deploymentId"], "apiId": api,
        },
        "body": "{\"notebook_user_name\": \"kim\"}",
        "isBase64Encoded": false,
    });
    assert_eq!(event, expected);
}

#[tokio::test]
async fn stage_variables_choose_the_function_and_reach_it() {
    let world = World::new();
    function(&world, true).await;
    answers(&world, &json!({"statusCode": 200}));
    let mut body = sam_body("NONE");
    body["paths"]["/refreshurl"]["post"]["x-amazon-apigateway-integration"]["uri"] = json!(
        "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\
         arn:aws:lambda:us-east-1:123456789012:function:${stageVariables.function}/invocations"
    );
    let api = import(&world, &body).await;
    let variables = json!({"function": "links"});
    ok(&world, "CreateDeployment", json!({"restApiId": api, "stageName": "Prod", "variables": variables}))
        .await;
    assert_eq!(Sent::new("POST", &api, "/Prod/refreshurl").send(&world).await.status, 200);
    assert_eq!(last_event(&world)["stageVariables"], variables);
}

#[tokio::test]
async fn binary_bodies_travel_in_base64() {
    let world = World::new();
    function(&world, true).await;
    let mut body = sam_body("NONE");
    body["x-amazon-apigateway-binary-media-types"] = json!(["image/png"]);
    let api = deployed(&world, &body).await;
    let bytes = [0u8, 159, 146, 150];
    answers(
        &world,
        &json!({"body": STANDARD.encode(bytes), "isBase64Encoded": true, "headers": {"content-type": "image/png"}}),
    );
    let post =
        || Sent::new("POST", &api, "/Prod/refreshurl").header("content-type", "image/png").body(&bytes);
    let got = post().header("accept", "image/png, */*").send(&world).await;
    assert_eq!(got.body.as_ref(), bytes);
    let event = last_event(&world);
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!(STANDARD.encode(bytes)), &json!(true)));
    // A client that does not say that it takes them gets the text.
    assert_eq!(post().send(&world).await.text(), STANDARD.encode(bytes));
}

#[tokio::test]
async fn preflights_are_answered_without_a_function() {
    let world = World::new();
    let api = deployed(&world, &with_cors()).await;
    let got = Sent::new("OPTIONS", &api, "/Prod/refreshurl")
        .header("origin", "https://app.example.org")
        .header("access-control-request-method", "POST")
        .send(&world)
        .await;
    assert_eq!(got.all(), (200, "", "{}\n"));
    assert_eq!(got.headers["access-control-allow-origin"], "https://app.example.org");
    assert_eq!(got.headers["access-control-allow-methods"], "OPTIONS,POST");
    assert_eq!(got.headers["content-type"], "application/json");
}

#[tokio::test]
async fn gateway_responses_dress_refusals() {
    let world = World::new();
    let mut body = with_cors();
    body["x-amazon-apigateway-gateway-responses"] = json!({
        "DEFAULT_4XX": {"responseParameters": {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"}},
        "INVALID_SIGNATURE": {"statusCode": 401, "responseTemplates": {
            "application/json": "{\"kind\":\"$context.error.responseType\",\"why\":$context.error.messageString,\"at\":\"$context.path\"}"}},
    });
    let api = deployed(&world, &body).await;
    let got = Sent::new("POST", &api, "/Prod/refreshurl").send(&world).await;
    assert_eq!(
        got.all(),
        (403, "MissingAuthenticationTokenException", "{\"message\":\"Missing Authentication Token\"}")
    );
    assert_eq!(got.headers["access-control-allow-origin"], "*");
    let got = Sent::new("POST", &api, "/Prod/refreshurl").sign(&world, ROOT_KEY, "guess").send(&world).await;
    assert_eq!(got.status, 401);
    let said: Value = serde_json::from_str(got.text()).unwrap();
    assert_eq!((&said["kind"], &said["at"]), (&json!("INVALID_SIGNATURE"), &json!("/Prod/refreshurl")));
}
