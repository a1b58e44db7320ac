//! The wire against vectors made with botocore: requests it serialised, signatures it made, and answers its parsers
//! read back. Each JSON file is a list of cases.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod requests;
mod signatures;
mod validation;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

fn cases(json: &str) -> Vec<Value> {
    let cases: Vec<Value> = serde_json::from_str(json).unwrap();
    assert!(cases.len() > 5, "the vectors are there");
    cases
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap()
}

fn headers(case: &Value) -> HeaderMap {
    let pair = |pair: &Value| {
        let name = HeaderName::try_from(pair[0].as_str().unwrap()).unwrap();
        (name, HeaderValue::from_str(pair[1].as_str().unwrap()).unwrap())
    };
    case["headers"].as_array().unwrap().iter().map(pair).collect()
}
