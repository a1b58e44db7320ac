//! Policies, their versions and lists, and the simulator.

use super::*;

#[tokio::test]
async fn pages_hold_what_was_asked_for_and_lead_on() {
    let world = World::new();
    for n in 0..7 {
        let path = if n % 2 == 0 { "/even/" } else { "/odd/" };
        ask(&world, "CreateUser", json!({"UserName": format!("user{n}"), "Path": path})).await;
    }
    let mut seen = Vec::new();
    let mut marker = Value::Null;
    loop {
        let mut input = json!({"MaxItems": 3, "PathPrefix": "/even/"});
        if !marker.is_null() {
            input["Marker"] = marker;
        }
        let page = ask(&world, "ListUsers", input).await;
        let users = page["Users"].as_array().unwrap();
        assert!(users.len() <= 3);
        seen.extend(users.iter().map(|user| user["UserName"].as_str().unwrap().to_owned()));
        assert_eq!(page["IsTruncated"].as_bool().unwrap(), !page["Marker"].is_null());
        if page["Marker"].is_null() {
            break;
        }
        marker = page["Marker"].clone();
    }
    assert_eq!(seen, ["user0", "user2", "user4", "user6"]);
    // A last page that is full is the last page.
    let page = ask(&world, "ListUsers", json!({"MaxItems": 4, "PathPrefix": "/even/"})).await;
    assert_eq!(page["IsTruncated"], false);
}

#[tokio::test]
async fn versions_are_numbered_once_and_the_default_counts() {
    let world = furnished().await;
    for n in 2..=5 {
        let input = json!({"PolicyArn": OWN, "PolicyDocument": allow("s3:Get*"), "SetAsDefault": n == 3});
        let made = ask(&world, "CreatePolicyVersion", input).await["PolicyVersion"].clone();
        assert_eq!(
            (&made["VersionId"], &made["IsDefaultVersion"]),
            (&json!(format!("v{n}")), &json!(n == 3))
        );
    }
    let sixth = json!({"PolicyArn": OWN, "PolicyDocument": allow("s3:*")});
    let error = world.wire("iam", "CreatePolicyVersion", sixth.clone()).await.unwrap_err();
    assert_eq!((error.code.as_ref(), error.status), ("LimitExceeded", 409));
    ask(&world, "DeletePolicyVersion", json!({"PolicyArn": OWN, "VersionId": "v5"})).await;
    assert_eq!(ask(&world, "CreatePolicyVersion", sixth).await["PolicyVersion"]["VersionId"], "v6");
    ask(&world, "SetDefaultPolicyVersion", json!({"PolicyArn": OWN, "VersionId": "v1"})).await;
    let policy = ask(&world, "GetPolicy", json!({"PolicyArn": OWN})).await["Policy"].clone();
    assert_eq!((&policy["DefaultVersionId"], &policy["AttachmentCount"]), (&json!("v1"), &json!(0)));
    let error = world.wire("iam", "DeletePolicy", json!({"PolicyArn": OWN})).await.unwrap_err();
    assert!(error.message.starts_with("This policy has more than one version."), "{error}");
    let aws = ask(&world, "GetPolicyVersion", json!({"PolicyArn": XRAY, "VersionId": "v2"})).await;
    assert!(aws["PolicyVersion"]["Document"].as_str().unwrap().contains("xray%3APutTraceSegments"));
}

#[tokio::test]
async fn policies_are_listed_by_scope_and_use() {
    let world = furnished().await;
    let count =
        async |input: Value| ask(&world, "ListPolicies", input).await["Policies"].as_array().unwrap().len();
    assert_eq!(count(json!({"Scope": "Local"})).await, 1);
    assert_eq!(count(json!({"Scope": "All", "OnlyAttached": true})).await, 0);
    ask(&world, "AttachRolePolicy", json!({"RoleName": "r", "PolicyArn": XRAY})).await;
    ask(&world, "AttachRolePolicy", json!({"RoleName": "r", "PolicyArn": XRAY})).await;
    ask(&world, "PutUserPermissionsBoundary", json!({"UserName": "u", "PermissionsBoundary": OWN})).await;
    assert_eq!(count(json!({"Scope": "AWS", "OnlyAttached": true})).await, 1);
    assert_eq!(count(json!({"PolicyUsageFilter": "PermissionsBoundary"})).await, 1);
    assert_eq!(count(json!({"Scope": "AWS", "PathPrefix": "/service-role/", "MaxItems": 1000})).await, 7);
    let uses = ask(&world, "ListEntitiesForPolicy", json!({"PolicyArn": OWN})).await;
    assert_eq!((&uses["PolicyUsers"][0]["UserName"], &uses["PolicyRoles"]), (&json!("u"), &json!([])));
    let attached = ask(
        &world,
        "ListEntitiesForPolicy",
        json!({"PolicyArn": OWN, "PolicyUsageFilter": "PermissionsPolicy"}),
    )
    .await;
    assert_eq!(attached["PolicyUsers"], json!([]));
    for n in 0..9 {
        let made = ask(
            &world,
            "CreatePolicy",
            json!({"PolicyName": format!("n{n}"), "PolicyDocument": allow("s3:*")}),
        )
        .await;
        ask(&world, "AttachRolePolicy", json!({"RoleName": "r", "PolicyArn": made["Policy"]["Arn"]})).await;
    }
    let error =
        world.wire("iam", "AttachRolePolicy", json!({"RoleName": "r", "PolicyArn": OWN})).await.unwrap_err();
    assert_eq!(error.message, "Cannot exceed quota for PoliciesPerRole: 10");
}

#[tokio::test]
async fn a_trust_policy_follows_its_principals() {
    let world = furnished().await;
    let document = json!({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": ["arn:aws:iam::123456789012:user/u", "123456789012"]}}]});
    let input = json!({"RoleName": "r", "PolicyDocument": document.to_string()});
    ask(&world, "UpdateAssumeRolePolicy", input).await;
    let trusted = async || {
        let role = ask(&world, "GetRole", json!({"RoleName": "r"})).await;
        let encoded = role["Role"]["AssumeRolePolicyDocument"].as_str().unwrap().to_owned();
        let text = percent_encoding::percent_decode_str(&encoded).decode_utf8().unwrap().into_owned();
        let value: Value = serde_json::from_str(&text).unwrap();
        value["Statement"][0]["Principal"]["AWS"][0].as_str().unwrap().to_owned()
    };
    ask(&world, "UpdateUser", json!({"UserName": "u", "NewUserName": "w"})).await;
    assert_eq!(trusted().await, "arn:aws:iam::123456789012:user/w");
    let id = ask(&world, "GetUser", json!({"UserName": "w"})).await["User"]["UserId"].clone();
    ask(&world, "RemoveUserFromGroup", json!({"GroupName": "g", "UserName": "w"})).await;
    ask(&world, "DeleteUser", json!({"UserName": "w"})).await;
    ask(&world, "CreateUser", json!({"UserName": "w"})).await;
    assert_eq!(json!(trusted().await), id, "the new w is not the trusted one");
}

#[tokio::test]
async fn the_simulator_says_what_would_be() {
    let world = furnished().await;
    ask(&world, "AttachUserPolicy", json!({"UserName": "u", "PolicyArn": OWN})).await;
    let deny = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:PrincipalTag/team": "x"}}}]});
    ask(
        &world,
        "PutGroupPolicy",
        json!({"GroupName": "g", "PolicyName": "d", "PolicyDocument": deny.to_string()}),
    )
    .await;
    let input = json!({
        "PolicySourceArn": "arn:aws:iam::123456789012:user/u",
        "ActionNames": ["s3:GetObject", "s3:DeleteObject", "sqs:SendMessage"],
        "ContextEntries": [
            {"ContextKeyName": "aws:SecureTransport", "ContextKeyValues": ["false"], "ContextKeyType": "boolean"},
            {"ContextKeyName": "aws:PrincipalTag/team", "ContextKeyValues": ["x"], "ContextKeyType": "string"},
        ],
    });
    let results = ask(&world, "SimulatePrincipalPolicy", input).await["EvaluationResults"].clone();
    let decisions: Vec<_> =
        results.as_array().unwrap().iter().map(|result| result["EvalDecision"].as_str().unwrap()).collect();
    assert_eq!(decisions, ["allowed", "explicitDeny", "implicitDeny"]);
    assert_eq!(results[0]["MatchedStatements"][0]["SourcePolicyId"], "own");
    assert_eq!(results[1]["MatchedStatements"][0]["SourcePolicyId"], "group_g_d");
    assert_eq!(results[1]["MatchedStatements"][0]["SourcePolicyType"], "IAM Policy");
    let input = json!({"PolicyInputList": [allow("s3:*")], "ActionNames": ["s3:GetObject"], "ResourceArns": ["arn:aws:s3:::b/k"],
        "PermissionsBoundaryPolicyInputList": [allow("sqs:*")]});
    let result = ask(&world, "SimulateCustomPolicy", input).await["EvaluationResults"][0].clone();
    assert_eq!(
        (&result["EvalDecision"], &result["EvalResourceName"]),
        (&json!("implicitDeny"), &json!("arn:aws:s3:::b/k"))
    );
    assert_eq!(result["PermissionsBoundaryDecisionDetail"], json!({"AllowedByPermissionsBoundary": false}));
    let keys = ask(
        &world,
        "GetContextKeysForPrincipalPolicy",
        json!({"PolicySourceArn": "arn:aws:iam::123456789012:user/u"}),
    )
    .await;
    assert_eq!(keys["ContextKeyNames"], json!(["aws:SecureTransport", "aws:PrincipalTag/team"]));
    for (operation, input) in [
        ("SimulateCustomPolicy", json!({"PolicyInputList": ["{"], "ActionNames": ["s3:GetObject"]})),
        (
            "SimulatePrincipalPolicy",
            json!({"PolicySourceArn": "arn:aws:iam::123456789012:thing", "ActionNames": ["s3:GetObject"]}),
        ),
        (
            "SimulateCustomPolicy",
            json!({"PolicyInputList": [allow("*")], "ActionNames": ["s3:GetObject"], "ResourcePolicy": allow("*")}),
        ),
    ] {
        let error = world.wire("iam", operation, input).await.unwrap_err();
        assert_eq!((error.code.as_ref(), error.status), ("InvalidInput", 400), "{operation}");
    }
}
