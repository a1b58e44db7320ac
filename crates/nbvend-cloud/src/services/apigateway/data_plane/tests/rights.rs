//! Who may call a method, and as whom the function is called.

use super::*;

#[tokio::test]
async fn a_signed_method_tells_the_function_who_calls() {
    let world = World::new();
    function(&world, true).await;
    let api = deployed(&world, &sam_body("AWS_IAM")).await;
    answers(&world, &json!({"statusCode": 200, "body": "ok"}));
    let (key, secret) = user(&world, "kim").await;
    let sent = Sent::new("POST", &api, "/Prod/refreshurl").body(b"{}").sign(&world, &key, &secret);
    assert_eq!(sent.send(&world).await.all(), (200, "", "ok"));
    let event = last_event(&world);
    let identity = &event["requestContext"]["identity"];
    assert_eq!(identity["userArn"], "arn:aws:iam::123456789012:user/kim");
    let kim =
        world.wire("iam", "GetUser", json!({"UserName": "kim"})).await.unwrap()["User"]["UserId"].clone();
    assert_eq!((&identity["caller"], &identity["user"]), (&kim, &kim));
    assert_eq!((&identity["accessKey"], &identity["accountId"]), (&json!(key), &json!("123456789012")));
    assert_eq!(event["headers"]["Authorization"], Value::Null);

    // By AWS's own host name, and by path where no region is named.
    let aws = format!("{api}.execute-api.us-east-1.amazonaws.com");
    let sent = Sent::new("POST", &api, "/Prod/refreshurl/").header("host", &aws).root(&world);
    assert_eq!(sent.send(&world).await.status, 200);
    assert_eq!(last_event(&world)["requestContext"]["identity"]["userArn"], "arn:aws:iam::123456789012:root");
    let path = format!("/restapis/{api}/Prod/_user_request_/refreshurl");
    let sent = Sent::new("POST", &api, &path).header("host", "localhost:4566").root(&world);
    assert_eq!(sent.send(&world).await.status, 200);
    assert_eq!(last_event(&world)["requestContext"]["path"], "/Prod/refreshurl");
}

#[tokio::test]
async fn what_is_not_signed_well_is_refused_as_on_aws() {
    let world = World::new();
    function(&world, true).await;
    let api = deployed(&world, &sam_body("AWS_IAM")).await;
    answers(&world, &json!({"statusCode": 200, "body": "ok"}));
    let post = || Sent::new("POST", &api, "/Prod/refreshurl").body(b"{\"a\":1}");
    // The positive control.
    assert_eq!(post().root(&world).send(&world).await.status, 200);

    let missing =
        (403, "MissingAuthenticationTokenException", "{\"message\":\"Missing Authentication Token\"}");
    assert_eq!(post().send(&world).await.all(), missing);

    let mismatch = "The request signature we calculated does not match the signature you provided.";
    let wrong_secret = post().sign(&world, ROOT_KEY, "guess").send(&world).await;
    let changed_body = post().root(&world).body(b"{\"a\":2}").send(&world).await;
    let mut changed_path = post().root(&world);
    changed_path.target = "/Prod/refreshurl/".to_owned();
    for got in [wrong_secret, changed_body, changed_path.send(&world).await] {
        assert_eq!((got.status, got.error.as_str()), (403, "InvalidSignatureException"));
        assert!(got.text().contains(mismatch), "{}", got.text());
    }
    let unknown = post().sign(&world, "AKIANOBODY", "x").send(&world).await;
    assert_eq!((unknown.status, unknown.error.as_str()), (403, "UnrecognizedClientException"));
    for (region, service) in [("eu-west-1", "execute-api"), ("us-east-1", "lambda")] {
        let got = post().sign_for(&world, ROOT_KEY, ROOT_SECRET, region, service).send(&world).await;
        assert_eq!(
            (got.status, got.error.as_str()),
            (403, "InvalidSignatureException"),
            "{region} {service}"
        );
        assert!(got.text().contains("Credential should be scoped"), "{}", got.text());
    }
    let garbage = post().header("authorization", "AWS4-HMAC-SHA256 nonsense").send(&world).await;
    assert_eq!((garbage.status, garbage.error.as_str()), (403, "IncompleteSignatureException"));
    let late = post().root(&world);
    world.clock.advance(16 * 60);
    let late = late.send(&world).await;
    assert_eq!((late.status, late.error.as_str()), (403, "InvalidSignatureException"));
    assert!(late.text().contains("Signature expired"), "{}", late.text());
    // Nothing of all this reached the function but the control.
    assert_eq!(world.functions.calls.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_integrations_credentials_decide_as_whom_the_function_is_called() {
    let world = World::new();
    // The function has no permission of its own: only a principal of the account may call it.
    function(&world, false).await;
    answers(&world, &json!({"statusCode": 200}));
    let with = |credentials: &str| {
        let mut body = sam_body("AWS_IAM");
        body["paths"]["/refreshurl"]["post"]["x-amazon-apigateway-integration"]["credentials"] =
            json!(credentials);
        body
    };
    for (credentials, status) in [
        ("arn:aws:iam::*:user/*", 200),
        ("arn:aws:iam::123456789012:role/links", 200),
        ("arn:aws:iam::123456789012:role/nobody", 500),
    ] {
        let api = deployed(&world, &with(credentials)).await;
        let got = Sent::new("POST", &api, "/Prod/refreshurl").root(&world).send(&world).await;
        assert_eq!(got.status, status, "{credentials}: {}", got.text());
    }
}

fn allow(effect: &str, principal: &Value, resource: &str, condition: Value) -> Value {
    let mut statement = json!({"Effect": effect, "Principal": principal, "Action": "execute-api:Invoke", "Resource": resource});
    if !condition.is_null() {
        statement["Condition"] = condition;
    }
    statement
}

#[tokio::test]
async fn an_apis_own_policy_is_asked() {
    let world = World::new();
    function(&world, true).await;
    answers(&world, &json!({"statusCode": 200}));
    let (key, secret) = user(&world, "kim").await;
    let here = json!({"IpAddress": {"aws:SourceIp": "10.1.0.0/16"}});
    let elsewhere = json!({"IpAddress": {"aws:SourceIp": "192.168.0.0/16"}});
    let kim = json!({"AWS": "arn:aws:iam::123456789012:user/kim"});
    // Authorisation, statements, whether it may be called unsigned or signed.
    let cases = [
        ("NONE", vec![allow("Allow", &json!("*"), "execute-api:/*", here.clone())], true),
        ("NONE", vec![allow("Allow", &json!("*"), "execute-api:/*", elsewhere.clone())], false),
        ("NONE", vec![allow("Allow", &json!("*"), "execute-api:/Prod/GET/*", Value::Null)], false),
        (
            "NONE",
            vec![
                allow("Allow", &json!("*"), "execute-api:/*", Value::Null),
                allow("Deny", &json!("*"), "execute-api:/Prod/POST/refreshurl", Value::Null),
            ],
            false,
        ),
        ("AWS_IAM", vec![allow("Allow", &kim, "execute-api:/Prod/POST/refreshurl", Value::Null)], true),
        (
            "AWS_IAM",
            vec![
                allow("Allow", &json!("*"), "execute-api:/*", Value::Null),
                allow("Deny", &kim, "execute-api:/*", here),
            ],
            false,
        ),
    ];
    for (authorization, statements, allowed) in cases {
        let mut body = sam_body(authorization);
        body["x-amazon-apigateway-policy"] = json!({"Version": "2012-10-17", "Statement": statements});
        let api = deployed(&world, &body).await;
        // A deny must not be passed by writing the path another way.
        for target in ["/Prod/refreshurl", "/Prod/refreshurl/", "/Prod/%72efreshurl", "/Prod//refreshurl"] {
            let sent = Sent::new("POST", &api, target);
            let sent = if authorization == "NONE" { sent } else { sent.sign(&world, &key, &secret) };
            let got = sent.send(&world).await;
            assert_eq!(got.status, if allowed { 200 } else { 403 }, "{target} {body}: {}", got.text());
            if !allowed {
                assert_eq!(got.error, "AccessDeniedException");
                let arn = format!("arn:aws:execute-api:us-east-1:********9012:{api}/Prod/POST/refreshurl");
                assert!(
                    got.text().starts_with("{\"Message\":\"User: ") && got.text().contains(&arn),
                    "{}",
                    got.text()
                );
            }
        }
    }
}

#[tokio::test]
async fn a_denial_leaves_a_record_and_a_success_none() {
    let world = World::new();
    function(&world, true).await;
    answers(&world, &json!({"statusCode": 200}));
    let (key, secret) = user(&world, "kim").await;
    let mut body = sam_body("AWS_IAM");
    let kim = json!({"AWS": "arn:aws:iam::123456789012:user/kim"});
    body["x-amazon-apigateway-policy"] =
        json!({"Version": "2012-10-17", "Statement": [allow("Deny", &kim, "execute-api:/*", Value::Null)]});
    let api = deployed(&world, &body).await;
    let post = || Sent::new("POST", &api, "/Prod/refreshurl");
    assert_eq!(post().root(&world).send(&world).await.status, 200);
    assert_eq!(post().sign(&world, &key, &secret).send(&world).await.status, 403);
    world.clock.advance(1);
    world.settle().await;
    let bodies = world.engine.store().read(|tx| {
        let mut statement = tx
            .connection()
            .prepare("SELECT body FROM trail WHERE source = 'execute-api.amazonaws.com'")
            .unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>()
    });
    let records: Vec<Value> =
        bodies.unwrap().iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0]["errorCode"], "AccessDeniedException");
    assert_eq!(records[0]["userIdentity"]["userName"], "kim");
    assert_eq!(records[0]["requestParameters"]["path"], "/Prod/refreshurl");
}
