//! Outputs and errors to answers.

use super::{cases, text};
use nbvend_wire::WireError;
use nbvend_wire::model::service;
use nbvend_wire::protocol::{Outgoing, Side, camel, encode, encode_error, trail_form, unmodelled};
use serde_json::{Map, Value, json};

fn assert_sent(case: &Value, answer: &Outgoing) {
    let what = format!("{} {}", text(case, "service"), case.get("operation").or(case.get("code")).unwrap());
    let headers: Map<String, Value> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), Value::from(value.to_str().unwrap())))
        .collect();
    assert_eq!(answer.status, case["status"].as_u64().unwrap() as u16, "{what}");
    assert_eq!(headers, *case["headers"].as_object().unwrap(), "{what}");
    assert_eq!(String::from_utf8_lossy(&answer.body), text(case, "body"), "{what}");
}

#[test]
fn what_botocore_reads_is_sent() {
    for case in cases(include_str!("answers.json")) {
        let service = service(text(&case, "service")).unwrap();
        let op = service.operation(text(&case, "operation")).unwrap();
        assert_sent(&case, &encode(service, op, &case["output"], "req-1"));
    }
}

#[test]
fn errors_are_told_as_the_protocol_tells_them() {
    for case in cases(include_str!("errors.json")) {
        let service = service(text(&case, "service")).unwrap();
        let mut error = WireError::new(
            text(&case, "code").to_owned(),
            case["status"].as_u64().unwrap() as u16,
            text(&case, "message"),
        );
        for (name, value) in case["members"].as_object().unwrap() {
            error = error.with(name, value.clone());
        }
        assert_sent(&case, &encode_error(service, &error, "req-1"));
    }
}

#[test]
fn a_header_cannot_be_broken_out_of() {
    let service = service("lambda").unwrap();
    let op = service.operation("Invoke").unwrap();
    let answer =
        encode(service, op, &json!({"StatusCode": 200, "ExecutedVersion": "1\r\nSet-Cookie: x"}), "r");
    assert!(answer.headers.iter().all(|(name, _)| name != "x-amz-executed-version"));
}

#[test]
fn the_trail_has_its_own_form() {
    let catalog = service("servicecatalog").unwrap();
    let op = catalog.operation("ProvisionProduct").unwrap();
    let output = json!({"RecordDetail": {"RecordId": "rec-1", "CreatedTime": 1_471_461_658_000_i64, "RecordTags": [{"Key": "A", "Value": "B"}]}});
    let expected = json!({"recordDetail": {"recordId": "rec-1", "createdTime": "Aug 17, 2016 7:20:58 PM", "recordTags": [{"key": "A", "value": "B"}]}});
    assert_eq!(trail_form(catalog, op, Side::Output, &output), expected);

    let lambda = service("lambda").unwrap();
    let op = lambda.operation("CreateFunction").unwrap();
    let input =
        json!({"FunctionName": "F", "Environment": {"Variables": {"KEY": "V"}}, "Unknown": {"Key": 1}});
    let expected =
        json!({"functionName": "F", "environment": {"variables": {"KEY": "V"}}, "unknown": {"key": 1}});
    assert_eq!(trail_form(lambda, op, Side::Input, &input), expected);
    assert_eq!(camel(&json!([{"A": {"Bc": null}}])), json!([{"a": {"bc": null}}]));
    assert_eq!(unmodelled(lambda, op, Side::Input, &input), ["Unknown"]);
}
