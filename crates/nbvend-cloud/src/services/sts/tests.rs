//! STS by typed and wire calls: who gets a role and who does not.

use nbvend_wire::sigv4;
use serde_json::{Value, json};

use super::assume_role::AssumeRole;
use crate::door;
use crate::identity::{AccessKey, Caller, Principal};
use crate::testing::{REGION, ROOT_KEY, ROOT_SECRET, World};

fn trust(principal: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"},
    ]})
    .to_string()
}

async fn role(world: &World, name: &str, trust: &str) -> String {
    let input = json!({"RoleName": name, "Path": "/team/", "AssumeRolePolicyDocument": trust});
    let made = world.wire("iam", "CreateRole", input).await.unwrap();
    made["Role"]["Arn"].as_str().unwrap().to_owned()
}

fn ask(arn: &str) -> AssumeRole {
    AssumeRole {
        role_arn: arn.to_owned(),
        role_session_name: "session-1".to_owned(),
        ..AssumeRole::default()
    }
}

#[tokio::test]
async fn a_service_gets_a_role_that_trusts_it() {
    let world = World::new();
    let cases = [
        (json!({"Service": "lambda.amazonaws.com"}), "lambda.amazonaws.com", true),
        (json!({"Service": "lambda.amazonaws.com"}), "sagemaker.amazonaws.com", false),
        (json!({"Service": ["a.amazonaws.com", "events.localhost:4566"]}), "events.amazonaws.com", true),
        (json!({"AWS": "123456789012"}), "lambda.amazonaws.com", false),
    ];
    for (at, (trusted, service, allowed)) in cases.into_iter().enumerate() {
        let name = format!("r{at}");
        let arn = role(&world, &name, &trust(&trusted)).await;
        let got = door::call(&world.engine, Caller::service(service, REGION), ask(&arn)).await;
        let Ok(output) = got else {
            assert!(!allowed, "{trusted} {service}");
            let error = got.unwrap_err();
            assert_eq!((error.code.as_ref(), error.status), ("AccessDenied", 403));
            let text =
                format!("User: {service} is not authorized to perform: sts:AssumeRole on resource: {arn}");
            assert_eq!(error.message, text);
            continue;
        };
        assert!(allowed, "{trusted} {service}");
        let user = output.assumed_role_user;
        assert_eq!(user.arn, format!("arn:aws:sts::123456789012:assumed-role/{name}/session-1"));
        assert!(user.assumed_role_id.starts_with("AROA") && user.assumed_role_id.ends_with(":session-1"));
        let id = output.credentials.access_key_id.clone();
        assert!(id.starts_with("ASIA") && id.len() == 20, "{id}");
        let key = world.engine.store().read(|tx| AccessKey::get(tx, &id)).unwrap().unwrap().unwrap();
        assert_eq!(Some(key.principal), user.principal);
        let session = key.session.unwrap();
        assert_eq!(session.token, output.credentials.session_token);
        assert_eq!(session.expires.seconds_since(session.issued), 3600);
    }
}

#[tokio::test]
async fn a_role_that_does_not_exist_is_refused_like_one_that_does_not_trust() {
    let world = World::new();
    let arn = "arn:aws:iam::123456789012:role/nobody";
    let caller = Caller::service("lambda.amazonaws.com", REGION);
    let error = door::call(&world.engine, caller, ask(arn)).await.unwrap_err();
    assert_eq!((error.code.as_ref(), error.status), ("AccessDenied", 403));
    // The path belongs to the name.
    role(&world, "there", &trust(&json!({"Service": "lambda.amazonaws.com"}))).await;
    let caller = Caller::service("lambda.amazonaws.com", REGION);
    assert!(door::call(&world.engine, caller, ask("arn:aws:iam::123456789012:role/there")).await.is_err());
}

#[tokio::test]
async fn root_gets_no_role_and_a_bad_arn_is_named() {
    let world = World::new();
    let arn = role(&world, "r", &trust(&json!({"AWS": "123456789012"}))).await;
    let error = world.call(ask(&arn)).await.unwrap_err();
    assert_eq!(
        (error.code.as_ref(), error.message.as_str()),
        ("AccessDenied", "Roles may not be assumed by root accounts.")
    );
    for arn in ["nothing-valid-in-here", "arn::b:::something/test-role", "arn:a:a::aaaaaaaaaa:"] {
        let error = world.call(ask(arn)).await.unwrap_err();
        assert_eq!((error.code.as_ref(), error.message), ("ValidationError", format!("{arn} is invalid")));
    }
}

#[tokio::test]
async fn a_service_says_for_what_it_asks() {
    let world = World::new();
    let function = "arn:aws:lambda:us-east-1:123456789012:function:f";
    let document = json!({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}, "ArnLike": {"aws:SourceArn": function}}}]});
    let arn = role(&world, "r", &document.to_string()).await;
    for (source, allowed) in [
        (Some(function), true),
        (Some("arn:aws:lambda:us-east-1:123456789012:function:g"), false),
        (None, false),
    ] {
        let caller = Caller::service("lambda.amazonaws.com", REGION);
        let request = AssumeRole { source_arn: source.map(str::to_owned), ..ask(&arn) };
        assert_eq!(door::call(&world.engine, caller, request).await.is_ok(), allowed, "{source:?}");
    }
}

/// A user with one inline policy (or none), as a caller.
async fn user(world: &World, name: &str, actions: &[&str]) -> Caller {
    let made = world.wire("iam", "CreateUser", json!({"UserName": name})).await.unwrap();
    if !actions.is_empty() {
        let document = json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Action": actions, "Resource": "*"}});
        let input = json!({"UserName": name, "PolicyName": "p", "PolicyDocument": document.to_string()});
        world.wire("iam", "PutUserPolicy", input).await.unwrap();
    }
    let id = made["User"]["UserId"].as_str().unwrap().to_owned();
    let principal = Principal::User { name: name.to_owned(), id, path: "/".to_owned() };
    Caller { principal, access_key_id: None, ..world.root() }
}

#[tokio::test]
async fn trust_in_the_account_leaves_it_to_the_users_policies() {
    let world = World::new();
    let may = user(&world, "may", &["sts:AssumeRole"]).await;
    let may_not = user(&world, "maynot", &["s3:*"]).await;
    let account = role(&world, "account", &trust(&json!({"AWS": "arn:aws:iam::123456789012:root"}))).await;
    let named = role(&world, "named", &trust(&json!({"AWS": "arn:aws:iam::123456789012:user/maynot"}))).await;
    for (caller, arn, allowed) in
        [(&may, &account, true), (&may_not, &account, false), (&may, &named, false), (&may_not, &named, true)]
    {
        let got = door::call(&world.engine, caller.clone(), ask(arn)).await;
        assert_eq!(got.is_ok(), allowed, "{:?} {arn}", caller.principal);
    }
}

#[tokio::test]
async fn conditions_of_the_trust_policy_hold() {
    let world = World::new();
    let alice = user(&world, "alice", &[]).await;
    let document = json!({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": "arn:aws:iam::123456789012:user/alice"},
        "Condition": {"StringEquals": {"sts:ExternalId": "secret"}, "StringLike": {"sts:RoleSessionName": "session-*"}}}]});
    let arn = role(&world, "r", &document.to_string()).await;
    for (external_id, session, allowed) in [
        (Some("secret"), "session-1", true),
        (Some("wrong"), "session-1", false),
        (None, "session-1", false),
        (Some("secret"), "other", false),
    ] {
        let request = AssumeRole {
            external_id: external_id.map(str::to_owned),
            role_session_name: session.to_owned(),
            ..ask(&arn)
        };
        let got = door::call(&world.engine, alice.clone(), request).await;
        assert_eq!(got.is_ok(), allowed, "{external_id:?} {session}");
    }
}

/// The caller that a session's credentials make.
fn as_session(world: &World, caller: &Caller, output: super::assume_role::AssumeRoleOutput) -> Caller {
    let principal = output.assumed_role_user.principal.unwrap();
    caller.acting_as(principal, Some(output.credentials.access_key_id), Some(world.engine.now()))
}

#[tokio::test]
async fn durations_have_their_limits() {
    let world = World::new();
    let alice = user(&world, "alice", &["sts:AssumeRole"]).await;
    let anybody = trust(&json!({"AWS": "123456789012"}));
    let arn = role(&world, "r", &anybody).await;
    let for_seconds = |seconds| AssumeRole { duration_seconds: Some(seconds), ..ask(&arn) };
    let error = door::call(&world.engine, alice.clone(), for_seconds(3601)).await.unwrap_err();
    assert_eq!(
        (error.code.as_ref(), error.message.as_str()),
        (
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    );
    let input = json!({"RoleName": "r", "MaxSessionDuration": 7200});
    world.wire("iam", "UpdateRole", input).await.unwrap();
    let first = door::call(&world.engine, alice.clone(), for_seconds(7200)).await.unwrap();
    assert_eq!(first.credentials.expiration.seconds_since(world.engine.now()), 7200);

    let document = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}});
    let input = json!({"RoleName": "r", "PolicyName": "p", "PolicyDocument": document.to_string()});
    world.wire("iam", "PutRolePolicy", input).await.unwrap();
    let session = as_session(&world, &alice, first);
    let error = door::call(&world.engine, session.clone(), for_seconds(3601)).await.unwrap_err();
    assert!(error.message.contains("1 hour session limit for roles assumed by role chaining"), "{error}");
    assert!(door::call(&world.engine, session, for_seconds(3600)).await.is_ok());
    let last_used = world.wire("iam", "GetRole", json!({"RoleName": "r"})).await.unwrap();
    assert_eq!(last_used["Role"]["RoleLastUsed"]["Region"], REGION);
}

#[tokio::test]
async fn session_policies_limit_and_source_identity_stays() {
    let world = World::new();
    let alice = user(&world, "alice", &["sts:*"]).await;
    let document = json!({"Statement": [{"Effect": "Allow", "Principal": {"AWS": "123456789012"},
        "Action": ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]}]});
    let arn = role(&world, "r", &document.to_string()).await;
    let grant = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}});
    let input = json!({"RoleName": "r", "PolicyName": "p", "PolicyDocument": grant.to_string()});
    world.wire("iam", "PutRolePolicy", input).await.unwrap();

    let narrow =
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}});
    let request = AssumeRole { policy: Some(narrow.to_string()), ..ask(&arn) };
    let narrowed =
        as_session(&world, &alice, door::call(&world.engine, alice.clone(), request).await.unwrap());
    let error = door::call(&world.engine, narrowed, ask(&arn)).await.unwrap_err();
    assert_eq!(error.code, "AccessDenied");

    let request = AssumeRole { policy: Some("{}".to_owned()), ..ask(&arn) };
    let error = door::call(&world.engine, alice.clone(), request).await.unwrap_err();
    assert_eq!((error.code.as_ref(), error.status), ("MalformedPolicyDocument", 400));

    let tag = |key: &str| super::tags::Tag { key: key.to_owned(), value: "v".to_owned() };
    let request = AssumeRole {
        source_identity: Some("alice".to_owned()),
        tags: vec![tag("team"), tag("lost")],
        transitive_tag_keys: vec!["team".to_owned()],
        ..ask(&arn)
    };
    let output = door::call(&world.engine, alice.clone(), request).await.unwrap();
    assert_eq!(output.source_identity.as_deref(), Some("alice"));
    let session = as_session(&world, &alice, output);
    let again = door::call(&world.engine, session.clone(), ask(&arn)).await.unwrap();
    assert_eq!(again.source_identity.as_deref(), Some("alice"));
    let id = again.credentials.access_key_id;
    let key = world.engine.store().read(|tx| AccessKey::get(tx, &id)).unwrap().unwrap().unwrap();
    assert_eq!(key.session.unwrap().tags, [("team".to_owned(), "v".to_owned())]);
    let request = AssumeRole { source_identity: Some("bob".to_owned()), ..ask(&arn) };
    assert!(door::call(&world.engine, session.clone(), request).await.is_err());
    let request = AssumeRole { tags: vec![tag("TEAM")], ..ask(&arn) };
    let error = door::call(&world.engine, session, request).await.unwrap_err();
    assert_eq!((error.code.as_ref(), error.status), ("InvalidParameterValue", 400));

    let plain = role(&world, "plain", &trust(&json!({"AWS": "123456789012"}))).await;
    let request = AssumeRole { source_identity: Some("alice".to_owned()), ..ask(&plain) };
    let error = door::call(&world.engine, alice, request).await.unwrap_err();
    assert!(error.message.contains("sts:SetSourceIdentity"), "{error}");
}

#[tokio::test]
async fn who_am_i() {
    let world = World::new();
    let me = world.wire("sts", "GetCallerIdentity", json!({})).await.unwrap();
    assert_eq!(
        me,
        json!({"UserId": "123456789012", "Account": "123456789012", "Arn": "arn:aws:iam::123456789012:root"})
    );
    let alice = user(&world, "alice", &[]).await;
    let me = world.wire_as(alice.clone(), "sts", "GetCallerIdentity", json!({})).await.unwrap();
    assert_eq!(me["Arn"], "arn:aws:iam::123456789012:user/alice");
    let session = world.wire_as(alice.clone(), "sts", "GetSessionToken", json!({})).await.unwrap();
    let id = session["Credentials"]["AccessKeyId"].as_str().unwrap().to_owned();
    let info = world.wire("sts", "GetAccessKeyInfo", json!({"AccessKeyId": id})).await.unwrap();
    assert_eq!(info["Account"], "123456789012");
    let caller =
        Caller { access_key_id: Some(id.clone()), session_issued: Some(world.engine.now()), ..alice };
    let error = world.wire_as(caller, "sts", "GetSessionToken", json!({})).await.unwrap_err();
    assert_eq!(error.message, "Cannot call GetSessionToken with session credentials");
    world.wire("iam", "DeleteUserPolicy", json!({"UserName": "alice", "PolicyName": "p"})).await.unwrap_err();
    world.wire("iam", "DeleteUser", json!({"UserName": "alice"})).await.unwrap();
    let gone = world.engine.store().read(|tx| AccessKey::get(tx, &id)).unwrap().unwrap();
    assert_eq!(gone, None, "a deleted user has no sessions");
}

#[tokio::test]
async fn ended_sessions_are_removed_a_day_later() {
    let world = World::new();
    let arn = role(&world, "r", &trust(&json!({"Service": "lambda.amazonaws.com"}))).await;
    let mut ids = Vec::new();
    for _ in 0..250 {
        let caller = Caller::service("lambda.amazonaws.com", REGION);
        ids.push(door::call(&world.engine, caller, ask(&arn)).await.unwrap().credentials.access_key_id);
    }
    let left = |world: &World, ids: &[String]| {
        let found =
            |id: &String| world.engine.store().read(|tx| AccessKey::get(tx, id)).unwrap().unwrap().is_some();
        ids.iter().filter(|id| found(id)).count()
    };
    world.clock.advance(24 * 3600);
    world.settle().await;
    assert_eq!(left(&world, &ids), 250);
    world.clock.advance(3 * 3600);
    let caller = Caller::service("lambda.amazonaws.com", REGION);
    let fresh = door::call(&world.engine, caller, ask(&arn)).await.unwrap().credentials.access_key_id;
    let world = world.restart();
    world.settle().await;
    assert_eq!((left(&world, &ids), left(&world, &[fresh])), (0, 1));
}

#[tokio::test]
async fn secrets_stay_out_of_the_trail() {
    let world = World::new();
    let arn = role(&world, "r", &trust(&json!({"Service": "lambda.amazonaws.com"}))).await;
    let caller = Caller::service("lambda.amazonaws.com", REGION);
    let output = door::call(&world.engine, caller, ask(&arn)).await.unwrap();
    let dump = world.engine.store().read(|tx| {
        let mut statement = tx.connection().prepare("SELECT body FROM trail").unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.map(Result::unwrap).collect::<String>()
    });
    let dump = dump.unwrap();
    assert!(dump.contains(&output.credentials.access_key_id) && dump.contains("\"AssumeRole\""));
    assert!(!dump.contains(&output.credentials.secret_access_key));
    assert!(!dump.contains(&output.credentials.session_token));
}

/// A signed request of the query protocol through the door; status and body.
async fn send(world: &World, service: &str, keys: &sigv4::Credentials, form: &str) -> (u16, String) {
    let headers = vec![
        ("host".to_owned(), "localhost:4566".to_owned()),
        ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
    ];
    let to_sign =
        sigv4::ToSign { method: "POST", path: "/", query: "", headers: &headers, body: form.as_bytes() };
    let more = sigv4::sign(&to_sign, keys, REGION, service, world.engine.now());
    let mut request = http::Request::builder().method("POST").uri("/");
    for (name, value) in headers.iter().chain(&more) {
        request = request.header(name, value);
    }
    let peer = door::Peer { ip: std::net::IpAddr::from([127, 0, 0, 1]), secure: false };
    let answer = door::handle(&world.engine, request.body(door::full(form.to_owned())).unwrap(), peer).await;
    let status = answer.status().as_u16();
    let body = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn element(body: &str, name: &str) -> String {
    let (_, rest) = body.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {body}"));
    rest.split_once(&format!("</{name}>")).unwrap().0.to_owned()
}

#[tokio::test]
async fn credentials_work_at_the_door_until_they_end() {
    let world = World::new();
    let root = sigv4::Credentials {
        access_key_id: ROOT_KEY.to_owned(),
        secret_access_key: ROOT_SECRET.to_owned(),
        session_token: None,
    };
    let (status, body) =
        send(&world, "iam", &root, "Action=CreateUser&Version=2010-05-08&UserName=alice").await;
    assert_eq!(
        (status, element(&body, "Arn").as_str()),
        (200, "arn:aws:iam::123456789012:user/alice"),
        "{body}"
    );
    let (_, body) =
        send(&world, "iam", &root, "Action=CreateAccessKey&Version=2010-05-08&UserName=alice").await;
    let alice = sigv4::Credentials {
        access_key_id: element(&body, "AccessKeyId"),
        secret_access_key: element(&body, "SecretAccessKey"),
        session_token: None,
    };
    let arn = role(&world, "r", &trust(&json!({"AWS": "arn:aws:iam::123456789012:user/alice"}))).await;
    let (status, body) = send(&world, "iam", &root, "Action=GetRole&Version=2010-05-08&RoleName=r").await;
    assert_eq!(status, 200);
    assert!(element(&body, "AssumeRolePolicyDocument").contains("%7B%22Version%22"), "{body}");
    let form =
        format!("Action=AssumeRole&Version=2011-06-15&RoleArn={arn}&RoleSessionName=s-1&DurationSeconds=900");
    let (status, body) = send(&world, "sts", &alice, &form).await;
    assert_eq!(status, 200, "{body}");
    let session = sigv4::Credentials {
        access_key_id: element(&body, "AccessKeyId"),
        secret_access_key: element(&body, "SecretAccessKey"),
        session_token: Some(element(&body, "SessionToken")),
    };
    let me = "Action=GetCallerIdentity&Version=2011-06-15";
    let (status, body) = send(&world, "sts", &session, me).await;
    assert_eq!(
        (status, element(&body, "Arn").as_str()),
        (200, "arn:aws:sts::123456789012:assumed-role/r/s-1")
    );
    let (status, body) = send(&world, "sts", &session, &form).await;
    assert_eq!((status, element(&body, "Code").as_str()), (403, "AccessDenied"));
    let forged = sigv4::Credentials { session_token: Some("forged".to_owned()), ..session.clone() };
    assert_eq!(send(&world, "sts", &forged, me).await.0, 403);
    world.clock.advance(901);
    let (status, body) = send(&world, "sts", &session, me).await;
    assert_eq!((status, element(&body, "Code").as_str()), (403, "ExpiredToken"));
    let key = &alice.access_key_id;
    let form =
        format!("Action=UpdateAccessKey&Version=2010-05-08&UserName=alice&AccessKeyId={key}&Status=Inactive");
    assert_eq!(send(&world, "iam", &root, &form).await.0, 200);
    let (status, body) = send(&world, "sts", &alice, me).await;
    assert_eq!((status, element(&body, "Code").as_str()), (403, "InvalidClientTokenId"));
}

#[tokio::test]
async fn a_user_makes_a_session_for_somebody_else() {
    let world = World::new();
    let made = world.wire("iam", "CreateUser", json!({"UserName": "broker"})).await.unwrap();
    let id = made["User"]["UserId"].as_str().unwrap().to_owned();
    let policy = |action: &str| {
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}})
            .to_string()
    };
    let put = json!({"UserName": "broker", "PolicyName": "p", "PolicyDocument": policy("*")});
    world.wire("iam", "PutUserPolicy", put).await.unwrap();
    let principal = Principal::User { name: "broker".to_owned(), id, path: "/".to_owned() };
    let broker = Caller { principal, access_key_id: None, ..world.root() };
    let ask = json!({"Name": "guest", "DurationSeconds": 900, "Policy": policy("ssm:*"),
        "Tags": [{"Key": "team", "Value": "a"}]});
    let made = world.wire_as(broker.clone(), "sts", "GetFederationToken", ask.clone()).await.unwrap();
    let user = &made["FederatedUser"];
    assert_eq!(user["Arn"], "arn:aws:sts::123456789012:federated-user/guest");
    assert_eq!(user["FederatedUserId"], "123456789012:guest");
    let key = made["Credentials"]["AccessKeyId"].as_str().unwrap().to_owned();
    let guest = Caller {
        principal: Principal::FederatedUser {
            name: "guest".to_owned(),
            issuer: Box::new(broker.principal.clone()),
        },
        access_key_id: Some(key.clone()),
        session_issued: Some(world.engine.now()),
        ..world.root()
    };
    let stored = world.engine.store().read(|tx| AccessKey::get(tx, &key)).unwrap().unwrap().unwrap();
    assert_eq!(stored.principal, guest.principal);
    let seen = world.wire_as(guest.clone(), "sts", "GetCallerIdentity", json!({})).await.unwrap();
    assert_eq!((&seen["Arn"], &seen["UserId"]), (&user["Arn"], &user["FederatedUserId"]));
    // What a session made for somebody may not make: another one.
    let error = world.wire_as(guest, "sts", "GetFederationToken", ask).await.unwrap_err();
    assert_eq!(error.status, 403);
    // The session dies with the user behind it.
    world.wire("iam", "DeleteUserPolicy", json!({"UserName": "broker", "PolicyName": "p"})).await.unwrap();
    world.wire("iam", "DeleteUser", json!({"UserName": "broker"})).await.unwrap();
    assert!(world.engine.store().read(|tx| AccessKey::get(tx, &key)).unwrap().unwrap().is_none());
}
