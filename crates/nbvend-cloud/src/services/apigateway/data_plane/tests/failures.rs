//! Unknown places, functions that fail or take too long, stages that limit.

use super::*;

#[tokio::test]
async fn unknown_hosts_stages_paths_and_methods_get_awss_answers() {
    let world = World::new();
    let api = deployed(&world, &sam_body("NONE")).await;
    let missing =
        (403, "MissingAuthenticationTokenException", "{\"message\":\"Missing Authentication Token\"}");
    let forbidden = (403, "ForbiddenException", "{\"message\":\"Forbidden\"}");
    for (method, api, target, expected) in [
        ("GET", api.as_str(), "/Prod/refreshurl", missing),
        ("POST", &api, "/Prod/other", missing),
        ("POST", &api, "/Prod", missing),
        ("POST", &api, "/", missing),
        ("POST", &api, "/Test/refreshurl", forbidden),
        ("POST", "nobody", "/Prod/refreshurl", forbidden),
    ] {
        assert_eq!(
            Sent::new(method, api, target).send(&world).await.all(),
            expected,
            "{method} {api} {target}"
        );
    }
    // Another region is another API.
    let elsewhere = format!("{api}.execute-api.eu-west-1.localhost:4566");
    let sent = Sent::new("POST", &api, "/Prod/refreshurl").header("host", &elsewhere);
    assert_eq!(sent.send(&world).await.all(), forbidden);
    let patch = json!([{"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "true"}]);
    ok(&world, "UpdateRestApi", json!({"restApiId": api, "patchOperations": patch})).await;
    ok(&world, "CreateDeployment", json!({"restApiId": api, "stageName": "Prod"})).await;
    assert_eq!(Sent::new("POST", &api, "/Prod/refreshurl").send(&world).await.all(), forbidden);
}

#[tokio::test]
async fn whatever_goes_wrong_behind_the_gateway_says_no_more_than_that() {
    let world = World::new();
    let api = deployed(&world, &sam_body("NONE")).await;
    let post = || Sent::new("POST", &api, "/Prod/refreshurl");
    let internal =
        |status| (status, "InternalServerErrorException", "{\"message\": \"Internal server error\"}");
    // No function, then a function without permission.
    assert_eq!(post().send(&world).await.all(), internal(500));
    function(&world, false).await;
    assert_eq!(post().send(&world).await.all(), internal(500));
    let permission = json!({"FunctionName": "links", "StatementId": "api", "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": format!("arn:aws:execute-api:us-east-1:123456789012:{api}/*/POST/refreshurl")});
    world.wire("lambda", "AddPermission", permission).await.unwrap();
    answers(&world, &json!({"statusCode": 200}));
    assert_eq!(post().send(&world).await.all(), (200, "", ""));

    for malformed in
        [json!("text"), json!({"status": 200}), json!({"statusCode": 200, "body": 1}), json!(null)]
    {
        answers(&world, &malformed);
        assert_eq!(post().send(&world).await.all(), internal(502));
    }
    *world.functions.body.lock().unwrap() =
        Some(Box::new(|_, _| Err(("Unhandled", Bytes::from_static(b"{\"errorMessage\":\"secret\"}")))));
    assert_eq!(post().send(&world).await.all(), internal(502));
    let large = vec![b'a'; crate::services::apigateway::data_plane::LARGEST_BODY + 1];
    let got = post().body(&large).send(&world).await;
    assert_eq!((got.status, got.error.as_str()), (413, "RequestTooLargeException"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_function_that_takes_too_long_is_not_waited_for() {
    let world = World::new();
    function(&world, true).await;
    let mut body = sam_body("NONE");
    body["paths"]["/refreshurl"]["post"]["x-amazon-apigateway-integration"]["timeoutInMillis"] = json!(50);
    let api = deployed(&world, &body).await;
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    *world.functions.body.lock().unwrap() = Some(Box::new(move |_, _| {
        wait.lock().unwrap().recv().unwrap();
        Ok(Bytes::from_static(b"{}"))
    }));
    let got = Sent::new("POST", &api, "/Prod/refreshurl").send(&world).await;
    go.send(()).unwrap();
    assert_eq!(
        got.all(),
        (504, "InternalServerErrorException", "{\"message\": \"Endpoint request timed out\"}")
    );
}

#[tokio::test]
async fn only_what_was_deployed_is_served() {
    let world = World::new();
    function(&world, true).await;
    answers(&world, &json!({"statusCode": 200}));
    let api = import(&world, &sam_body("NONE")).await;
    let post = || Sent::new("POST", &api, "/Prod/refreshurl");
    assert_eq!(post().send(&world).await.status, 403);
    let first = ok(&world, "CreateDeployment", json!({"restApiId": api, "stageName": "Prod"})).await;
    assert_eq!(post().send(&world).await.status, 200);
    // The API asks for a signature now, its stage does not yet.
    let body = STANDARD.encode(sam_body("AWS_IAM").to_string());
    ok(&world, "PutRestApi", json!({"restApiId": api, "mode": "overwrite", "body": body})).await;
    assert_eq!(post().send(&world).await.status, 200);
    let world = world.restart();
    answers(&world, &json!({"statusCode": 200}));
    assert_eq!(post().send(&world).await.status, 200);
    ok(&world, "CreateDeployment", json!({"restApiId": api, "stageName": "Prod"})).await;
    assert_eq!(post().send(&world).await.status, 403);
    let patch = json!([{"op": "replace", "path": "/deploymentId", "value": first["id"]}]);
    ok(&world, "UpdateStage", json!({"restApiId": api, "stageName": "Prod", "patchOperations": patch})).await;
    assert_eq!(post().send(&world).await.status, 200);
    ok(&world, "DeleteRestApi", json!({"restApiId": api})).await;
    assert_eq!(post().send(&world).await.status, 403);
}

#[tokio::test]
async fn a_stages_limits_are_kept() {
    let world = World::new();
    let api = deployed(&world, &with_cors()).await;
    let patch = json!([{"op": "replace", "path": "/*/*/throttling/burstLimit", "value": "2"},
        {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "1"}]);
    ok(&world, "UpdateStage", json!({"restApiId": api, "stageName": "Prod", "patchOperations": patch})).await;
    let send = || Sent::new("OPTIONS", &api, "/Prod/refreshurl").send(&world);
    assert_eq!([send().await.status, send().await.status], [200, 200]);
    assert_eq!(send().await.all(), (429, "TooManyRequestsException", "{\"message\":\"Too Many Requests\"}"));
    world.clock.advance(1);
    assert_eq!([send().await.status, send().await.status], [200, 429]);
}
