//! Requests through the door, as bytes.

use std::net::{IpAddr, Ipv4Addr};

use http::{Request, Response};
use nbvend_wire::model::{self, ProtocolKind};
use nbvend_wire::sigv4::{self, Credentials, ToSign};
use nbvend_wire::timestamp::Timestamp;
use serde_json::{Value, json};

use super::{Body, Peer, collect, full, handle};
use crate::services::SERVICES;
use crate::testing::{REGION, ROOT_KEY, ROOT_SECRET, World};

struct Call<'a> {
    service: &'a str,
    headers: Vec<(String, String)>,
    path: &'a str,
    method: &'a str,
    body: String,
}

fn json_call<'a>(service: &'a str, operation: &str, input: &Value) -> Call<'a> {
    let target = format!("{}.{operation}", model::service(service).unwrap().target_prefix);
    Call {
        service,
        headers: vec![
            ("host".into(), "localhost:4566".into()),
            ("content-type".into(), "application/x-amz-json-1.1".into()),
            ("x-amz-target".into(), target),
        ],
        path: "/",
        method: "POST",
        body: input.to_string(),
    }
}

fn query_call<'a>(action: &str, more: &str) -> Call<'a> {
    Call {
        service: "sts",
        headers: vec![
            ("host".into(), "localhost".into()),
            ("content-type".into(), "application/x-www-form-urlencoded".into()),
        ],
        path: "/",
        method: "POST",
        body: format!("Action={action}&Version=2011-06-15{more}"),
    }
}

impl Call<'_> {
    fn signed(&self, key: &str, secret: &str, now: Timestamp) -> Request<Body> {
        let credentials = Credentials {
            access_key_id: key.to_owned(),
            secret_access_key: secret.to_owned(),
            session_token: None,
        };
        let to_sign = ToSign {
            method: self.method,
            path: self.path,
            query: "",
            headers: &self.headers,
            body: self.body.as_bytes(),
        };
        let more = sigv4::sign(&to_sign, &credentials, REGION, self.service, now);
        self.request(&more)
    }

    fn request(&self, more: &[(String, String)]) -> Request<Body> {
        let mut request = Request::builder().method(self.method).uri(self.path);
        for (name, value) in self.headers.iter().chain(more) {
            request = request.header(name, value);
        }
        request.body(full(self.body.clone())).unwrap()
    }
}

async fn send(world: &World, request: Request<Body>) -> (u16, String) {
    let peer = Peer { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), secure: false };
    let answer: Response<Body> = handle(&world.engine, request, peer).await;
    let status = answer.status().as_u16();
    let body = collect(answer.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// Status and `__type` of a JSON answer.
async fn code(world: &World, request: Request<Body>) -> (u16, String) {
    let (status, body) = send(world, request).await;
    let document: Value = serde_json::from_str(&body).unwrap_or_default();
    (status, document["__type"].as_str().unwrap_or("none").to_owned())
}

#[tokio::test]
async fn signatures_are_verified() {
    let world = World::new();
    let now = world.engine.now();
    let put = json_call("ssm", "PutParameter", &json!({"Name": "a", "Value": "v", "Type": "String"}));
    let at = |seconds| now.plus_seconds(seconds);
    assert_eq!(send(&world, put.signed(ROOT_KEY, ROOT_SECRET, now)).await.0, 200);

    let get = json_call("ssm", "GetParameter", &json!({"Name": "a"}));
    for (what, request, expected) in [
        ("a wrong secret", get.signed(ROOT_KEY, "wrong", now), (400, "InvalidSignatureException")),
        (
            "an unknown key",
            get.signed("AKIAUNKNOWNUNKNOWN00", ROOT_SECRET, now),
            (400, "UnrecognizedClientException"),
        ),
        ("an old request", get.signed(ROOT_KEY, ROOT_SECRET, at(-901)), (400, "InvalidSignatureException")),
        (
            "one from the future",
            get.signed(ROOT_KEY, ROOT_SECRET, at(901)),
            (400, "InvalidSignatureException"),
        ),
        ("an unsigned one", get.request(&[]), (400, "MissingAuthenticationTokenException")),
        ("one in time", get.signed(ROOT_KEY, ROOT_SECRET, at(-899)), (200, "none")),
    ] {
        let (status, kind) = code(&world, request).await;
        assert_eq!((status, kind.as_str()), expected, "{what}");
    }

    // The same signature on another body, another target, another path.
    let signed = || get.signed(ROOT_KEY, ROOT_SECRET, now).into_parts().0;
    let body = Request::from_parts(signed(), full(json!({"Name": "b"}).to_string()));
    assert_eq!(code(&world, body).await, (400, "InvalidSignatureException".to_owned()));
    let mut parts = signed();
    parts.headers.insert("x-amz-target", "AmazonSSM.DeleteParameter".parse().unwrap());
    let target = Request::from_parts(parts, full(get.body.clone()));
    assert_eq!(code(&world, target).await, (400, "InvalidSignatureException".to_owned()));
}

#[tokio::test]
async fn query_services_answer_in_xml() {
    let world = World::new();
    let call = query_call("GetCallerIdentity", "");
    let (status, body) = send(&world, call.signed(ROOT_KEY, ROOT_SECRET, world.engine.now())).await;
    assert_eq!(status, 200);
    assert!(body.contains("<Arn>arn:aws:iam::123456789012:root</Arn>"), "{body}");
    let (status, body) = send(&world, call.signed(ROOT_KEY, "wrong", world.engine.now())).await;
    assert_eq!(status, 403);
    assert!(body.contains("<Code>SignatureDoesNotMatch</Code>"), "{body}");
}

#[tokio::test]
async fn strangers_are_told_so_before_their_bodies_are_held() {
    let world = World::new();
    let now = world.engine.now();
    let large = "v".repeat(100 << 10);
    let put = json_call("ssm", "PutParameter", &json!({"Name": "a", "Value": large, "Type": "String"}));
    let stranger = put.signed("AKIAUNKNOWNUNKNOWN00", ROOT_SECRET, now);
    assert_eq!(code(&world, stranger).await, (400, "UnrecognizedClientException".to_owned()));
    let unsigned = put.request(&[]);
    assert_eq!(code(&world, unsigned).await, (400, "MissingAuthenticationTokenException".to_owned()));
    // The same body with a known key is read, and judged.
    let known = put.signed(ROOT_KEY, ROOT_SECRET, now);
    assert_eq!(code(&world, known).await, (400, "ValidationException".to_owned()));
    let huge = json_call("ssm", "PutParameter", &json!({"Name": "a", "Value": "v".repeat(9 << 20)}));
    let huge = huge.signed(ROOT_KEY, ROOT_SECRET, now);
    assert_eq!(code(&world, huge).await, (413, "RequestEntityTooLargeException".to_owned()));
}

#[tokio::test]
async fn what_is_not_served_is_refused_by_name() {
    let world = World::new();
    let now = world.engine.now();
    let call = json_call("sagemaker", "CreateTrainingJob", &json!({}));
    let (status, body) = send(&world, call.signed(ROOT_KEY, ROOT_SECRET, now)).await;
    assert_eq!(status, 501);
    assert!(body.contains("nbvend does not serve sagemaker:CreateTrainingJob"), "{body}");
    let call = json_call("sagemaker", "MakeCoffee", &json!({}));
    assert_eq!(code(&world, call.signed(ROOT_KEY, ROOT_SECRET, now)).await.1, "UnknownOperationException");
}

/// AWS takes these without a signature, so their clients send none: asking for one would mislead.
#[tokio::test]
async fn what_aws_takes_unsigned_and_is_not_served_is_refused_by_name_too() {
    let world = World::new();
    let now = world.engine.now();
    let form = |action: &str| query_call(action, "&RoleArn=arn:aws:iam::123456789012:role/x");
    for name in ["AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"] {
        let call = form(name);
        let unsigned = send(&world, call.request(&[])).await;
        let signed = send(&world, call.signed(ROOT_KEY, ROOT_SECRET, now)).await;
        for (status, body) in [unsigned, signed] {
            assert_eq!(status, 501, "{body}");
            assert!(body.contains("<Code>NotImplemented</Code>"), "{body}");
            assert!(body.contains(&format!("nbvend does not serve sts:{name}")), "{body}");
        }
        let get = Call { method: "GET", body: String::new(), ..form(name) };
        let uri = format!("/?Action={name}&Version=2011-06-15");
        let mut request = get.request(&[]);
        *request.uri_mut() = uri.parse().unwrap();
        assert_eq!(send(&world, request).await.0, 501);
        // A signature that is there must be right.
        assert_eq!(send(&world, call.signed(ROOT_KEY, "wrong", now)).await.0, 403);
    }
    for name in ["DecodeAuthorizationMessage", "GetCallerIdentity", "AssumeRole", "MakeCoffee"] {
        let (status, body) = send(&world, form(name).request(&[])).await;
        assert_eq!(status, 403, "{name}: {body}");
        assert!(body.contains("<Code>MissingAuthenticationToken</Code>"), "{name}: {body}");
    }
}

/// DESIGN's coverage over the registry: nothing is served to a request that is not signed.
#[tokio::test]
async fn every_operation_refuses_an_unsigned_request() {
    let world = World::new();
    let mut asked = 0;
    for service in SERVICES {
        let Some(shapes) = model::service(service.id) else { continue };
        for entry in service.operations {
            let operation = shapes.operation(entry.name).unwrap();
            let call = match shapes.protocol {
                ProtocolKind::Json(_) => json_call(service.id, entry.name, &json!({})),
                ProtocolKind::Query => Call {
                    service: service.id,
                    headers: vec![("content-type".into(), "application/x-www-form-urlencoded".into())],
                    path: "/",
                    method: "POST",
                    body: format!("Action={}&Version={}", entry.name, shapes.api_version),
                },
                ProtocolKind::RestJson => Call {
                    service: service.id,
                    headers: vec![("host".into(), "localhost".into())],
                    path: operation.uri.split('?').next().unwrap(),
                    method: &operation.method,
                    body: String::new(),
                },
            };
            let call = Call { path: &call.path.replace(['{', '}', '+'], ""), ..call };
            let (status, body) = send(&world, call.request(&[])).await;
            assert!((400..404).contains(&status), "{}:{}: {status} {body}", service.id, entry.name);
            assert!(
                body.contains("Missing") || body.contains("AccessDenied"),
                "{}:{}: {body}",
                service.id,
                entry.name
            );
            asked += 1;
        }
    }
    assert!(asked > 50, "{asked}");
}

#[tokio::test]
async fn a_call_leaves_one_record_with_nothing_secret_in_it() {
    let world = World::new();
    let now = world.engine.now();
    let secret = json!({"Name": "a", "Value": "swordfish", "Type": "String"});
    let put = json_call("ssm", "PutParameter", &secret);
    assert_eq!(send(&world, put.signed(ROOT_KEY, ROOT_SECRET, now)).await.0, 200);
    assert_eq!(send(&world, put.signed(ROOT_KEY, ROOT_SECRET, now)).await.0, 400);
    let malformed = json_call("ssm", "PutParameter", &json!({"Name": "a", "Type": "Nothing"}));
    assert_eq!(send(&world, malformed.signed(ROOT_KEY, ROOT_SECRET, now)).await.0, 400);
    let records: Vec<Value> = world
        .engine
        .store()
        .read(|tx| {
            let mut rows = tx.connection().prepare("SELECT body FROM trail ORDER BY id").unwrap();
            let rows = rows.query_map([], |row| row.get::<_, String>(0)).unwrap();
            rows.map(|row| serde_json::from_str(&row.unwrap()).unwrap()).collect()
        })
        .unwrap();
    let errors: Vec<&str> = records.iter().map(|r| r["errorCode"].as_str().unwrap_or("none")).collect();
    assert_eq!(errors, ["none", "ParameterAlreadyExists", "ValidationException"]);
    assert_eq!(records[0]["requestParameters"]["value"], "HIDDEN_DUE_TO_SECURITY_REASONS");
    assert_eq!(records[0]["userIdentity"]["type"], "Root");
    assert_eq!(records[0]["eventSource"], "ssm.amazonaws.com");
    assert!(!serde_json::to_string(&records).unwrap().contains("swordfish"));
}
