//! The transform as a whole, on small templates.

use serde_json::{Map, Value, json};

use super::*;

fn run(template: &Value, parameters: Value) -> std::result::Result<Value, Vec<SamError>> {
    let Value::Object(parameters) = parameters else { panic!("parameters are a map") };
    transform(
        template,
        &Context { region: "us-east-1", parameters: &parameters, now_epoch_seconds: 1_700_000_000 },
    )
}

fn resources(template: &Value, parameters: Value) -> Map<String, Value> {
    match run(template, parameters) {
        Ok(Value::Object(mut out)) => match out.remove("Resources") {
            Some(Value::Object(resources)) => resources,
            other => panic!("no resources but {other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn fault(template: &Value) -> String {
    message(&run(template, json!({})).unwrap_err())
}

/// Two functions behind the implicit API, named by parameters, as in the published solution.
fn solution() -> Value {
    let function = |name: &str, path: &str, method: &str| {
        json!({
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "FunctionName": {"Ref": name},
                "CodeUri": "s3://code/bundle.zip",
                "Handler": "bootstrap",
                "Runtime": "provided.al2023",
                "Events": {"HelloWorld": {"Type": "Api", "Properties": {"Path": path, "Method": method}}},
            },
        })
    };
    json!({
        "Transform": TRANSFORM,
        "Globals": {"Function": {"Timeout": 3}},
        "Parameters": {
            "EventBridgeFunctionName": {"Type": "String", "Default": "EventBridgeFunction"},
            "RefreshFunctionName": {"Type": "String", "Default": "RefreshURLFunction"},
        },
        "Resources": {
            "SvcCatalogEventRule": {"Type": "AWS::Events::Rule", "Properties": {}},
            "PermissionForEventsToInvokeLambda": {"Type": "AWS::Lambda::Permission", "Properties": {}},
            "EventBridgeFunction": function("EventBridgeFunctionName", "/hello", "get"),
            "RefreshURLFunction": function("RefreshFunctionName", "/refreshurl", "post"),
        },
    })
}

fn solution_parameters() -> Value {
    json!({"EventBridgeFunctionName": "EventBridgeFunction", "RefreshFunctionName": "RefreshURLFunction"})
}

#[test]
fn the_deployment_has_the_id_that_was_published_in_2022() {
    let made = resources(&solution(), solution_parameters());
    let deployment = &made["ServerlessRestApiDeploymentb762875163"];
    assert_eq!(
        deployment["Properties"]["Description"],
        "RestApi deployment id: b7628751634767a048a1ea3d8889e1e9af795e39"
    );
    let mut ids: Vec<&str> = made.keys().map(String::as_str).collect();
    ids.sort_unstable();
    assert_eq!(
        ids,
        [
            "EventBridgeFunction",
            "EventBridgeFunctionHelloWorldPermissionProd",
            "EventBridgeFunctionRole",
            "PermissionForEventsToInvokeLambda",
            "RefreshURLFunction",
            "RefreshURLFunctionHelloWorldPermissionProd",
            "RefreshURLFunctionRole",
            "ServerlessRestApi",
            "ServerlessRestApiDeploymentb762875163",
            "ServerlessRestApiProdStage",
            "SvcCatalogEventRule",
        ]
    );
}

#[test]
fn function_names_are_part_of_the_deployment_id() {
    let renamed = json!({"EventBridgeFunctionName": "A", "RefreshFunctionName": "B"});
    let made = resources(&solution(), renamed);
    assert!(!made.contains_key("ServerlessRestApiDeploymentb762875163"));
}

/// The default authorizer may come from a parameter: IAM or nobody.
#[test]
fn a_parameter_decides_whether_callers_are_authorised() {
    let template = json!({
        "Globals": {"Api": {"Auth": {"DefaultAuthorizer": {"Ref": "Auth"}, "InvokeRole": "NONE"}}},
        "Resources": {"F": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "InlineCode": "x", "Handler": "h", "Runtime": "r",
                "Events": {"E": {"Type": "Api", "Properties": {"Path": "/x", "Method": "post"}}},
            },
        }},
    });
    let body = |auth: &str| {
        let made = resources(&template, json!({"Auth": auth}));
        made["ServerlessRestApi"]["Properties"]["Body"].clone()
    };
    let iam = body("AWS_IAM");
    let method = &iam["paths"]["/x"]["post"];
    assert_eq!(method["security"], json!([{"AWS_IAM": []}]));
    assert_eq!(iam["securityDefinitions"]["AWS_IAM"]["x-amazon-apigateway-authtype"], "awsSigv4");
    assert_eq!(method["x-amazon-apigateway-integration"].get("credentials"), None);
    let none = body("NONE");
    assert_eq!(none["paths"]["/x"]["post"].get("security"), None);
    assert_eq!(none.get("securityDefinitions"), None);
}

#[test]
fn an_api_made_only_under_a_condition_has_that_condition() {
    let mut template = solution();
    for id in ["EventBridgeFunction", "RefreshURLFunction"] {
        template["Resources"][id]["Condition"] = json!("Wanted");
    }
    let made = resources(&template, solution_parameters());
    assert_eq!(made["ServerlessRestApi"]["Condition"], "Wanted");
    let path = &made["ServerlessRestApi"]["Properties"]["Body"]["paths"]["/hello"];
    assert_eq!(path["Fn::If"][0], "Wanted");
}

#[test]
fn references_to_what_is_made_are_rewritten() {
    let template = json!({
        "Resources": {"F": {
            "Type": "AWS::Serverless::Function",
            "Properties": {"InlineCode": "x", "Handler": "h", "Runtime": "r", "AutoPublishAlias": "live"},
        }},
        "Outputs": {
            "Ref": {"Value": {"Ref": "F.Alias"}},
            "Att": {"Value": {"Fn::GetAtt": ["F.Version", "Version"]}},
            "Sub": {"Value": {"Fn::Sub": "${F.Alias} ${F.Arn}"}},
        },
    });
    let out = run(&template, json!({})).unwrap();
    let value = |name: &str| out["Outputs"][name]["Value"].clone();
    assert_eq!(value("Ref"), json!({"Ref": "FAliaslive"}));
    assert_eq!(value("Att"), json!({"Fn::GetAtt": ["FVersion5168f5ed55", "Version"]}));
    assert_eq!(value("Sub"), json!({"Fn::Sub": "${FAliaslive} ${F.Arn}"}));
}

#[test]
fn partitions_have_their_own_arns_and_endpoints() {
    let Value::Object(parameters) = solution_parameters() else { unreachable!() };
    let cx = Context { region: "cn-north-1", parameters: &parameters, now_epoch_seconds: 0 };
    let out = transform(&solution(), &cx).unwrap();
    let made = &out["Resources"];
    assert_eq!(
        made["EventBridgeFunctionRole"]["Properties"]["ManagedPolicyArns"][0],
        "arn:aws-cn:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    );
    assert_eq!(
        made["ServerlessRestApi"]["Properties"]["EndpointConfiguration"]["Types"],
        json!(["REGIONAL"])
    );
}

#[test]
fn what_is_not_served_is_refused_by_name() {
    let resource =
        |kind: &str, properties: Value| json!({"Resources": {"X": {"Type": kind, "Properties": properties}}});
    let function = |name: &str, value: Value| {
        let mut properties = json!({"InlineCode": "x", "Handler": "h", "Runtime": "r"});
        properties[name] = value;
        resource("AWS::Serverless::Function", properties)
    };
    let event = |kind: &str, properties: Value| {
        function("Events", json!({"E": {"Type": kind, "Properties": properties}}))
    };
    for (template, expected) in [
        (resource("AWS::Serverless::Nothing", json!({})), "AWS::Serverless::Nothing"),
        (
            function("Nothing", json!(1)),
            "property Nothing not defined for resource of type AWS::Serverless::Function",
        ),
        (resource("AWS::Serverless::Api", json!({})), "Missing required property 'StageName'."),
        (
            resource("AWS::Serverless::Api", json!({"StageName": "s", "Nothing": 1})),
            "property Nothing not defined for resource of type AWS::Serverless::Api",
        ),
        (event("Nothing", json!({})), "Event Type is: Nothing."),
        (
            event("Api", json!({"Path": "/x", "Method": "get", "Auth": {"Authorizer": "A"}})),
            "Unable to set Authorizer [A] on API method [get] for path [/x]",
        ),
        (
            function("Policies", json!([{"NoTemplate": {}}])),
            "Policy at index 0 in the 'Policies' property is not valid",
        ),
    ] {
        let text = fault(&template);
        assert!(text.contains("Number of errors found: 1. Resource with id [X] is invalid. "), "{text}");
        assert!(text.contains(expected), "{text}");
    }
    assert!(fault(&json!({"Resources": {}})).ends_with("'Resources' section is required"));
}
