mod credentials;
mod life;
mod lists;
mod prune;
mod room;
mod watch;

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::access::{self, Refusal, Visitor};
use super::state::Notebook;
use crate::identity::{Caller, Principal};
use crate::ports::StartFailure;
use crate::services::sts::assume_role::AssumeRole;
use crate::store::Record;
use crate::testing::{REGION, World};

async fn world() -> World {
    let world = World::new();
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let role = json!({"RoleName": "Run", "AssumeRolePolicyDocument": trust.to_string()});
    world.wire("iam", "CreateRole", role).await.unwrap();
    world
}

/// Where requests come from.
const HERE: Visitor = Visitor { ip: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), secure: false };

const ROLE: &str = "arn:aws:iam::123456789012:role/Run";

async fn call(world: &World, operation: &str, input: Value) -> Result<Value, String> {
    let answer = world.wire("sagemaker", operation, input).await;
    answer.map_err(|error| format!("{} {} {}", error.status, error.code, error.message))
}

async fn create(world: &World, name: &str) -> Result<Value, String> {
    let input = json!({"NotebookInstanceName": name, "InstanceType": "ml.t3.medium", "RoleArn": ROLE});
    call(world, "CreateNotebookInstance", input).await
}

/// Sends what a rule catches to a log group.
async fn caught(world: &World, pattern: &str) {
    world.wire("events", "PutRule", json!({"Name": "caught", "EventPattern": pattern})).await.unwrap();
    world.wire("logs", "CreateLogGroup", json!({"logGroupName": "caught"})).await.unwrap();
    let document = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"}, "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": "arn:aws:logs:us-east-1:123456789012:log-group:caught:*"}});
    let policy = json!({"policyName": "events", "policyDocument": document.to_string()});
    world.wire("logs", "PutResourcePolicy", policy).await.unwrap();
    let target = json!({"Id": "1", "Arn": "arn:aws:logs:us-east-1:123456789012:log-group:caught"});
    world.wire("events", "PutTargets", json!({"Rule": "caught", "Targets": [target]})).await.unwrap();
}

/// The events that were caught, in their order.
async fn events(world: &World) -> Vec<Value> {
    let answer = world.wire("logs", "FilterLogEvents", json!({"logGroupName": "caught"})).await.unwrap();
    let events = answer["events"].as_array().unwrap();
    events.iter().map(|event| serde_json::from_str(event["message"].as_str().unwrap()).unwrap()).collect()
}

async fn status(world: &World, name: &str) -> String {
    let answer =
        call(world, "DescribeNotebookInstance", json!({"NotebookInstanceName": name})).await.unwrap();
    answer["NotebookInstanceStatus"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_life() {
    let world = world().await;
    let made = create(&world, "Ada-Notebook").await.unwrap();
    let arn = "arn:aws:sagemaker:us-east-1:123456789012:notebook-instance/ada-notebook";
    assert_eq!(made["NotebookInstanceArn"], arn);
    assert_eq!(status(&world, "Ada-Notebook").await, "Pending");
    let name = json!({"NotebookInstanceName": "Ada-Notebook"});
    assert_eq!(
        call(&world, "StopNotebookInstance", name.clone()).await.unwrap_err(),
        format!(
            "400 ValidationException Status (Pending) not in ([InService]). Unable to transition to (Stopping) for Notebook Instance ({arn})"
        )
    );
    let world = world.restart();
    world.settle().await;
    assert_eq!(status(&world, "ada-notebook").await, "InService");
    assert_eq!(
        create(&world, "ADA-notebook").await.unwrap_err(),
        format!("400 ValidationException Cannot create a duplicate Notebook Instance ({arn})")
    );
    call(&world, "StopNotebookInstance", name.clone()).await.unwrap();
    let world = world.restart();
    world.settle().await;
    assert_eq!(status(&world, "Ada-Notebook").await, "Stopped");
    assert!(world.notebooks.running.lock().unwrap().is_empty());
    let change = json!({"NotebookInstanceName": "Ada-Notebook", "InstanceType": "ml.t3.large"});
    call(&world, "UpdateNotebookInstance", change).await.unwrap();
    world.settle().await;
    call(&world, "StartNotebookInstance", name.clone()).await.unwrap();
    world.settle().await;
    assert_eq!(world.notebooks.running.lock().unwrap().values().next().unwrap().instance_type, "ml.t3.large");
    call(&world, "StopNotebookInstance", name.clone()).await.unwrap();
    world.settle().await;
    call(&world, "DeleteNotebookInstance", name.clone()).await.unwrap();
    let world = world.restart();
    world.settle().await;
    let gone = call(&world, "DescribeNotebookInstance", name).await.unwrap_err();
    assert_eq!(gone, "400 ValidationException RecordNotFound");
    assert_eq!(world.notebooks.deleted.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_server_whose_record_went_while_it_started_does_not_stay() {
    let world = world().await;
    create(&world, "x").await.unwrap();
    let gate = std::sync::Arc::clone(&world.notebooks.gate);
    let closed = gate.write().await;
    let reset = async {
        while world.notebooks.begun.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        world.engine.reset().await.unwrap();
        drop(closed);
    };
    tokio::join!(world.settle(), reset);
    assert!(world.notebooks.running.lock().unwrap().is_empty());
    assert_eq!(world.notebooks.deleted.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_notebook_that_could_not_be_taken_over_is_taken_over_later() {
    let world = world().await;
    create(&world, "x").await.unwrap();
    world.settle().await;
    // The machine is started anew.
    world.notebooks.running.lock().unwrap().clear();
    let world = world.restart();
    world.fail_writes(Notebook::KIND, true).await;
    assert!(world.engine.settle().await.is_err());
    assert!(world.notebooks.running.lock().unwrap().is_empty());
    world.fail_writes(Notebook::KIND, false).await;
    world.settle().await;
    assert_eq!(status(&world, "x").await, "InService");
    assert_eq!(world.notebooks.running.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_start_that_fails_says_why_and_may_be_tried_again() {
    let world = world().await;
    let broken = StartFailure::Other("no Python".to_owned());
    world.notebooks.broken.lock().unwrap().insert("x".to_owned(), broken);
    create(&world, "x").await.unwrap();
    world.settle().await;
    let name = json!({"NotebookInstanceName": "x"});
    let failed = call(&world, "DescribeNotebookInstance", name.clone()).await.unwrap();
    assert_eq!(
        (&failed["NotebookInstanceStatus"], &failed["FailureReason"]),
        (&json!("Failed"), &json!("no Python"))
    );
    world.notebooks.broken.lock().unwrap().clear();
    call(&world, "StartNotebookInstance", name).await.unwrap();
    world.settle().await;
    assert_eq!(status(&world, "x").await, "InService");
}

fn token(url: &str) -> String {
    url.split_once("authToken=").unwrap().1.to_owned()
}

#[tokio::test]
async fn a_link_opens_a_session_for_five_minutes_and_one_start() {
    let world = world().await;
    create(&world, "Ada").await.unwrap();
    create(&world, "Bob").await.unwrap();
    let ask = json!({"NotebookInstanceName": "Ada", "SessionExpirationDurationInSeconds": 1800});
    assert!(call(&world, "CreatePresignedNotebookInstanceUrl", ask.clone()).await.is_err());
    world.settle().await;
    let answer = call(&world, "CreatePresignedNotebookInstanceUrl", ask.clone()).await.unwrap();
    let url = answer["AuthorizedUrl"].as_str().unwrap();
    assert!(url.starts_with("http://ada.notebook.us-east-1.sagemaker.localhost:4566?authToken="), "{url}");
    let token = token(url);

    world.clock.advance(299);
    let opened = access::redeem(&world.engine, REGION, "ada", &token, HERE).await.unwrap();
    let visit = access::session(&world.engine, REGION, "ada", &opened.cookie, HERE).unwrap();
    assert_eq!(visit.user, "root");
    assert_eq!(
        access::session(&world.engine, REGION, "bob", &opened.cookie, HERE).unwrap_err(),
        Refusal::NoSession
    );
    assert_eq!(
        access::redeem(&world.engine, REGION, "bob", &token, HERE).await.unwrap_err(),
        Refusal::BadToken
    );
    assert_eq!(
        access::redeem(&world.engine, REGION, "ada", "AAAA", HERE).await.unwrap_err(),
        Refusal::BadToken
    );
    world.clock.advance(2);
    assert_eq!(
        access::redeem(&world.engine, REGION, "ada", &token, HERE).await.unwrap_err(),
        Refusal::Expired
    );
    assert!(access::session(&world.engine, REGION, "ada", &opened.cookie, HERE).is_ok());
    world.clock.advance(1800);
    assert_eq!(
        access::session(&world.engine, REGION, "ada", &opened.cookie, HERE).unwrap_err(),
        Refusal::Expired
    );

    let answer = call(&world, "CreatePresignedNotebookInstanceUrl", ask).await.unwrap();
    let token = self::token(answer["AuthorizedUrl"].as_str().unwrap());
    let opened = access::redeem(&world.engine, REGION, "ada", &token, HERE).await.unwrap();
    for operation in ["StopNotebookInstance", "StartNotebookInstance"] {
        call(&world, operation, json!({"NotebookInstanceName": "Ada"})).await.unwrap();
        world.settle().await;
        assert!(access::session(&world.engine, REGION, "ada", &opened.cookie, HERE).is_err(), "{operation}");
        assert!(access::redeem(&world.engine, REGION, "ada", &token, HERE).await.is_err(), "{operation}");
    }
}

#[tokio::test]
async fn wrong_durations_and_names_are_refused() {
    let world = world().await;
    for seconds in [1799, 43201] {
        let ask = json!({"NotebookInstanceName": "Ada", "SessionExpirationDurationInSeconds": seconds});
        let error = call(&world, "CreatePresignedNotebookInstanceUrl", ask).await.unwrap_err();
        assert!(error.starts_with("400 ValidationException 1 validation error detected: Value"), "{error}");
    }
    assert!(create(&world, "-ada").await.unwrap_err().contains("regular expression pattern"));
    let input = json!({"NotebookInstanceName": "a", "InstanceType": "ml.t3.medium", "RoleArn": ROLE, "SubnetId": "s"});
    let error = call(&world, "CreateNotebookInstance", input).await.unwrap_err();
    assert_eq!(
        error,
        "400 ValidationException SubnetId of CreateNotebookInstance is not supported by nbvend"
    );
    let input = json!({"NotebookInstanceName": "a", "InstanceType": "ml.t3.medium", "RoleArn": "arn:aws:iam::123456789012:role/Nobody"});
    let error = call(&world, "CreateNotebookInstance", input).await.unwrap_err();
    assert!(error.contains("Could not assume role arn:aws:iam::123456789012:role/Nobody"), "{error}");
}

#[tokio::test]
async fn a_server_that_dies_fails_its_notebook_which_may_be_started_again() {
    let world = world().await;
    create(&world, "x").await.unwrap();
    world.settle().await;
    let id = world.notebooks.running.lock().unwrap().keys().next().unwrap().clone();
    access::server_died(&world.engine, &id, "killed by signal 9").await.unwrap();
    world.settle().await;
    let name = json!({"NotebookInstanceName": "x"});
    let failed = call(&world, "DescribeNotebookInstance", name.clone()).await.unwrap();
    assert_eq!(failed["NotebookInstanceStatus"], "Failed");
    let reason = failed["FailureReason"].as_str().unwrap();
    assert!(reason.contains("ended by itself: killed by signal 9"), "{reason}");
    // Told twice, or of one that is stopped: nothing changes.
    access::server_died(&world.engine, &id, "again").await.unwrap();
    call(&world, "StartNotebookInstance", name).await.unwrap();
    world.settle().await;
    assert_eq!(status(&world, "x").await, "InService");
}

/// A user with a key, as the door would know her.
async fn person(world: &World, name: &str, policy: &Value) -> Caller {
    let made = world.wire("iam", "CreateUser", json!({"UserName": name})).await.unwrap();
    let put = json!({"UserName": name, "PolicyName": "p", "PolicyDocument": policy.to_string()});
    world.wire("iam", "PutUserPolicy", put).await.unwrap();
    let key = world.wire("iam", "CreateAccessKey", json!({"UserName": name})).await.unwrap();
    Caller {
        principal: Principal::User {
            name: name.to_owned(),
            id: made["User"]["UserId"].as_str().unwrap().to_owned(),
            path: "/".to_owned(),
        },
        access_key_id: Some(key["AccessKey"]["AccessKeyId"].as_str().unwrap().to_owned()),
        ..world.root()
    }
}

fn links() -> Value {
    json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}})
}

/// A notebook in service that `owner` launched from the catalog.
async fn launched(world: &World, name: &str, owner: &str) {
    let tags = json!([{"Key": "aws:servicecatalog:provisioningPrincipalArn", "Value": owner}]);
    let input =
        json!({"NotebookInstanceName": name, "InstanceType": "ml.t3.medium", "RoleArn": ROLE, "Tags": tags});
    let inside = world.root().through("cloudformation.amazonaws.com");
    world.wire_as(inside, "sagemaker", "CreateNotebookInstance", input).await.unwrap();
    world.settle().await;
}

async fn minted(world: &World, caller: &Caller, name: &str) -> String {
    let ask = json!({"NotebookInstanceName": name});
    let made =
        world.wire_as(caller.clone(), "sagemaker", "CreatePresignedNotebookInstanceUrl", ask).await.unwrap();
    token(made["AuthorizedUrl"].as_str().unwrap())
}

#[tokio::test]
async fn a_session_ends_with_the_key_that_made_its_link() {
    let world = world().await;
    create(&world, "ada").await.unwrap();
    world.settle().await;
    for way in ["UpdateAccessKey", "DeleteAccessKey"] {
        let alice = person(&world, &format!("alice-{way}"), &links()).await;
        let first = minted(&world, &alice, "ada").await;
        let unused = minted(&world, &alice, "ada").await;
        let opened = access::redeem(&world.engine, REGION, "ada", &first, HERE).await.unwrap();
        let look = || access::session(&world.engine, REGION, "ada", &opened.cookie, HERE).map(|_| ());
        assert_eq!(look(), Ok(()));
        let mut end = json!({"UserName": format!("alice-{way}"), "AccessKeyId": alice.access_key_id});
        if way == "UpdateAccessKey" {
            end["Status"] = json!("Inactive");
        }
        world.wire("iam", way, end).await.unwrap();
        assert_eq!(look(), Err(Refusal::Ended), "{way}");
        assert_eq!(
            access::redeem(&world.engine, REGION, "ada", &unused, HERE).await.unwrap_err(),
            Refusal::Ended
        );
    }
}

#[tokio::test]
async fn a_session_ends_with_the_right_of_its_maker() {
    let world = world().await;
    create(&world, "ada").await.unwrap();
    world.settle().await;
    let alice = person(&world, "alice", &links()).await;
    let token = minted(&world, &alice, "ada").await;
    let opened = access::redeem(&world.engine, REGION, "ada", &token, HERE).await.unwrap();
    let look = |who| access::session(&world.engine, REGION, "ada", &opened.cookie, who).map(|_| ());
    assert_eq!(look(HERE), Ok(()));
    // Only from one address, and only until a moment.
    let mut narrow = links();
    narrow["Statement"]["Condition"] = json!({
        "IpAddress": {"aws:SourceIp": "127.0.0.1"},
        "DateLessThan": {"aws:CurrentTime": "2026-11-22T12:01:00Z"},
    });
    let put = json!({"UserName": "alice", "PolicyName": "p", "PolicyDocument": narrow.to_string()});
    world.wire("iam", "PutUserPolicy", put).await.unwrap();
    let elsewhere = Visitor { ip: "192.0.2.1".parse().unwrap(), ..HERE };
    assert_eq!((look(HERE), look(elsewhere)), (Ok(()), Err(Refusal::Ended)));
    world.clock.advance(61);
    assert_eq!(look(HERE), Err(Refusal::Ended));
    let put = json!({"UserName": "alice", "PolicyName": "p", "PolicyDocument": links().to_string()});
    world.wire("iam", "PutUserPolicy", put).await.unwrap();
    assert_eq!(look(HERE), Ok(()));
    world.wire("iam", "DeleteUserPolicy", json!({"UserName": "alice", "PolicyName": "p"})).await.unwrap();
    assert_eq!(look(HERE), Err(Refusal::Ended));
}

/// A function's link to a person's notebook: it outlives the function's credentials, not the person.
#[tokio::test]
async fn a_session_ends_with_the_owner_of_its_notebook() {
    let world = world().await;
    let alice = person(&world, "alice", &links()).await;
    launched(&world, "ada", &alice.principal.arn("123456789012")).await;
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let role = json!({"RoleName": "Function", "AssumeRolePolicyDocument": trust.to_string()});
    world.wire("iam", "CreateRole", role).await.unwrap();
    let put = json!({"RoleName": "Function", "PolicyName": "p", "PolicyDocument": links().to_string()});
    world.wire("iam", "PutRolePolicy", put).await.unwrap();
    let assume = AssumeRole {
        role_arn: "arn:aws:iam::123456789012:role/Function".to_owned(),
        role_session_name: "run".to_owned(),
        ..AssumeRole::default()
    };
    let lambda = Caller::service("lambda.amazonaws.com", REGION);
    let assumed = crate::door::call(&world.engine, lambda, assume).await.unwrap();
    let function = world.root().acting_as(
        assumed.assumed_role_user.principal.unwrap(),
        Some(assumed.credentials.access_key_id),
        Some(world.engine.now()),
    );
    let token = minted(&world, &function, "ada").await;
    let opened = access::redeem(&world.engine, REGION, "ada", &token, HERE).await.unwrap();
    let look = || access::session(&world.engine, REGION, "ada", &opened.cookie, HERE).map(|_| ());
    world.clock.advance(2 * 3600);
    assert_eq!(look(), Ok(()), "the function's hour is over");

    let key = json!({"UserName": "alice", "AccessKeyId": alice.access_key_id});
    world.wire("iam", "DeleteAccessKey", key).await.unwrap();
    assert_eq!(look(), Ok(()), "her key made no link");
    world.wire("iam", "DeleteUserPolicy", json!({"UserName": "alice", "PolicyName": "p"})).await.unwrap();
    world.wire("iam", "DeleteUser", json!({"UserName": "alice"})).await.unwrap();
    assert_eq!(look(), Err(Refusal::Ended));
    // A new alice is somebody else.
    person(&world, "alice", &links()).await;
    assert_eq!(look(), Err(Refusal::Ended));
}
