//! The client against a server that answers as told.

use super::*;
use crate::fake::{Fake, FakeClock, environment};
use serde_json::json;

type Variables = &'static [(&'static str, &'static str)];

const BUSY: &str = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;

#[test]
fn a_call_is_signed_json() {
    let (fake, clock) = (Fake::start(), FakeClock::new());
    fake.answer("PutParameter", 200, &json!({ "Version": 3 }));
    let answer = fake.client(&clock).call(&SSM, "PutParameter", &json!({ "Name": "/a" })).unwrap();
    assert_eq!(answer["Version"], 3);
    let asked = &fake.asked()[0];
    assert_eq!((asked.line.as_str(), asked.body.as_str()), ("POST /", r#"{"Name":"/a"}"#));
    let header = |name: &str| asked.headers[name].as_str();
    assert_eq!(header("host"), fake.address);
    assert_eq!(header("content-type"), "application/x-amz-json-1.1");
    assert_eq!(header("x-amz-target"), "AmazonSSM.PutParameter");
    assert_eq!(header("x-amz-date"), "20231114T221320Z");
    assert_eq!(header("x-amz-security-token"), "session");
    let scope = "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/20231114/us-east-1/ssm/aws4_request, SignedHeaders=\
                 content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=";
    assert!(header("authorization").starts_with(scope), "{}", header("authorization"));
}

#[test]
fn busy_and_broken_answers_are_tried_again() {
    let (fake, clock) = (Fake::start(), FakeClock::new());
    fake.answer_with("ListTags", 400, "", BUSY)
        .answer_with("ListTags", 0, "", "")
        .answer_with("ListTags", 503, "", "<html>")
        .answer("ListTags", 200, &json!({}));
    assert_eq!(fake.client(&clock).call(&SAGEMAKER, "ListTags", &json!({})), Ok(json!({})));
    assert_eq!(fake.asked().len(), 4);
    let slept = clock.slept.borrow();
    assert_eq!(slept.len(), 3);
    let limits = [100, 200, 400].map(Duration::from_millis);
    assert!(slept.iter().zip(limits).all(|(pause, limit)| *pause <= limit), "{slept:?}");
}

#[test]
fn trying_ends() {
    let (fake, clock) = (Fake::start(), FakeClock::new());
    fake.answer_with("ListTags", 400, "", BUSY);
    let error = fake.client(&clock).call(&SAGEMAKER, "ListTags", &json!({})).unwrap_err();
    assert_eq!(error.to_string(), "ListTags: ThrottlingException (400): Rate exceeded");
    assert_eq!(fake.asked().len(), 4);
}

#[test]
fn a_refusal_is_final() {
    let (fake, clock) = (Fake::start(), FakeClock::new());
    let body = json!({ "__type": "AccessDeniedException", "Message": "no" });
    fake.answer("ListTags", 400, &body).answer("ListTags", 200, &json!({}));
    let error = fake.client(&clock).call(&SAGEMAKER, "ListTags", &json!({})).unwrap_err();
    assert_eq!(error.code(), Some("AccessDeniedException"));
    assert_eq!(error.clone().without_message().to_string(), "ListTags: AccessDeniedException (400)");
    assert_eq!(fake.asked().len(), 1);
}

#[test]
fn redirects_are_not_followed_and_nonsense_is_named() {
    let (fake, clock) = (Fake::start(), FakeClock::new());
    let elsewhere = format!("location: http://{}/elsewhere\r\n", fake.address);
    fake.answer_with("ListTags", 307, &elsewhere, "").answer_with("PutParameter", 200, "", "<html>");
    let call = |service, operation| fake.client(&clock).call(service, operation, &json!({})).unwrap_err();
    assert!(matches!(call(&SAGEMAKER, "ListTags"), Error::Refused { status: 307, .. }));
    assert_eq!(call(&SSM, "PutParameter"), Error::Unreadable { operation: "PutParameter" });
    assert_eq!(fake.asked().len(), 2);
}

#[test]
fn nobody_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let clock = FakeClock::new();
    let client = Client::new(environment(&[("AWS_ENDPOINT_URL", &url)]).unwrap(), &clock);
    let error = client.call(&SSM, "PutParameter", &json!({})).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }) && error.is_transient());
    assert_eq!(clock.slept.borrow().len(), 3);
}

#[test]
fn codes_are_found_wherever_they_stand() {
    let cases = [
        (None, r#"{"__type":"X"}"#, "X"),
        (None, r#"{"__type":"com.amazonaws.ssm#X"}"#, "X"),
        (None, r#"{"code":"X"}"#, "X"),
        (Some("X"), r#"{"__type":"Y"}"#, "X"),
        (Some("X:http://internal.amazon.com/coral/com.amazon.coral.validate/"), "", "X"),
        (None, "<html>", "UnknownError"),
        (None, "[]", "UnknownError"),
        (None, r#"{"__type":7}"#, "UnknownError"),
    ];
    for (header, body, code) in cases {
        assert_eq!(
            Error::answered("Op", 400, header, body.as_bytes()).code(),
            Some(code),
            "{header:?} {body}"
        );
    }
}

#[test]
fn endpoints() {
    const ALL: (&str, &str) = ("AWS_ENDPOINT_URL", "http://localhost:4566");
    const ONE: (&str, &str) = ("AWS_ENDPOINT_URL_SERVICE_CATALOG", "https://catalog.example/path/");
    let cases: [(Variables, &Service, &str); 7] = [
        (&[], &SAGEMAKER, "https://api.sagemaker.us-east-1.amazonaws.com/"),
        (&[("AWS_REGION", "cn-north-1")], &SSM, "https://ssm.cn-north-1.amazonaws.com.cn/"),
        (&[ALL], &SSM, "http://localhost:4566/"),
        (&[ALL, ONE], &SERVICE_CATALOG, "https://catalog.example/path/"),
        (&[ALL, ONE], &SAGEMAKER, "http://localhost:4566/"),
        (&[("AWS_ENDPOINT_URL", "")], &SSM, "https://ssm.us-east-1.amazonaws.com/"),
        (
            &[ALL, ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")],
            &SSM,
            "https://ssm.us-east-1.amazonaws.com/",
        ),
    ];
    for (variables, service, url) in cases {
        assert_eq!(environment(variables).unwrap().endpoint(service), url, "{variables:?}");
    }
}

#[test]
fn what_is_missing_is_named() {
    for name in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        let named = if name == "AWS_REGION" { "AWS_DEFAULT_REGION" } else { name };
        assert_eq!(environment(&[(name, "")]).err(), Some(format!("{named} is not set")));
    }
    let error = environment(&[("AWS_CA_BUNDLE", "/nowhere/ca.pem")]).err().unwrap();
    assert!(error.starts_with("AWS_CA_BUNDLE: /nowhere/ca.pem: "), "{error}");
    assert!(environment(&[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "eu-west-1")]).is_ok());
}
