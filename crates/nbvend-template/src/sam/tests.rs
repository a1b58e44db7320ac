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

/// A function with these events; its id is `F`.
fn with_events(events: &Value) -> Value {
    json!({"Resources": {"F": {
        "Type": "AWS::Serverless::Function",
        "Properties": {"InlineCode": "x", "Handler": "h", "Runtime": "r", "Events": events},
    }}})
}

fn api_event(path: &str, method: &str) -> Value {
    json!({"Type": "Api", "Properties": {"Path": path, "Method": method}})
}

/// Ids observed from AWS's transform for documents whose key order depends on collisions in the hash table.
#[test]
fn deployment_ids_follow_the_history_of_the_document() {
    for (events, id) in [
        (json!({"A": api_event("/", "get")}), "dbcaa3177e"),
        (json!({"A": api_event("/{proxy+}", "any"), "B": api_event("/{proxy++}", "any")}), "af89dc51e3"),
        (
            json!({
                "A": api_event("/", "delete"), "B": api_event("/", "get"), "C": api_event("/é", "post"),
                "D": api_event("/users/{id}", "put"), "E": api_event("/users", "ANY"),
                "F": api_event("/orders/", "patch"), "G": api_event("/orders/{id}/lines", "get"),
            }),
            "444416296d",
        ),
    ] {
        let made = resources(&with_events(&events), json!({}));
        let ids: Vec<&String> =
            made.keys().filter(|id| id.starts_with("ServerlessRestApiDeployment")).collect();
        assert_eq!(ids, [&format!("ServerlessRestApiDeployment{id}")]);
    }
}

#[test]
fn preflight_methods_are_added_once_for_a_path_with_and_without_slash() {
    let mut template = with_events(&json!({"A": api_event("/a", "get"), "B": api_event("/a/", "put")}));
    template["Globals"] = json!({"Api": {"Cors": "'*'"}});
    let made = resources(&template, json!({}));
    let paths = &made["ServerlessRestApi"]["Properties"]["Body"]["paths"];
    let preflight = |path: &str| paths[path].get("options").is_some();
    assert!(preflight("/a") ^ preflight("/a/"));
}

#[test]
fn a_version_is_named_after_what_it_depends_on() {
    let version = |properties: Value| {
        let mut template = with_events(&json!({}));
        let all = template["Resources"]["F"]["Properties"].as_object_mut().unwrap();
        all.insert("AutoPublishAlias".to_owned(), json!("live"));
        all.extend(properties.as_object().unwrap().clone());
        let made = resources(&template, json!({}));
        made.keys().find(|id| id.starts_with("FVersion")).unwrap().clone()
    };
    assert_eq!(version(json!({})), "FVersion5168f5ed55");
    assert_eq!(version(json!({"Timeout": 9})), "FVersion5168f5ed55");
    assert_eq!(version(json!({"MemorySize": 128})), "FVersion4e3e0ec4a8");
    assert_eq!(version(json!({"AutoPublishCodeSha256": "abcdef0123456789"})), "FVersionabcdef0123");
    assert_ne!(version(json!({"AutoPublishAliasAllProperties": true, "Timeout": 9})), "FVersion5168f5ed55");
}

#[test]
fn an_api_may_carry_authorizers_keys_policies_and_a_domain() {
    let mut template = with_events(&json!({"E": {"Type": "Api", "Properties": {
        "Path": "/x/{id}", "Method": "get", "RestApiId": {"Ref": "Api"}, "Auth": {"ApiKeyRequired": true},
    }}}));
    template["Resources"]["Api"] = json!({
        "Type": "AWS::Serverless::Api",
        "Properties": {
            "StageName": "v1",
            "OpenApiVersion": "3.0.1",
            "Auth": {
                "DefaultAuthorizer": "Pool",
                "Authorizers": {"Pool": {"UserPoolArn": "arn:pool", "AuthorizationScopes": ["read"]}},
                "ResourcePolicy": {"IpRangeBlacklist": ["192.0.2.0/24"]},
                "UsagePlan": {"CreateUsagePlan": "PER_API"},
            },
            "Domain": {"DomainName": "api.example.com", "CertificateArn": "arn:cert", "BasePath": ["one"]},
        },
    });
    let made = resources(&template, json!({}));
    let body = &made["Api"]["Properties"]["Body"];
    assert_eq!(body["openapi"], "3.0.1");
    assert_eq!(body["paths"]["/x/{id}"]["get"]["security"], json!([{"api_key": []}, {"Pool": ["read"]}]));
    assert_eq!(body["components"]["securitySchemes"]["api_key"]["name"], "x-api-key");
    let denied = &body["x-amazon-apigateway-policy"]["Statement"][1];
    assert_eq!(denied["Effect"], "Deny");
    assert_eq!(denied["Resource"][0]["Fn::Sub"][0], "execute-api:/${__Stage__}/GET/x/*");
    for id in ["ApiUsagePlan", "ApiApiKey", "ApiUsagePlanKey"] {
        assert!(made.contains_key(id), "{id}");
    }
    assert_eq!(made["ApioneBasePathMapping"]["Properties"]["Stage"], json!({"Ref": "Apiv1Stage"}));
}

#[test]
fn rules_and_schedules_may_invoke_the_function() {
    let made = resources(
        &with_events(&json!({
            "Rule": {"Type": "EventBridgeRule", "Properties": {"Pattern": {"source": ["s"]}}},
            "Clock": {"Type": "Schedule", "Properties": {
                "Schedule": "rate(1 day)", "Enabled": false, "DeadLetterConfig": {"Type": "SQS"},
            }},
        })),
        json!({}),
    );
    assert_eq!(made["FRulePermission"]["Properties"]["SourceArn"], json!({"Fn::GetAtt": ["FRule", "Arn"]}));
    assert_eq!(made["FClock"]["Properties"]["State"], "DISABLED");
    let target = &made["FClock"]["Properties"]["Targets"][0];
    assert_eq!(target["DeadLetterConfig"]["Arn"], json!({"Fn::GetAtt": ["FClockQueue", "Arn"]}));
    assert_eq!(made["FClockQueuePolicy"]["Properties"]["Queues"], json!([{"Ref": "FClockQueue"}]));
}

#[test]
fn a_made_resource_must_not_take_the_place_of_another() {
    let mut template = with_events(&json!({}));
    template["Resources"]["FRole"] = json!({"Type": "AWS::S3::Bucket"});
    let text = fault(&template);
    assert!(
        text.contains("attempts to create a new resource with id [FRole] and type \"AWS::IAM::Role\""),
        "{text}"
    );
}
