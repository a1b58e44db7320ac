//! What is refused, with AWS's code and text, and the order deletions must come in.

use super::*;

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
