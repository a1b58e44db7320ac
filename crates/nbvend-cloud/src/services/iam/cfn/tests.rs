//! Resources made, changed and ended through their providers, without a stack around them.

use serde_json::{Value, json};

use crate::provider::{Deletion, Handle, Progress, Provider, Request};
use crate::services;
use crate::testing::World;

fn provider(type_name: &str) -> &'static dyn Provider {
    services::provider(type_name).unwrap()
}

fn request(logical: &str, properties: Value) -> Request {
    Request {
        logical_id: logical.to_owned(),
        stack_name: "stack".to_owned(),
        stack_id: "arn:aws:cloudformation:us-east-1:123456789012:stack/stack/1".to_owned(),
        properties,
        tags: vec![("aws:cloudformation:stack-name".to_owned(), "stack".to_owned())],
    }
}

fn handle(physical_id: &str, properties: Value) -> Handle {
    Handle {
        logical_id: "X".to_owned(),
        stack_name: "stack".to_owned(),
        stack_id: "arn:aws:cloudformation:us-east-1:123456789012:stack/stack/1".to_owned(),
        physical_id: physical_id.to_owned(),
        properties,
    }
}

struct Stack<'w>(&'w World);

impl Stack<'_> {
    async fn create(
        &self,
        type_name: &'static str,
        logical: &str,
        properties: Value,
    ) -> Result<Progress, String> {
        let request = request(logical, properties);
        let caller = self.0.root().through("cloudformation.amazonaws.com");
        let step = self.0.engine.transact(caller, move |cx| provider(type_name).create(cx, &request)).await;
        step.map_err(|error| error.to_string())
    }

    async fn made(&self, type_name: &'static str, logical: &str, properties: Value) -> (String, Value) {
        match self.create(type_name, logical, properties).await.unwrap() {
            Progress::Done { physical_id, attributes } => (physical_id, Value::Object(attributes)),
            other => panic!("{other:?}"),
        }
    }

    async fn update(
        &self,
        type_name: &'static str,
        id: &str,
        old: Value,
        new: Value,
    ) -> Result<Value, String> {
        let (handle, request) = (handle(id, old), request("X", new));
        let caller = self.0.root().through("cloudformation.amazonaws.com");
        let step =
            self.0.engine.transact(caller, move |cx| provider(type_name).update(cx, &handle, &request)).await;
        match step.map_err(|error| error.to_string())? {
            Progress::Done { physical_id, attributes } => {
                assert_eq!(physical_id, id);
                Ok(Value::Object(attributes))
            }
            other => panic!("{other:?}"),
        }
    }

    async fn delete(&self, type_name: &'static str, id: &str, old: Value) -> Result<Deletion, String> {
        let handle = handle(id, old);
        let caller = self.0.root().through("cloudformation.amazonaws.com");
        let step = self.0.engine.transact(caller, move |cx| provider(type_name).delete(cx, &handle)).await;
        step.map_err(|error| error.to_string())
    }

    async fn ask(&self, operation: &str, input: Value) -> Value {
        self.0.wire("iam", operation, input).await.unwrap()
    }
}

const ROLE: &str = "AWS::IAM::Role";
const BASIC: &str = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
const XRAY: &str = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess";

fn trust(service: &str) -> Value {
    json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]})
}

fn inline(name: &str, action: &str) -> Value {
    json!({"PolicyName": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": action, "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": true}},
    }}})
}

#[tokio::test]
async fn a_role_lives_through_its_provider() {
    let world = World::new();
    let stack = Stack(&world);
    let first = json!({
        "AssumeRolePolicyDocument": trust("lambda.amazonaws.com"),
        "ManagedPolicyArns": [BASIC],
        "Policies": [inline("a", "s3:GetObject"), inline("b", "s3:PutObject")],
        "MaxSessionDuration": 7200,
        "Tags": [{"Key": "lambda:createdBy", "Value": "SAM"}],
    });
    let (name, attributes) = stack.made(ROLE, "EventBridgeFunctionRole", first.clone()).await;
    assert!(name.starts_with("stack-EventBridgeFunctionRole-") && name.len() <= 64, "{name}");
    assert_eq!(attributes["Arn"], format!("arn:aws:iam::123456789012:role/{name}"));
    assert!(attributes["RoleId"].as_str().unwrap().starts_with("AROA"));
    let role = stack.ask("GetRole", json!({"RoleName": name})).await;
    assert_eq!(role["Role"]["MaxSessionDuration"], 7200);
    let tags = role["Role"]["Tags"].as_array().unwrap().len();
    assert_eq!(tags, 2, "the stack's and the template's");

    let second = json!({
        "AssumeRolePolicyDocument": trust("events.amazonaws.com"),
        "ManagedPolicyArns": [XRAY],
        "Policies": [inline("b", "s3:DeleteObject")],
        "Description": "second",
    });
    stack.update(ROLE, &name, first.clone(), second.clone()).await.unwrap();
    let role = stack.ask("GetRole", json!({"RoleName": name})).await["Role"].clone();
    assert_eq!((&role["MaxSessionDuration"], &role["Description"]), (&json!(3600), &json!("second")));
    assert!(role["AssumeRolePolicyDocument"].as_str().unwrap().contains("events.amazonaws.com"));
    assert_eq!(role["Tags"], json!([{"Key": "aws:cloudformation:stack-name", "Value": "stack"}]));
    let attached = stack.ask("ListAttachedRolePolicies", json!({"RoleName": name})).await;
    assert_eq!(
        attached["AttachedPolicies"],
        json!([{"PolicyName": "AWSXRayDaemonWriteAccess", "PolicyArn": XRAY}])
    );
    let names = stack.ask("ListRolePolicies", json!({"RoleName": name})).await;
    assert_eq!(names["PolicyNames"], json!(["b"]));

    // Back again, as a rollback does.
    stack.update(ROLE, &name, second, first.clone()).await.unwrap();
    let names = stack.ask("ListRolePolicies", json!({"RoleName": name})).await;
    assert_eq!(names["PolicyNames"], json!(["a", "b"]));

    // What somebody else attached keeps the role alive, as on AWS.
    stack.ask("AttachRolePolicy", json!({"RoleName": name, "PolicyArn": XRAY})).await;
    let error = stack.delete(ROLE, &name, first.clone()).await.unwrap_err();
    assert_eq!(error, "Cannot delete entity, must detach all policies first.");
    stack.ask("DetachRolePolicy", json!({"RoleName": name, "PolicyArn": XRAY})).await;
    assert_eq!(stack.delete(ROLE, &name, first.clone()).await, Ok(Deletion::Done));
    assert_eq!(stack.delete(ROLE, &name, first).await, Ok(Deletion::Done), "gone is gone");
}

#[tokio::test]
async fn what_is_wrong_in_a_template_is_said() {
    let world = World::new();
    let stack = Stack(&world);
    for (properties, expected) in [
        (json!({"AssumeRolePolicyDocument": "no json"}), "This policy contains invalid Json"),
        (
            json!({"AssumeRolePolicyDocument": trust("a.amazonaws.com"), "MaxSessionDuration": 60}),
            "1 validation error detected: Value at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600",
        ),
        (
            json!({"AssumeRolePolicyDocument": trust("a.amazonaws.com"), "MaxSessionDuration": "soon"}),
            "soon is not a whole number",
        ),
    ] {
        assert_eq!(stack.create(ROLE, "R", properties).await.unwrap_err(), expected);
    }
    // Made, but not whole: there is something to delete.
    let half = json!({"RoleName": "half", "AssumeRolePolicyDocument": trust("a.amazonaws.com"),
        "ManagedPolicyArns": ["arn:aws:iam::aws:policy/NoSuchPolicy"]});
    let Progress::Failed { physical_id, reason } = stack.create(ROLE, "R", half.clone()).await.unwrap()
    else {
        panic!("not failed")
    };
    assert_eq!(physical_id.as_deref(), Some("half"));
    assert_eq!(reason, "Policy arn:aws:iam::aws:policy/NoSuchPolicy does not exist or is not attachable.");
    assert_eq!(stack.delete(ROLE, "half", half).await, Ok(Deletion::Done));
    let policy = json!({"PolicyName": "p", "PolicyDocument": {"Statement": []}});
    let Progress::Failed { reason, .. } = stack.create("AWS::IAM::Policy", "P", policy).await.unwrap() else {
        panic!("not failed")
    };
    assert_eq!(reason, "At least one of [Groups,Roles,Users] must be non-empty.");
}

#[tokio::test]
async fn managed_policies_keep_five_versions_and_their_holders() {
    let world = World::new();
    let stack = Stack(&world);
    for name in ["one", "two"] {
        stack
            .made(ROLE, "R", json!({"RoleName": name, "AssumeRolePolicyDocument": trust("a.amazonaws.com")}))
            .await;
    }
    let said = |n: usize, roles: Value| {
        json!({"ManagedPolicyName": "P", "Roles": roles, "PolicyDocument": {"Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": format!("s3:Action{n}"), "Resource": "*"}]}})
    };
    const POLICY: &str = "AWS::IAM::ManagedPolicy";
    let mut now = said(0, json!(["one"]));
    let (arn, attributes) = stack.made(POLICY, "P", now.clone()).await;
    assert_eq!(arn, "arn:aws:iam::123456789012:policy/P");
    assert_eq!(attributes["DefaultVersionId"], "v1");
    for n in 1..8 {
        let next = said(n, json!(["two"]));
        let attributes = stack.update(POLICY, &arn, now, next.clone()).await.unwrap();
        assert_eq!(attributes["DefaultVersionId"], format!("v{}", n + 1));
        now = next;
    }
    let versions = stack.ask("ListPolicyVersions", json!({"PolicyArn": arn})).await;
    let ids: Vec<_> =
        versions["Versions"].as_array().unwrap().iter().map(|v| v["VersionId"].clone()).collect();
    assert_eq!(ids, ["v8", "v7", "v6", "v5", "v4"]);
    let uses = stack.ask("ListEntitiesForPolicy", json!({"PolicyArn": arn})).await;
    assert_eq!(uses["PolicyRoles"][0]["RoleName"], "two");
    assert_eq!(uses["PolicyRoles"].as_array().unwrap().len(), 1);
    assert_eq!(stack.delete(POLICY, &arn, now.clone()).await, Ok(Deletion::Done));
    assert_eq!(stack.delete(POLICY, &arn, now).await, Ok(Deletion::Done));
    let error = world.wire("iam", "GetPolicy", json!({"PolicyArn": arn})).await.unwrap_err();
    assert_eq!((error.code.as_ref(), error.status), ("NoSuchEntity", 404));
}

#[tokio::test]
async fn users_groups_profiles_keys_and_inline_policies() {
    let world = World::new();
    let stack = Stack(&world);
    let (role, _) =
        stack.made(ROLE, "R", json!({"AssumeRolePolicyDocument": trust("ec2.amazonaws.com")})).await;
    let group_said =
        json!({"GroupName": "g", "ManagedPolicyArns": [XRAY], "Policies": [inline("i", "s3:*")]});
    let (group, _) = stack.made("AWS::IAM::Group", "G", group_said.clone()).await;
    let user_said = json!({"UserName": "u", "Path": "/team/", "Groups": [group], "ManagedPolicyArns": [BASIC],
        "LoginProfile": {"Password": "Secret-12", "PasswordResetRequired": true}});
    let (user, attributes) = stack.made("AWS::IAM::User", "U", user_said.clone()).await;
    assert_eq!(attributes["Arn"], "arn:aws:iam::123456789012:user/team/u");
    let login = stack.ask("GetLoginProfile", json!({"UserName": "u"})).await;
    assert_eq!(login["LoginProfile"]["PasswordResetRequired"], true);
    let key_said = json!({"UserName": user, "Status": "Inactive", "Serial": 1});
    let (key, attributes) = stack.made("AWS::IAM::AccessKey", "K", key_said.clone()).await;
    assert_eq!(attributes["SecretAccessKey"].as_str().unwrap().len(), 40);
    let keys = stack.ask("ListAccessKeys", json!({"UserName": "u"})).await;
    assert_eq!(keys["AccessKeyMetadata"][0]["Status"], "Inactive");
    let mut policy_said = inline("shared", "s3:List*");
    policy_said["Roles"] = json!([role]);
    policy_said["Users"] = json!([user]);
    let (policy, _) = stack.made("AWS::IAM::Policy", "P", policy_said.clone()).await;
    let mut narrower = inline("renamed", "s3:List*");
    narrower["Users"] = json!([user]);
    stack.update("AWS::IAM::Policy", &policy, policy_said, narrower.clone()).await.unwrap();
    assert_eq!(stack.ask("ListRolePolicies", json!({"RoleName": role})).await["PolicyNames"], json!([]));
    assert_eq!(
        stack.ask("ListUserPolicies", json!({"UserName": user})).await["PolicyNames"],
        json!(["renamed"])
    );
    let profile_said = json!({"Roles": [role]});
    let (profile, _) = stack.made("AWS::IAM::InstanceProfile", "I", profile_said.clone()).await;
    let moved = json!({"UserName": "u", "Path": "/other/"});
    let attributes = stack.update("AWS::IAM::User", &user, user_said, moved.clone()).await.unwrap();
    assert_eq!(attributes["Arn"], "arn:aws:iam::123456789012:user/other/u");

    for (type_name, id, said) in [
        ("AWS::IAM::InstanceProfile", &profile, profile_said),
        ("AWS::IAM::Policy", &policy, narrower),
        ("AWS::IAM::AccessKey", &key, key_said),
        ("AWS::IAM::User", &user, moved),
        ("AWS::IAM::Group", &group, group_said),
        (ROLE, &role, json!({"AssumeRolePolicyDocument": trust("ec2.amazonaws.com")})),
    ] {
        assert_eq!(stack.delete(type_name, id, said.clone()).await, Ok(Deletion::Done), "{type_name}");
        assert_eq!(stack.delete(type_name, id, said).await, Ok(Deletion::Done), "{type_name} again");
    }
    let summary = stack.ask("GetAccountSummary", json!({})).await["SummaryMap"].clone();
    for noun in ["Users", "Groups", "Roles", "Policies", "InstanceProfiles"] {
        assert_eq!(summary[noun], 0, "{noun}");
    }
}
