//! The refresh function against callers and notebooks of many kinds.

use super::*;
use crate::fake::{Fake, FakeClock, OWNER, OWNER_TAG, PRODUCT_TAG, URL};

type Tags = &'static [(&'static str, &'static str)];

const VENDED: Tags = &[PRODUCT_TAG, OWNER_TAG];

fn event(body: &str, caller: Option<&str>) -> Value {
    json!({
        "resource": "/refreshurl",
        "httpMethod": "POST",
        "headers": { "content-type": "application/x-www-form-urlencoded" },
        "requestContext": { "identity": { "userArn": caller, "sourceIp": "127.0.0.1" } },
        "body": body,
        "isBase64Encoded": false,
    })
}

const BODY: &str = r#"{"notebook_user_name": "Demo-User"}"#;

/// Status and body of the answer.
fn run(fake: &Fake, authorization: Authorization, event: &Value) -> (u16, Value) {
    let clock = FakeClock::new();
    let answer = handle(&fake.client(&clock), &Settings { authorization, session_seconds: 3600 }, event);
    assert_eq!(answer["headers"], json!({ "Content-Type": "application/json", "Cache-Control": "no-store" }));
    assert_eq!(answer["isBase64Encoded"], false);
    let status = answer["statusCode"].as_u64().unwrap();
    (u16::try_from(status).unwrap(), serde_json::from_str(answer["body"].as_str().unwrap()).unwrap())
}

fn minted(fake: &Fake) -> bool {
    fake.operations().iter().any(|o| o == "CreatePresignedNotebookInstanceUrl")
}

#[test]
fn the_owner_gets_a_link() {
    let fake = Fake::start();
    fake.notebook("InService", VENDED).links();
    let answer = run(&fake, Authorization::Iam, &event(BODY, Some(OWNER)));
    assert_eq!(answer, (200, json!({ "PreSignedURL": URL })));
    assert_eq!(fake.input("CreatePresignedNotebookInstanceUrl")["SessionExpirationDurationInSeconds"], 3600);
    let stored = fake.input("PutParameter");
    assert_eq!(
        (&stored["Name"], &stored["Value"]),
        (&json!("/SageMaker/Notebooks/Demo-User-Notebook"), &json!(URL))
    );
    assert_eq!(stored["Overwrite"], true);
    assert_eq!(fake.operations()[3..], ["AddTagsToResource", "PutParameter"]);
}

/// Somebody deleted the parameter since the last link.
#[test]
fn a_missing_parameter_is_made_again() {
    let fake = Fake::start();
    fake.answer("AddTagsToResource", 400, &json!({ "__type": "InvalidResourceId" }));
    fake.notebook("InService", VENDED).links();
    assert_eq!(run(&fake, Authorization::Iam, &event(BODY, Some(OWNER))).0, 200);
    assert_eq!(fake.input("PutParameter")["Tags"], json!([{ "Key": "NotebookOwner", "Value": OWNER }]));
}

#[test]
fn a_body_may_be_base64() {
    let fake = Fake::start();
    fake.notebook("InService", VENDED).links();
    let mut event = event(&STANDARD.encode(BODY), Some(OWNER));
    event["isBase64Encoded"] = true.into();
    assert_eq!(run(&fake, Authorization::Iam, &event).0, 200);
}

/// SageMaker finds a notebook by any letter case; the parameter keeps the notebook's own.
#[test]
fn letter_case_makes_no_second_parameter() {
    let fake = Fake::start();
    fake.notebook("InService", VENDED).links();
    let body = r#"{"notebook_user_name": "demo-user"}"#;
    assert_eq!(run(&fake, Authorization::Iam, &event(body, Some(OWNER))).0, 200);
    assert_eq!(fake.input("PutParameter")["Name"], "/SageMaker/Notebooks/Demo-User-Notebook");
}

#[test]
fn nobody_else_gets_one() {
    let bob = Some("arn:aws:iam::111122223333:user/bob");
    let root = Some("arn:aws:iam::111122223333:root");
    const UNOWNED: Tags = &[PRODUCT_TAG];
    const FOREIGN: Tags = &[("NotebookUserName", "Demo-User")];
    let cases: [(Authorization, Option<&str>, Tags, u16); 9] = [
        (Authorization::Iam, bob, VENDED, 403),
        (Authorization::Iam, None, VENDED, 403),
        (Authorization::Iam, Some(""), VENDED, 403),
        (Authorization::Iam, Some(OWNER), UNOWNED, 403),
        (Authorization::Iam, Some(""), UNOWNED, 403),
        (Authorization::Iam, root, FOREIGN, 404),
        (Authorization::Open, None, FOREIGN, 404),
        (Authorization::Iam, root, VENDED, 200),
        (Authorization::Open, None, VENDED, 200),
    ];
    for (authorization, caller, tags, status) in cases {
        let fake = Fake::start();
        fake.notebook("InService", tags).links();
        let answer = run(&fake, authorization, &event(BODY, caller));
        assert_eq!(answer.0, status, "{authorization:?} {caller:?} {tags:?}");
        assert_eq!(minted(&fake), status == 200);
    }
}

#[test]
fn bodies_that_name_nobody() {
    let long = format!(r#"{{"notebook_user_name": "{}"}}"#, "x".repeat(1_000_000));
    let bodies = [
        "",
        "notebook_user_name=Demo-User",
        "null",
        "[]",
        "{}",
        r#"{"notebook_user_name": null}"#,
        r#"{"notebook_user_name": 7}"#,
        r#"{"notebook_user_name": ""}"#,
        r#"{"notebook_user_name": "../x"}"#,
        r#"{"notebook_user_name": "a\nb"}"#,
        r#"{"notebook_user_name": "-a"}"#,
        r#"{"NotebookUserName": "Demo-User"}"#,
        &long,
    ];
    for body in bodies {
        let fake = Fake::start();
        let (status, answer) = run(&fake, Authorization::Iam, &event(body, Some(OWNER)));
        assert_eq!(status, 400, "{body:.80}");
        assert!(answer["message"].as_str().unwrap().len() < 200);
        assert!(fake.operations().is_empty());
    }
    let mut undecodable = event("***", Some(OWNER));
    undecodable["isBase64Encoded"] = true.into();
    for event in [undecodable, json!({}), Value::Null] {
        assert_eq!(run(&Fake::start(), Authorization::Iam, &event).0, 400);
    }
}

#[test]
fn notebooks_that_cannot_be_opened() {
    let cases = [
        ("Pending", "is starting"),
        ("Updating", "is starting"),
        ("Stopped", "aws sagemaker start-notebook-instance --notebook-instance-name Demo-User-Notebook"),
        ("Failed", "failed: no capacity"),
        ("Stopping", "is Stopping"),
        ("Deleting", "is Deleting"),
    ];
    for (status, told) in cases {
        let fake = Fake::start();
        fake.notebook(status, VENDED);
        let (code, answer) = run(&fake, Authorization::Iam, &event(BODY, Some(OWNER)));
        assert_eq!(code, 409);
        assert!(answer["message"].as_str().unwrap().contains(told), "{answer}");
        assert!(!minted(&fake));
    }
    let fake = Fake::start();
    fake.no_notebook();
    let (code, answer) = run(&fake, Authorization::Iam, &event(BODY, Some(OWNER)));
    assert_eq!((code, answer), (404, json!({ "message": "There is no notebook Demo-User-Notebook." })));
}

/// A stranger does not even learn whether a colleague's notebook runs.
#[test]
fn the_owner_is_checked_before_the_state() {
    let fake = Fake::start();
    fake.notebook("Stopped", VENDED);
    assert_eq!(
        run(&fake, Authorization::Iam, &event(BODY, Some("arn:aws:iam::111122223333:user/bob"))).0,
        403
    );
}

#[test]
fn trouble_behind_is_not_passed_on() {
    let cases = [
        (400, "AccessDeniedException", 500),
        (500, "InternalFailure", 503),
        (400, "ThrottlingException", 503),
    ];
    for (status, code, answered) in cases {
        let fake = Fake::start();
        let body =
            json!({ "__type": code, "message": "arn:aws:iam::111122223333:role/secret is not authorized" });
        fake.notebook("InService", VENDED).answer("CreatePresignedNotebookInstanceUrl", status, &body);
        let (status, answer) = run(&fake, Authorization::Iam, &event(BODY, Some(OWNER)));
        assert_eq!(status, answered);
        assert!(!answer.to_string().contains("secret"), "{answer}");
    }
}

#[test]
fn only_none_is_open() {
    for (value, expected) in
        [("NONE", Authorization::Open), ("AWS_IAM", Authorization::Iam), ("none", Authorization::Iam)]
    {
        assert_eq!(Authorization::parse(value), expected);
    }
}
