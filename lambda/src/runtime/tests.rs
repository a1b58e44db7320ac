//! The loop against a Runtime API that answers as told.

use super::*;
use crate::fake::Fake;

const NEXT: &str = "GET /2018-06-01/runtime/invocation/next";

fn event(fake: &Fake, id: &str, body: &str) {
    let headers =
        format!("lambda-runtime-aws-request-id: {id}\r\nlambda-runtime-deadline-ms: 1700000000123\r\n");
    fake.answer_with(NEXT, 200, &headers, body);
}

/// What was posted, as path, type header and body.
fn posted(fake: &Fake) -> Vec<(String, Option<String>, Value)> {
    let posts = fake.asked().into_iter().filter(|asked| asked.line.starts_with("POST "));
    let kind = "lambda-runtime-function-error-type";
    posts
        .map(|asked| {
            let path = asked.line["POST /2018-06-01/runtime/".len()..].to_owned();
            (path, asked.headers.get(kind).cloned(), asked.json())
        })
        .collect()
}

#[test]
fn events_are_handled_until_the_api_ends() {
    let fake = Fake::start();
    event(&fake, "a", r#"{"n":1}"#);
    event(&fake, "b", r#"{"n":2}"#);
    event(&fake, "c", "not json");
    fake.answer_with(NEXT, 410, "", "");
    for id in ["a/response", "b/error", "c/error"] {
        fake.answer_with(&format!("POST /2018-06-01/runtime/invocation/{id}"), 202, "", r#"{"status":"OK"}"#);
    }
    let mut deadlines = Vec::new();
    let end = Runtime::new(&fake.address).serve(|event, deadline| {
        deadlines.push(deadline);
        match event["n"].as_u64() {
            Some(1) => Ok(json!({ "done": true })),
            _ => Err(Failure::new("Kind", "why")),
        }
    });
    assert!(end.contains("410"), "{end}");
    assert_eq!(deadlines, [UNIX_EPOCH + Duration::from_millis(1_700_000_000_123); 2]);
    let posted = posted(&fake);
    assert_eq!(posted[0], ("invocation/a/response".into(), None, json!({ "done": true })));
    let report = json!({ "errorType": "Kind", "errorMessage": "why", "stackTrace": [] });
    assert_eq!(posted[1], ("invocation/b/error".into(), Some("Kind".into()), report));
    assert_eq!(
        (posted[2].0.as_str(), posted[2].1.as_deref()),
        ("invocation/c/error", Some("UnreadableEvent"))
    );
    assert_eq!(posted.len(), 3);
}

#[test]
fn an_answer_that_comes_too_late_is_dropped() {
    let fake = Fake::start();
    event(&fake, "late", "{}");
    event(&fake, "next", "{}");
    fake.answer_with(NEXT, 500, "", "");
    fake.answer("POST /2018-06-01/runtime/invocation/late/response", 400, &json!({}));
    fake.answer("POST /2018-06-01/runtime/invocation/next/response", 202, &json!({}));
    let mut handled = 0;
    Runtime::new(&fake.address).serve(|_, _| {
        handled += 1;
        Ok(Value::Null)
    });
    assert_eq!(handled, 2);
}

#[test]
fn a_function_that_cannot_start_says_why() {
    let fake = Fake::start();
    fake.answer("POST /2018-06-01/runtime/init/error", 202, &json!({}));
    Runtime::new(&fake.address).cannot_start(&Failure::new("BadSettings", "X is not set"));
    let report = json!({ "errorType": "BadSettings", "errorMessage": "X is not set", "stackTrace": [] });
    assert_eq!(posted(&fake), [("init/error".into(), Some("BadSettings".into()), report)]);
}
