//! Roles and users as they are described; keys, passwords, the account in figures.

use super::*;

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
