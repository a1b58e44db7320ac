//! Requests to deployed APIs, through the door as they come from the network.

use std::net::{IpAddr, Ipv4Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use nbvend_wire::sigv4::{self, Credentials, ToSign};
use serde_json::{Value, json};

use crate::door::{Peer, full, handle};
use crate::identity::{AccessKey, KeyStatus};
use crate::services::apigateway::tests::{import, ok};
use crate::testing::{ROOT_KEY, ROOT_SECRET, World};

const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:links";

/// What SAM makes of the solution's API: one method, `NONE` or `AWS_IAM`.
fn sam_body(authorization: &str) -> Value {
    let uri = format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations");
    let mut body = json!({
        "swagger": "2.0",
        "info": {"title": "sam-app", "version": "1.0"},
        "paths": {"/refreshurl": {"post": {
            "responses": {},
            "security": [{(authorization): []}],
            "x-amazon-apigateway-integration": {"type": "aws_proxy", "httpMethod": "POST", "uri": uri},
        }}},
    });
    if authorization == "AWS_IAM" {
        body["securityDefinitions"] = json!({"AWS_IAM": {"type": "apiKey", "name": "Authorization", "in": "header",
            "x-amazon-apigateway-authtype": "awsSigv4"}});
    }
    body
}

/// A request as a client sends it.
struct Sent {
    method: &'static str,
    /// With the query.
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Sent {
    fn new(method: &'static str, api: &str, target: &str) -> Self {
        let host = format!("{api}.execute-api.us-east-1.localhost:4566");
        let headers = vec![("host".to_owned(), host), ("user-agent".to_owned(), "curl/8".to_owned())];
        Self { method, target: target.to_owned(), headers, body: Vec::new() }
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name || name == "x-many");
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    fn sign(self, world: &World, key: &str, secret: &str) -> Self {
        self.sign_for(world, key, secret, "us-east-1", "execute-api")
    }

    fn sign_for(mut self, world: &World, key: &str, secret: &str, region: &str, service: &str) -> Self {
        let credentials = Credentials {
            access_key_id: key.to_owned(),
            secret_access_key: secret.to_owned(),
            session_token: None,
        };
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let to_sign = ToSign { method: self.method, path, query, headers: &self.headers, body: &self.body };
        let signed = sigv4::sign(&to_sign, &credentials, region, service, world.engine.now());
        self.headers.extend(signed);
        self
    }

    fn root(self, world: &World) -> Self {
        self.sign(world, ROOT_KEY, ROOT_SECRET)
    }

    async fn send(self, world: &World) -> Got {
        let mut request = Request::builder().method(self.method).uri(&self.target);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let peer = Peer { ip: IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3)), secure: false };
        let answer = handle(&world.engine, request.body(full(self.body)).unwrap(), peer).await;
        let (parts, body) = answer.into_parts();
        let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        assert!(header("x-amzn-requestid").is_some() && header("x-amz-apigw-id").is_some());
        Got {
            status: parts.status.as_u16(),
            error: header("x-amzn-errortype").unwrap_or_default(),
            headers: parts.headers.clone(),
            body: body.collect().await.unwrap().to_bytes(),
        }
    }
}

struct Got {
    status: u16,
    error: String,
    headers: http::HeaderMap,
    body: Bytes,
}

impl Got {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Status, error type and body.
    fn all(&self) -> (u16, &str, &str) {
        (self.status, &self.error, self.text())
    }
}

/// The function `links` with the permission of its API, if `allowed`.
async fn function(world: &World, allowed: bool) {
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": ["lambda.amazonaws.com", "apigateway.amazonaws.com"]}}]});
    let role = json!({"RoleName": "links", "AssumeRolePolicyDocument": trust.to_string()});
    world.wire("iam", "CreateRole", role).await.unwrap();
    world.allow("Role", "links", &["lambda:InvokeFunction", "logs:*"]).await;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("bootstrap", zip::write::SimpleFileOptions::default()).unwrap();
    let zip = STANDARD.encode(zip.finish().unwrap().into_inner());
    let create = json!({"FunctionName": "links", "Runtime": "provided.al2023", "Handler": "bootstrap",
        "Role": "arn:aws:iam::123456789012:role/links", "Code": {"ZipFile": zip}});
    world.wire("lambda", "CreateFunction", create).await.unwrap();
    if allowed {
        let permission = json!({"FunctionName": "links", "StatementId": "api", "Action": "lambda:InvokeFunction",
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": "arn:aws:execute-api:us-east-1:123456789012:*/*/*/refreshurl"});
        world.wire("lambda", "AddPermission", permission).await.unwrap();
    }
    world.settle().await;
}

fn answers(world: &World, answer: &Value) {
    let bytes = Bytes::from(answer.to_string());
    *world.functions.body.lock().unwrap() = Some(Box::new(move |_, _| Ok(bytes.clone())));
}

fn last_event(world: &World) -> Value {
    world.functions.calls.lock().unwrap().last().unwrap().1.clone()
}

async fn deployed(world: &World, document: &Value) -> String {
    let api = import(world, document).await;
    ok(world, "CreateDeployment", json!({"restApiId": api, "stageName": "Prod"})).await;
    api
}

/// A user with an access key who may call APIs.
async fn user(world: &World, name: &'static str) -> (String, String) {
    let principal = world.user(name, &["execute-api:Invoke"]).await.principal;
    let key = AccessKey {
        id: format!("AKIA{}", name.to_uppercase()),
        secret: format!("{name}-secret"),
        principal,
        status: KeyStatus::Active,
        created: world.engine.now(),
        session: None,
    };
    let pair = (key.id.clone(), key.secret.clone());
    world.engine.store().write(move |tx| key.put(tx)).await.unwrap().unwrap();
    pair
}

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
    let large = vec![b'a'; super::LARGEST_BODY + 1];
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

/// A preflight as SAM's `Cors` makes it, beside a method that wants a signature.
fn with_cors() -> Value {
    let mut body = sam_body("AWS_IAM");
    body["paths"]["/refreshurl"]["options"] = json!({
        "consumes": ["application/json"], "produces": ["application/json"], "summary": "CORS support",
        "responses": {"200": {"description": "Default response for CORS method", "headers": {
            "Access-Control-Allow-Origin": {"type": "string"}, "Access-Control-Allow-Methods": {"type": "string"}}}},
        "x-amazon-apigateway-integration": {
            "type": "mock",
            "requestTemplates": {"application/json": "{\n  \"statusCode\" : 200\n}\n"},
            "responses": {"default": {
                "statusCode": "200",
                "responseTemplates": {"application/json": "{}\n"},
                "responseParameters": {
                    "method.response.header.Access-Control-Allow-Origin": "'https://app.example.org'",
                    "method.response.header.Access-Control-Allow-Methods": "'OPTIONS,POST'",
                },
            }},
        },
    });
    body
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
