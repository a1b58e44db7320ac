//! Constraints, in the sentences recorded from AWS.

use nbvend_wire::model::service;
use nbvend_wire::validate::{members, validate};
use serde_json::{Value, json};

#[allow(clippy::needless_pass_by_value, reason = "cases are written in place")]
fn told(id: &str, op: &str, input: Value) -> String {
    let service = service(id).unwrap();
    let op = service.operation(op).unwrap();
    validate(service, op, &input).map_or_else(|error| error.to_string(), |()| String::new())
}

#[test]
fn one_violation() {
    let cases = [
        (
            "sagemaker",
            "DescribeNotebookInstance",
            json!({}),
            "ValidationException (400): 1 validation error detected: Value null at 'notebookInstanceName' failed to satisfy constraint: Member must not be null",
        ),
        (
            "sagemaker",
            "DescribeNotebookInstance",
            json!({"NotebookInstanceName": "-a"}),
            "ValidationException (400): 1 validation error detected: Value '-a' at 'notebookInstanceName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9])*",
        ),
        (
            "events",
            "PutRule",
            json!({"Name": "r", "State": "ON"}),
            "ValidationException (400): 1 validation error detected: Value 'ON' at 'state' failed to satisfy constraint: Member must satisfy enum value set: [ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS, ENABLED, DISABLED]",
        ),
        (
            "events",
            "PutTargets",
            json!({"Rule": "r", "Targets": [{"Id": "!@#", "Arn": "a"}]}),
            "ValidationException (400): 1 validation error detected: Value '!@#' at 'targets.1.member.id' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+",
        ),
        (
            "events",
            "PutEvents",
            json!({"Entries": []}),
            "ValidationException (400): 1 validation error detected: Value '[]' at 'entries' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
        (
            "ssm",
            "GetParametersByPath",
            json!({"Path": "/", "MaxResults": 11}),
            "ValidationException (400): 1 validation error detected: Value '11' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 10",
        ),
        (
            "logs",
            "GetLogEvents",
            json!({"logStreamName": "s", "limit": 10_001}),
            "InvalidParameterException (400): 1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 10000",
        ),
        (
            "cloudformation",
            "CreateStack",
            json!({"TemplateBody": "x"}),
            "ValidationError (400): 1 validation error detected: Value null at 'stackName' failed to satisfy constraint: Member must not be null",
        ),
        (
            "iam",
            "GetRole",
            json!({"RoleName": "a b"}),
            "ValidationError (400): 1 validation error detected: Value at 'roleName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]+",
        ),
        (
            "sts",
            "AssumeRole",
            json!({"RoleArn": "arn:aws:iam::123456789012:role/R", "RoleSessionName": "Session1:2"}),
            "ValidationError (400): 1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
        ),
        (
            "apigateway",
            "PutIntegration",
            json!({"restApiId": "a", "resourceId": "b", "httpMethod": "GET", "type": "HTTPS_PROXY"}),
            "ValidationException (400): 1 validation error detected: Value 'HTTPS_PROXY' at 'putIntegrationInput.type' failed to satisfy constraint: Member must satisfy enum value set: [HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS]",
        ),
        (
            "apigateway",
            "CreateRestApi",
            json!({"name": "a", "endpointConfiguration": {"types": ["wrong"]}}),
            "ValidationException (400): 1 validation error detected: Value '[wrong]' at 'createRestApiInput.endpointConfiguration.types' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [PRIVATE, EDGE, REGIONAL]]",
        ),
        (
            "lambda",
            "CreateAlias",
            json!({"FunctionName": "f", "Name": "a", "FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"2": 2.0}}}),
            "ValidationException (400): 1 validation error detected: Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]",
        ),
        (
            "lambda",
            "CreateAlias",
            json!({"FunctionName": "f", "Name": "a", "FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"$LATEST": 0.5}}}),
            "ValidationException (400): 1 validation error detected: Value '{$LATEST=0.5}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]",
        ),
        (
            "lambda",
            "CreateFunction",
            json!({"FunctionName": "f", "Role": "r1", "Code": {}}),
            "ValidationException (400): 1 validation error detected: Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+",
        ),
        (
            "lambda",
            "CreateAlias",
            json!({"FunctionName": "f", "Name": "2024", "FunctionVersion": "1"}),
            "ValidationException (400): 1 validation error detected: Value '2024' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
        ),
    ];
    for (id, op, input, message) in cases {
        assert_eq!(told(id, op, input), message, "{id} {op}");
    }
}

#[test]
fn several_violations() {
    let name = "x ".repeat(40);
    assert_eq!(
        told(
            "sagemaker",
            "CreateNotebookInstance",
            json!({"NotebookInstanceName": name, "InstanceType": "ml.t3.medium", "VolumeSizeInGB": 1})
        ),
        format!(
            "ValidationException (400): 4 validation errors detected: \
             Value '{name}' at 'notebookInstanceName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9])*; \
             Value '{name}' at 'notebookInstanceName' failed to satisfy constraint: Member must have length less than or equal to 63; \
             Value null at 'roleArn' failed to satisfy constraint: Member must not be null; \
             Value '1' at 'volumeSizeInGB' failed to satisfy constraint: Member must have value greater than or equal to 5"
        )
    );
    let told = told(
        "apigateway",
        "UpdateMethodResponse",
        json!({"restApiId": "a", "resourceId": "b", "httpMethod": "GET", "statusCode": "wrong", "patchOperations": [{"op": "wrong_op"}]}),
    );
    assert_eq!(
        told,
        "ValidationException (400): 2 validation errors detected: Value 'wrong_op' at 'updateMethodResponseInput.patchOperations.1.member.op' failed to satisfy constraint: Member must satisfy enum value set: [add, remove, move, test, replace, copy]; Value 'wrong' at 'statusCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [1-5]\\d\\d"
    );
}

#[test]
fn sensitive_values_are_not_repeated() {
    let long = "s".repeat(20_000);
    let message = told("events", "PutRule", json!({"Name": "r", "Description": long}));
    assert!(message.contains("less than or equal to 512"), "{message}");
    let message = told(
        "lambda",
        "UpdateFunctionConfiguration",
        json!({"FunctionName": "f", "Environment": {"Variables": {"1bad": "secret"}}}),
    );
    assert!(message.contains("Value at 'environment.variables'") && !message.contains("secret"), "{message}");
    let message = told("iam", "CreateLoginProfile", json!({"UserName": "u", "Password": ""}));
    assert!(message.contains("Value at 'password'"), "{message}");
}

#[test]
fn a_wrong_runtime_is_told_by_lambda_itself() {
    let message = told(
        "lambda",
        "CreateFunction",
        json!({"FunctionName": "f", "Role": "arn:aws:iam::123456789012:role/R", "Code": {}, "Runtime": "PYTHON3.9"}),
    );
    assert!(message.starts_with("InvalidParameterValueException (400): Value PYTHON3.9 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [nodejs20.x, "), "{message}");
    assert!(message.ends_with("java8.al2] or be a valid ARN"), "{message}");
}

#[test]
fn nothing_wrong() {
    assert_eq!(told("sts", "GetCallerIdentity", json!({})), "");
    assert_eq!(told("ssm", "PutParameter", json!({"Name": "/a", "Value": "v", "Type": "String"})), "");
    let service = service("ssm").unwrap();
    let op = service.operation("GetParameter").unwrap();
    assert_eq!(members(service, op), ["Name", "WithDecryption"]);
}
