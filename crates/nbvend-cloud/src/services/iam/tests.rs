//! IAM by calls in the model's member names: what is made is there, what is wrong gets AWS's error.

use nbvend_wire::model;
use serde_json::{Value, json};

use crate::identity::{AccessKey, Caller, KeyStatus, Principal};
use crate::testing::World;

/// A call that succeeds, and whose answer holds nothing but what the model has.
async fn ask(world: &World, operation: &str, input: Value) -> Value {
    match world.wire("iam", operation, input).await {
        Ok(output) => {
            let service = model::service("iam").unwrap();
            match service.operation(operation).unwrap().output {
                Some(shape) => conforms(service, service.shape(shape), &output, operation),
                None => assert!(output.is_null(), "{operation}: {output}"),
            }
            output
        }
        Err(error) => panic!("{operation}: {error}"),
    }
}

fn conforms(service: &model::Service, shape: &model::Shape, value: &Value, at: &str) {
    match (&shape.kind, value) {
        (_, Value::Null) => {}
        (model::Kind::Structure(_), Value::Object(members)) => {
            // What is null is left out on the wire.
            for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
                let member = shape.member(name).unwrap_or_else(|| panic!("{at} has no {name}"));
                conforms(service, service.shape(member.shape), value, &format!("{at}.{name}"));
            }
            for member in shape.members().iter().filter(|member| member.required) {
                assert!(
                    members.get(&member.name).is_some_and(|v| !v.is_null()),
                    "{at} lacks {}",
                    member.name
                );
            }
        }
        (model::Kind::List { member, .. }, Value::Array(items)) => {
            items.iter().for_each(|item| conforms(service, service.shape(member.shape), item, at));
        }
        (model::Kind::Map { value: inner, .. }, Value::Object(entries)) => {
            entries.values().for_each(|entry| conforms(service, service.shape(inner.shape), entry, at));
        }
        (model::Kind::Structure(_) | model::Kind::List { .. } | model::Kind::Map { .. }, other) => {
            panic!("{at}: {other}")
        }
        (_, other) => assert!(!other.is_object() && !other.is_array(), "{at}: {other}"),
    }
}

fn trust() -> String {
    json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}})
    .to_string()
}

fn allow(action: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}})
        .to_string()
}

const XRAY: &str = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess";
const OWN: &str = "arn:aws:iam::123456789012:policy/own";

/// One of each noun: role `r`, user `u` in group `g`, policy `own`, profile `p`.
async fn furnished() -> World {
    let world = World::new();
    for (operation, input) in [
        ("CreateRole", json!({"RoleName": "r", "AssumeRolePolicyDocument": trust()})),
        ("CreateUser", json!({"UserName": "u"})),
        ("CreateGroup", json!({"GroupName": "g"})),
        ("AddUserToGroup", json!({"GroupName": "g", "UserName": "u"})),
        ("CreatePolicy", json!({"PolicyName": "own", "PolicyDocument": allow("s3:*")})),
        ("CreateInstanceProfile", json!({"InstanceProfileName": "p"})),
    ] {
        ask(&world, operation, input).await;
    }
    world
}

#[tokio::test]
async fn a_role_is_described_as_aws_does_and_survives_a_restart() {
    let world = World::new();
    let input = json!({"RoleName": "Launch", "Path": "/service-role/", "AssumeRolePolicyDocument": trust(),
        "Description": "d", "Tags": [{"Key": "k", "Value": "v"}]});
    let made = ask(&world, "CreateRole", input).await["Role"].clone();
    assert_eq!(made["Arn"], "arn:aws:iam::123456789012:role/service-role/Launch");
    let id = made["RoleId"].as_str().unwrap();
    assert!(id.len() == 21 && id.starts_with("AROA"), "{id}");
    let world = world.restart();
    let role = ask(&world, "GetRole", json!({"RoleName": "Launch"})).await["Role"].clone();
    assert_eq!((&role["RoleId"], &role["MaxSessionDuration"]), (&made["RoleId"], &json!(3600)));
    assert_eq!(role["RoleLastUsed"], json!({"LastUsedDate": null, "Region": null}));
    assert_eq!(role["Tags"], json!([{"Key": "k", "Value": "v"}]));
    let document = role["AssumeRolePolicyDocument"].as_str().unwrap();
    assert!(document.starts_with("%7B%22Version%22%3A%222012-10-17%22"), "{document}");
    let lists = ask(&world, "ListRoles", json!({"PathPrefix": "/service"})).await;
    assert_eq!((lists["Roles"].as_array().unwrap().len(), &lists["IsTruncated"]), (1, &json!(false)));
    assert_eq!(lists["Roles"][0]["Tags"], Value::Null, "lists leave tags out");
}

#[tokio::test]
async fn every_error_has_awss_code_and_text() {
    let world = furnished().await;
    for (operation, input) in [
        ("AttachRolePolicy", json!({"RoleName": "r", "PolicyArn": OWN})),
        ("AddRoleToInstanceProfile", json!({"InstanceProfileName": "p", "RoleName": "r"})),
        ("PutUserPolicy", json!({"UserName": "u", "PolicyName": "i", "PolicyDocument": allow("s3:*")})),
        ("CreateAccessKey", json!({"UserName": "u"})),
        ("CreateAccessKey", json!({"UserName": "u"})),
        ("CreateLoginProfile", json!({"UserName": "u", "Password": "Secret-12"})),
        ("CreateAccountAlias", json!({"AccountAlias": "acme"})),
    ] {
        ask(&world, operation, input).await;
    }
    let big = |size: usize| allow(&format!("s3:{}", "A".repeat(size)));
    let cases: &[(&str, Value, &str, u16, &str)] = &[
        ("GetRole", json!({"RoleName": "x"}), "NoSuchEntity", 404, "The role with name x cannot be found."),
        ("GetUser", json!({"UserName": "x"}), "NoSuchEntity", 404, "The user with name x cannot be found."),
        (
            "GetGroup",
            json!({"GroupName": "x"}),
            "NoSuchEntity",
            404,
            "The group with name x cannot be found.",
        ),
        (
            "GetUser",
            json!({}),
            "ValidationError",
            400,
            "Must specify userName when calling with non-User credentials",
        ),
        (
            "GetInstanceProfile",
            json!({"InstanceProfileName": "x"}),
            "NoSuchEntity",
            404,
            "Instance Profile x cannot be found.",
        ),
        (
            "GetPolicy",
            json!({"PolicyArn": "arn:aws:iam::123456789012:policy/x"}),
            "NoSuchEntity",
            404,
            "Policy arn:aws:iam::123456789012:policy/x was not found.",
        ),
        (
            "DeletePolicy",
            json!({"PolicyArn": "arn:aws:iam::123456789012:policy/x"}),
            "NoSuchEntity",
            404,
            "Policy arn:aws:iam::123456789012:policy/x was not found.",
        ),
        (
            "AttachRolePolicy",
            json!({"RoleName": "r", "PolicyArn": "arn:aws:iam::aws:policy/Nothing"}),
            "NoSuchEntity",
            404,
            "Policy arn:aws:iam::aws:policy/Nothing does not exist or is not attachable.",
        ),
        (
            "AttachUserPolicy",
            json!({"UserName": "u", "PolicyArn": "longpolicynamebutnoarn"}),
            "ValidationError",
            400,
            "Invalid ARN:  Could not be parsed!",
        ),
        (
            "AttachGroupPolicy",
            json!({"GroupName": "g", "PolicyArn": "arn:aws:s3:::bucket/policy/x"}),
            "InvalidInput",
            400,
            "ARN arn:aws:s3:::bucket/policy/x is not valid.",
        ),
        (
            "DetachRolePolicy",
            json!({"RoleName": "r", "PolicyArn": XRAY}),
            "NoSuchEntity",
            404,
            "Policy arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess was not found.",
        ),
        (
            "GetPolicyVersion",
            json!({"PolicyArn": OWN, "VersionId": "v9"}),
            "NoSuchEntity",
            404,
            "Policy arn:aws:iam::123456789012:policy/own version v9 does not exist or is not attachable.",
        ),
        (
            "GetRolePolicy",
            json!({"RoleName": "r", "PolicyName": "x"}),
            "NoSuchEntity",
            404,
            "The role policy with name x cannot be found.",
        ),
        (
            "DeleteUserPolicy",
            json!({"UserName": "u", "PolicyName": "x"}),
            "NoSuchEntity",
            404,
            "The user policy with name x cannot be found.",
        ),
        (
            "DeleteGroupPolicy",
            json!({"GroupName": "g", "PolicyName": "x"}),
            "NoSuchEntity",
            404,
            "The group policy with name x cannot be found.",
        ),
        (
            "PutRolePermissionsBoundary",
            json!({"RoleName": "r", "PermissionsBoundary": "arn:aws:iam::aws:policy/Nothing"}),
            "NoSuchEntity",
            404,
            "Scope ARN: arn:aws:iam::aws:policy/Nothing does not exist or is not attachable.",
        ),
        (
            "DeleteAccessKey",
            json!({"UserName": "u", "AccessKeyId": "AKIAAAAAAAAAAAAAAAAA"}),
            "NoSuchEntity",
            404,
            "The Access Key with id AKIAAAAAAAAAAAAAAAAA cannot be found.",
        ),
        (
            "RemoveUserFromGroup",
            json!({"GroupName": "g", "UserName": "x"}),
            "NoSuchEntity",
            404,
            "The user with name x cannot be found.",
        ),
        (
            "RemoveRoleFromInstanceProfile",
            json!({"InstanceProfileName": "p", "RoleName": "x"}),
            "NoSuchEntity",
            404,
            "The role with name x cannot be found.",
        ),
        (
            "DeleteAccountAlias",
            json!({"AccountAlias": "other"}),
            "NoSuchEntity",
            404,
            "The account alias other was not found.",
        ),
        (
            "CreateRole",
            json!({"RoleName": "R", "AssumeRolePolicyDocument": trust()}),
            "EntityAlreadyExists",
            409,
            "Role with name R already exists.",
        ),
        (
            "CreateUser",
            json!({"UserName": "U"}),
            "EntityAlreadyExists",
            409,
            "User with name U already exists.",
        ),
        (
            "CreateGroup",
            json!({"GroupName": "g"}),
            "EntityAlreadyExists",
            409,
            "Group with name g already exists.",
        ),
        (
            "CreatePolicy",
            json!({"PolicyName": "own", "Path": "/other/", "PolicyDocument": allow("s3:*")}),
            "EntityAlreadyExists",
            409,
            "A policy called own already exists. Duplicate names are not allowed.",
        ),
        (
            "CreateInstanceProfile",
            json!({"InstanceProfileName": "p"}),
            "EntityAlreadyExists",
            409,
            "Instance Profile p already exists.",
        ),
        (
            "CreateLoginProfile",
            json!({"UserName": "u", "Password": "Secret-12"}),
            "EntityAlreadyExists",
            409,
            "Login Profile for User u already exists.",
        ),
        (
            "CreateAccountAlias",
            json!({"AccountAlias": "acme"}),
            "EntityAlreadyExists",
            409,
            "The account alias acme already exists.",
        ),
        (
            "DeleteRole",
            json!({"RoleName": "r"}),
            "DeleteConflict",
            409,
            "Cannot delete entity, must remove roles from instance profile first.",
        ),
        (
            "DeleteInstanceProfile",
            json!({"InstanceProfileName": "p"}),
            "DeleteConflict",
            409,
            "Cannot delete entity, must remove roles from instance profile first.",
        ),
        (
            "DeleteGroup",
            json!({"GroupName": "g"}),
            "DeleteConflict",
            409,
            "Cannot delete entity, must remove users from group first.",
        ),
        (
            "DeleteUser",
            json!({"UserName": "u"}),
            "DeleteConflict",
            409,
            "Cannot delete entity, must remove users from group first.",
        ),
        (
            "DeletePolicy",
            json!({"PolicyArn": OWN}),
            "DeleteConflict",
            409,
            "Cannot delete a policy attached to entities.",
        ),
        (
            "DeletePolicyVersion",
            json!({"PolicyArn": OWN, "VersionId": "v1"}),
            "DeleteConflict",
            409,
            "Cannot delete the default version of a policy.",
        ),
        (
            "CreateAccessKey",
            json!({"UserName": "u"}),
            "LimitExceeded",
            409,
            "Cannot exceed quota for AccessKeysPerUser: 2",
        ),
        (
            "AddRoleToInstanceProfile",
            json!({"InstanceProfileName": "p", "RoleName": "r"}),
            "LimitExceeded",
            409,
            "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1",
        ),
        (
            "PutUserPolicy",
            json!({"UserName": "u", "PolicyName": "b", "PolicyDocument": big(2000)}),
            "LimitExceeded",
            409,
            "Maximum policy size of 2048 bytes exceeded for user u",
        ),
        (
            "CreatePolicy",
            json!({"PolicyName": "b", "PolicyDocument": big(6100)}),
            "LimitExceeded",
            409,
            "Cannot exceed quota for PolicySize: 6144",
        ),
        (
            "CreateRole",
            json!({"RoleName": "x", "AssumeRolePolicyDocument": "not json"}),
            "MalformedPolicyDocument",
            400,
            "This policy contains invalid Json",
        ),
        (
            "UpdateAssumeRolePolicy",
            json!({"RoleName": "r", "PolicyDocument": allow("sts:AssumeRole")}),
            "MalformedPolicyDocument",
            400,
            "Has prohibited field Resource",
        ),
        (
            "UpdateAssumeRolePolicy",
            json!({"RoleName": "r", "PolicyDocument": trust().replace("\"Service\":\"lambda.amazonaws.com\"", "\"AWS\":\"arn:aws:iam::123456789012:user/x\"")}),
            "MalformedPolicyDocument",
            400,
            "Invalid principal in policy: \"AWS\":\"arn:aws:iam::123456789012:user/x\"",
        ),
        (
            "CreatePolicy",
            json!({"PolicyName": "x", "PolicyDocument": allow("s3:*").replace("2012-10-17", "2008-10-17")}),
            "MalformedPolicyDocument",
            400,
            "Policy document must be version 2012-10-17 or greater.",
        ),
        (
            "TagRole",
            json!({"RoleName": "r", "Tags": [{"Key": "a", "Value": ""}, {"Key": "A", "Value": ""}]}),
            "InvalidInput",
            400,
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        ),
        (
            "TagUser",
            json!({"UserName": "u", "Tags": [{"Key": "aws:x", "Value": ""}]}),
            "InvalidInput",
            400,
            "Tag keys beginning with 'aws:' are reserved for AWS use: aws:x",
        ),
        (
            "CreatePolicyVersion",
            json!({"PolicyArn": XRAY, "PolicyDocument": allow("s3:*")}),
            "AccessDenied",
            403,
            "User: arn:aws:iam::123456789012:root is not authorized to perform: iam:CreatePolicyVersion on resource: policy arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess",
        ),
        (
            "UpdateLoginProfile",
            json!({"UserName": "u", "Password": "weak"}),
            "PasswordPolicyViolation",
            400,
            "Password does not conform to the account password policy.",
        ),
        ("ListRoles", json!({"Marker": "?"}), "ValidationError", 400, "Invalid Marker: ?"),
    ];
    for (operation, input, code, status, message) in cases {
        let error = world.wire("iam", operation, input.clone()).await.err();
        let got = error.as_ref().map(|error| (error.code.as_ref(), error.status, error.message.as_str()));
        assert_eq!(got, Some((*code, *status, *message)), "{operation} {input}");
    }
}

#[tokio::test]
async fn deletions_come_in_awss_order() {
    let world = furnished().await;
    ask(&world, "AttachUserPolicy", json!({"UserName": "u", "PolicyArn": XRAY})).await;
    ask(
        &world,
        "PutUserPolicy",
        json!({"UserName": "u", "PolicyName": "i", "PolicyDocument": allow("s3:*")}),
    )
    .await;
    let key =
        ask(&world, "CreateAccessKey", json!({"UserName": "u"})).await["AccessKey"]["AccessKeyId"].clone();
    ask(&world, "CreateLoginProfile", json!({"UserName": "u", "Password": "Secret-12"})).await;
    for (text, operation, input) in [
        ("remove users from group", "RemoveUserFromGroup", json!({"GroupName": "g", "UserName": "u"})),
        ("delete access keys", "DeleteAccessKey", json!({"UserName": "u", "AccessKeyId": key})),
        ("delete login profile", "DeleteLoginProfile", json!({"UserName": "u"})),
        ("detach all policies", "DetachUserPolicy", json!({"UserName": "u", "PolicyArn": XRAY})),
        ("delete policies", "DeleteUserPolicy", json!({"UserName": "u", "PolicyName": "i"})),
    ] {
        let error = world.wire("iam", "DeleteUser", json!({"UserName": "u"})).await.unwrap_err();
        assert_eq!(error.message, format!("Cannot delete entity, must {text} first."));
        ask(&world, operation, input).await;
    }
    ask(&world, "DeleteUser", json!({"UserName": "u"})).await;
    let gone = world.wire("iam", "DeleteUser", json!({"UserName": "u"})).await.unwrap_err();
    assert_eq!(gone.code, "NoSuchEntity");
}

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
async fn keys_are_told_once_and_obey_their_user() {
    let world = furnished().await;
    let made = ask(&world, "CreateAccessKey", json!({"UserName": "u"})).await["AccessKey"].clone();
    let id = made["AccessKeyId"].as_str().unwrap().to_owned();
    assert!(id.len() == 20 && id.starts_with("AKIA"), "{id}");
    assert_eq!(made["SecretAccessKey"].as_str().unwrap().len(), 40);
    let stored =
        |world: &World, id: &str| world.engine.store().read(|tx| AccessKey::get(tx, id)).unwrap().unwrap();
    let key = stored(&world, &id).unwrap();
    let alice = Caller { principal: key.principal, access_key_id: Some(id.clone()), ..world.root() };
    world.allow("User", "u", &["iam:*"]).await;
    let own = world.wire_as(alice.clone(), "iam", "GetUser", json!({})).await.unwrap();
    assert_eq!(own["User"]["Arn"], "arn:aws:iam::123456789012:user/u");
    let input = json!({"AccessKeyId": id, "Status": "Inactive"});
    world.wire_as(alice.clone(), "iam", "UpdateAccessKey", input).await.unwrap();
    assert_eq!(stored(&world, &id).unwrap().status, KeyStatus::Inactive);

    ask(&world, "UpdateUser", json!({"UserName": "u", "NewUserName": "w", "NewPath": "/moved/"})).await;
    let renamed = stored(&world, &id).unwrap().principal;
    assert!(matches!(&renamed, Principal::User { name, path, .. } if name == "w" && path == "/moved/"));
    let keys = ask(&world, "ListAccessKeys", json!({"UserName": "w"})).await;
    assert_eq!(keys["AccessKeyMetadata"][0]["AccessKeyId"], id);
    let groups = ask(&world, "ListGroupsForUser", json!({"UserName": "w"})).await;
    assert_eq!(groups["Groups"][0]["GroupName"], "g");
    ask(&world, "UpdateGroup", json!({"GroupName": "g", "NewGroupName": "h"})).await;
    let members = ask(&world, "GetGroup", json!({"GroupName": "h"})).await;
    assert_eq!(members["Users"][0]["UserName"], "w");

    // Another's key is nobody's business.
    ask(&world, "CreateUser", json!({"UserName": "mallory"})).await;
    let input = json!({"UserName": "mallory", "AccessKeyId": id});
    let error = world.wire("iam", "DeleteAccessKey", input).await.unwrap_err();
    assert_eq!(error.code, "NoSuchEntity");
    assert!(stored(&world, &id).is_some());
}

#[tokio::test]
async fn passwords_are_changed_by_who_knows_them() {
    let world = furnished().await;
    ask(
        &world,
        "CreateLoginProfile",
        json!({"UserName": "u", "Password": "Secret-12", "PasswordResetRequired": true}),
    )
    .await;
    let user = ask(&world, "GetUser", json!({"UserName": "u"})).await;
    let id = user["User"]["UserId"].as_str().unwrap().to_owned();
    let principal = Principal::User { name: "u".to_owned(), id, path: "/".to_owned() };
    let caller = Caller { principal, access_key_id: None, ..world.root() };
    world.allow("User", "u", &["iam:ChangePassword"]).await;
    let change = |old: &str| json!({"OldPassword": old, "NewPassword": "Another-34"});
    let wrong =
        world.wire_as(caller.clone(), "iam", "ChangePassword", change("Secret-13")).await.unwrap_err();
    assert_eq!((wrong.code.as_ref(), wrong.status), ("AccessDenied", 403));
    world.wire_as(caller.clone(), "iam", "ChangePassword", change("Secret-12")).await.unwrap();
    let profile = ask(&world, "GetLoginProfile", json!({"UserName": "u"})).await;
    assert_eq!(profile["LoginProfile"]["PasswordResetRequired"], false);
    assert!(world.wire_as(caller, "iam", "ChangePassword", change("Secret-12")).await.is_err());
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
async fn the_account_in_one_list_and_in_figures() {
    let world = furnished().await;
    ask(&world, "AttachGroupPolicy", json!({"GroupName": "g", "PolicyArn": XRAY})).await;
    ask(
        &world,
        "PutRolePolicy",
        json!({"RoleName": "r", "PolicyName": "i", "PolicyDocument": allow("s3:*")}),
    )
    .await;
    ask(&world, "AddRoleToInstanceProfile", json!({"InstanceProfileName": "p", "RoleName": "r"})).await;
    let all = ask(&world, "GetAccountAuthorizationDetails", json!({})).await;
    assert_eq!(all["UserDetailList"][0]["GroupList"], json!(["g"]));
    assert_eq!(all["GroupDetailList"][0]["AttachedManagedPolicies"][0]["PolicyArn"], XRAY);
    assert_eq!(all["RoleDetailList"][0]["RolePolicyList"][0]["PolicyName"], "i");
    assert_eq!(all["RoleDetailList"][0]["InstanceProfileList"][0]["InstanceProfileName"], "p");
    let arns: Vec<_> =
        all["Policies"].as_array().unwrap().iter().map(|policy| policy["Arn"].clone()).collect();
    assert_eq!(arns, [OWN, XRAY]);
    let mut kinds = Vec::new();
    let mut marker = Value::Null;
    for _ in 0..5 {
        let mut input = json!({"MaxItems": 1});
        if !marker.is_null() {
            input["Marker"] = marker.clone();
        }
        let page = ask(&world, "GetAccountAuthorizationDetails", input).await;
        for kind in ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"] {
            kinds.extend((0..page[kind].as_array().unwrap().len()).map(|_| kind));
        }
        marker = page["Marker"].clone();
    }
    assert_eq!(kinds, ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies", "Policies"]);
    assert!(marker.is_null());
    let summary = ask(&world, "GetAccountSummary", json!({})).await["SummaryMap"].clone();
    assert_eq!(
        (&summary["Users"], &summary["Roles"], &summary["AccessKeysPerUserQuota"]),
        (&json!(1), &json!(1), &json!(2))
    );
    ask(&world, "CreateAccountAlias", json!({"AccountAlias": "acme"})).await;
    assert_eq!(ask(&world, "ListAccountAliases", json!({})).await["AccountAliases"], json!(["acme"]));
    ask(&world, "DeleteAccountAlias", json!({"AccountAlias": "acme"})).await;
    assert_eq!(ask(&world, "ListAccountAliases", json!({})).await["AccountAliases"], json!([]));
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
