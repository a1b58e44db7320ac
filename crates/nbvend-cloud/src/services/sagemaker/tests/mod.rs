mod credentials;
mod life;
mod room;
mod watch;

use serde_json::{Value, json};

use super::access::{self, Refusal};
use crate::ports::StartFailure;
use crate::testing::{REGION, World};

async fn world() -> World {
    let world = World::new();
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let role = json!({"RoleName": "Run", "AssumeRolePolicyDocument": trust.to_string()});
    world.wire("iam", "CreateRole", role).await.unwrap();
    world
}

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
    let opened = access::redeem(&world.engine, REGION, "ada", &token).await.unwrap();
    let visit = access::session(&world.engine, REGION, "ada", &opened.cookie).unwrap();
    assert_eq!(visit.user, "root");
    assert_eq!(
        access::session(&world.engine, REGION, "bob", &opened.cookie).unwrap_err(),
        Refusal::NoSession
    );
    assert_eq!(access::redeem(&world.engine, REGION, "bob", &token).await.unwrap_err(), Refusal::BadToken);
    assert_eq!(access::redeem(&world.engine, REGION, "ada", "AAAA").await.unwrap_err(), Refusal::BadToken);
    world.clock.advance(2);
    assert_eq!(access::redeem(&world.engine, REGION, "ada", &token).await.unwrap_err(), Refusal::Expired);
    assert!(access::session(&world.engine, REGION, "ada", &opened.cookie).is_ok());
    world.clock.advance(1800);
    assert_eq!(access::session(&world.engine, REGION, "ada", &opened.cookie).unwrap_err(), Refusal::Expired);

    let answer = call(&world, "CreatePresignedNotebookInstanceUrl", ask).await.unwrap();
    let token = self::token(answer["AuthorizedUrl"].as_str().unwrap());
    let opened = access::redeem(&world.engine, REGION, "ada", &token).await.unwrap();
    for operation in ["StopNotebookInstance", "StartNotebookInstance"] {
        call(&world, operation, json!({"NotebookInstanceName": "Ada"})).await.unwrap();
        world.settle().await;
        assert!(access::session(&world.engine, REGION, "ada", &opened.cookie).is_err(), "{operation}");
        assert!(access::redeem(&world.engine, REGION, "ada", &token).await.is_err(), "{operation}");
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
async fn lists_page_through() {
    let world = world().await;
    for at in 0..5 {
        create(&world, &format!("nb-{at}")).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut token = Value::Null;
    loop {
        let mut input = json!({"MaxResults": 2, "SortBy": "CreationTime", "SortOrder": "Ascending"});
        if !token.is_null() {
            input["NextToken"] = token;
        }
        let page = call(&world, "ListNotebookInstances", input).await.unwrap();
        seen.extend(
            page["NotebookInstances"]
                .as_array()
                .unwrap()
                .iter()
                .map(|n| n["NotebookInstanceName"].to_string()),
        );
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(seen, ["\"nb-0\"", "\"nb-1\"", "\"nb-2\"", "\"nb-3\"", "\"nb-4\""]);
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
