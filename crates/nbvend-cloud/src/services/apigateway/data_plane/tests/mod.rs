//! Requests to deployed APIs, through the door as they come from the network.

mod failures;
mod requests;
mod rights;

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
