//! Requests to inputs.

use super::{cases, headers, text};
use http::{HeaderMap, HeaderValue};
use nbvend_wire::WireError;
use nbvend_wire::model::service;
use nbvend_wire::protocol::{Incoming, decode, operation_name};
use nbvend_wire::validate::validate;
use serde_json::{Value, json};

#[test]
fn what_botocore_sends_is_read() {
    for case in cases(include_str!("requests.json")) {
        let service = service(text(&case, "service")).unwrap();
        let headers = headers(&case);
        let request = Incoming {
            method: text(&case, "method"),
            path: text(&case, "path"),
            query: text(&case, "query"),
            headers: &headers,
            body: text(&case, "body").as_bytes(),
        };
        let name = operation_name(service, &request).unwrap();
        assert_eq!(name, case["operation"]);
        let op = service.operation(&name).unwrap();
        let input = decode(service, op, &request).unwrap();
        assert_eq!(input, case["input"], "{name}");
        assert_eq!(validate(service, op, &input), Ok(()), "{name}");
    }
}

/// A request of which only the interesting part is given.
fn read(id: &str, method: &str, path: &str, target: &str, body: &str) -> Result<(String, Value), WireError> {
    let service = service(id).unwrap();
    let mut headers = HeaderMap::new();
    if !target.is_empty() {
        headers.insert("x-amz-target", HeaderValue::from_str(target).unwrap());
    }
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let request = Incoming { method, path, query, headers: &headers, body: body.as_bytes() };
    let name = operation_name(service, &request)?;
    match service.operation(&name) {
        Some(op) => Ok((name, decode(service, op, &request)?)),
        None => Ok((name, Value::Null)),
    }
}

fn json_call(op: &str, body: &str) -> Result<Value, WireError> {
    read("ssm", "POST", "/", &format!("AmazonSSM.{op}"), body).map(|(_, input)| input)
}

fn query_call(body: &str) -> Result<Value, WireError> {
    read("cloudformation", "POST", "/", "", &format!("{body}&Version=2010-05-15")).map(|(_, input)| input)
}

#[test]
fn json_bodies() {
    let input = json_call(
        "GetParametersByPath",
        r#"{"Path":"/","MaxResults":3.0,"Recursive":true,"Nonsense":[1],"NextToken":null}"#,
    );
    assert_eq!(input, Ok(json!({"Path": "/", "Recursive": true, "MaxResults": 3})));
    assert_eq!(json_call("GetParameter", ""), Ok(json!({})));
    assert_eq!(json_call("GetParameters", r#"{"Names":["a",null]}"#), Ok(json!({"Names": ["a", null]})));
    let cases = [
        (r#"{"Path":"#, ""),
        ("\u{1}", ""),
        (r#"[]"#, "Start of list found where not expected"),
        (r#""x""#, "Expected map or null"),
        (r#"{"Path":1}"#, "NUMBER_VALUE can not be converted to a String"),
        (r#"{"Path":true}"#, "TRUE_VALUE can not be converted to a String"),
        (r#"{"Path":{}}"#, "Start of structure or map found where not expected"),
        (r#"{"MaxResults":"3"}"#, "STRING_VALUE can not be converted to an Integer"),
        (r#"{"MaxResults":3.5}"#, "DECIMAL_VALUE can not be converted to an Integer"),
        (r#"{"MaxResults":4294967296}"#, "NUMBER_VALUE can not be converted to an Integer"),
        (r#"{"Recursive":"true"}"#, "STRING_VALUE can not be converted to a Boolean"),
        (r#"{"ParameterFilters":{}}"#, "Start of structure or map found where not expected"),
        (r#"{"ParameterFilters":"x"}"#, "Expected list or null"),
    ];
    for (body, message) in cases {
        let error = json_call("GetParametersByPath", body).unwrap_err();
        assert_eq!(
            (&*error.code, error.status, &*error.message),
            ("SerializationException", 400, message),
            "{body}"
        );
    }
    let deep = "[".repeat(100_000);
    assert!(json_call("GetParameters", &format!(r#"{{"Names":{deep}"#)).is_err());
}

#[test]
fn timestamps_become_milliseconds() {
    let call = |time: &str| {
        let body = format!(r#"{{"CreationTimeAfter":{time}}}"#);
        read("sagemaker", "POST", "/", "SageMaker.ListNotebookInstances", &body)
            .map(|(_, input)| input["CreationTimeAfter"].clone())
    };
    for (time, millis) in [
        ("1795356000", 1_795_356_000_000_i64),
        ("1795356000.123", 1_795_356_000_123),
        ("1.795356000123E9", 1_795_356_000_123),
        (r#""2026-11-22T14:00:00Z""#, 1_795_356_000_000),
    ] {
        assert_eq!(call(time), Ok(json!(millis)), "{time}");
    }
    let error = call(r#""tomorrow""#).unwrap_err();
    assert_eq!(error.message, "STRING_VALUE can not be converted to milliseconds since epoch");
}

#[test]
fn forms() {
    let input = query_call(
        "Action=CreateStack&StackName=a&Tags=&Capabilities.member.10=b&Capabilities.member.9=a&DisableRollback=TRUE&Nonsense.1=x",
    );
    assert_eq!(
        input,
        Ok(json!({"StackName": "a", "DisableRollback": true, "Capabilities": ["a", "b"], "Tags": []}))
    );
    assert_eq!(query_call("Action=CreateStack&RollbackConfiguration="), Ok(json!({})));
    let deep = format!("Action=CreateStack&{}=x", vec!["a"; 100_000].join("."));
    let cases = [
        ("Action=CreateStack&TimeoutInMinutes=x", "STRING_VALUE can not be converted to an Integer"),
        ("Action=CreateStack&DisableRollback=yes", "STRING_VALUE can not be converted to a Boolean"),
        ("Action=CreateStack&Tags.member.x.Key=a", "Unexpected list element termination"),
        ("Action=CreateStack&Tags=a", "Unexpected list element termination"),
        ("Action=CreateStack&Tags.member.1=a", "Unexpected complex element termination"),
        ("Action=CreateStack&StackName.x=a", "Start of structure or map found where not expected."),
        (&*deep, "Start of structure or map found where not expected."),
    ];
    for (body, message) in cases {
        let error = query_call(body).unwrap_err();
        assert_eq!((&*error.code, error.status, &*error.message), ("MalformedInput", 400, message));
    }
}

#[test]
fn an_action_may_stand_in_the_url() {
    let call = read("sts", "GET", "/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Date=x", "", "");
    assert_eq!(call, Ok(("GetCallerIdentity".to_owned(), json!({}))));
}

#[test]
fn operations_are_named_even_when_their_shapes_are_left_out() {
    let name = |id, method, path, target, body| read(id, method, path, target, body).map(|(name, _)| name);
    assert_eq!(name("ssm", "POST", "/", "AmazonSSM.SendCommand", "{}").as_deref(), Ok("SendCommand"));
    assert_eq!(name("apigateway", "GET", "/domainnames", "", "").as_deref(), Ok("GetDomainNames"));
    assert_eq!(name("apigateway", "POST", "/restapis", "", "{}").as_deref(), Ok("CreateRestApi"));
    assert_eq!(name("apigateway", "POST", "/restapis?mode=import", "", "{}").as_deref(), Ok("ImportRestApi"));
    assert_eq!(name("lambda", "GET", "/2015-03-31/functions", "", "").as_deref(), Ok("ListFunctions"));
    assert_eq!(name("lambda", "GET", "/2015-03-31/functions/a%2Fb/", "", "").as_deref(), Ok("GetFunction"));
}

#[test]
fn there_is_no_such_operation() {
    let cases = [
        ("ssm", "/", "AmazonSSM.Nonsense", "", "UnknownOperationException", 400, ""),
        ("ssm", "/", "SageMaker.ListTags", "", "UnknownOperationException", 404, ""),
        ("ssm", "/", "", "", "UnknownOperationException", 404, ""),
        ("lambda", "/2015-03-31/nonsense", "", "", "UnknownOperationException", 404, ""),
        (
            "iam",
            "/",
            "",
            "Action=X&Version=2010-05-08",
            "InvalidAction",
            400,
            "Could not find operation X for version 2010-05-08",
        ),
        (
            "iam",
            "/",
            "",
            "Action=GetUser",
            "InvalidAction",
            400,
            "Could not find operation GetUser for version NO_VERSION_SPECIFIED",
        ),
        (
            "iam",
            "/",
            "",
            "Action=GetUser&Version=2011-06-15",
            "InvalidAction",
            400,
            "Could not find operation GetUser for version 2011-06-15",
        ),
    ];
    for (id, path, target, body, code, status, message) in cases {
        let error = read(id, "POST", path, target, body).unwrap_err();
        assert_eq!(
            (&*error.code, error.status, &*error.message),
            (code, status, message),
            "{id} {target} {body}"
        );
    }
    let error = read("iam", "POST", "/", "", "Version=2010-05-08").unwrap_err();
    assert_eq!((&*error.code, error.status), ("MissingAction", 400));
}

#[test]
fn rest_bodies_of_the_wrong_type() {
    let message = |id, method, path, body| read(id, method, path, "", body).unwrap_err().to_string();
    assert_eq!(
        message("apigateway", "POST", "/restapis", r#"{"name":true}"#),
        "SerializationException (400): class java.lang.Boolean can not be converted to an String"
    );
    assert!(
        message("lambda", "POST", "/2015-03-31/functions", "{")
            .starts_with("InvalidRequestContentException (400): Could not parse request body into json: ")
    );
    assert_eq!(
        message("lambda", "GET", "/2015-03-31/functions?MaxItems=x", ""),
        "SerializationException (400): STRING_VALUE can not be converted to an Integer"
    );
    let spoofed =
        read("lambda", "PUT", "/2015-03-31/functions/f/code", "", r#"{"FunctionName":"g","DryRun":true}"#);
    assert_eq!(spoofed.unwrap().1, json!({"FunctionName": "f", "DryRun": true}));
}
